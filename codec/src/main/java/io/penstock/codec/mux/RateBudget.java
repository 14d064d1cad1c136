package io.penstock.codec.mux;

/// A token bucket: `perSecond` events a second, with a burst of the same size.
final class RateBudget {
  private final int perSecond;
  private double tokens;
  private long lastNanos;

  RateBudget(int perSecond, long nowNanos) {
    this.perSecond = perSecond;
    tokens = perSecond;
    lastNanos = nowNanos;
  }

  boolean spend(long nowNanos) {
    tokens = Math.min(perSecond, tokens + (nowNanos - lastNanos) * (perSecond / 1e9));
    lastNanos = nowNanos;
    if (tokens < 1) {
      return false;
    }
    tokens--;
    return true;
  }
}
