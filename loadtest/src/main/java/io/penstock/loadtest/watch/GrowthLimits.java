package io.penstock.loadtest.watch;

import java.util.LinkedHashMap;
import java.util.Map;

/// How much more of something a process may have each minute of a long run.
///
/// @param perMinute by what is limited; what is not in it may grow
public record GrowthLimits(Map<Quantity, Double> perMinute) {
  /// What can grow.
  public enum Quantity {
    RESIDENT("resident MB"),
    HEAP("heap MB"),
    OPEN_FILES("open files"),
    THREADS("threads");

    private final String text;

    Quantity(String text) {
      this.text = text;
    }

    public String text() {
      return text;
    }

    /// In this quantity's unit; NaN = not known.
    double of(ProcessSamples.Sample sample) {
      return switch (this) {
        case RESIDENT -> sample.residentBytes() / 1e6;
        case HEAP ->
            sample.heapBytes().isPresent() ? sample.heapBytes().getAsLong() / 1e6 : Double.NaN;
        case OPEN_FILES -> sample.openFiles();
        case THREADS -> sample.threads();
      };
    }
  }

  public GrowthLimits {
    perMinute = Map.copyOf(perMinute);
    perMinute.forEach(
        (quantity, limit) -> {
          if (!(limit > 0)) {
            throw new IllegalArgumentException(
                quantity.text() + ": expected a limit per minute above 0, found " + limit);
          }
        });
  }

  /// What a report shows, in its order.
  Map<Quantity, Double> inOrder() {
    Map<Quantity, Double> ordered = new LinkedHashMap<>();
    for (Quantity quantity : Quantity.values()) {
      ordered.put(quantity, perMinute.getOrDefault(quantity, Double.POSITIVE_INFINITY));
    }
    return ordered;
  }
}
