package io.penstock.loadtest.watch;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ProcessSamplesTest {
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
  }

  private void burn(long untilCpuNanos) {
    while (ProcessSamples.cpuNanos(me).orElseThrow() < untilCpuNanos) {
      Thread.onSpinWait();
    }
  }

  @Test
  void aProcessThatIsStartedAgainGoesOnFromTheOldOnesTime() {
    var samples = new ProcessSamples(System.nanoTime());
    samples.watch("me", me);
    samples.sample();
    long first = samples.cpuNanos().getOrDefault("me", -1L);

    samples.watch("me", me);
    samples.sample();

    assertThat(samples.cpuNanos().get("me")).isGreaterThanOrEqualTo(2 * first);
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
