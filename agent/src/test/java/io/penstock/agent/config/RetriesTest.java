package io.penstock.agent.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

final class RetriesTest {
  private final Retries retries = new Retries(new Random(7));

  @Test
  void pausesDoubleUpToTheLimitAndAreJittered() {
    long pause = Retries.FIRST.toNanos();
    for (int i = 0; i < 12; i++) {
      retries.later("erp", 0, Retries.LONGEST_OF_A_FETCH);
      assertThat(retries.next(0).orElseThrow()).isBetween(pause / 2, pause);
      pause = Math.min(2 * pause, Retries.LONGEST_OF_A_FETCH.toNanos());
    }
    retries.done("erp");
    retries.later("erp", 0, Retries.LONGEST_OF_A_FETCH);

    assertThat(retries.next(0).orElseThrow()).isLessThanOrEqualTo(Retries.FIRST.toNanos());
  }

  @Test
  void whatIsDueIsToldOnceAndKeepsItsPause() {
    retries.later("erp", 0, Retries.LONGEST);
    long first = retries.next(0).orElseThrow();

    assertThat(retries.isPausing("erp", first - 1)).isTrue();
    assertThat(retries.due(first)).containsExactly("erp");
    assertThat(retries.due(first)).isEmpty();
    assertThat(retries.next(first)).isEmpty();
    assertThat(retries.isKnown("erp")).isTrue();
    retries.later("erp", 0, Retries.LONGEST);
    assertThat(retries.next(0).orElseThrow())
        .isBetween(Retries.FIRST.toNanos(), 2 * Retries.FIRST.toNanos());
  }
}
