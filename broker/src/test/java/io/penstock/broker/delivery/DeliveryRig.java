package io.penstock.broker.delivery;

import io.penstock.broker.access.Actor;
import io.penstock.broker.access.Role;
import io.penstock.broker.agents.Enrollments;
import io.penstock.broker.agents.Failpoint;
import io.penstock.broker.alarms.AlarmRig;
import io.penstock.broker.audit.Audit;
import io.penstock.broker.config.DataDirectory;
import io.penstock.broker.keys.BrokerKeys;
import io.penstock.broker.keys.ManagedKey;
import io.penstock.broker.keys.MasterKey;
import io.penstock.broker.store.AgentTable;
import io.penstock.broker.store.AlarmTable;
import io.penstock.broker.store.AuditFilters;
import io.penstock.broker.store.AuditTable;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.EpochTable;
import io.penstock.broker.store.Hints;
import io.penstock.broker.store.MessageTable;
import io.penstock.broker.store.TestDatabase;
import io.penstock.broker.store.TestRows;
import io.penstock.broker.store.Tx;
import io.penstock.broker.tunnel.ControlChannel;
import io.penstock.broker.tunnel.MockAgent;
import io.penstock.broker.tunnel.MockAgent.Mail;
import io.penstock.broker.tunnel.TestSessions;
import io.penstock.broker.tunnel.TunnelAuthority.ConnectionAttempt;
import io.penstock.broker.tunnel.TunnelRefused;
import io.penstock.broker.tunnel.TunnelWorld;
import io.penstock.codec.message.ControlMessage.Admitted;
import io.penstock.codec.message.ControlMessage.Ready;
import io.penstock.codec.message.ControlMessage.Welcome;
import io.penstock.codec.message.DeliveryMessage;
import io.penstock.codec.message.DeliveryMessage.Configuration;
import io.penstock.codec.message.DeliveryMessage.Head;
import io.penstock.codec.message.DeliveryMessage.Instruction;
import io.penstock.codec.message.DeliveryMessage.InstructionKind;
import io.penstock.codec.message.DeliveryReceipt;
import io.penstock.codec.seal.ConfigurationHeader;
import io.penstock.codec.seal.Keyset;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.Receipt;
import io.penstock.codec.seal.SigningKey;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/// Delivery on real Postgres, real sockets and mock agents. Agents are approved without enrollment;
/// their sessions take their epochs from the database, as real ones do.
final class DeliveryRig implements AutoCloseable {
  private static final TestDatabase.OfThread DATABASE = new TestDatabase.OfThread();
  static final Actor ADMIN =
      new Actor(
          "admin@example.org",
          Role.ADMIN,
          Set.of(),
          List.of(),
          new UUID(0, 1),
          Actor.Origin.internal());
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  final TestDocuments documents = new TestDocuments();
  final Moving clock = new Moving();
  final Map<String, SigningKey> identities = new ConcurrentHashMap<>();
  final EpochTable epochs = new EpochTable();
  private final TestDatabase postgres = postgres();
  private final DataDirectory data;
  private final BrokerKeys keys;
  private final Map<String, Long> versions = new ConcurrentHashMap<>();
  private @Nullable Delivery delivery;
  private @Nullable TunnelWorld world;
  private @Nullable Hints hints;

  /// What a failpoint does.
  volatile Failpoint failpoint = _ -> {};

  /// Of every agent; a message is queued for the one that is in force.
  volatile int generation = 1;

  int limit = Outgoing.MAX_UNDELIVERED;
  boolean hears = true;

  /// Sessions are admitted, and nothing is sent until the test starts it.
  boolean paused;

  DeliveryRig(Path directory) {
    data = DataDirectory.open(directory);
    keys = BrokerKeys.open(data, MasterKey.load(Optional.empty(), data, RANDOM), RANDOM, clock);
    for (String table : TestDocuments.TABLES.split(";", -1)) {
      postgres.execute(table);
    }
    postgres.execute("delete from agents");
    postgres.truncate("alarms, audit_log, test_documents, test_receipts");
  }

  /// That of the thread.
  static TestDatabase postgres() {
    return DATABASE.get();
  }

