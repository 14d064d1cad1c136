package io.penstock.loadtest.watch;

import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Takes the generator's own time from [#start] to [#stop].
public final class GeneratorWatch {
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
  private static final long NANOS_PER_MS = 1_000_000;

  private final List<Long> threads;
  private final long startNanos = System.nanoTime();
  private final List<Long> cpu;
  private final Map<String, List<Long>> beside;
  private final Map<String, List<Long>> besideCpu = new LinkedHashMap<>();
  private final long collections = collections();
  private final long collectionMs = collectionMs();

  private GeneratorWatch(List<Long> threads, Map<String, List<Long>> beside) {
    this.threads = List.copyOf(threads);
    cpu = cpu(threads);
    this.beside = Map.copyOf(beside);
    this.beside.forEach((what, its) -> besideCpu.put(what, cpu(its)));
  }

  /// @param threads ids of the generator's event loops
  public static GeneratorWatch start(List<Long> threads) {
    return start(threads, Map.of());
  }

  /// @param beside ids of further loops that the harness itself needs, by what they do
  public static GeneratorWatch start(List<Long> threads, Map<String, List<Long>> beside) {
    return new GeneratorWatch(threads, beside);
  }

  public GeneratorUse stop() {
    long wall = System.nanoTime() - startNanos;
    List<Double> busy = busy(threads, cpu, wall);
    Map<String, Double> others = new LinkedHashMap<>();
    besideCpu.forEach(
        (what, before) ->
            others.put(
                what,
                busy(beside.getOrDefault(what, List.of()), before, wall).stream()
                    .mapToDouble(Double::doubleValue)
                    .max()
                    .orElse(0)));
    return new GeneratorUse(
        wall,
        busy,
        others,
        collections() - collections,
        (collectionMs() - collectionMs) * NANOS_PER_MS);
  }

  private static List<Double> busy(List<Long> threads, List<Long> before, long wall) {
    List<Long> now = cpu(threads);
    return java.util.stream.IntStream.range(0, now.size())
        .mapToObj(i -> (double) (now.get(i) - before.get(i)) / Math.max(1, wall))
        .toList();
  }

  private static List<Long> cpu(List<Long> threads) {
    return threads.stream().map(THREADS::getThreadCpuTime).toList();
  }

  private static long collections() {
    return ManagementFactory.getGarbageCollectorMXBeans().stream()
        .mapToLong(GarbageCollectorMXBean::getCollectionCount)
        .sum();
  }

  private static long collectionMs() {
    return ManagementFactory.getGarbageCollectorMXBeans().stream()
        .mapToLong(GarbageCollectorMXBean::getCollectionTime)
        .sum();
  }
}
