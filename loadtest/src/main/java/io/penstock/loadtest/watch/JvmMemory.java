package io.penstock.loadtest.watch;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The memory of another JVM of the same user, right after a full collection.
///
/// What a heap keeps resident says little about what it holds: after a collection there is room of
/// which the JVM gives back as much as it thinks fit. So [#heldBytes] counts of the heap what is
/// alive, and of everything else (threads' stacks, compiled code, classes, buffers outside the
/// heap, TLS engines) what is resident.
///
/// @param residentBytes all of it, `Rss` of the kernel's page tables
/// @param proportionalBytes `Pss`: as before, but pages shared with other processes by their share
/// @param heapResidentBytes of the heap
/// @param heapUsedBytes of objects that are alive
public record JvmMemory(
    long residentBytes, long proportionalBytes, long heapResidentBytes, long heapUsedBytes) {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /// A space of the heap: what is used, and from where to where it may reach.
  private static final Pattern SPACE =
      Pattern.compile("used ([0-9]+)K *\\[0x([0-9a-f]+),.* ?0x([0-9a-f]+)\\)");

  private static final Pattern MAPPING = Pattern.compile("^([0-9a-f]+)-([0-9a-f]+) .*");
  private static final Pattern SIZE = Pattern.compile("^(Rss|Pss): +([0-9]+) kB$");

  /// Of the heap what is alive, and the rest as it is resident.
  public long heldBytes() {
    return heapUsedBytes + outsideBytes();
  }

  /// Resident, and not of the heap.
  public long outsideBytes() {
    return residentBytes - heapResidentBytes;
  }

  /// Of several looks the one that finds least: what others find besides is for a moment.
  public static JvmMemory least(long pid, int looks, Duration between)
      throws IOException, InterruptedException {
    JvmMemory least = look(pid);
    for (int i = 1; i < looks; i++) {
      Thread.sleep(between);
      JvmMemory next = look(pid);
      least = next.heldBytes() < least.heldBytes() ? next : least;
    }
    return least;
  }

  /// Collects garbage there first.
  static JvmMemory look(long pid) throws IOException, InterruptedException {
    var _ = jcmd(pid, "GC.run");
    String heap = jcmd(pid, "GC.heap_info");
    return of(heap, Files.readString(Path.of("/proc", Long.toString(pid), "smaps")));
  }

  private static String jcmd(long pid, String command) throws IOException, InterruptedException {
    Process asked =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                Long.toString(pid),
                command)
            .redirectErrorStream(true)
            .start();
    asked.getOutputStream().close();
    String said = new String(asked.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (!asked.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
      asked.destroyForcibly();
      throw new IOException("jcmd " + command + ": expected an end within " + PATIENCE);
    }
    if (asked.exitValue() != 0) {
      throw new IOException("jcmd " + command + ": expected a JVM at " + pid + ", found: " + said);
    }
    return said;
  }

  /// @param heap as `jcmd GC.heap_info` says it
  /// @param smaps as the kernel does
  static JvmMemory of(String heap, String smaps) throws IOException {
    Matcher space = SPACE.matcher(heap);
    long from = Long.MAX_VALUE;
    long to = 0;
    long used = 0;
    while (space.find()) {
      used += Long.parseLong(space.group(1)) * 1024;
      from = Math.min(from, Long.parseUnsignedLong(space.group(2), 16));
      to = Math.max(to, Long.parseUnsignedLong(space.group(3), 16));
    }
    if (to == 0) {
      throw new IOException("GC.heap_info: expected where the heap is, found: " + heap);
    }
    return of(from, to, used, smaps.lines().toList());
  }

  private static JvmMemory of(long from, long to, long used, List<String> smaps) {
    long resident = 0;
    long proportional = 0;
    long ofHeap = 0;
    boolean inHeap = false;
    for (String line : smaps) {
      Matcher mapping = MAPPING.matcher(line);
      Matcher size = SIZE.matcher(line);
      if (size.matches()) {
        long bytes = Long.parseLong(size.group(2)) * 1024;
        boolean rss = size.group(1).equals("Rss");
        resident += rss ? bytes : 0;
        proportional += rss ? 0 : bytes;
        ofHeap += rss && inHeap ? bytes : 0;
      } else if (mapping.matches()) {
        long begin = Long.parseUnsignedLong(mapping.group(1), 16);
        inHeap = Long.compareUnsigned(begin, from) >= 0 && Long.compareUnsigned(begin, to) < 0;
      }
    }
    return new JvmMemory(resident, proportional, ofHeap, used);
  }
}
