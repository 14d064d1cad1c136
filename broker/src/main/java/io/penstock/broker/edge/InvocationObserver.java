package io.penstock.broker.edge;

/// Hears of every invocation, for audit and metrics. Called on event loops: thread-safe, never
/// blocks, never throws.
public interface InvocationObserver {
  InvocationObserver NONE = _ -> {};

  /// The caller is known and its request goes on its way.
  default void began() {}

  /// Called once for every [#began], and for requests that were refused before that.
  void ended(InvocationRecord invocation);

  /// Both hear of everything, `this` first.
  default InvocationObserver and(InvocationObserver next) {
    InvocationObserver first = this;
    return new InvocationObserver() {
      @Override
      public void began() {
        first.began();
        next.began();
      }

      @Override
      public void ended(InvocationRecord invocation) {
        first.ended(invocation);
        next.ended(invocation);
      }
    };
  }
}
