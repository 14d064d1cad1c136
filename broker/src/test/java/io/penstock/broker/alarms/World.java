package io.penstock.broker.alarms;

import io.penstock.broker.config.DataDirectory;
import io.penstock.broker.keys.BrokerKeys;
import io.penstock.broker.keys.MasterKey;
import io.penstock.broker.store.AuditFilters;
import io.penstock.broker.store.BreakableDatabase;
import io.penstock.broker.store.TestDatabase;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/// A real Postgres that a test can take away, real keys, and a clock that stands until a test moves
/// it.
final class World implements AutoCloseable {
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  final TestDatabase postgres = TestDatabase.create();
  final BreakableDatabase breakable = new BreakableDatabase(postgres);
  final Standing clock = new Standing();
  final Path directory;
  final DataDirectory data;
  final BrokerKeys keys;

  World(Path directory) {
    this.directory = directory;
    data = DataDirectory.open(directory);
    keys = BrokerKeys.open(data, MasterKey.load(Optional.empty(), data, RANDOM), RANDOM, clock);
  }

  AlarmRig rig(Map<String, String> settings) {
    postgres.truncate("audit_log, agents cascade");
    return new AlarmRig(postgres, breakable.database(), keys.rowMac(), clock, directory, settings);
  }

  /// After a restart of the broker.
  AlarmRig again(Map<String, String> settings) {
    return new AlarmRig(breakable.database(), keys.rowMac(), clock, directory, settings);
  }

  void pass(Duration time) {
    clock.now = clock.now.plus(time);
  }

  /// Events of the audit trail, oldest first.
  List<String> audited(String likeType) {
    return new io.penstock.broker.audit.Audit(postgres.database(), keys.rowMac(), clock)
        .list(AuditFilters.ofType(likeType)).reversed().stream()
            .map(
                stored -> stored.entry().eventType() + " " + stored.entry().resourceId().orElse(""))
            .toList();
  }

  static void await(BooleanSupplier condition) {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > end) {
        throw new AssertionError("it did not come within " + PATIENCE);
      }
      LockSupport.parkNanos(Duration.ofMillis(10).toNanos());
    }
  }

  @Override
  public void close() {
    breakable.close();
    postgres.close();
    data.close();
  }

  static final class Standing extends Clock {
    volatile Instant now = Instant.parse("2026-11-01T12:00:00Z");

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }

    @Override
    public Instant instant() {
      return now;
    }
  }
}
