package io.penstock.broker.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.penstock.broker.config.DataDirectory;
import io.penstock.broker.keys.BrokerKeys;
import io.penstock.broker.keys.MasterKey;
import io.penstock.broker.keys.RowMac;
import io.penstock.broker.store.ConnectionTable.Ended;
import io.penstock.broker.store.EnrollmentTokenTable.Consumption;
import io.penstock.broker.store.SessionTable.Rotation;
import io.penstock.codec.seal.Octets;
import io.vertx.core.json.JsonObject;
import io.vertx.pgclient.PgException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TablesTest {
  private static final Instant NOW = Instant.parse("2026-11-01T12:00:00Z");
  private static final SecureRandom RANDOM = new SecureRandom();

  @TempDir static Path temporary;
  private static TestDatabase test;
  private static RowMac rowMac;

  @BeforeAll
  static void open() {
    test = TestDatabase.create();
    try (DataDirectory data = DataDirectory.open(temporary.resolve("keys"))) {
      rowMac =
          BrokerKeys.open(
                  data, MasterKey.load(Optional.empty(), data, RANDOM), RANDOM, Clock.systemUTC())
              .rowMac();
    }
  }

  @AfterAll
  static void close() {
    test.close();
  }

  private static <T> T tx(Function<Tx, T> work) {
    return test.database().transaction(work);
  }

  private static boolean holds(Predicate<Tx> work) {
    return tx(work::test);
  }

  private static long number(ToLongFunction<Tx> work) {
    return tx(work::applyAsLong);
  }

  private static String text(Function<Tx, String> work) {
    return tx(work);
  }

  private static Object result(Function<Tx, Object> work) {
    return tx(work);
  }

  private static <T> List<T> all(Function<Tx, List<T>> work) {
    return tx(work);
  }

  // Users

  @Test
  void aUserThatWasWidenedInTheDatabaseIsNotIntactAndCannotBeMendedByAChange() {
    var users = new UserTable(rowMac);
    tx(tx -> users.insert(tx, "eve@example.com", "viewer", "hash", List.of("g1"), "admin", NOW));
    assertThat(tx(tx -> users.find(tx, "eve@example.com")).orElseThrow().intact()).isTrue();
    tx(tx -> users.changeDisabled(tx, "eve@example.com", true));
    assertThat(tx(tx -> users.find(tx, "eve@example.com")).orElseThrow().intact()).isTrue();

    for (String widening :
        List.of(
            "role = 'admin'",
            "disabled = false",
            "password_hash = 'other'",
            "gateway_access = '{*}'",
            "row_version = 1")) {
      String restore =
          "role = 'viewer', disabled = true, password_hash = 'hash', gateway_access = '{g1}',"
              + " row_version = 2";
      tx(tx -> tx.update("update users set " + widening + " where email = 'eve@example.com'"));
      assertThat(tx(tx -> users.find(tx, "eve@example.com")).orElseThrow().intact())
          .as(widening)
          .isFalse();
      assertThat(holds(tx -> users.changePassword(tx, "eve@example.com", "mine"))).isFalse();
      tx(tx -> tx.update("update users set " + restore + " where email = 'eve@example.com'"));
      assertThat(tx(tx -> users.find(tx, "eve@example.com")).orElseThrow().intact()).isTrue();
    }
  }

  @Test
  void aUsersAddressIsTakenOnce() {
    var users = new UserTable(rowMac);

    assertThat(holds(tx -> users.insert(tx, "bob@example.com", "admin", "h", List.of(), "x", NOW)))
        .isTrue();
    assertThat(holds(tx -> users.insert(tx, "bob@example.com", "viewer", "h", List.of(), "x", NOW)))
        .isFalse();
    assertThat(tx(users::list)).extracting(UserTable.User::email).contains("bob@example.com");
  }

  // Sessions

  @Test
  void aRefreshTokenWorksOnceAndItsSecondUseEndsTheFamily() {
    var users = new UserTable(rowMac);
    var sessions = new SessionTable();
    tx(tx -> users.insert(tx, "carl@example.com", "viewer", "h", List.of(), "x", NOW));
    var session =
        new SessionTable.Session(
            UUID.randomUUID(),
            "carl@example.com",
            NOW,
            NOW.plusSeconds(100),
            Optional.of("10.0.0.1"),
            Optional.empty());
    test.database().run(tx -> sessions.open(tx, session, hash(1), Optional.empty()));

    assertThat(result(tx -> sessions.rotate(tx, hash(1), hash(2), NOW)))
        .isInstanceOf(Rotation.Rotated.class);
    assertThat(result(tx -> sessions.rotate(tx, hash(1), hash(3), NOW)))
        .isInstanceOf(Rotation.Reused.class);
    assertThat(result(tx -> sessions.rotate(tx, hash(2), hash(4), NOW)))
        .isInstanceOf(Rotation.Refused.class);
    assertThat(result(tx -> sessions.rotate(tx, hash(9), hash(4), NOW)))
        .isInstanceOf(Rotation.Refused.class);
    List<SessionTable.Session> found = tx(tx -> sessions.findAll(tx, List.of(session.id())));
    assertThat(found)
        .singleElement()
        .satisfies(
            ended -> {
              assertThat(ended.isLive(NOW)).isFalse();
              assertThat(ended.remoteIp()).contains("10.0.0.1");
            });
  }

  @Test
  void ofManyRefreshesWithOneTokenOneRotates() throws Exception {
    var users = new UserTable(rowMac);
    var sessions = new SessionTable();
    tx(tx -> users.insert(tx, "dora@example.com", "viewer", "h", List.of(), "x", NOW));
    var session =
        new SessionTable.Session(
            UUID.randomUUID(),
            "dora@example.com",
            NOW,
            NOW.plusSeconds(100),
            Optional.empty(),
            Optional.empty());
    test.database().run(tx -> sessions.open(tx, session, hash(100), Optional.empty()));

    List<Rotation> rotations =
        race(20, i -> tx(tx -> sessions.rotate(tx, hash(100), hash(200 + i), NOW)));

    assertThat(rotations).filteredOn(r -> r instanceof Rotation.Rotated).hasSize(1);
    assertThat(rotations).filteredOn(r -> r instanceof Rotation.Reused).hasSize(1);
  }

  // Service accounts

  @Test
  void aServiceTokenHoldsUntilItIsRevokedExpiredOrTamperedWith() {
    var accounts = new ServiceAccountTable(rowMac);
    UUID id = UUID.randomUUID();
    tx(tx -> accounts.insert(tx, "billing", List.of("plant-a/erp"), "admin", NOW));
    test.database()
        .run(tx -> accounts.insertToken(tx, id, "billing", "admin", NOW, NOW.plusSeconds(60)));

    assertThat(tx(tx -> accounts.grantOf(tx, id)).orElseThrow().holds(NOW)).isTrue();
    assertThat(tx(tx -> accounts.grantOf(tx, id)).orElseThrow().holds(NOW.plusSeconds(60)))
        .isFalse();

    tx(
        tx ->
            tx.update(
                "update service_tokens set expires_at = $2 where id = $1",
                id,
                NOW.plusSeconds(6000)));
    assertThat(tx(tx -> accounts.grantOf(tx, id)).orElseThrow().intact()).isFalse();
    tx(
        tx ->
            tx.update(
                "update service_tokens set expires_at = $2 where id = $1",
                id,
                NOW.plusSeconds(60)));

    tx(tx -> tx.update("update service_accounts set systems = '{*/*}' where name = 'billing'"));
    assertThat(tx(tx -> accounts.grantOf(tx, id)).orElseThrow().intact()).isFalse();
    assertThat(holds(tx -> accounts.change(tx, "billing", List.of("x/y"), false))).isFalse();
    tx(
        tx ->
            tx.update(
                "update service_accounts set systems = '{plant-a/erp}' where name = 'billing'"));

    assertThat(holds(tx -> accounts.change(tx, "billing", List.of("plant-a/*"), false))).isTrue();
    assertThat(tx(tx -> accounts.grantOf(tx, id)).orElseThrow().account().systems())
        .containsExactly("plant-a/*");
    assertThat(holds(tx -> accounts.revokeToken(tx, "billing", id, NOW))).isTrue();
    assertThat(tx(tx -> accounts.grantOf(tx, id)).orElseThrow().holds(NOW)).isFalse();
    assertThat(all(tx -> accounts.tokensOf(tx, "billing"))).hasSize(1);
  }

  // Enrollment tokens

  @Test
  void ofFiftyAgentsRacingForOneTokenOneConsumesIt() throws Exception {
    var tokens = new EnrollmentTokenTable();
    Octets id = id(1);
    test.database().run(tx -> tokens.insert(tx, token(id)));

    List<Consumption> results =
        race(
            50,
            i -> tx(tx -> tokens.consume(tx, id, "a" + i, hash(i), Optional.of("10.0.0.9"), NOW)));

    assertThat(results).filteredOn(r -> r instanceof Consumption.Consumed).hasSize(1);
    assertThat(results).filteredOn(r -> r instanceof Consumption.Reused).hasSize(49);
  }

  @Test
  void theSameDevKeyMaySpendItsTokenAgain() {
    var tokens = new EnrollmentTokenTable();
    test.database().run(tx -> tokens.insert(tx, token(id(2))));

    tx(tx -> tokens.consume(tx, id(2), "a1", hash(1), Optional.empty(), NOW));

    assertThat(
            result(
                tx ->
                    tokens.consume(
                        tx, id(2), "a1", hash(1), Optional.empty(), NOW.plusSeconds(9999))))
        .isInstanceOfSatisfying(
            Consumption.Repeated.class, repeated -> assertThat(repeated.agent()).isEqualTo("a1"));
  }

  @Test
  void anExpiredOrUnknownTokenIsNotConsumedAndARefusalIsRemembered() {
    var tokens = new EnrollmentTokenTable();
    test.database().run(tx -> tokens.insert(tx, token(id(3))));

    assertThat(
            result(
                tx ->
                    tokens.consume(
                        tx, id(3), "a1", hash(1), Optional.empty(), NOW.plusSeconds(3600))))
        .isInstanceOf(Consumption.Expired.class);
    assertThat(result(tx -> tokens.consume(tx, id(4), "a1", hash(1), Optional.empty(), NOW)))
        .isInstanceOf(Consumption.Unknown.class);
    test.database().run(tx -> tokens.refused(tx, id(3), "expired", Optional.of("10.1.1.1"), NOW));

    var read = tx(tx -> tokens.find(tx, id(3))).orElseThrow();
    assertThat(read.use()).isEmpty();
    assertThat(read.refusals()).isEqualTo(1);
    assertThat(read.lastRefusal())
        .contains(new EnrollmentTokenTable.Refusal(NOW, Optional.of("10.1.1.1"), "expired"));
    assertThat(read.labels()).isEqualTo(Map.of("hall", "7"));
  }

  // Agents

  @Test
  void everyoneWhoAsksForAnEpochGetsAHigherOne() throws Exception {
    agent("press-7");
    var epochs = new EpochTable();

    List<Long> given = race(40, _ -> tx(tx -> epochs.next(tx, "press-7", 0)));

    assertThat(new HashSet<>(given)).hasSize(40).contains(1L, 40L);
    assertThat(number(tx -> epochs.current(tx, "press-7", 0))).isEqualTo(40);
    assertThat(number(tx -> epochs.current(tx, "press-7", 1))).isZero();
  }

  @Test
  void availabilityCountsOverlappingTunnelsOnceAndEndsAKilledBrokersWhereItWasLastAlive() {
    var connections = new ConnectionTable();
    agent("press-8");
    Instant start = NOW.minus(Duration.ofHours(24));
    test.database()
        .run(
            tx -> {
              connections.open(
                  tx,
                  List.of(
                      connection("press-8", 0, 1, start.minusSeconds(3600)),
                      connection("press-8", 1, 1, start.plus(Duration.ofHours(3))),
                      connection("press-8", 0, 2, start.plus(Duration.ofHours(15))),
                      connection("nobody", 0, 1, start)));
              connections.close(
                  tx,
                  List.of(
                      new Ended("press-8", 0, 1, "bye", start.plus(Duration.ofHours(6))),
                      new Ended("press-8", 1, 1, "bye", start.plus(Duration.ofHours(9)))));
              connections.stillAlive(tx, "node-killed", start.plus(Duration.ofHours(18)));
            });

    assertThat(tx(tx -> connections.availability(tx, start, NOW)).get("press-8"))
        .isCloseTo(0.75, within(0.001));
    assertThat(tx(tx -> connections.availability(tx, "press-8", start, NOW)).doubleValue())
        .isCloseTo(0.75, within(0.001));
    assertThat(tx(tx -> connections.availability(tx, "press-9", start, NOW)).doubleValue())
        .isZero();
    assertThat(number(tx -> connections.closeLeftOpen(tx, "node-killed"))).isEqualTo(1);
    assertThat(tx(tx -> connections.availability(tx, start, NOW)).get("press-8"))
        .isCloseTo(0.5, within(0.001));
    assertThat(
            number(tx -> connections.close(tx, List.of(new Ended("press-8", 0, 1, "late", NOW)))))
        .isZero();
  }

  @Test
  void aRevocationListIsStoredOncePerCounterAndRestoredOverAForgedOne() {
    var revocations = new RevocationTable();

    assertThat(holds(tx -> revocations.insert(tx, 1, "one", NOW))).isTrue();
    assertThat(holds(tx -> revocations.insert(tx, 1, "uno", NOW))).isFalse();
    tx(tx -> revocations.insert(tx, 9, "forged", NOW));
    assertThat(text(tx -> revocations.newestJws(tx).get())).isEqualTo("forged");
    test.database().run(tx -> revocations.restore(tx, 1, "one", NOW));
    assertThat(text(tx -> revocations.newestJws(tx).get())).isEqualTo("one");
  }

  // Alarms, audit, outbox

  @Test
  void theSameAlarmIsCountedUntilItIsAcknowledged() {
    var alarms = new AlarmTable();
    AlarmKind kind = AlarmKind.AGENT_CLONED;

    assertThat(holds(tx -> alarms.raise(tx, kind, "press-1", "seen twice", NOW))).isTrue();
    assertThat(holds(tx -> alarms.raise(tx, kind, "press-1", "seen twice", NOW))).isFalse();
    var alarm = tx(tx -> alarms.list(tx, true, 10)).getFirst();
    assertThat(alarm.occurrences()).isEqualTo(2);
    assertThat(holds(tx -> alarms.acknowledge(tx, alarm.id(), "bob", "looked", NOW))).isTrue();
    assertThat(holds(tx -> alarms.acknowledge(tx, alarm.id(), "bob", "again", NOW))).isFalse();

    assertThat(holds(tx -> alarms.raise(tx, kind, "press-1", "seen thrice", NOW))).isTrue();
    assertThat(all(tx -> alarms.list(tx, false, 10))).hasSize(2);
    assertThat(holds(tx -> alarms.clear(tx, kind, "press-1", NOW))).isTrue();
    assertThat(all(tx -> alarms.list(tx, true, 10))).isEmpty();
    assertThat(all(tx -> alarms.list(tx, false, 10)))
        .as("the acknowledged one ended too")
        .extracting(AlarmTable.Alarm::state)
        .containsOnly(AlarmTable.State.CLEARED);
  }

  @Test
  void auditIsFilteredPagedAndNeverChanged() {
    var audit = new AuditTable();
    for (int i = 0; i < 5; i++) {
      AuditTable.Entry entry =
          entry(i % 2 == 0 ? "user.create" : "authentication.failure", NOW.plusSeconds(i));
      test.database().run(tx -> audit.insert(tx, entry, rowMac));
    }

    assertThat(list(audit, filter(Optional.of("user.*"), Optional.empty(), 10))).hasSize(3);
    assertThat(list(audit, filter(Optional.of("user.crea"), Optional.empty(), 10))).isEmpty();
    assertThat(list(audit, filter(Optional.of("authentication.failure"), Optional.empty(), 10)))
        .hasSize(2);
    List<AuditTable.Stored> page = list(audit, filter(Optional.empty(), Optional.empty(), 2));
    assertThat(list(audit, filter(Optional.empty(), Optional.of(page.getLast().id()), 10)))
        .hasSize(3);
    assertThat(page.getFirst().entry())
        .isEqualTo(entry("user.create", NOW.plusSeconds(4), page.getFirst().entry().eventId()));
    assertThatThrownBy(() -> tx(tx -> tx.update("update audit_log set result = 'fine'")))
        .isInstanceOf(PgException.class);
    assertThatThrownBy(() -> tx(tx -> tx.update("delete from audit_log")))
        .isInstanceOf(PgException.class);
  }

  @Test
  void theOutboxKeepsItsOrder() {
    var outbox = new OutboxTable();
    for (int i = 0; i < 3; i++) {
      var payload = new JsonObject().put("n", i);
      test.database().run(tx -> outbox.insert(tx, "audit_trail", "k", payload, NOW));
    }

    List<OutboxTable.Waiting> oldest = tx(tx -> outbox.oldest(tx, 2));
    assertThat(oldest).extracting(w -> w.payload().getInteger("n")).containsExactly(0, 1);
    assertThat(number(tx -> outbox.sent(tx, oldest.stream().map(OutboxTable.Waiting::id).toList())))
        .isEqualTo(2);
    assertThat(all(tx -> outbox.oldest(tx, 9))).hasSize(1);
  }

  private static List<AuditTable.Stored> list(AuditTable audit, AuditTable.Filter filter) {
    return tx(tx -> audit.list(tx, filter));
  }

  private static AuditTable.Filter filter(Optional<String> type, Optional<Long> before, int limit) {
    return new AuditTable.Filter(
        Optional.of("alice@example.com"),
        type,
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        before,
        limit);
  }

  private static AuditTable.Entry entry(String type, Instant at) {
    return entry(type, at, UUID.randomUUID());
  }

  private static AuditTable.Entry entry(String type, Instant at, UUID id) {
    return new AuditTable.Entry(
        id,
        at.truncatedTo(ChronoUnit.MICROS),
        type,
        Optional.of("alice@example.com"),
        Optional.of("bob@example.com"),
        Optional.of("create"),
        Map.of("role", Map.of("old", "viewer", "new", "admin")),
        Optional.of("192.168.1.100"),
        Optional.of("Mozilla/5.0"),
        Optional.of("/api/v1/users"),
        Optional.of("success"),
        Optional.empty(),
        Optional.empty());
  }

  private static void agent(String name) {
    var standing =
        new AgentStanding(
            name,
            "plant-a",
            Map.of(),
            AgentState.APPROVED,
            1,
            NOW,
            Optional.empty(),
            Optional.empty(),
            hash(0));
    assertThat(holds(tx -> new IdentityTable().insert(tx, standing))).isTrue();
  }

  private static ConnectionTable.Connection connection(
      String agent, int slot, long epoch, Instant at) {
    return new ConnectionTable.Connection(
        agent, slot, epoch, "node-killed", id(1), Optional.of("10.0.0.1"), at);
  }

  private static EnrollmentTokenTable.Token token(Octets id) {
    return new EnrollmentTokenTable.Token(
        id,
        Optional.empty(),
        Optional.of("plant-a"),
        Map.of("hall", "7"),
        List.of("10.0.0.0/8"),
        false,
        NOW,
        "admin@penstock.local",
        NOW.plusSeconds(3600),
        Optional.empty(),
        0,
        Optional.empty());
  }

  private static Octets hash(int seed) {
    return Octets.sha256(new byte[] {(byte) seed, (byte) (seed >> 8)});
  }

  private static Octets id(int seed) {
    byte[] bytes = new byte[16];
    bytes[0] = (byte) seed;
    return Octets.of(bytes);
  }

  private interface Attempt<T> {
    T run(int number);
  }

  private static <T> List<T> race(int runners, Attempt<T> attempt) throws Exception {
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var tasks = new ArrayList<Callable<T>>();
      for (int i = 0; i < runners; i++) {
        int number = i;
        tasks.add(() -> attempt.run(number));
      }
      var results = new ArrayList<T>();
      for (Future<T> future : threads.invokeAll(tasks)) {
        results.add(future.get());
      }
      return results;
    }
  }
}
