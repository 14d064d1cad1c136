package io.penstock.loadtest.watch;

import io.penstock.loadtest.watch.GrowthLimits.Quantity;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;

/// Whether a process had more and more of something.
///
/// Memory goes up and down with each collection, so the measured time is cut into pieces, of which
/// each counts with its least value: what stayed. Through these goes Theil and Sen's line, the
/// median of the slopes of all pairs, which a few odd pieces do not turn. It counts as growth if it
/// is steeper than the limit, and the order of the pieces is none that chance would give (Mann and
/// Kendall's test, 1 %).
///
/// @param first of the pieces
/// @param last of the pieces
/// @param perMinute the line's slope; NaN if there are too few samples
/// @param limit per minute; infinite = none
public record Growth(
    String process,
    Quantity quantity,
    double first,
    double last,
    double perMinute,
    double limit,
    Verdict verdict) {
  private static final double NANOS_PER_MINUTE = 60e9;

  /// Of the measured time, so much at its beginning does not count: caches fill, code is compiled.
  private static final double SETTLING = 0.2;

  private static final int PIECES = 30;
  private static final int FEWEST_PIECES = 8;

  /// In less, a process that was just started has not settled, whatever its line.
  private static final long SHORTEST_NANOS = 300_000_000_000L;
  private static final double SIGNIFICANT_Z = 2.326;

  public enum Verdict {
    GROWS,
    STEADY,
    TOO_SHORT,
    /// There is a limit, and nothing that could be compared with it.
    NOT_KNOWN
  }

  /// One of each process and quantity.
  ///
  /// @param fromNanos when the measuring began, in the samples' time
  public static List<Growth> of(
      List<ProcessSamples.Sample> samples, long fromNanos, GrowthLimits limits) {
    List<Growth> all = new ArrayList<>();
    var processes = new LinkedHashSet<String>();
    samples.forEach(sample -> processes.add(sample.process()));
    for (String process : processes) {
      List<ProcessSamples.Sample> its =
          samples.stream()
              .filter(sample -> sample.process().equals(process) && sample.atNanos() >= fromNanos)
              .toList();
      limits
          .inOrder()
          .forEach((quantity, limit) -> all.add(of(process, quantity, its, fromNanos, limit)));
    }
    all.removeIf(growth -> Double.isNaN(growth.first()) && growth.verdict() != Verdict.NOT_KNOWN);
    return all;
  }

  private static Growth of(
      String process,
      Quantity quantity,
      List<ProcessSamples.Sample> samples,
      long fromNanos,
      double limit) {
    List<Point> points = pieces(samples, quantity, fromNanos);
    if (points.isEmpty() && !Double.isInfinite(limit)) {
      return new Growth(
          process, quantity, Double.NaN, Double.NaN, Double.NaN, limit, Verdict.NOT_KNOWN);
    }
    if (points.size() < FEWEST_PIECES || samples.getLast().atNanos() - fromNanos < SHORTEST_NANOS) {
      double first = points.isEmpty() ? Double.NaN : points.getFirst().value();
      double last = points.isEmpty() ? Double.NaN : points.getLast().value();
      return new Growth(process, quantity, first, last, Double.NaN, limit, Verdict.TOO_SHORT);
    }
    double slope = slope(points);
    boolean grows = slope > limit && z(points) > SIGNIFICANT_Z;
    return new Growth(
        process,
        quantity,
        points.getFirst().value(),
        points.getLast().value(),
        slope,
        limit,
        grows ? Verdict.GROWS : Verdict.STEADY);
  }

  private record Point(double minutes, double value) {}

  private static List<Point> pieces(
      List<ProcessSamples.Sample> samples, Quantity quantity, long fromNanos) {
    if (samples.isEmpty()) {
      return List.of();
    }
    long end = samples.getLast().atNanos();
    double settled = fromNanos + (end - fromNanos) * SETTLING;
    double length = (end - settled) / PIECES;
    double[] least = new double[PIECES];
    Arrays.fill(least, Double.NaN);
    for (ProcessSamples.Sample sample : samples) {
      double value = quantity.of(sample);
      if (sample.atNanos() >= settled && !Double.isNaN(value) && length > 0) {
        int piece = Math.min(PIECES - 1, (int) ((sample.atNanos() - settled) / length));
        least[piece] = Double.isNaN(least[piece]) ? value : Math.min(least[piece], value);
      }
    }
    List<Point> points = new ArrayList<>();
    for (int i = 0; i < PIECES; i++) {
      if (!Double.isNaN(least[i])) {
        points.add(new Point((i + 0.5) * length / NANOS_PER_MINUTE, least[i]));
      }
    }
    return points;
  }

  private static double slope(List<Point> points) {
    List<Double> slopes = new ArrayList<>();
    for (int i = 0; i < points.size(); i++) {
      for (int j = i + 1; j < points.size(); j++) {
        Point a = points.get(i);
        Point b = points.get(j);
        slopes.add((b.value() - a.value()) / (b.minutes() - a.minutes()));
      }
    }
    slopes.sort(null);
    int middle = slopes.size() / 2;
    return slopes.size() % 2 == 1
        ? slopes.get(middle)
        : (slopes.get(middle - 1) + slopes.get(middle)) / 2;
  }

  /// How far the number of rising pairs is from what chance gives, in standard deviations.
  private static double z(List<Point> points) {
    double score = 0;
    for (int i = 0; i < points.size(); i++) {
      for (int j = i + 1; j < points.size(); j++) {
        score += Math.signum(points.get(j).value() - points.get(i).value());
      }
    }
    double n = points.size();
    double variance = n * (n - 1) * (2 * n + 5) / 18;
    return (score - Math.signum(score)) / Math.sqrt(variance);
  }

  /// `broker heap MB 20.1 to 20.3, +0.01 per minute: STEADY`.
  public String text() {
    String change = Double.isNaN(perMinute) ? "" : String.format(Locale.ROOT, "%+.3f", perMinute);
    String most =
        Double.isInfinite(limit) ? "" : String.format(Locale.ROOT, " (limit %.3g)", limit);
    return switch (verdict) {
      case NOT_KNOWN -> process + " " + quantity.text() + most + ": NOT KNOWN";
      case TOO_SHORT -> values() + ", too short to say";
      case STEADY -> values() + ", " + change + " per minute" + most;
      case GROWS -> values() + ", " + change + " per minute" + most + ": GROWS";
    };
  }

  private String values() {
    return String.format(Locale.ROOT, "%s %s %.1f to %.1f", process, quantity.text(), first, last);
  }
}
