package io.penstock.broker.edge;

import io.penstock.codec.RequestIds;

/// One invocation that is over. Names are empty where it did not come so far.
///
/// @param began [InvocationObserver#began] was called for it
/// @param method HTTP method
/// @param status what the caller was answered with; 0 = it went away before an answer
/// @param verdict `ok`, `cancelled`, or the error's code as in `Penstock-Error`
/// @param cut the answer had begun and was broken off
/// @param bytesIn request body, from the caller
/// @param bytesOut answer body, towards the caller
public record InvocationRecord(
    RequestIds ids,
    boolean began,
    String caller,
    String site,
    String system,
    String method,
    int status,
    String verdict,
    boolean cut,
    long bytesIn,
    long bytesOut,
    HopMicros hops) {
  public static final String OK = "ok";
  public static final String CANCELLED = "cancelled";

  /// Where the time until the answer's head went, and how long all of it took. A hop that was not
  /// reached is 0.
  public record HopMicros(long broker, long tunnel, long agent, long system, long total) {}
}
