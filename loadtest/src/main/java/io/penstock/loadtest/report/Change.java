package io.penstock.loadtest.report;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import org.apache.commons.math3.stat.descriptive.rank.Median;
import org.apache.commons.math3.stat.descriptive.rank.Percentile;
import org.apache.commons.math3.stat.inference.MannWhitneyUTest;

/// One figure before and after, from samples of each.
///
/// It counts as changed when both hold: the Mann-Whitney U test says that the samples would differ
/// so much by chance less than once in a hundred times, and the 95 % interval of the ratio of
/// medians (bootstrap) lies wholly on one side of 1, and the medians differ by at least 2 %.
///
/// @param ratio of the medians, after ÷ before
/// @param low and `high`: the 95 % interval of that ratio
/// @param p of the Mann-Whitney U test
record Change(
    String what,
    double before,
    double after,
    double ratio,
    double low,
    double high,
    double p,
    Verdict verdict) {
  enum Verdict {
    BETTER,
    WORSE,
    NO_CHANGE_SEEN,
    TOO_FEW
  }

  /// With fewer, chance alone orders them often enough.
  static final int FEWEST = 5;

  private static final double CHANCE = 0.01;
  private static final double SMALLEST = 0.02;
  private static final int RESAMPLES = 2_000;

  /// @param lessIsBetter as with latencies
  static Change of(String what, List<Double> before, List<Double> after, boolean lessIsBetter) {
    double[] a = before.stream().mapToDouble(Double::doubleValue).toArray();
    double[] b = after.stream().mapToDouble(Double::doubleValue).toArray();
    double medianA = a.length == 0 ? Double.NaN : new Median().evaluate(a);
    double medianB = b.length == 0 ? Double.NaN : new Median().evaluate(b);
    double ratio = medianB / medianA;
    if (a.length < FEWEST || b.length < FEWEST || !(medianA > 0)) {
      return new Change(
          what, medianA, medianB, ratio, Double.NaN, Double.NaN, Double.NaN, Verdict.TOO_FEW);
    }
    double[] ratios = bootstrap(a, b);
    double low = new Percentile().evaluate(ratios, 2.5);
    double high = new Percentile().evaluate(ratios, 97.5);
    double p = new MannWhitneyUTest().mannWhitneyUTest(a, b);
    boolean changed = p < CHANCE && (low > 1 || high < 1) && Math.abs(ratio - 1) >= SMALLEST;
    Verdict verdict =
        !changed
            ? Verdict.NO_CHANGE_SEEN
            : (ratio < 1) == lessIsBetter ? Verdict.BETTER : Verdict.WORSE;
    return new Change(what, medianA, medianB, ratio, low, high, p, verdict);
  }

  private static double[] bootstrap(double[] a, double[] b) {
    var random = new SplittableRandom(1);
    double[] ratios = new double[RESAMPLES];
    for (int i = 0; i < RESAMPLES; i++) {
      ratios[i] =
          new Median().evaluate(resample(b, random)) / new Median().evaluate(resample(a, random));
    }
    return Arrays.stream(ratios).filter(Double::isFinite).toArray();
  }

  private static double[] resample(double[] values, SplittableRandom random) {
    double[] drawn = new double[values.length];
    for (int i = 0; i < drawn.length; i++) {
      drawn[i] = values[random.nextInt(values.length)];
    }
    return drawn;
  }

  String text() {
    String figures =
        String.format(Locale.ROOT, "%-34s %12.3f → %12.3f  × %.3f", what, before, after, ratio);
    return switch (verdict) {
      case TOO_FEW -> figures + "  too few samples to say";
      case NO_CHANGE_SEEN -> figures + interval() + "  no change seen";
      case BETTER -> figures + interval() + "  BETTER";
      case WORSE -> figures + interval() + "  WORSE";
    };
  }

  private String interval() {
    return String.format(Locale.ROOT, " (95 %%: %.3f to %.3f, p %.4f)", low, high, p);
  }
}
