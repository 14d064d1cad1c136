package io.penstock.broker.agents;

import io.penstock.broker.access.AccessTokens;
import io.penstock.broker.audit.Audit;
import io.penstock.broker.keys.BrokerKeys;
import io.penstock.broker.store.AgentTable;
import io.penstock.broker.store.ConnectionTable;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.EnrollmentTokenTable;
import io.penstock.broker.store.EpochTable;
import io.penstock.broker.store.IdentityTable;
import io.penstock.broker.store.MessageTable;
import io.penstock.broker.store.RevocationTable;
import io.penstock.broker.store.Superseding;
import io.penstock.broker.tunnel.TunnelAuthority;
import io.penstock.codec.seal.SigningKey;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.function.Function;

/// Wires everything about identities of one broker node.
public final class Agents implements AutoCloseable {
  private final AgentAuthority authority;
  private final AgentDirectory directory;
  private final SignedApprovals approvals;
  private final SignedEnrollments enrollments;
  private final RoundTrips roundTrips;
  private final Presence presence;
  private final PendingDecisions decisions;
  private final NodeIdentity node;
  private final RevocationGuard guard;
  private final AgentKeyUpkeep keyUpkeep;
  private final Function<Gateways.Settings, Function<AccessTokens, Gateways>> gateways;
  private final Upkeep upkeep = new Upkeep();

  /// What comes from elsewhere.
  ///
  /// @param node name of this node, unique among the brokers of one database
  /// @param tunnels how many tunnels an agent is told to hold
  public record Surroundings(
      Database database,
      BrokerKeys keys,
      LiveSessions live,
      Heads heads,
      SecureRandom random,
      Clock clock,
      String node,
      int tunnels) {}

  public Agents(Surroundings around) {
    this(around, Failpoint.ofProperty());
  }

  Agents(Surroundings around, Failpoint failpoint) {
    Database database = around.database();
    BrokerKeys keys = around.keys();
    Clock clock = around.clock();
    var ledger = new StoredLedger(new Audit(database, keys.rowMac(), clock), clock);
    var identities = new Identities(new IdentityTable(), keys.rowMac());
    var epochs = new EpochTable();
    var revocationTable = new RevocationTable();
    var tokens = new EnrollmentTokenTable();
    var bundles = new Bundles(keys.kek());
    var doorway = new Doorway();
    var room = new WaitingRoom();
    var upheavals = new Upheavals();
    var tampering = new Tampering(database, ledger);
    this.guard = new RevocationGuard(database, revocationTable, keys.revocations(), ledger, clock);
    this.node = new NodeIdentity(keys, around.node(), clock);
    this.presence =
        new Presence(database, new ConnectionTable(), new AgentTable(), around.node(), clock);
    this.decisions = new PendingDecisions(database, identities, tampering, room, ledger, clock);
    var door =
        new TokenDoor(
            database, tokens, identities, keys.enrollRoot(), ledger, around.random(), clock);
    var enrollment =
        new Enrollment(
            database, identities, tokens, door, bundles, keys.revocations(), room, ledger, clock);
    var pendingTunnel =
        new PendingTunnel(room, enrollment, new Proof(around.random()), decisions, doorway, clock);
    var approval =
        new Approval(
            database,
            identities,
            new MessageTable(keys.rowMac()),
            new Superseding(keys.rowMac()),
            keys,
            room,
            around.live(),
            upheavals,
            ledger,
            clock);
    var quarantine = new Quarantine(database, identities, around.live(), upheavals, ledger);
    var revocation =
        new Revocation(
            database,
            identities,
            revocationTable,
            keys.revocations(),
            guard,
            room,
            around.live(),
            upheavals,
            ledger,
            clock,
            failpoint);
    var news = new OwnersNews(keys, around.live(), clock);
    this.keyUpkeep =
        new AgentKeyUpkeep(
            database, keys, identities, bundles, revocation, node, news, tampering, failpoint);
    var standings = new Standings(database, identities, keys, guard, around.heads());
    var refusals = new Refusals(database, ledger, clock);
    var welcoming =
        new Welcoming(
            standings,
            bundles,
            new SessionOpening(database, identities, epochs, ledger, clock),
            new UnlockRotation(database, identities, epochs, bundles, doorway, ledger, clock),
            refusals,
            presence,
            upheavals,
            news,
            doorway,
            around.random(),
            around.tunnels());
    var admission =
        new Admission(
            standings,
            keys.revocations(),
            new CloneWatch(around.live()),
            quarantine,
            welcoming,
            pendingTunnel,
            refusals,
            tampering,
            upheavals,
            doorway);
    this.gateways =
        settings ->
            accessTokens ->
                new Gateways(
                    database,
                    new GatewayEnrollment(
                        database,
                        identities,
                        door,
                        enrollment,
                        keys.rowMac(),
                        tampering,
                        settings.brokerUrl(),
                        settings.plainBearer(),
                        clock),
                    new GatewayStandings(
                        identities,
                        keys,
                        guard,
                        settings.plainBearer(),
                        SigningKey.generate(around.random()).verifyingKey()),
                    accessTokens,
                    presence,
                    ledger,
                    tampering,
                    settings,
                    clock);
    this.approvals = new SignedApprovals(identities, keys, tampering);
    this.enrollments = new SignedEnrollments(identities, tampering);
    this.roundTrips = new RoundTrips(around.live());
    this.directory =
        new AgentDirectory(
            database,
            new MessageTable(keys.rowMac()),
            approval,
            quarantine,
            revocation,
            new Labelling(database, identities, new SignedRecords(keys), ledger),
            presence,
            roundTrips,
            around.live(),
            tampering,
            ledger);
    this.authority =
        new AgentAuthority(
            node,
            door,
            enrollment,
            pendingTunnel,
            admission,
            new IdentityRotation(
                database,
                identities,
                new SignedRecords(keys),
                epochs,
                bundles,
                around.live(),
                doorway,
                tampering,
                ledger),
            presence,
            tampering,
            doorway,
            failpoint);
  }

  /// Before the first tunnel is accepted; blocks for the database.
  public void start() {
    recover();
    upkeep.every(Duration.ofMillis(250), "tunnel-log", presence::write);
    upkeep.every(Duration.ofSeconds(15), "heartbeat", presence::beat);
    upkeep.every(Duration.ofSeconds(5), "round-trips", roundTrips::sample);
    upkeep.every(Duration.ofSeconds(2), "decisions", decisions::lookUp);
    upkeep.every(Duration.ofMinutes(1), "pending-expiry", decisions::expire);
    upkeep.every(Duration.ofMinutes(1), "node-key", node::renewWhenDue);
  }

  /// Finishes what a killed broker left half done.
  void recover() {
    guard.start();
    presence.start();
  }

  public TunnelAuthority authority() {
    return authority;
  }

  /// Agents without a tunnel.
  public Gateways gateways(Gateways.Settings settings, AccessTokens accessTokens) {
    return gateways.apply(settings).apply(accessTokens);
  }

  /// Who may sign receipts.
  public Enrollments enrollments() {
    return enrollments;
  }

  /// What the API shows of agents and does to them.
  public AgentOperations operations() {
    return directory;
  }

  /// Who may be given configuration.
  public ApprovedAgents approved() {
    return approvals;
  }

  /// Carries agents over to new keys.
  public AgentKeyUpkeep keyUpkeep() {
    return keyUpkeep;
  }

  PendingDecisions decisions() {
    return decisions;
  }

  Presence presence() {
    return presence;
  }

  @Override
  public void close() {
    upkeep.close();
  }
}
