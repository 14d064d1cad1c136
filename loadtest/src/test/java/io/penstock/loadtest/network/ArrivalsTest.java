package io.penstock.loadtest.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.time.Duration;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class ArrivalsTest {
  private static final long MS = 1_000_000;
  private static final long SECOND = 1_000 * MS;
  private static final Duration NO = Duration.ZERO;

  private final Arrivals arrivals = new Arrivals(new SplittableRandom(7));

  private static Network line(int delayMs, int jitterMs, long bytesPerSecond) {
    return new Network(
        Duration.ofMillis(delayMs), Duration.ofMillis(jitterMs), bytesPerSecond, NO, NO, NO);
  }

  private static Network stalling(Duration stall, Duration every) {
    return new Network(NO, NO, 0, every, stall, NO);
  }

  @Test
  void halfOfTheDelayIsAddedEachWay() {
    assertThat(arrivals.arrivalNanos(line(80, 0, 0), 5 * MS, 100)).isEqualTo(45 * MS);
  }

  @Test
  void withoutALineEverythingArrivesAtOnce() {
    assertThat(arrivals.arrivalNanos(Network.NONE, 5, 1 << 20)).isEqualTo(5);
  }

  @Test
  void aSlowLineIsBusyForAsLongAsItsBytesTake() {
    Network megabyte = line(20, 0, 1_000_000);

    assertThat(arrivals.arrivalNanos(megabyte, 0, 100_000)).isEqualTo(110 * MS);
    assertThat(arrivals.arrivalNanos(megabyte, 0, 100_000)).isEqualTo(210 * MS);
    // It was free in between.
    assertThat(arrivals.arrivalNanos(megabyte, SECOND, 1_000)).isEqualTo(SECOND + 11 * MS);
  }

  @Test
  void jitterStaysInItsBoundsAndReordersNothing() {
    Network jittery = line(20, 10, 0);
    long last = 0;
    long least = Long.MAX_VALUE;
    long most = 0;
    for (int i = 0; i < 1_000; i++) {
      long sent = i * 3L * MS;
      long arrives = arrivals.arrivalNanos(jittery, sent, 10);
      assertThat(arrives).isGreaterThanOrEqualTo(last);
      least = Math.min(least, arrives - sent);
      most = Math.max(most, arrives - sent);
      last = arrives;
    }
    assertThat(least).isGreaterThanOrEqualTo(10 * MS);
    assertThat(most).isBetween(18 * MS, 20 * MS);
  }

  @Test
  void aLineThatBecomesShorterDeliversInOrder() {
    long before = arrivals.arrivalNanos(line(200, 0, 0), 0, 10);

    assertThat(arrivals.arrivalNanos(line(20, 0, 0), MS, 10)).isEqualTo(before);
    assertThat(arrivals.arrivalNanos(line(20, 0, 0), 95 * MS, 10)).isEqualTo(105 * MS);
  }

  @Test
  void stallsHoldUpWhatWouldArriveMeanwhileAndComeAsOftenAsTheyShould() {
    Network bad = stalling(Duration.ofMillis(300), Duration.ofSeconds(2));
    int held = 0;
    long longest = 0;
    for (int i = 0; i < 100_000; i++) {
      long sent = i * 10L * MS;
      long wait = arrivals.arrivalNanos(bad, sent, 10) - sent;
      held += wait > 0 ? 1 : 0;
      longest = Math.max(longest, wait);
    }
    // 0.3 s of every 2.3 s on the average.
    assertThat(held / 100_000.0).isCloseTo(0.3 / 2.3, within(0.02));
    assertThat(longest).isBetween(290 * MS, 1_200 * MS);
  }

  @Test
  void refusesALineThatMakesNoSense() {
    assertThatThrownBy(() -> line(-1, 0, 0))
        .hasMessage("delay: expected 0 to 10000 ms, found -1 ms");
    assertThatThrownBy(() -> line(0, 20_000, 0)).hasMessageContaining("jitter: expected 0 to");
    assertThatThrownBy(() -> line(0, 0, 5))
        .hasMessage("bandwidth: expected 0 or at least 1000 bytes per second, found 5");
    assertThatThrownBy(() -> stalling(Duration.ofMillis(10), NO))
        .hasMessageContaining("stall: expected both how long and how often");
    assertThatThrownBy(() -> stalling(Duration.ofMillis(10), Duration.ofMillis(1)))
        .hasMessageContaining("stall every: expected 0 or at least 100 ms, found 1 ms");
  }

  @Test
  void saysWhatItIs() {
    assertThat(
            new Network(
                    Duration.ofMillis(80),
                    Duration.ofMillis(5),
                    1_250_000,
                    Duration.ofSeconds(10),
                    Duration.ofMillis(300),
                    Duration.ofMinutes(1))
                .text())
        .isEqualTo(
            "delay 80 ms, jitter 5 ms, 1.25 MB/s, stalls of 300 ms every 10000 ms, resets every"
                + " 60000 ms");
    assertThat(Network.NONE.text()).isEqualTo("no delay");
  }
}
