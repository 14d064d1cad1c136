package io.penstock.broker.access;

import io.penstock.broker.access.Actor.Origin;
import io.penstock.broker.access.SignIns.SignIn;
import io.penstock.broker.access.SignIns.SignedIn;
import io.penstock.broker.alarms.AlarmRig;
import io.penstock.broker.audit.Audit;
import io.penstock.broker.config.BrokerConfig;
import io.penstock.broker.config.DataDirectory;
import io.penstock.broker.config.Networks;
import io.penstock.broker.keys.BrokerKeys;
import io.penstock.broker.keys.MasterKey;
import io.penstock.broker.store.AccessHints;
import io.penstock.broker.store.AlarmTable;
import io.penstock.broker.store.AlarmTable.Alarm;
import io.penstock.broker.store.AuditFilters;
import io.penstock.broker.store.AuditTable.Entry;
import io.penstock.broker.store.AuditTable.Stored;
import io.penstock.broker.store.BreakableDatabase;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.Hints;
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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/// Accounts on a real Postgres that a test can take away, under a clock that a test moves.
public final class AccessRig implements AutoCloseable {
  public static final Origin ORIGIN = from("192.0.2.7");
  public static final String PASSWORD = "plaice granite 4711 umbrella";
  static final Actor ADMIN =
      new Actor("admin@example.org", Role.ADMIN, Set.of(), List.of(), new UUID(0, 1), ORIGIN);

  public final TestDatabase real = TestDatabase.create();
  public final BreakableDatabase database = new BreakableDatabase(real);
  private final SecureRandom random = new SecureRandom();
  private final DataDirectory data;
  private final Moved clock = new Moved();
  final BrokerKeys keys;
  private final BrokerConfig config;
  private final Node node;

  public AccessRig(Path directory) {
    this(directory, Map.of());
  }

  /// @param settings dotted keys of the configuration
  AccessRig(Path directory, Map<String, String> settings) {
    data = DataDirectory.open(directory);
    keys = BrokerKeys.open(data, MasterKey.load(Optional.empty(), data, random), random, clock);
    config = BrokerConfig.load(Optional.empty(), Map.of(), settings);
    node = new Node(database.database());
  }

  static Origin from(String address) {
    return new Origin(Optional.of(address), Optional.empty(), "/invoke");
  }

  /// One broker's view of people and service accounts.
  final class Node {
    final AccessNews news = new AccessNews();
    final Passwords passwords = new Passwords(random);
    final Accounts accounts;
    final ServiceAccounts services;

    Node(Database database) {
      var audit = new Audit(database, keys.rowMac(), clock);
      var tokens = new AccessTokens(real.vertx(), keys::jwtKeys);
      accounts =
          new Accounts(
              database,
              new UserTable(keys.rowMac()),
              audit,
              passwords,
              tokens,
              news,
              config.access(),
              random,
              clock);
      services =
          new ServiceAccounts(
              database,
              new ServiceAccountTable(keys.rowMac()),
              audit,
              tokens,
              accounts,
              news,
              clock);
    }

    /// Hears the news of the others from now on.
    Hints listening() {
      var ready = new CompletableFuture<Boolean>();
      var hints =
          new Hints(
              real.vertx(),
              real::address,
              AccessHints.CHANNEL,
              news::hint,
              () -> {
                news.listening();
                ready.complete(true);
              });
      hints.start();
      ready.orTimeout(10, TimeUnit.SECONDS).join();
      return hints;
    }

    SignedIn signIn(String email) {
      return ((SignIn.Granted) accounts.signIns().login(email, PASSWORD, ORIGIN)).tokens();
    }

    Optional<Actor> authenticate(SignedIn signedIn) {
      return accounts.authenticate(signedIn.token(), ORIGIN);
    }
  }

  Node node() {
    return node;
  }

  /// Another broker on the same database, with the same keys.
  Node anotherNode() {
    return new Node(real.database());
  }

  void user(String email, Role role, String... scope) {
    node.accounts.create(email, role, PASSWORD, List.of(scope), ADMIN);
  }

  /// @param allowed none = every address
  public Blocks blocks(String... allowed) {
    return blocks(List.of(allowed), List.of());
  }

  public Blocks blocks(List<String> allowed, List<String> trustedProxies) {
    return new Blocks(
        real.database(),
        new Audit(real.database(), keys.rowMac(), clock),
        new AccessNews(),
        Networks.of(allowed),
        Networks.of(trustedProxies),
        clock);
  }

  /// Refusals under a clock that stands still.
  RefusalLog refusals() {
    return new RefusalLog(new Audit(real.database(), keys.rowMac(), clock), () -> 0);
  }

  UserTable users() {
    return new UserTable(keys.rowMac());
  }

  public Blocks.Outcome block(Blocks blocks, String cidr, Optional<Duration> duration) {
    return blocks.add(cidr, "a test", duration, ADMIN);
  }

  public boolean unblock(Blocks blocks, String cidr) {
    return blocks.remove(cidr, ADMIN);
  }

  /// Looks for causes of alarms here.
  AlarmRig alarmRig(Map<String, String> settings) {
    return new AlarmRig(real, keys.rowMac(), clock, settings);
  }

  List<Alarm> alarms() {
    return real.database().transaction(tx -> new AlarmTable().list(tx, true, 100));
  }

  List<Entry> audited(String type) {
    var filter = AuditFilters.ofType(type);
    return new Audit(real.database(), keys.rowMac(), clock)
        .list(filter).stream().map(Stored::entry).toList();
  }

  public ServiceAccounts accounts() {
    return node.services;
  }

  /// A token of a new account.
  public String token(String account, Duration ttl, String... systems) {
    accounts().create(account, List.of(systems), ADMIN);
    return accounts().issueToken(account, ttl, ADMIN).orElseThrow().token();
  }

  public void disable(String account) {
    accounts().change(account, List.of("berlin/erp"), true, ADMIN);
  }

  Instant now() {
    return clock.instant();
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
