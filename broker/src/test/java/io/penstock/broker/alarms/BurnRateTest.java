package io.penstock.broker.alarms;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.penstock.broker.config.AlarmSettings;
import io.penstock.broker.store.LatencyTable.Windows;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BurnRateTest {
  private static final LatencyCauses CAUSES =
      new LatencyCauses(new AlarmSettings.Latency(Duration.ofSeconds(1), 0.99, 14.4, 50));

  @ParameterizedTest
  @CsvSource({
    // target, good, slow, rate
    "0.99,  99,  1,   1",
    "0.99, 100,  0,   0",
    "0.99,   0, 10, 100",
    "0.99, 856, 144, 14.4",
    "0.999, 999, 1,   1",
    "0.95,   5,  5,  10",
    "0.99,   0,  0,   0"
  })
  void isTheShareOfSlowOnesOverTheAllowance(double target, long good, long slow, double rate) {
    assertThat(new BurnRate(target).of(good, slow)).isCloseTo(rate, within(1e-9));
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 1, -0.5, 2, Double.NaN})
  void refusesATargetThatIsNoShare(double target) {
    assertThatThrownBy(() -> new BurnRate(target)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void needsBothWindowsAndEnoughInvocations() {
    assertThat(burns(40, 10, 400, 100)).as("20 %% slow in both").isTrue();
    assertThat(burns(90, 10, 900, 100)).as("10 %% slow: rate 10").isFalse();
    assertThat(burns(40, 10, 2_000, 10)).as("a bad moment of a good hour").isFalse();
    assertThat(burns(50, 0, 400, 100)).as("it is over").isFalse();
    assertThat(burns(39, 10, 400, 100)).as("49 invocations say nothing").isFalse();
  }

  @Test
  void lastsUntilTheShortWindowBurnsHalfAsFast() {
    assertThat(CAUSES.burns(new Windows("route a/b", 92, 8, 0, 0), true)).isTrue();
    assertThat(CAUSES.burns(new Windows("route a/b", 93, 7, 0, 0), true)).isFalse();
    assertThat(CAUSES.burns(new Windows("route a/b", 0, 0, 0, 500), true)).isFalse();
  }

  private static boolean burns(long shortGood, long shortSlow, long longGood, long longSlow) {
    return CAUSES.burns(new Windows("route a/b", shortGood, shortSlow, longGood, longSlow), false);
  }
}
