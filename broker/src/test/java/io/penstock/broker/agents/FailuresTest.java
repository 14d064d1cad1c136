package io.penstock.broker.agents;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class FailuresTest {
  private static final InetAddress HERE = InetAddress.ofLiteral("192.0.2.1");
  private static final InetAddress THERE = InetAddress.ofLiteral("192.0.2.2");

  private final AtomicReference<Instant> now = new AtomicReference<>(Instant.EPOCH);
  private final Failures failures = new Failures(new Moved(now));

  private static byte[] target(int number) {
    return new byte[] {(byte) number};
  }

  private void fail(InetAddress source, int target, int times) {
    IntStream.range(0, times).forEach(_ -> failures.failed(source, target(target)));
  }

  @Test
  void theFifthFailureIsStillToldAndTheSixthNot() {
    fail(HERE, 1, 4);

    assertThat(failures.failed(HERE, target(1))).isFalse();
    assertThat(failures.failed(HERE, target(1))).isTrue();
  }

  @Test
  void aSourceIsLimitedForOneTargetAndNobodyElseIs() {
    fail(HERE, 1, 5);

    assertThat(failures.limited(HERE, target(1))).isTrue();
    assertThat(failures.limited(HERE, target(2))).isFalse();
    assertThat(failures.limited(THERE, target(1))).isFalse();
  }

  @Test
  void aSourceThatTriesManyTargetsIsLimitedForAll() {
    IntStream.range(0, 20).forEach(number -> fail(HERE, number, 1));

    assertThat(failures.limited(HERE, target(77))).isTrue();
  }

  @Test
  void anIpv6CustomerIsOneSource() {
    fail(InetAddress.ofLiteral("2001:db8::1"), 1, 5);

    assertThat(failures.limited(InetAddress.ofLiteral("2001:db8::ffff:2"), target(1))).isTrue();
    assertThat(failures.limited(InetAddress.ofLiteral("2001:db8:0:1::1"), target(1))).isFalse();
  }

  @Test
  void failuresAreForgottenAfterTenMinutes() {
    fail(HERE, 1, 9);

    now.set(Instant.EPOCH.plus(Failures.FORGET_AFTER).plusMillis(1));

    assertThat(failures.limited(HERE, target(1))).isFalse();
  }

  private static final class Moved extends Clock {
    private final AtomicReference<Instant> now;

    Moved(AtomicReference<Instant> now) {
      this.now = now;
    }

    @Override
    public java.time.ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(java.time.ZoneId zone) {
      return this;
    }

    @Override
    public Instant instant() {
      return now.get();
    }
  }
}
