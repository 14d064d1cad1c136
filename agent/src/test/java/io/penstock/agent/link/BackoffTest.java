package io.penstock.agent.link;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.codec.ErrorCode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class BackoffTest {
  private static final Duration LONG_SESSION = Duration.ofMinutes(5);

  /// Always that part of the ceiling.
  private static RandomGenerator always(double part) {
    return new RandomGenerator() {
      @Override
      public long nextLong() {
        throw new UnsupportedOperationException("only bounded draws are expected");
      }

      @Override
      public long nextLong(long bound) {
        return Math.round(part * (bound - 1));
      }
    };
  }

  private Backoff backoff = new Backoff(always(1));
  private long nowNanos = -5;

  /// As a slot does: waits, dials in no time, fails again.
  private List<Long> waits(int dials) {
    List<Long> waits = new ArrayList<>();
    for (int i = 0; i < dials; i++) {
      Duration wait = backoff.next(LinkFailure.at(Stage.TCP, "connection refused"), nowNanos);
      nowNanos += wait.toNanos();
      waits.add(wait.toMillis());
    }
    return waits;
  }

  @Test
  void doublesFromAFifthOfASecondToHalfAMinute() {
    assertThat(waits(10))
        .containsExactly(200L, 400L, 800L, 1600L, 3200L, 6400L, 12800L, 25600L, 30000L, 30000L);
  }

  @Test
  void dialsMoreRarelyTheLongerTheBrokerIsAwayAndAtLeastEverySecondForHalfAMinute() {
    backoff.sessionEnded(LONG_SESSION, nowNanos);

    List<Long> waits = waits(36);

    // Away for 0, 200, 600, 1100, 1600, 2100, 2625, 3281, 4101 ms and so on.
    assertThat(waits.subList(0, 8)).containsExactly(200L, 400L, 500L, 500L, 500L, 525L, 656L, 820L);
    assertThat(waits.subList(8, 34)).containsOnly(1000L);
    assertThat(waits.get(34)).isEqualTo(2000L);
    assertThat(waits.get(35)).isEqualTo(4000L);
  }

  @Test
  void dialsFourTimesInTheFirstSecondOnAverage() {
    backoff = new Backoff(always(0.5));
    backoff.sessionEnded(LONG_SESSION, nowNanos);

    assertThat(waits(5)).containsExactly(100L, 200L, 250L, 250L, 250L);
  }

  @Test
  void aSessionThatServedMakesTheNextDialsQuickAgain() {
    waits(10);

    backoff.sessionEnded(LONG_SESSION, nowNanos);

    assertThat(waits(3)).containsExactly(200L, 400L, 500L);
  }

  @Test
  void aSessionThatEndedAtOnceCountsAsAFailedDial() {
    waits(5);

    backoff.sessionEnded(Duration.ofMillis(10), nowNanos);

    assertThat(waits(1)).containsExactly(6400L);
  }

  @Test
  void whatTheBrokerAsksForWinsAndIsSpread() {
    var asked = LinkFailure.refused(Stage.POLICY, ErrorCode.OVERLOADED, 17_000, "");

    assertThat(backoff.next(asked, nowNanos)).isEqualTo(Duration.ofMillis(25_500));
    backoff = new Backoff(always(0));
    assertThat(backoff.next(asked, nowNanos)).isEqualTo(Duration.ofSeconds(17));
  }
}
