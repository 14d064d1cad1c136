package io.penstock.broker.alarms;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.function.LongSupplier;

/// Whether Postgres answers, by whether looks at it succeed. An outage is told while it lasts, when
/// no table can hold an alarm, and stays a cause from its end on until it is written down. Of one
/// thread.
final class DatabaseWatch {
  private final Duration limit;
  private final LongSupplier nanoClock;
  private boolean failing;
  private long failingSince;
  private boolean told;
  private Optional<Outage> ended = Optional.empty();

  record Outage(Duration lasted, Instant until) {}

  /// @param limit shorter outages are none
  DatabaseWatch(Duration limit, LongSupplier nanoClock) {
    this.limit = limit;
    this.nanoClock = nanoClock;
  }

  /// @return how long it has been away, once in an outage, when that is too long
  Optional<Duration> failed() {
    long now = nanoClock.getAsLong();
    if (!failing) {
      failing = true;
      failingSince = now;
      told = false;
    }
    Duration since = Duration.ofNanos(now - failingSince);
    if (told || since.compareTo(limit) < 0) {
      return Optional.empty();
    }
    told = true;
    return Optional.of(since);
  }

  void answered(Instant now) {
    if (failing && told) {
      ended = Optional.of(new Outage(Duration.ofNanos(nanoClock.getAsLong() - failingSince), now));
    }
    failing = false;
  }

  /// An outage that no alarm tells of yet.
  Optional<Outage> ended() {
    return ended;
  }

  void written() {
    ended = Optional.empty();
  }
}
