package io.penstock.broker.alarms;

/// How many times faster than the objective allows the slow share is used up: 1 = exactly the
/// allowance, 0 = nothing slow.
///
/// An alarm needs a high rate over a long time, so that one bad minute is none, and over a short
/// one, so that it ends soon after its cause.
///
/// @param target share of invocations within the objective, below 1
record BurnRate(double target) {
  BurnRate {
    if (!(target > 0 && target < 1)) {
      throw new IllegalArgumentException("expected a target between 0 and 1, found " + target);
    }
  }

  /// 0 where nothing was invoked.
  double of(long good, long slow) {
    long all = good + slow;
    return all == 0 ? 0 : (double) slow / all / (1 - target);
  }
}
