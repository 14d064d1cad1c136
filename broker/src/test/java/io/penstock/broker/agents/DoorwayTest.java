package io.penstock.broker.agents;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.broker.tunnel.TunnelRefused;
import io.penstock.codec.ErrorCode;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class DoorwayTest {

  @Test
  void whoFindsItFullIsToldToComeAgain() throws Exception {
    var doorway = new Doorway(1, Duration.ofMillis(10));
    var inside = new CountDownLatch(1);
    var leave = new CountDownLatch(1);
    Thread slow =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    doorway.through(
                        () -> {
                          inside.countDown();
                          awaitQuietly(leave);
                        });
                  } catch (TunnelRefused impossible) {
                    throw new IllegalStateException(impossible);
                  }
                });
    inside.await();

    assertThatThrownBy(() -> doorway.through(() -> 1))
        .isInstanceOfSatisfying(
            TunnelRefused.class,
            refused -> assertThat(refused.code()).isEqualTo(ErrorCode.UNAVAILABLE));
    leave.countDown();
    slow.join();
    int after = doorway.through(() -> 1);
    assertThat(after).isEqualTo(1);
  }

  @Test
  void thoseTurnedAwayComeAgainAtDifferentTimes() {
    Set<Integer> times = new HashSet<>();
    for (int i = 0; i < 50; i++) {
      times.add(Doorway.unavailable().retryAfterMs());
    }

    assertThat(times).hasSizeGreaterThan(10).allMatch(ms -> ms >= 2_000 && ms < 10_000);
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
