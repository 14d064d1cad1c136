package io.penstock.broker.agents;

import io.penstock.codec.seal.Octets;
import java.net.InetAddress;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/// Counts what failed, per source and target (a token, an agent) and per source. Beyond the limit a
/// source gets nothing for some minutes, even with the right secret.
///
/// A target alone has no limit: a token's id can be read by whoever sees it once, and he must not
/// be
/// able to lock out the agent it was made for. Guessing 256 bits is hopeless anyway; the limit
/// keeps
/// logs and handshakes cheap. At most 10,000 counters; the oldest are forgotten first. Thread-safe.
final class Failures {
  static final int PER_SOURCE_AND_TARGET = 5;
  static final int PER_SOURCE = 20;
  static final Duration FORGET_AFTER = Duration.ofMinutes(10);
  private static final int MAX_COUNTERS = 10_000;
  private static final int IPV6_SITE_BYTES = 8;

  private final Clock clock;
  private final SequencedMap<Key, Count> counts = new LinkedHashMap<>();

  private record Key(Octets source, List<Octets> target) {}

  private record Count(int failures, Instant since) {}

  Failures(Clock clock) {
    this.clock = clock;
  }

  synchronized boolean limited(InetAddress source, byte[] target) {
    Key of = key(source, target);
    return failures(of) >= PER_SOURCE_AND_TARGET
        || failures(new Key(of.source(), List.of())) >= PER_SOURCE;
  }

  /// Counts one more; true when the source was beyond its limit already.
  synchronized boolean failed(InetAddress source, byte[] target) {
    boolean before = limited(source, target);
    Key of = key(source, target);
    count(of);
    count(new Key(of.source(), List.of()));
    return before;
  }

  /// A right secret clears its own counter, not the source's.
  synchronized void succeeded(InetAddress source, byte[] target) {
    counts.remove(key(source, target));
  }

  private int failures(Key key) {
    Count count = counts.get(key);
    if (count == null || count.since().plus(FORGET_AFTER).isBefore(clock.instant())) {
      return 0;
    }
    return count.failures();
  }

  private void count(Key key) {
    int failures = failures(key);
    Count before = counts.remove(key);
    Instant since = failures == 0 || before == null ? clock.instant() : before.since();
    counts.put(key, new Count(failures + 1, since));
    if (counts.size() > MAX_COUNTERS) {
      counts.pollFirstEntry();
    }
  }

  /// An IPv6 customer has a whole /64.
  private static Key key(InetAddress source, byte[] target) {
    byte[] address = source.getAddress();
    byte[] site = address.length > 4 ? Arrays.copyOf(address, IPV6_SITE_BYTES) : address;
    return new Key(Octets.of(site), List.of(Octets.of(target)));
  }
}
