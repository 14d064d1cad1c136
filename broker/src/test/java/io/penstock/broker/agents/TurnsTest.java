package io.penstock.broker.agents;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class TurnsTest {
  private final Turns turns = new Turns();

  @Test
  void oneAgentGoesOneAfterTheOtherAndOthersDoNotWait() {
    Turns.Turn first = turns.take("press", Duration.ZERO).orElseThrow();

    assertThat(turns.take("press", Duration.ofMillis(10))).isEmpty();
    try (Turns.Turn other = turns.take("lathe", Duration.ZERO).orElseThrow()) {
      assertThat(other).isNotNull();
    }
    first.close();
    try (Turns.Turn next = turns.take("press", Duration.ZERO).orElseThrow()) {
      assertThat(next).isNotNull();
    }
  }

  @Test
  void nothingIsKeptOfAgentsThatWent() {
    turns.take("press", Duration.ZERO).orElseThrow().close();
    Turns.Turn held = turns.take("lathe", Duration.ZERO).orElseThrow();
    assertThat(turns.take("lathe", Duration.ZERO)).isEmpty();
    assertThat(turns.size()).isEqualTo(1);

    held.close();

    assertThat(turns.size()).isZero();
  }

  @Test
  void theCounterMovesOnBeforeTheNextHasHisTurn() {
    long before = turns.over("press");
    Turns.Turn first = turns.take("press", Duration.ZERO).orElseThrow();
    assertThat(turns.over("press")).isEqualTo(before);

    first.close();

    try (Turns.Turn next = turns.take("press", Duration.ZERO).orElseThrow()) {
      assertThat(next).isNotNull();
      assertThat(turns.over("press")).isGreaterThan(before);
    }
  }
}
