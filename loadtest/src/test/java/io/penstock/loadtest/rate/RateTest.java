package io.penstock.loadtest.rate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class RateTest {
  private static final long SECOND = 1_000_000_000;

  private static long[] starts(Rate rate, int count) {
    StartTimes times = rate.startTimes();
    return LongStream.range(0, count).map(_ -> times.nextNanos()).toArray();
  }

  private static long startsBefore(Rate rate, long nanos) {
    StartTimes times = rate.startTimes();
    long count = 0;
    while (times.nextNanos() < nanos) {
      count++;
    }
    return count;
  }

  @Test
  void constantStartsAreEvenlySpaced() {
    assertThat(starts(new Rate.Constant(4), 5))
        .containsExactly(0, 250_000_000, 500_000_000, 750_000_000, SECOND);
  }

  @Test
  void aRateThatDividesNoNanosecondDoesNotDrift() {
    long[] starts = starts(new Rate.Constant(3), 3_000_001);

    assertThat(starts[1]).isEqualTo(333_333_333);
    assertThat(starts[2]).isEqualTo(666_666_667);
    assertThat(starts[3_000_000]).isEqualTo(1_000_000 * SECOND);
  }

  @Test
  void aRampStartsWhatTheAreaUnderItSays() {
    Rate ramp = new Rate.Ramp(100, 300, 10 * SECOND);

    assertThat(startsBefore(ramp, 10 * SECOND)).isEqualTo(2_000);
    // Half way the rate is 200: (100 + 200) / 2 · 5 s.
    assertThat(startsBefore(ramp, 5 * SECOND)).isEqualTo(750);
    // Beyond, it stays.
    assertThat(startsBefore(ramp, 12 * SECOND)).isEqualTo(2_600);
    assertThat(ramp.perSecondAt(5 * SECOND)).isEqualTo(200);
    assertThat(ramp.perSecondAt(50 * SECOND)).isEqualTo(300);
  }

  @Test
  void aRampFromNothingSolvesTheSquare() {
    // n = t²/2 · 2/s²: the n-th start is at the root of n seconds.
    assertThat(starts(new Rate.Ramp(0, 20, 10 * SECOND), 5))
        .containsExactly(0, SECOND, 1_414_213_562, 1_732_050_808, 2 * SECOND);
  }

  @Test
  void aRampToNothingEnds() {
    StartTimes times = new Rate.Ramp(20, 0, 10 * SECOND).startTimes();
    long[] starts = LongStream.range(0, 101).map(_ -> times.nextNanos()).toArray();

    assertThat(starts).isSorted();
    assertThat(starts[100]).isEqualTo(10 * SECOND);
    assertThat(times.nextNanos()).isEqualTo(StartTimes.NEVER);
    assertThat(times.nextNanos()).isEqualTo(StartTimes.NEVER);
  }

  @Test
  void aFlatRampIsConstant() {
    assertThat(starts(new Rate.Ramp(8, 8, SECOND), 100))
        .isEqualTo(starts(new Rate.Constant(8), 100));
  }

  @Test
  void poissonGapsHaveTheMeanAndTheSpreadOfAnExponential() {
    int count = 200_000;
    long[] starts = starts(new Rate.Poisson(1_000, 7), count);
    double mean = starts[count - 1] / 1e9 / count;
    double square = 0;
    long longerThanMean = 0;
    for (int i = 1; i < count; i++) {
      double gap = (starts[i] - starts[i - 1]) / 1e9;
      square += (gap - mean) * (gap - mean);
      longerThanMean += gap > mean ? 1 : 0;
    }

    assertThat(starts).isSorted();
    assertThat(mean).isCloseTo(0.001, within(0.00001));
    assertThat(Math.sqrt(square / count)).isCloseTo(0.001, within(0.00001));
    assertThat((double) longerThanMean / count).isCloseTo(1 / Math.E, within(0.005));
  }

  @Test
  void aSeedGivesTheSameStartsAgain() {
    Rate rate = new Rate.Poisson(50, 1);

    assertThat(starts(rate, 1_000)).isEqualTo(starts(rate, 1_000));
    assertThat(starts(rate, 1_000)).isNotEqualTo(starts(new Rate.Poisson(50, 2), 1_000));
  }

  @Test
  void refusesRatesThatMeanNothing() {
    assertThatThrownBy(() -> new Rate.Constant(0)).hasMessageContaining("found 0.0");
    assertThatThrownBy(() -> new Rate.Poisson(Double.NaN, 1)).hasMessageContaining("found NaN");
    assertThatThrownBy(() -> new Rate.Ramp(-1, 1, 1)).hasMessageContaining("found -1.0");
    assertThatThrownBy(() -> new Rate.Ramp(0, 0, 1)).hasMessageContaining("found 0 to 0");
    assertThatThrownBy(() -> new Rate.Ramp(1, 2, 0)).hasMessageContaining("found 0 ns");
  }
}
