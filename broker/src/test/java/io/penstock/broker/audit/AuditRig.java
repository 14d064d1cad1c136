package io.penstock.broker.audit;

import io.penstock.broker.config.DataDirectory;
import io.penstock.broker.config.KafkaConfig;
import io.penstock.broker.keys.BrokerKeys;
import io.penstock.broker.keys.MasterKey;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.TestDatabase;
import io.penstock.codec.audit.ExportLine;
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

/// A trail on a real Postgres, sealed when a test says so, under a clock that a test moves.
public final class AuditRig implements AutoCloseable {
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final Duration LONG = Duration.ofMinutes(1);

  public final TestDatabase test = TestDatabase.create();
  public final DataDirectory data;
  public final BrokerKeys keys;
  public final Moved clock = new Moved();
  private final Optional<Duration> retention;
  private final Optional<KafkaConfig> kafka;
  private Optional<Database> other = Optional.empty();
  public Audit audit;
  AuditProof proof;

  public AuditRig(Path directory) {
    this(directory, Optional.empty());
  }

  AuditRig(Path directory, Optional<Duration> retention) {
    this(directory, retention, Optional.empty());
  }

  AuditRig(Path directory, Optional<Duration> retention, Optional<KafkaConfig> kafka) {
    this.retention = retention;
    this.kafka = kafka;
    data = DataDirectory.open(directory);
    // Postgres has the real time, records have the test's.
    test.execute(
        "create or replace function audit_prune_age() returns interval language sql stable as"
            + " $$ select interval '-100 years' $$");
    keys = BrokerKeys.open(data, MasterKey.load(Optional.empty(), data, RANDOM), RANDOM, clock);
    audit = new Audit(test.database(), keys.rowMac(), clock);
    proof = proof(test.database(), data);
  }

  /// One that is pruned.
  public static AuditRig keeping(Path directory, Duration retention) {
    return new AuditRig(directory, Optional.of(retention));
  }

  /// After a day of checkpoints, without which a clock is not believed.
  public void pruned() {
    dayOfCheckpoints();
    proof.prune();
    proof.checkpoint();
  }

  void dayOfCheckpoints() {
    proof.checkpoint();
    clock.pass(Duration.ofHours(25));
    proof.checkpoint();
  }

  private AuditProof proof(Database database, DataDirectory directory) {
    return new AuditProof(
        new AuditProof.Surroundings(
            database, keys, directory, audit, retention, kafka, "broker-1", clock),
        () -> System.nanoTime() + clock.forwardNanos);
  }

  /// From now on the broker is another role of the database.
  void as(String role, String password) {
    Database database = test.as(role, password);
    other = Optional.of(database);
    audit = new Audit(database, keys.rowMac(), clock);
    proof = proof(database, data);
  }

  /// By the broker's role.
  void execute(String statement) {
    TestDatabase.execute(other.orElseGet(test::database), statement);
  }

  /// As a broker that was ended and started again.
  void restart() {
    proof = proof(test.database(), data);
  }

  /// Another broker of the cluster, with a data directory of its own.
  AuditProof another(DataDirectory directory) {
    return proof(test.database(), directory);
  }

  /// Each in a transaction of its own.
  void record(int events) {
    for (int i = 0; i < events; i++) {
      audit.record(event(i));
    }
  }

  static AuditEvent event(int number) {
    return AuditEvent.of("gateway.update", "success")
        .by("alice@example.com")
        .on("press-" + number)
        .changing(Map.of("n", number, "rate", 2.50, "site", Map.of("b", "ü", "a", List.of(1, 2))))
        .from(Optional.of("2001:db8::" + number), Optional.of("curl"), Optional.of("PATCH /x"));
  }

  /// Sealed and signed.
  public void sealed(int events) {
    record(events);
    proof.checkpoint();
  }

  Verdict verify() {
    return proof.verify(0, LONG);
  }

  /// All lines of an export.
  public List<String> export() {
    List<ExportLine> page = proof.exportBegin();
    long upTo = ((ExportLine.Header) page.getFirst()).upTo();
    var lines = new ArrayList<>(page);
    while (!(lines.getLast() instanceof ExportLine.End)) {
      lines.addAll(
          proof.exportNext(((ExportLine.Sealed) lines.getLast()).entry().position(), upTo));
    }
    return lines.stream().map(ExportLine::text).toList();
  }

  /// What somebody does who may do everything in the database and has no keystore.
  public void tamper(String... statements) {
    for (String table : List.of("audit_log", "audit_chain", "audit_checkpoints")) {
      test.execute("alter table " + table + " disable trigger all");
    }
    for (String statement : statements) {
      test.execute(statement);
    }
  }

  @Override
  public void close() {
    other.ifPresent(Database::close);
    test.close();
    data.close();
  }

  public static final class Moved extends Clock {
    private volatile Instant now = Instant.parse("2026-11-01T12:00:00.123456Z");
    private volatile long forwardNanos;

    public synchronized void pass(Duration time) {
      setForward(time);
      forwardNanos += time.toNanos();
    }

    /// What somebody does to the machine's clock: no time passes, also backwards.
    synchronized void setForward(Duration time) {
      now = now.plus(time);
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
      return now;
    }
  }
}
