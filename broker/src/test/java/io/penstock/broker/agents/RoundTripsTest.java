package io.penstock.broker.agents;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.penstock.broker.tunnel.ControlChannel.Admission;
import io.penstock.broker.tunnel.TestSessions;
import java.net.InetAddress;
import java.time.Clock;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RoundTripsTest {
  private final FakeSessions sessions = new FakeSessions(Clock.systemUTC());
  private final RoundTrips roundTrips = new RoundTrips(sessions);

  private FakeSession connect(String agent) {
    var admission =
        new Admission(
            agent,
            "plant",
            1,
            0,
            1,
            new byte[16],
            Optional.empty(),
            TestSessions.KEY,
            TestSessions.HASH);
    InetAddress remote = InetAddress.getLoopbackAddress();
    var session =
        new FakeSession(new FakeChannel(sessions, remote), admission, remote, Instant.EPOCH);
    sessions.add(session);
    return session;
  }

  @Test
  void sharesAreOfTheNewestSamples() {
    FakeSession session = connect("press");
    for (int ms = 1_000; ms > 0; ms--) {
      session.roundTripNanos(ms * 1_000_000L);
      roundTrips.sample();
    }

    assertThat(roundTrips.of("press").p50().orElseThrow()).isCloseTo(60, within(0.001));
    assertThat(roundTrips.of("press").p95().orElseThrow()).isCloseTo(114, within(0.001));
    assertThat(roundTrips.of("press").p99().orElseThrow()).isCloseTo(119, within(0.001));
  }

  @Test
  void fewSamplesAreNotMixedWithNone() {
    FakeSession session = connect("press");
    session.roundTripNanos(0);
    roundTrips.sample();
    assertThat(roundTrips.of("press").p50()).isEmpty();

    session.roundTripNanos(3_000_000);
    roundTrips.sample();

    assertThat(roundTrips.of("press").p50().orElseThrow()).isCloseTo(3, within(0.001));
    assertThat(roundTrips.of("other").p50()).isEmpty();
  }

  @Test
  void anAgentThatIsGoneLeavesNothing() {
    FakeSession session = connect("press");
    roundTrips.sample();
    sessions.remove(session);

    roundTrips.sample();

    assertThat(roundTrips.of("press").p50()).isEmpty();
  }
}
