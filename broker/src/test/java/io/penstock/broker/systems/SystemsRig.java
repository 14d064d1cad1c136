package io.penstock.broker.systems;

import io.penstock.broker.access.Actor;
import io.penstock.broker.access.Actor.Origin;
import io.penstock.broker.access.Role;
import io.penstock.broker.agents.Agents;
import io.penstock.broker.agents.ApprovedAgents;
import io.penstock.broker.agents.LiveSessions;
import io.penstock.broker.config.DataDirectory;
import io.penstock.broker.gateways.GatewaySessions;
import io.penstock.broker.keys.BrokerKeys;
import io.penstock.broker.keys.MasterKey;
import io.penstock.broker.store.AgentKeys;
import io.penstock.broker.store.AgentStanding;
import io.penstock.broker.store.AgentState;
import io.penstock.broker.store.AlarmTable;
import io.penstock.broker.store.AuditFilters;
import io.penstock.broker.store.AuditTable;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.GenerationState;
import io.penstock.broker.store.IdentityTable;
import io.penstock.broker.store.TestDatabase;
import io.penstock.broker.store.Tx;
import io.penstock.broker.tunnel.LiveSession;
import io.penstock.codec.seal.AgentRecord;
import io.penstock.codec.seal.Hpke;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SigningKey;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;

/// Systems on a real Postgres with real keys, between agents that are rows and a queue that
/// remembers. Its clock stands until a test moves it.
public final class SystemsRig implements AutoCloseable {
  public static final Actor ADMIN =
      new Actor(
          "admin@example.org",
          Role.ADMIN,
          Set.of(),
          List.of(),
          new UUID(0, 1),
          new Origin(Optional.of("192.0.2.7"), Optional.of("test"), "/api/v1/agents"));
  private static final SecureRandom RANDOM = new SecureRandom();

  private static final TestDatabase.OfThread DATABASE = new TestDatabase.OfThread();

  public final TestDatabase postgres =
      DATABASE.emptied("agents, receipts, receipt_documents, alarms, blocks, audit_log");
  public final RecordingQueue queue = new RecordingQueue();
  public final BrokerKeys keys;
  public final Systems systems;
  final List<LiveSession> sessions = new CopyOnWriteArrayList<>();
  public final GatewaySessions gateways = new GatewaySessions();
  private final Moved clock = new Moved();
  public final DataDirectory data;
  private final IdentityTable identities = new IdentityTable();
  private final Agents agents;

  public SystemsRig(Path directory) {
    data = DataDirectory.open(directory);
    keys = BrokerKeys.open(data, MasterKey.load(Optional.empty(), data, RANDOM), RANDOM, clock);
    var live = new Live();
    agents =
        new Agents(
            new Agents.Surroundings(
                database(), keys, live, (_, _, _) -> Optional.empty(), RANDOM, clock, "node-1", 1));
    systems =
        new Systems(
            new Systems.Surroundings(
                database(), keys, agents.approved(), live, () -> queue, RANDOM, clock),
            Duration.ofSeconds(2));
  }

  public Database database() {
    return postgres.database();
  }

  public Agents agents() {
    return agents;
  }

  public Clock clock() {
    return clock;
  }

  public void pass(Duration time) {
    clock.now = clock.now.plus(time);
  }

  /// An agent as enrollment and approval would leave it; a second time: enrolled again.
  /// The head that a connection of the agent would be welcomed with.
  public Optional<String> head(String agent) {
    return database()
        .transaction(
            tx ->
                agents.approved().find(tx, agent) instanceof ApprovedAgents.Found.Approved it
                    ? systems.documents().head(tx, agent, it.agentRecord().generation())
                    : Optional.empty());
  }

  public Plant approved(String name) {
    return database().transaction(tx -> approved(tx, name));
  }

  private Plant approved(Tx tx, String name) {
    Optional<AgentStanding> before = identities.find(tx, name).get();
    long generation = before.map(AgentStanding::generation).orElse(0L) + 1;
    var plant = new Plant(name, generation, Hpke.generate(RANDOM), SigningKey.generate(RANDOM));
    identities
        .generations(tx, name)
        .get()
        .forEach(old -> identities.update(tx, sealed(old.with(GenerationState.ENDED))));
    AgentStanding standing =
        new AgentStanding(
            name,
            name,
            Map.of(),
            AgentState.APPROVED,
            generation,
            clock.instant(),
            Optional.empty(),
            Optional.empty(),
            Octets.of(new byte[0]));
    if (before.isEmpty()) {
      identities.insert(tx, sealed(standing));
    } else {
      identities.update(tx, sealed(standing));
    }
    identities.insert(tx, sealed(rows(plant)));
    return plant;
  }

