package io.penstock.broker.edge;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.codec.AnswerHead;
import io.penstock.codec.Fields;
import org.junit.jupiter.api.Test;

class HopClockTest {

  private static HopClock clock(long agentMicros, long systemMicros) {
    var clock = new HopClock(1_000_000);
    clock.opened(1_050_000);
    clock.headArrived(new AnswerHead(200, agentMicros, systemMicros, new Fields()), 11_050_000);
    clock.answered(11_057_999);
    return clock;
  }

  @Test
  void givesTheTunnelWhatNobodyElseClaims() {
    HopClock clock = clock(120, 9_000);

    assertThat(clock.serverTiming())
        .hasToString("broker;dur=0.057, tunnel;dur=0.880, agent;dur=0.120, system;dur=9.000");
    assertThat(clock.hops(21_000_000))
        .isEqualTo(new InvocationRecord.HopMicros(57, 880, 120, 9_000, 20_000));
  }

  @Test
  void neverCountsBelowZero() {
    assertThat(clock(5_000, 9_000).serverTiming()).asString().contains("tunnel;dur=0.000");
  }

  @Test
  void givesTheBrokerAllOfACallThatWasNotAnswered() {
    var clock = new HopClock(0);

    assertThat(clock.hops(3_000)).isEqualTo(new InvocationRecord.HopMicros(3, 0, 0, 0, 3));
  }
}
