package io.penstock.loadtest.record;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;

class RecordingTest {
  private static final long MS = 1_000_000;
  private static final long SECOND = 1_000 * MS;

  @Test
  void aLateAnswerCountsInTheSecondInWhichItWasMeantToStart() {
    Recording recording = Recording.of(3 * SECOND);

    recording.answered(900 * MS, 1_400 * MS, 2_500 * MS);
    recording.answered(1_000 * MS, 1_000 * MS, 1_001 * MS);

    assertThat(recording.intervals()).hasSize(2);
    assertThat(recording.intervals().getFirst().response().getMaxValue() / 1e6)
        .isCloseTo(1_600, withinPercentage(0.1));
    assertThat(recording.intervals().getFirst().service().getMaxValue() / 1e6)
        .isCloseTo(1_100, withinPercentage(0.1));
    assertThat(recording.intervals().getLast().answered()).isEqualTo(1);
    assertThat(recording.endings()).containsExactly(0L, 1L, 1L);
  }

  /// 1,000 requests per second for 10 s; from 5 s on the target answers nothing for a second, then
  /// everything at once. A request meant for t within the stall waits until its end.
  @Test
  void aStallOfASecondShowsInThePercentilesAsArithmeticPredicts() {
    Recording recording = Recording.of(10 * SECOND);
    for (long n = 0; n < 10_000; n++) {
      long intended = n * MS;
      boolean stalled = n >= 5_000 && n < 6_000;
      recording.answered(intended, intended, stalled ? 6 * SECOND : intended + MS);
    }

    Histogram all = recording.total().response();
    // A tenth is hit, evenly from 1 s down to nothing: p(90 + x) waits x/10 of a second.
    assertThat(millis(all, 50)).isCloseTo(1, withinPercentage(0.2));
    assertThat(millis(all, 91)).isCloseTo(100, withinPercentage(1.5));
    assertThat(millis(all, 95)).isCloseTo(500, withinPercentage(0.5));
    assertThat(millis(all, 99)).isCloseTo(900, withinPercentage(0.5));
    assertThat(millis(all, 99.9)).isCloseTo(990, withinPercentage(0.5));
    Histogram hit = recording.intervals().get(5).response();
    assertThat(millis(hit, 50)).isCloseTo(500, withinPercentage(0.5));
    assertThat(millis(recording.intervals().get(6).response(), 99)).isLessThan(1.1);
  }

  @Test
  void whatTimedOutCountsWithTheTimeThatWasWaited() {
    Recording recording = Recording.of(SECOND);

    recording.answered(0, 0, MS);
    recording.timedOut("timeout", 0, 100 * MS, 2_100 * MS);
    recording.failed("status 503", 0);

    Outcomes total = recording.total();
    assertThat(millis(total.response(), 100)).isCloseTo(2_100, withinPercentage(0.1));
    assertThat(millis(total.service(), 100)).isCloseTo(2_000, withinPercentage(0.1));
    assertThat(total.response().getTotalCount()).isEqualTo(2);
    assertThat(total.answered()).isEqualTo(1);
    assertThat(total.errors()).containsEntry("timeout", 1L).containsEntry("status 503", 1L);
  }

  @Test
  void whatWasNeverSentHasNoServiceTime() {
    Recording recording = Recording.of(SECOND);

    recording.neverSent("timeout before it was sent", 0, 3 * SECOND);
    recording.received(2_500 * MS, 7);

    assertThat(recording.total().service().getTotalCount()).isZero();
    assertThat(millis(recording.total().response(), 50)).isCloseTo(3_000, withinPercentage(0.1));
    assertThat(recording.received()).containsExactly(0L, 0L, 7L);
  }

  @Test
  void aLongRunHasLongerIntervals() {
    assertThat(Recording.of(300 * SECOND).intervalNanos()).isEqualTo(SECOND);
    assertThat(Recording.of(301 * SECOND).intervalNanos()).isEqualTo(2 * SECOND);
    assertThat(Recording.of(3_600 * SECOND).intervalNanos()).isEqualTo(12 * SECOND);
    assertThat(Recording.of(1).intervalNanos()).isEqualTo(SECOND);
  }

  @Test
  void kindsOfErrorsAreBounded() {
    Recording recording = Recording.of(SECOND);
    for (int i = 0; i < 100; i++) {
      recording.failed("kind " + i, 0);
    }

    assertThat(recording.total().errors()).hasSizeLessThanOrEqualTo(33).containsKey("other");
    assertThat(recording.total().failures()).isEqualTo(100);
  }

  private static double millis(Histogram histogram, double percentile) {
    return histogram.getValueAtPercentile(percentile) / 1e6;
  }
}
