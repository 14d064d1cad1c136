package io.penstock.agent.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

final class CrashBreakerTest {
  private final CrashBreaker breaker = new CrashBreaker();
  private long now = 1_000_000_000_000L;

  private boolean fail(Duration after) {
    now += after.toNanos();
    return breaker.failed(now);
  }

  private boolean failUntilOneTooMany() {
    boolean tripped = false;
    for (int i = 0; i < CrashBreaker.FAILURES; i++) {
      assertThat(tripped).isFalse();
      tripped = fail(Duration.ofSeconds(1));
    }
    return tripped;
  }

  @Test
  void standsFailuresThatAreFarApart() {
    for (int i = 0; i < 100; i++) {
      assertThat(fail(Duration.ofSeconds(16))).isFalse();
    }
  }

  @Test
  void pausesLongerEachTimeAndForgetsAfterPeace() {
    for (int seconds : new int[] {1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300}) {
      assertThat(failUntilOneTooMany()).isTrue();
      assertThat(breaker.pause(now)).isEqualTo(Duration.ofSeconds(seconds));
      breaker.resumed(now);
    }
    now += Duration.ofHours(1).toNanos();

    assertThat(failUntilOneTooMany()).isTrue();
    assertThat(breaker.pause(now)).isEqualTo(CrashBreaker.FIRST_PAUSE);
  }
}
