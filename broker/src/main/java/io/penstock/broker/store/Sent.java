package io.penstock.broker.store;

import java.util.function.Function;
import java.util.function.Supplier;

/// The answer of a statement that is under way. Belongs, like its transaction, to the thread that
/// sent the statement.
///
/// Postgres runs statements in the order in which they were sent, each seeing what those before it
/// changed and waited for. Who needs several answers sends all statements and waits once.
public final class Sent<T> {
  private final Supplier<T> answer;

  Sent(Supplier<T> answer) {
    this.answer = answer;
  }

  /// Waits for the answer, within the transaction's time, and throws what a statement throws.
  public T get() {
    return answer.get();
  }

  /// The same answer, read as something else by whoever waits for it.
  public <U> Sent<U> map(Function<? super T, ? extends U> reading) {
    return new Sent<>(() -> reading.apply(answer.get()));
  }
}
