package io.penstock.broker.agents;

import io.penstock.broker.access.Actor;
import io.penstock.broker.access.Actor.Origin;
import io.penstock.broker.access.Role;
import io.penstock.broker.agents.AgentOperations.Outcome;
import io.penstock.broker.alarms.AlarmRig;
import io.penstock.broker.config.DataDirectory;
import io.penstock.broker.keys.BrokerKeys;
import io.penstock.broker.keys.MasterKey;
import io.penstock.broker.store.AlarmTable;
import io.penstock.broker.store.AuditFilters;
import io.penstock.broker.store.AuditTable;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.DatabaseAddress;
import io.penstock.broker.store.EnrollmentTokenTable;
import io.penstock.broker.store.EnrollmentTokenTable.Token;
import io.penstock.broker.store.TestDatabase;
import io.penstock.broker.tunnel.TunnelAuthority;
import io.penstock.codec.seal.EnrollmentToken;
import io.penstock.codec.seal.Octets;
import io.vertx.core.Vertx;
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
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/// A broker without sockets: real Postgres, real keys, and the identities under test. Its clock
/// stands until a test moves it.
final class TestBroker implements AutoCloseable {
  private static final TestDatabase.OfThread DATABASE = new TestDatabase.OfThread();
  static final Actor ADMIN =
      new Actor(
          "admin@example.org",
          Role.ADMIN,
          Set.of(),
          List.of(),
          new UUID(0, 1),
          new Origin(Optional.of("192.0.2.7"), Optional.of("test"), "/api/v1/agents"));
  private static final SecureRandom RANDOM = new SecureRandom();

  final List<String> passed = new CopyOnWriteArrayList<>();
  volatile boolean dieAtFailpoint;

  /// The newest head manifest of every agent.
  volatile @Nullable String head;
  private final DataDirectory data;
  private final TestDatabase postgres =
      DATABASE.emptied("agents, enrollment_tokens, revocation_lists, alarms, audit_log, outbox");
  private final Ticking clock = new Ticking();
  final FakeSessions sessions = new FakeSessions(clock);
  private BrokerKeys keys;
  private Agents agents;

  TestBroker(Path directory) {
    this.data = DataDirectory.open(directory);
    this.keys = openKeys();
    this.agents = wire();
  }

  /// Killed, and started again on the same database and keystore.
  void restart() {
    agents.close();
    sessions.all().forEach(session -> sessions.remove((FakeSession) session));
    keys = openKeys();
    agents = wire();
    agents.recover();
  }

  private BrokerKeys openKeys() {
    return BrokerKeys.open(data, MasterKey.load(Optional.empty(), data, RANDOM), RANDOM, clock);
  }

  private Agents wire() {
    return new Agents(
        new Agents.Surroundings(
            database(),
            keys,
            sessions,
            (_, _, _) -> Optional.ofNullable(head),
            RANDOM,
            clock,
            "node-1",
            1),
        name -> {
          passed.add(name);
          if (dieAtFailpoint) {
            throw new IllegalStateException("the broker dies here");
          }
        });
  }

  /// Another broker of the same database and keystore, which sees none of our tunnels.
  Agents anotherNode() {
    return new Agents(
        new Agents.Surroundings(
            database(),
            keys,
            new FakeSessions(clock),
            (_, _, _) -> Optional.empty(),
            RANDOM,
            clock,
            "node-2",
            1));
  }

  /// This broker, when nothing answers where its database was.
  Agents withoutDatabase(Database nowhere) {
    return new Agents(
        new Agents.Surroundings(
            nowhere, keys, sessions, (_, _, _) -> Optional.empty(), RANDOM, clock, "node-1", 1));
  }

  DatabaseAddress nowhere() {
    DatabaseAddress here = postgres.address();
    return new DatabaseAddress(
        here.host(), 1, here.database(), here.user(), here.password(), here.sslMode());
  }

  Vertx vertx() {
    return postgres.vertx();
  }

  AgentOperations operations() {
    return agents.operations();
  }

  Outcome approve(String agent, String fingerprint) {
    return operations().approve(agent, fingerprint, ADMIN);
  }

  Outcome revoke(String agent) {
    return operations().revoke(agent, ADMIN);
  }

  Outcome release(String agent, String fingerprint) {
    return operations().release(agent, fingerprint, ADMIN);
  }

  Outcome reject(String agent) {
    return operations().reject(agent, ADMIN);
  }

  Agents agents() {
    return agents;
  }

  TunnelAuthority authority() {
    return agents.authority();
  }

  BrokerKeys keys() {
    return keys;
  }

  Database database() {
    return postgres.database();
  }

  Clock clock() {
    return clock;
  }

  void pass(Duration time) {
    clock.now = clock.now.plus(time);
  }

  EnrollmentToken tokenFor(String agent) {
    return token(Optional.of(agent), Optional.empty(), List.of(), false);
  }

  EnrollmentToken token(
      Optional<String> agent, Optional<String> site, List<String> cidrs, boolean reenroll) {
    byte[] id = new byte[EnrollmentToken.ID_BYTES];
    RANDOM.nextBytes(id);
    Instant now = clock.instant();
    var row =
        new Token(
            Octets.of(id),
            agent,
            site,
            Map.of("hall", "7"),
            cidrs,
            reenroll,
            now,
            ADMIN.name(),
            now.plus(Duration.ofHours(1)),
            Optional.empty(),
            0,
            Optional.empty());
    database().run(tx -> new EnrollmentTokenTable().insert(tx, row));
    return new EnrollmentToken(
        row.id(),
        keys.enrollRoot().secretOf(TokenDoor.binding(row), row.createdAt()),
        keys.rootSha256(),
        row.expiresAt(),
        "https://broker.example.org",
        Optional.empty());
  }

  Token tokenRow(EnrollmentToken token) {
    return database()
        .transaction(tx -> new EnrollmentTokenTable().find(tx, token.id()))
        .orElseThrow();
  }

  /// Looks for causes of alarms here.
  AlarmRig alarmRig(Map<String, String> settings) {
    return new AlarmRig(postgres, keys.rowMac(), clock, settings);
  }

  List<AlarmTable.Alarm> alarms() {
    return database().transaction(tx -> new AlarmTable().list(tx, true, 100));
  }

  List<String> alarmKinds() {
    return alarms().stream().map(AlarmTable.Alarm::kind).toList();
  }

  /// Oldest first.
  List<AuditTable.Entry> audit() {
    var everything = AuditFilters.newest(1000);
    return database().transaction(tx -> new AuditTable().list(tx, everything)).reversed().stream()
        .map(AuditTable.Stored::entry)
        .toList();
  }

  List<String> refusalReasons() {
    return audit().stream().flatMap(entry -> entry.reason().stream()).toList();
  }

  /// What somebody with the database's password does behind our back.
  void tamper(String sql) {
    postgres.execute(sql);
  }

  @Override
  public void close() {
    agents.close();
    data.close();
  }

  private static final class Ticking extends Clock {
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
