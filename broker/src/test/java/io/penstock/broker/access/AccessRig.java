package io.penstock.broker.access;

import io.penstock.broker.access.Actor.Origin;
import io.penstock.broker.audit.Audit;
import io.penstock.broker.config.BrokerConfig;
import io.penstock.broker.config.DataDirectory;
import io.penstock.broker.keys.BrokerKeys;
import io.penstock.broker.keys.MasterKey;
import io.penstock.broker.store.BreakableDatabase;
import io.penstock.broker.store.ServiceAccountTable;
import io.penstock.broker.store.TestDatabase;
import io.penstock.broker.store.UserTable;
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
import java.util.Set;
import java.util.UUID;

/// Accounts on a real Postgres that a test can take away, under a clock that a test moves.
public final class AccessRig implements AutoCloseable {
  public static final Origin ORIGIN =
      new Origin(Optional.of("192.0.2.7"), Optional.empty(), "/invoke");
  private static final Actor ADMIN =
      new Actor("admin@example.org", Role.ADMIN, Set.of(), List.of(), new UUID(0, 1), ORIGIN);

  public final TestDatabase real = TestDatabase.create();
  public final BreakableDatabase database = new BreakableDatabase(real);
  private final DataDirectory data;
  private final Moved clock = new Moved();
  private final ServiceAccounts accounts;

  public AccessRig(Path directory) {
    var random = new SecureRandom();
    data = DataDirectory.open(directory);
    BrokerKeys keys =
        BrokerKeys.open(data, MasterKey.load(Optional.empty(), data, random), random, clock);
    var audit = new Audit(database.database(), keys.rowMac(), clock);
    var tokens = new AccessTokens(real.vertx(), keys::jwtKeys);
    BrokerConfig config = BrokerConfig.load(Optional.empty(), Map.of(), Map.of());
    accounts =
        new ServiceAccounts(
            database.database(),
            new ServiceAccountTable(keys.rowMac()),
            audit,
            tokens,
            new Accounts(
                database.database(),
                new UserTable(keys.rowMac()),
                audit,
                new Passwords(random),
                tokens,
                config.access(),
                random,
                clock),
            clock);
  }

  public ServiceAccounts accounts() {
    return accounts;
  }

  /// A token of a new account.
  public String token(String account, Duration ttl, String... systems) {
    accounts.create(account, List.of(systems), ADMIN);
    return accounts.issueToken(account, ttl, ADMIN).orElseThrow().token();
  }

  public void disable(String account) {
    accounts.change(account, List.of("berlin/erp"), true, ADMIN);
  }

  public void pass(Duration time) {
    clock.ahead = clock.ahead.plus(time);
  }

  @Override
  public void close() {
    database.close();
    real.close();
    data.close();
  }

  /// Ahead of the real one, which the library that reads tokens looks at.
  private static final class Moved extends Clock {
    private final Instant start = Instant.now();
    private volatile Duration ahead = Duration.ZERO;

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
      return start.plus(ahead);
    }
  }
}
