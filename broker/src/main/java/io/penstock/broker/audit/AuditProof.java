package io.penstock.broker.audit;

import io.penstock.broker.config.DataDirectory;
import io.penstock.broker.config.KafkaConfig;
import io.penstock.broker.keys.BrokerKeys;
import io.penstock.broker.store.AuditChainTable;
import io.penstock.broker.store.AuditShippedTable;
import io.penstock.broker.store.Database;
import io.penstock.codec.audit.ExportLine;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.LongSupplier;

/// The proof of the audit trail, wired: sealing in the background, verification and export on
/// demand.
public final class AuditProof implements AutoCloseable {
  /// In the data directory: the newest checkpoint that this broker knows.
  public static final String CHECKPOINT_FILE = KnownCheckpoint.FILE;

  private final ChainSealer sealer;
  private final ChainVerifier verifier;
  private final AuditExport export;
  private final Reports reports;
  private final Optional<KafkaShipper> shipper;

  /// What comes from elsewhere.
  ///
  /// @param retention empty = for ever
  /// @param kafka empty = the trail goes nowhere else
  /// @param node this broker's name
  public record Surroundings(
      Database database,
      BrokerKeys keys,
      DataDirectory data,
      Audit audit,
      Optional<Duration> retention,
      Optional<KafkaConfig> kafka,
      String node,
      Clock clock) {

    public Surroundings(
        Database database,
        BrokerKeys keys,
        DataDirectory data,
        Audit audit,
        Optional<Duration> retention,
        Clock clock) {
      this(database, keys, data, audit, retention, Optional.empty(), "broker", clock);
    }
  }

  public AuditProof(Surroundings around) {
    this(around, System::nanoTime);
  }

  AuditProof(Surroundings around, LongSupplier nanoClock) {
    Database database = around.database();
    BrokerKeys keys = around.keys();
    var table = new AuditChainTable(keys.rowMac());
    var shipped = new AuditShippedTable(keys.rowMac());
    var known = KnownCheckpoint.open(around.data(), keys::ownKeyset);
    sealer =
        new ChainSealer(
            database,
            table,
            keys,
            known,
            around.audit(),
            around.retention(),
            around
                .kafka()
                .map(it -> new PruningHold(shipped, KafkaShipper.sink(it), it.holdPruning())),
            around.clock(),
            nanoClock);
    verifier = new ChainVerifier(database, table, keys, known, sealer, System::nanoTime);
    export = new AuditExport(database, table, keys, known);
    reports = new Reports(database, around.clock());
    shipper =
        around
            .kafka()
            .map(
                kafka ->
                    new KafkaShipper(
                        new KafkaShipper.Source(database, table, shipped, known, export),
                        kafka,
                        around.node() + " " + UUID.randomUUID(),
                        around.clock(),
                        nanoClock));
  }

  public void start() {
    sealer.start();
    shipper.ifPresent(KafkaShipper::start);
  }

  /// How far the trail is in Kafka.
  public ShippingState shipping() {
    return shipper.map(it -> it.state(sealer.state().position())).orElse(ShippingState.OFF);
  }

  /// Everything that is sealed goes to Kafka, if that is possible now.
  void ship() {
    shipper.ifPresent(KafkaShipper::attempt);
  }

  /// Only what the background does for Kafka.
  void startShipping() {
    shipper.ifPresent(KafkaShipper::start);
  }

  void stopShipping() {
    shipper.ifPresent(KafkaShipper::close);
  }

  public ChainState state() {
    return sealer.state();
  }

  /// Everything that is settled gets its place, and a checkpoint if it is due.
  void seal() {
    sealer.turn(false);
  }

  void checkpoint() {
    sealer.checkpointNow();
  }

  void prune() {
    sealer.prune();
  }

  /// What the background does twice a second.
  void attempt() {
    sealer.attempt();
  }

  /// Looks for at most about `limit` at what follows position `after`.
  public Verdict verify(long after, Duration limit) {
    return verifier.verify(after, limit);
  }

  /// The first lines of an export: everything that is sealed by now is signed first. Empty when
  /// nothing was ever recorded.
  public List<ExportLine> exportBegin() {
    sealer.checkpointNow();
    Optional<ExportLine.Header> header = export.header();
    if (header.isEmpty()) {
      return List.of();
    }
    var lines = new ArrayList<ExportLine>();
    lines.add(header.get());
    lines.addAll(export.page(0, header.get().upTo()));
    return lines;
  }

  /// The lines that follow a position, up to another.
  public List<ExportLine> exportNext(long after, long upTo) {
    return export.page(after, upTo);
  }

  public Reports reports() {
    return reports;
  }

  @Override
  public void close() {
    sealer.close();
    shipper.ifPresent(KafkaShipper::close);
  }
}
