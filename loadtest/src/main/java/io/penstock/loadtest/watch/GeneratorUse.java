package io.penstock.loadtest.watch;

import java.util.List;
import java.util.Map;

/// What the generator itself used during one measured piece of a run.
///
/// @param busy share of the time that each of its event loops spent on a processor
/// @param beside the same of the other loops that the harness itself needs, by what they do: of
///     each the busiest
/// @param collections garbage collections
/// @param collectionNanos how long they took
public record GeneratorUse(
    long wallNanos,
    List<Double> busy,
    Map<String, Double> beside,
    long collections,
    long collectionNanos) {
  public GeneratorUse {
    busy = List.copyOf(busy);
    beside = Map.copyOf(beside);
  }

  /// With nothing beside the generator.
  public GeneratorUse(long wallNanos, List<Double> busy, long collections, long collectionNanos) {
    this(wallNanos, busy, Map.of(), collections, collectionNanos);
  }

  public double busiest() {
    return busy.stream().mapToDouble(Double::doubleValue).max().orElse(0);
  }

  public double collecting() {
    return wallNanos == 0 ? 0 : (double) collectionNanos / wallNanos;
  }
}
