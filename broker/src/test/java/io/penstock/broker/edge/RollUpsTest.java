package io.penstock.broker.edge;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.edge.InvocationRecord.HopMicros;
import io.penstock.codec.RequestIds;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class RollUpsTest {
  private static final Instant MINUTE = Instant.parse("2026-01-02T03:04:00Z");

  private final List<RollUp> kept = new ArrayList<>();
  private Instant now = MINUTE.plusSeconds(5);
  private final RollUps rollUps = new RollUps(() -> now, kept::addAll);

  private static InvocationRecord call(String caller, String verdict, long micros) {
    return new InvocationRecord(
        new RequestIds(1, 2, 3, 4, 5, 1),
        true,
        caller,
        "plant",
        "erp",
        "agent",
        "GET",
        200,
        verdict,
        false,
        10,
        20,
        new HopMicros(0, 0, 0, 0, micros),
        0);
  }

  @Test
  void sumsCallsOfOneMinute() {
    rollUps.ended(call("a", "ok", 300));
    rollUps.ended(call("a", "ok", 700));
    rollUps.ended(call("a", "deadline", 100));
    now = MINUTE.plusSeconds(60);

    rollUps.flush();

    assertThat(kept)
        .containsExactlyInAnyOrder(
            new RollUp(MINUTE, "a", "plant", "erp", "ok", 2, 20, 40, 1_000, 700),
            new RollUp(MINUTE, "a", "plant", "erp", "deadline", 1, 10, 20, 100, 100));
  }

  @Test
  void keepsTheRunningMinute() {
    rollUps.ended(call("a", "ok", 1));

    rollUps.flush();
    assertThat(kept).isEmpty();

    rollUps.flushAll();
    assertThat(kept).hasSize(1);
  }

  @Test
  void handsEachMinuteOnOnce() {
    rollUps.ended(call("a", "ok", 1));
    now = MINUTE.plusSeconds(60);
    rollUps.ended(call("a", "ok", 1));

    rollUps.flush();
    rollUps.flush();

    assertThat(kept).singleElement().extracting(RollUp::minute).isEqualTo(MINUTE);
  }

  @Test
  void countsWhatIsBeyondItsRoomWithoutNames() {
    for (int i = 0; i < RollUps.MAX_KEYS + 7; i++) {
      rollUps.ended(call("caller-" + i, "ok", 1));
    }
    rollUps.ended(call("caller-0", "ok", 1));

    rollUps.flushAll();

    assertThat(kept).hasSize(RollUps.MAX_KEYS + 1);
    assertThat(kept.stream().mapToLong(RollUp::invocations).sum()).isEqualTo(RollUps.MAX_KEYS + 8);
    assertThat(kept)
        .filteredOn(it -> it.caller().equals(RollUps.OTHER))
        .singleElement()
        .extracting(RollUp::invocations)
        .isEqualTo(7L);
  }
}