  Database database() {
    return postgres.database();
  }

  /// Starts a broker.
  DeliveryRig start() throws IOException {
    Delivery started = newDelivery();
    delivery = started;
    TunnelWorld opened = new TunnelWorld(started);
    world = opened;
    opened.sessions.alsoTell(started);
    opened.authority.connecting = this::letIn;
    if (!paused) {
      started.start();
    }
    if (hears) {
      hints =
          new Hints(
              postgres.vertx(),
              postgres::address,
              MessageTable.CHANNEL,
              started::hint,
              started::listening);
      hints.start();
    }
    return this;
  }

  /// Another broker of the same database, which holds no tunnels.
  Delivery newDelivery() {
    return new Delivery(
        new Delivery.Surroundings(
            database(),
            new MessageTable(keys.rowMac()),
            documents,
            this::enrolled,
            keys::sign,
            new Audit(database(), keys.rowMac(), clock),
            clock),
        name -> failpoint.passed(name),
        limit);
  }

  /// The old one is withdrawn at once.
  void replaceRecordKey() {
    String old = keys.signingKid(ManagedKey.RECORD);
    keys.announce(EnumSet.of(ManagedKey.RECORD));
    keys.activate();
    keys.retire(old);
  }

  Keyset keyset() {
    return keys.keyset();
  }

  private Optional<Enrollments.Enrolled> enrolled(Tx tx, String agent) {
    return new AgentTable()
        .find(tx, agent)
        .map(found -> new Enrollments.Enrolled(generation, "approved", true));
  }

  private void letIn(ConnectionAttempt attempt, ControlChannel channel) throws TunnelRefused {
    String agent = attempt.request().agent();
    int slot = attempt.request().slot();
    channel.send(new Welcome(new byte[16], new byte[] {1}, 1_024, null));
    channel.receive(Ready.class, PATIENCE);
    long epoch = database().transaction(tx -> epochs.next(tx, agent, slot));
    channel.send(new Admitted(epoch, false, 1));
    channel.admit(
        new ControlChannel.Admission(
            agent,
            "plant",
            generation,
            slot,
            epoch,
            new byte[16],
            Optional.empty(),
            identity(agent).verifyingKey(),
            TestSessions.HASH));
  }

  void stop() {
    if (hints != null) {
      hints.close();
    }
    delivery().close();
    world().close();
  }

  Delivery delivery() {
    return Objects.requireNonNull(delivery);
  }

  TunnelWorld world() {
    return Objects.requireNonNull(world);
  }

  void agent(String name) {
    identities.put(name, SigningKey.generate(RANDOM));
    database()
        .run(
            tx ->
                TestRows.update(
                    tx,
                    "insert into agents (name, site, state, generation, created_at) values ($1,"
                        + " 'plant', 'approved', 1, now())",
                    name));
  }

  MockAgent connect(String name) throws Exception {
    return connect(name, 0);
  }

  MockAgent connect(String name, int slot) throws Exception {
    MockAgent agent = MockAgent.dial(world().port);
    agent.enter(name, slot);
    return agent;
  }

  SigningKey identity(String agent) {
    return Objects.requireNonNull(identities.get(agent));
  }

  // What authors do.

  long deploy(String agent, String system) {
    return deploy(agent, system, "{}".getBytes(StandardCharsets.UTF_8));
  }

  long deploy(String agent, String system, byte[] settings) {
    return database()
        .transaction(
            tx -> {
              long version = versions.merge(agent + "/" + system, 1L, Long::sum);
              documents.store(tx, agent, system, version, settings);
              return delivery()
                  .queue()
                  .configuration(
                      tx,
                      new Addressee(agent, generation),
                      system,
                      version,
                      "eng@example.org",
                      clock.instant());
            });
  }

  long remove(String agent, String system) {
    return database()
        .transaction(
            tx -> {
              long version = versions.merge(agent + "/" + system, 1L, Long::sum);
              documents.remove(tx, agent, system, version);
              return delivery()
                  .queue()
                  .removal(
                      tx,
                      new Addressee(agent, generation),
                      system,
                      version,
                      "eng@example.org",
                      clock.instant());
            });
  }