  /// The same generation after it got new identity keys.
  Plant rekeyed(Plant plant) {
    var next =
        new Plant(
            plant.name(), plant.generation(), Hpke.generate(RANDOM), SigningKey.generate(RANDOM));
    database().run(tx -> identities.update(tx, sealed(rows(next))));
    return next;
  }

  void state(String name, AgentState state) {
    database()
        .run(
            tx ->
                identities.update(
                    tx, sealed(identities.find(tx, name).get().orElseThrow().with(state))));
  }

  private AgentKeys rows(Plant plant) {
    Octets dev = Octets.of(random(32));
    Octets signing = plant.signing().verifyingKey().octets();
    var signed =
        new AgentRecord(
            plant.name(),
            plant.generation(),
            plant.name(),
            Map.of(),
            dev,
            plant.sealing().publicKey(),
            plant.signing().verifyingKey(),
            "ABCD-EFGH",
            List.of(),
            ADMIN.name(),
            clock.instant().getEpochSecond());
    return new AgentKeys(
        plant.name(),
        plant.generation(),
        GenerationState.APPROVED,
        AgentKeys.Custody.first(new AgentKeys.Unlock(dev, Optional.of(bundle(plant, dev)))),
        new AgentKeys.Identity(
            plant.sealing().publicKey(), signing, "ABCD-EFGH", Optional.of(clock.instant())),
        new AgentKeys.Place(plant.name(), Map.of(), List.of()),
        new AgentKeys.Origin(
            "token",
            Optional.empty(),
            clock.instant(),
            "198.51.100.4",
            Octets.of(random(16)),
            Map.of()),
        Optional.of(new AgentKeys.Approval(ADMIN.name(), clock.instant(), keys.sign(signed))),
        clock.instant().plus(Duration.ofHours(24)),
        Octets.of(new byte[0]));
  }

  private Octets bundle(Plant plant, Octets dev) {
    String context = "identity bundle " + plant.name() + " " + plant.generation() + " " + dev.hex();
    return Octets.of(keys.kek().wrap(context, random(64)));
  }

  private AgentStanding sealed(AgentStanding row) {
    return row.withMac(keys.rowMac().of("agents", row.granting()));
  }

  private AgentKeys sealed(AgentKeys row) {
    return row.withMac(keys.rowMac().of("agent_generations", row.granting()));
  }

  private static byte[] random(int length) {
    byte[] bytes = new byte[length];
    RANDOM.nextBytes(bytes);
    return bytes;
  }

  /// What somebody with the database's password does behind our back.
  public void tamper(String sql) {
    postgres.execute(sql);
  }

  List<String> alarmKinds() {
    return database().transaction(tx -> new AlarmTable().list(tx, true, 100)).stream()
        .map(AlarmTable.Alarm::kind)
        .toList();
  }

  /// Oldest first.
  public List<AuditTable.Entry> audit() {
    return audit(Optional.empty(), Optional.empty());
  }

  /// Events `system.applied` that are about one system.
  List<AuditTable.Entry> applied(String system) {
    return audit(Optional.of("system.applied"), Optional.of(system));
  }

  private List<AuditTable.Entry> audit(Optional<String> type, Optional<String> resource) {
    var filter = AuditFilters.matching(type, resource, 1000);
    return database().transaction(tx -> new AuditTable().list(tx, filter)).reversed().stream()
        .map(AuditTable.Stored::entry)
        .toList();
  }

  @Override
  public void close() {
    agents.close();
    data.close();
  }

  private final class Live implements LiveSessions {
    @Override
    public List<LiveSession> of(String agent) {
      return all().stream().filter(session -> session.admission().agent().equals(agent)).toList();
    }

    @Override
    public List<LiveSession> all() {
      var all = new ArrayList<LiveSession>(sessions);
      all.addAll(gateways.all());
      return all;
    }
  }

  private static final class Moved extends Clock {
    volatile Instant now = Instant.now();

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
