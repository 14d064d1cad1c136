package io.penstock.loadtest.watch;

import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.List;

/// Takes the generator's own time from [#start] to [#stop].
public final class GeneratorWatch {
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
  private static final long NANOS_PER_MS = 1_000_000;

  private final List<Long> threads;
  private final long startNanos = System.nanoTime();
  private final List<Long> cpu;
  private final long collections = collections();
  private final long collectionMs = collectionMs();

  private GeneratorWatch(List<Long> threads) {
    this.threads = List.copyOf(threads);
    cpu = cpu(threads);
  }

  /// @param threads ids of the generator's event loops
  public static GeneratorWatch start(List<Long> threads) {
    return new GeneratorWatch(threads);
  }

  public GeneratorUse stop() {
    long wall = System.nanoTime() - startNanos;
    List<Long> now = cpu(threads);
    List<Double> busy =
        java.util.stream.IntStream.range(0, now.size())
            .mapToObj(i -> (double) (now.get(i) - cpu.get(i)) / Math.max(1, wall))
            .toList();
    return new GeneratorUse(
        wall, busy, collections() - collections, (collectionMs() - collectionMs) * NANOS_PER_MS);
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
