package io.penstock.loadtest.watch;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ProcessSamplesTest {
  @TempDir Path directory;

  private final long me = ProcessHandle.current().pid();

  @Test
  void seesTheCpuAndTheMemoryOfAProcess() {
    var samples = new ProcessSamples(System.nanoTime());
    samples.watch("me", me);
    samples.sample();
    long before = samples.cpuNanos().getOrDefault("me", -1L);

    burn(before + 50_000_000);
    samples.sample();

    List<ProcessSamples.Sample> all = samples.samples();
    assertThat(all).hasSize(2);
    assertThat(all.getLast().cpuNanos() - all.getFirst().cpuNanos())
        .isGreaterThanOrEqualTo(50_000_000);
    assertThat(all.getLast().residentBytes()).isBetween(10L << 20, 8L << 30);
    assertThat(all.getLast().atNanos()).isGreaterThan(all.getFirst().atNanos());
    assertThat(all.getLast().openFiles()).isBetween(3L, 100_000L);
    assertThat(all.getLast().threads()).isBetween(2L, 10_000L);
  }

  @Test
  void seesWhatACollectionLeavesInTheHeapOfAJvm() {
    byte[] kept = new byte[40 << 20];
    System.gc();

    assertThat(Heap.keptBytes(me).orElseThrow()).isBetween((long) kept.length, 8L << 30);
  }

  @Test
  void whatIsNoJvmHasNoHeap() throws Exception {
    Process other = new ProcessBuilder("cat").start();
    try {
      assertThat(Heap.keptBytes(other.pid())).isEmpty();
    } finally {
      other.destroy();
    }
    Path torn =
        Files.write(
            directory.resolve("torn"),
            new byte[] {(byte) 0xca, (byte) 0xfe, (byte) 0xc0, (byte) 0xc0, 1});
    assertThat(Heap.keptBytes(torn)).isEmpty();
  }

  private void burn(long untilCpuNanos) {
    while (ProcessSamples.cpuNanos(me).orElseThrow() < untilCpuNanos) {
      Thread.onSpinWait();
    }
  }

  @Test
  void aProcessThatIsStartedAgainGoesOnFromTheOldOnesTime() throws Exception {
    var samples = new ProcessSamples(System.nanoTime());
    samples.watch("me", me);
    samples.sample();
    long first = samples.cpuNanos().getOrDefault("me", -1L);

    Process next = new ProcessBuilder("sleep", "60").start();
    try {
      samples.watch("me", next.pid());
      samples.sample();
    } finally {
      next.destroyForcibly();
    }

    assertThat(samples.cpuNanos().get("me")).isBetween(first, first + 1_000_000_000);
  }

  @Test
  void aProcessThatIsNamedAgainIsCountedOnce() {
    var samples = new ProcessSamples(System.nanoTime());
    samples.watch("me", me);
    samples.sample();
    long first = samples.cpuNanos().getOrDefault("me", -1L);
    burn(1_000_000_000);

    samples.watch("me", me);
    samples.sample();

    assertThat(samples.cpuNanos().get("me"))
        .isGreaterThanOrEqualTo(first)
        .isLessThanOrEqualTo(ProcessSamples.cpuNanos(me).orElseThrow());
  }

  @Test
  void oneThatHasEndedIsLeftOut() throws Exception {
    Process ended = new ProcessBuilder("true").start();
    ended.waitFor();
    var samples = new ProcessSamples(System.nanoTime());
    samples.watch("ended", ended.pid());

    samples.sample();

    assertThat(samples.samples()).isEmpty();
  }
}