  long instruct(String agent) {
    return instruct(agent, Optional.empty());
  }

  long instruct(String agent, Optional<Duration> expiresIn) {
    return database().transaction(tx -> queueInstruction(tx, agent, expiresIn));
  }

  long queueInstruction(Tx tx, String agent) {
    return queueInstruction(tx, agent, Optional.empty());
  }

  private long queueInstruction(Tx tx, String agent, Optional<Duration> expiresIn) {
    return delivery()
        .queue()
        .instruction(
            tx,
            agent,
            new Instruction(
                UUID.randomUUID().toString(),
                generation,
                InstructionKind.COLLECT_DIAGNOSTICS,
                null,
                null),
            expiresIn,
            "admin@example.org",
            clock.instant());
  }

  // What agents do.

  /// Applies whatever comes, at once.
  void applyAll(MockAgent agent, String name) {
    agent.onMail = mail -> agent.answer(mail.sequence(), applied(name, mail));
  }

  DeliveryReceipt applied(String agent, Mail mail) {
    return receipt(agent, mail, new Receipt.Applied());
  }

  DeliveryReceipt receipt(String agent, Mail mail, Receipt.Outcome outcome) {
    DeliveryMessage message = mail.message();
    return switch (message) {
      case Configuration it ->
          signed(
              agent,
              it.system(),
              it.version(),
              TestDocuments.hash(agent, it.system(), it.version()),
              outcome);
      case Head it ->
          signed(agent, it.system(), it.version(), ConfigurationHeader.NOTHING_BEFORE, outcome);
      case Instruction _ -> DeliveryReceipt.result("done");
    };
  }

  DeliveryReceipt signed(
      String agent, String system, long version, Octets hash, Receipt.Outcome outcome) {
    return signedBy(identity(agent), agent, system, version, hash, outcome);
  }

  static DeliveryReceipt signedBy(
      SigningKey key,
      String agent,
      String system,
      long version,
      Octets hash,
      Receipt.Outcome outcome) {
    return DeliveryReceipt.of(
        new Receipt(agent, 1, system, version, hash, outcome, 1_000).sign(key));
  }

  // What is there afterwards.

  List<String> receipts() {
    return database()
        .transaction(
            tx ->
                TestRows.query(
                    tx, "select agent, system, version, outcome from test_receipts order by id"))
        .stream()
        .map(
            row ->
                row.getString("agent")
                    + "/"
                    + row.getString("system")
                    + "@"
                    + row.getLong("version")
                    + " "
                    + row.getString("outcome"))
        .toList();
  }

  long undelivered() {
    return delivery().operations().undelivered().values().stream().mapToLong(Long::longValue).sum();
  }

  boolean isAnyoneWaitingForALock() {
    return database()
        .transaction(
            tx ->
                !TestRows.query(
                        tx,
                        "select 1 as one from pg_stat_activity"
                            + " where datname = current_database() and wait_event_type = 'Lock'")
                    .isEmpty());
  }

  /// Looks for causes of alarms here.
  AlarmRig alarmRig(Map<String, String> settings) {
    return new AlarmRig(postgres, keys.rowMac(), clock, settings);
  }

  List<AlarmTable.Alarm> alarms() {
    return database().transaction(tx -> new AlarmTable().list(tx, true, 100));
  }

  /// Oldest first.
  List<AuditTable.Entry> audit(String type) {
    var everything = AuditFilters.newest(1000);
    return database().transaction(tx -> new AuditTable().list(tx, everything)).reversed().stream()
        .map(AuditTable.Stored::entry)
        .filter(entry -> entry.eventType().equals(type))
        .toList();
  }

  static void await(BooleanSupplier condition) {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - deadline > 0) {
        throw new AssertionError("waited too long");
      }
      LockSupport.parkNanos(2_000_000);
    }
  }

  @Override
  public void close() {
    stop();
    data.close();
  }

  /// The real time, moved on by a test.
  static final class Moving extends Clock {
    private volatile Duration ahead = Duration.ZERO;

    void pass(Duration time) {
      ahead = ahead.plus(time);
    }

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
      return Clock.systemUTC().instant().plus(ahead);
    }
  }
}
