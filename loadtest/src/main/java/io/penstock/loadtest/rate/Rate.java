package io.penstock.loadtest.rate;

import java.util.random.RandomGeneratorFactory;

/// Requests per second over time.
public sealed interface Rate {
  double NANOS_PER_SECOND = 1e9;

  /// From the beginning, each time the same.
  StartTimes startTimes();

  /// Requests per second at a time, as the rate means it.
  double perSecondAt(long nanos);

  /// Evenly spaced. The n-th start is computed from n, so that no rounding adds up.
  record Constant(double perSecond) implements Rate {
    public Constant {
      requirePositive("a constant rate", perSecond);
    }

    @Override
    public StartTimes startTimes() {
      return new StartTimes() {
        private long n;

        @Override
        public long nextNanos() {
          return Math.round(n++ * NANOS_PER_SECOND / perSecond);
        }
      };
    }

    @Override
    public double perSecondAt(long nanos) {
      return perSecond;
    }
  }

  /// Changes evenly from one rate to another, and stays there.
  ///
  /// With slope k = (to − from) / T, n(t) = from·t + k·t²/2 requests have started until t. Solved
  /// for t in the form that loses no digits when k is near zero.
  record Ramp(double fromPerSecond, double toPerSecond, long rampNanos) implements Rate {
    public Ramp {
      requireNotNegative("a ramp's first rate", fromPerSecond);
      requireNotNegative("a ramp's last rate", toPerSecond);
      if (fromPerSecond == 0 && toPerSecond == 0) {
        throw new IllegalArgumentException("a ramp: expected a rate above 0, found 0 to 0");
      }
      if (rampNanos <= 0) {
        throw new IllegalArgumentException(
            "a ramp: expected a duration above 0, found " + rampNanos + " ns");
      }
    }

    @Override
    public StartTimes startTimes() {
      return new StartTimes() {
        private long n;

        @Override
        public long nextNanos() {
          return start(n++);
        }
      };
    }

    private long start(long n) {
      double seconds = rampNanos / NANOS_PER_SECOND;
      double within = (fromPerSecond + toPerSecond) / 2 * seconds;
      if (n > within) {
        return toPerSecond == 0
            ? StartTimes.NEVER
            : Math.round((seconds + (n - within) / toPerSecond) * NANOS_PER_SECOND);
      }
      if (n == 0) {
        return 0;
      }
      double slope = (toPerSecond - fromPerSecond) / seconds;
      // At the end of a ramp to zero, rounding may carry it below.
      double root = Math.sqrt(Math.max(0, fromPerSecond * fromPerSecond + 2 * slope * n));
      return Math.round(2 * n / (fromPerSecond + root) * NANOS_PER_SECOND);
    }

    @Override
    public double perSecondAt(long nanos) {
      double part = Math.min(1, (double) nanos / rampNanos);
      return fromPerSecond + (toPerSecond - fromPerSecond) * part;
    }
  }

  /// As independent callers arrive: exponentially distributed gaps, the same ones for the same
  /// seed.
  record Poisson(double perSecond, long seed) implements Rate {
    private static final String GENERATOR = "L64X128MixRandom";

    public Poisson {
      requirePositive("a Poisson rate", perSecond);
    }

    @Override
    public StartTimes startTimes() {
      var random = RandomGeneratorFactory.of(GENERATOR).create(seed);
      return new StartTimes() {
        private double seconds;

        @Override
        public long nextNanos() {
          seconds += random.nextExponential() / perSecond;
          return Math.round(seconds * NANOS_PER_SECOND);
        }
      };
    }

    @Override
    public double perSecondAt(long nanos) {
      return perSecond;
    }
  }

  private static void requirePositive(String what, double perSecond) {
    if (!(perSecond > 0) || Double.isInfinite(perSecond)) {
      throw new IllegalArgumentException(
          what + ": expected requests per second above 0, found " + perSecond);
    }
  }

  private static void requireNotNegative(String what, double perSecond) {
    if (!(perSecond >= 0) || Double.isInfinite(perSecond)) {
      throw new IllegalArgumentException(
          what + ": expected requests per second of at least 0, found " + perSecond);
    }
  }
}
