package io.penstock.broker.edge;

import io.penstock.codec.RequestIds;

/// One invocation that is over. Names are empty where it did not come so far.
///
/// @param began [InvocationObserver#began] was called for it
/// @param agent whose tunnel carried it
/// @param method HTTP method
/// @param status what the caller was answered with; 0 = it went away before an answer
/// @param verdict `ok`, `cancelled`, or the error's code as in `Penstock-Error`
/// @param cut the answer had begun and was broken off
/// @param bytesIn request body, from the caller
/// @param bytesOut answer body, towards the caller
/// @param parentSpan the caller's span; 0 = it told none, or no spans are recorded here
public record InvocationRecord(
    RequestIds ids,
    boolean began,
    String caller,
    String site,
    String system,
    String agent,
    String method,
    int status,
    String verdict,
    boolean cut,
    long bytesIn,
    long bytesOut,
    HopMicros hops,
    long parentSpan) {
  public static final String OK = "ok";
  public static final String CANCELLED = "cancelled";

  /// The system has answered: the hops say where the time until its head went.
  public boolean isAnswered() {
    return hops.tunnel + hops.agent + hops.system > 0;
  }

  /// Where the time until the answer's head went, and how long all of it took. A hop that was not
  /// reached is 0.
  public record HopMicros(long broker, long tunnel, long agent, long system, long total) {
    /// From the answer's head to its last byte: what the hops leave of the total.
    public long body() {
      return Math.max(0, total - untilHead());
    }

    /// What the parts are together above the total: above rounding only where an agent claims more
    /// time than there was.
    public long excess() {
      return Math.max(0, untilHead() - total);
    }

    private long untilHead() {
      return broker + tunnel + agent + system;
    }
  }
}
