package io.penstock.agent.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class ForgettingTest {
  private static final long SECOND = 1_000_000_000L;

  /// System.nanoTime may start anywhere.
  private static final long START = -77 * SECOND;

  private final Forgetting forgetting = new Forgetting(Optional.of(Duration.ofSeconds(10)));

  @Test
  void theTimeCountsFromWhenNobodyIsSeenToBeThere() {
    forgetting.admitted();

    assertThat(forgetting.isDue(false, START)).isFalse();
    assertThat(forgetting.isCounting()).isTrue();
    assertThat(forgetting.isDue(false, START + 9 * SECOND)).isFalse();
    assertThat(forgetting.isDue(false, START + 10 * SECOND)).isTrue();
    assertThat(forgetting.isDue(false, START + 11 * SECOND)).as("once").isFalse();
  }

  @Test
  void aTunnelInBetweenStartsItAnew() {
    forgetting.admitted();

    assertThat(forgetting.isDue(false, 0)).isFalse();
    assertThat(forgetting.isDue(true, 9 * SECOND)).isFalse();
    assertThat(forgetting.isDue(false, 12 * SECOND)).isFalse();
    assertThat(forgetting.isDue(false, 22 * SECOND)).isTrue();
  }

  @Test
  void whoNeverHadATunnelOrDoesNotWantItForgetsNothing() {
    var unwanted = new Forgetting(Optional.empty());
    unwanted.admitted();

    assertThat(forgetting.isDue(false, 99 * SECOND)).isFalse();
    assertThat(unwanted.isDue(false, 0)).isFalse();
    assertThat(unwanted.isDue(false, 99 * SECOND)).isFalse();
    assertThat(unwanted.isCounting()).isFalse();
  }
}
