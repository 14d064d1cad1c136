package io.penstock.loadtest.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.loadtest.engine.FlowResult;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class StormTurnTest {
  private static final long SECOND = 1_000_000_000;

  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
  private final StormTurn turn = new StormTurn(List.of(), 1, timer);

  @AfterEach
  void stop() {
    timer.shutdownNow();
  }

  @Test
  void itsTimeIsFromTheFirstAgentToTheLastEnd() {
    turn.meant(12 * SECOND);
    turn.meant(10 * SECOND);
    turn.answered(10 * SECOND, 10 * SECOND, 11 * SECOND);
    turn.tooLate("late", 12 * SECOND, 12 * SECOND, 15 * SECOND);

    FlowResult result = turn.result();

    assertThat(result.startNanos()).isEqualTo(10 * SECOND);
    assertThat(result.durationNanos()).isEqualTo(5 * SECOND);
  }

  @Test
  void anAgentWithoutATunnelWasNotRevokedInNoTime() {
    Revocations.judge(turn, new Revocations.End(Optional.empty(), 0), 0, SECOND);

    assertThat(turn.result().recording().total().answered()).isZero();
    assertThat(turn.result().recording().total().errors()).containsOnlyKeys("had no tunnel before");
  }
}
