package io.penstock.broker.edge;

import io.netty.handler.codec.http.HttpHeaders;

/// Whether this broker records spans of invocations, and of which. Off, nothing is decided or made:
/// a trace that begins here is then marked as sampled for the sake of the system's own spans.
///
/// On, a caller's `traceparent` decides by its flag; traces that begin here are sampled by their
/// id, so that every part of Penstock decides alike.
///
/// @param share of the traces that begin here, 0 to 1
public record Tracing(boolean on, double share) {
  public static final Tracing OFF = new Tracing(false, 1);

  private static final int SAMPLED = 1;

  boolean records(int flags) {
    return on && (flags & SAMPLED) != 0;
  }

  boolean samples(long traceLow) {
    return !on || (double) (traceLow >>> 1) < share * (double) Long.MAX_VALUE;
  }

  /// The span that the caller's `traceparent` names; 0 = none, or nobody asks.
  long parentOf(HttpHeaders headers) {
    return on ? IdSource.trace(headers).map(TraceContext::span).orElse(0L) : 0;
  }
}
