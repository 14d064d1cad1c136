package io.penstock.loadtest.watch;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/// CPU time, memory, open files and threads of processes over time, from the kernel, and of JVMs
/// the heap. Thread-safe.
public final class ProcessSamples {
  /// A process that ended keeps its last sample; a later one of the same name goes on from there.
  ///
  /// @param heapBytes that the last collection left; empty = no JVM
  public record Sample(
      long atNanos,
      String process,
      long cpuNanos,
      long residentBytes,
      OptionalLong heapBytes,
      long openFiles,
      long threads) {}

  private static final int MAX_SAMPLES = 200_000;
  private static final long NANOS_PER_TICK = 10_000_000;
  private static final int UTIME = 11;
  private static final int STIME = 12;

  private final long startNanos;
  private final Map<String, Long> pids = new LinkedHashMap<>();
  private final Map<String, Long> endedCpuNanos = new LinkedHashMap<>();
  private final Map<String, Long> lastCpuNanos = new LinkedHashMap<>();
  private final List<Sample> samples = new ArrayList<>();

  /// @param startNanos `System.nanoTime()` that sample times count from
  public ProcessSamples(long startNanos) {
    this.startNanos = startNanos;
  }

  /// From now on this process is the one of that name.
  public synchronized void watch(String name, long pid) {
    if (Long.valueOf(pid).equals(pids.get(name))) {
      return;
    }
    Long known = lastCpuNanos.remove(name);
    if (known != null) {
      endedCpuNanos.put(name, known);
    }
    pids.put(name, pid);
  }

  /// Looks at all of them now.
  public synchronized void sample() {
    long now = System.nanoTime() - startNanos;
    pids.forEach((name, pid) -> sample(name, pid, now));
  }

  private void sample(String name, long pid, long now) {
    OptionalLong cpu = cpuNanos(pid);
    if (cpu.isEmpty() || samples.size() == MAX_SAMPLES) {
      return;
    }
    OptionalLong resident = status(pid, "VmRSS:");
    OptionalLong threads = status(pid, "Threads:");
    OptionalLong openFiles = openFiles(pid);
    if (resident.isEmpty() || threads.isEmpty() || openFiles.isEmpty()) {
      return;
    }
    long all = cpu.getAsLong() + endedCpuNanos.getOrDefault(name, 0L);
    lastCpuNanos.put(name, all);
    samples.add(
        new Sample(
            now,
            name,
            all,
            resident.getAsLong() * 1024,
            Heap.keptBytes(pid),
            openFiles.getAsLong(),
            threads.getAsLong()));
  }

  public synchronized List<Sample> samples() {
    return List.copyOf(samples);
  }

  /// CPU time so far by process, as of the last [#sample].
  public synchronized Map<String, Long> cpuNanos() {
    Map<String, Long> result = new LinkedHashMap<>(endedCpuNanos);
    result.putAll(lastCpuNanos);
    return result;
  }

  /// Empty: it has ended.
  public static OptionalLong cpuNanos(long pid) {
    try {
      String stat =
          Files.readString(
              Path.of("/proc", Long.toString(pid), "stat"), StandardCharsets.ISO_8859_1);
      // The name in parentheses may hold spaces.
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
      long ticks = Long.parseLong(fields[UTIME]) + Long.parseLong(fields[STIME]);
      return OptionalLong.of(ticks * NANOS_PER_TICK);
    } catch (IOException ended) {
      return OptionalLong.empty();
    }
  }

  /// Empty: it has ended, or may not be read.
  private static OptionalLong status(long pid, String key) {
    try (var lines = Files.lines(Path.of("/proc", Long.toString(pid), "status"))) {
      return lines
          .filter(line -> line.startsWith(key))
          .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
          .findFirst();
    } catch (IOException | UncheckedIOException ended) {
      return OptionalLong.empty();
    }
  }

  private static OptionalLong openFiles(long pid) {
    try (var files = Files.list(Path.of("/proc", Long.toString(pid), "fd"))) {
      return OptionalLong.of(files.count());
    } catch (IOException | UncheckedIOException ended) {
      return OptionalLong.empty();
    }
  }
}
