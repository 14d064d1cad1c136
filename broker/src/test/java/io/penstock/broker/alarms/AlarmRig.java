package io.penstock.broker.alarms;

import io.penstock.broker.audit.Audit;
import io.penstock.broker.config.AlarmSettings;
import io.penstock.broker.config.BrokerConfig;
import io.penstock.broker.keys.RowMac;
import io.penstock.broker.store.AlarmTable;
import io.penstock.broker.store.AlarmTable.Alarm;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.TestDatabase;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// One node's looks for causes of alarms, on the database and the clock of another rig; a look
/// happens when a test says so.
public final class AlarmRig {
  public static final String NODE = "node broker-1";

  final Database database;
  final AlarmSettings settings;
  final LatencyCounts counts;
  final CollectingChannel urgent = new CollectingChannel("urgent");
  final Audit audit;
  private final Clock clock;
  private final Evaluator evaluator;

  volatile List<X509Certificate> certificates = List.of();
  volatile long keysetExpiresAt = Long.MAX_VALUE / 1_000_000;

  /// @param settings dotted keys of the configuration; nothing of this machine is an alarm
  public AlarmRig(TestDatabase real, RowMac mac, Clock clock, Map<String, String> settings) {
    this(real, real.database(), mac, clock, Path.of("."), settings);
  }

  /// Without an alarm in the database.
  AlarmRig(
      TestDatabase real,
      Database database,
      RowMac mac,
      Clock clock,
      Path data,
      Map<String, String> settings) {
    this(database, mac, clock, data, settings);
    real.execute("truncate alarms, alarm_changes, alarm_silences, alarm_notices, latency_minutes");
  }

  /// With the alarms that are there, as another process on the same database.
  AlarmRig(Database database, RowMac mac, Clock clock, Path data, Map<String, String> settings) {
    var all = new java.util.HashMap<>(Map.of("alarms.disk_free", "0"));
    all.putAll(settings);
    this.settings = BrokerConfig.load(Optional.empty(), Map.of(), all).alarms();
    this.database = database;
    this.clock = clock;
    this.counts = new LatencyCounts(this.settings.latency().objective());
    this.audit = new Audit(database, mac, clock);
    var watch = new DatabaseWatch(this.settings.databaseAfter(), this::nanos);
    evaluator =
        new Evaluator(
            new Evaluator.Parts(
                database,
                "broker-1",
                NODE,
                new NodeCauses(
                    new NodeCauses.Node(
                        NODE,
                        () -> certificates,
                        () -> keysetExpiresAt,
                        data,
                        this.settings.certificateDays(),
                        this.settings.diskFree()),
                    watch),
                watch,
                new AgentCauses(this.settings),
                new SignInCauses(this.settings.signIns()),
                new LatencyCauses(this.settings.latency()),
                counts,
                List.of("webhook one", "webhook two", "mail", "urgent"),
                this.settings.offlineAfter(),
                this.settings.clearAfter(),
                this::databaseIsAway,
                clock,
                this::nanos));
  }

  private void databaseIsAway(Duration since) {
    urgent.send(
        "0",
        NoticeBody.urgent(
            "https://broker.example.org",
            io.penstock.broker.store.AlarmKind.DATABASE_AWAY,
            NODE,
            "Postgres has not answered for " + since.toSeconds() + " s",
            clock.instant()));
  }

  private long nanos() {
    return Duration.between(java.time.Instant.EPOCH, clock.instant()).toNanos();
  }

  public void look() {
    evaluator.look();
  }

  Optional<java.time.Instant> lookedAt() {
    return evaluator.lookedAt();
  }

  Announcer announcer(Courier... couriers) {
    return new Announcer(database, audit, List.of(couriers), "https://broker.example.org", clock);
  }

  Courier courier(Channel channel) {
    return new Courier(channel, database, audit, clock);
  }

  /// Oldest first, also those that are over.
  public List<Alarm> all() {
    return database.transaction(tx -> new AlarmTable().list(tx, false, 1000)).reversed();
  }

  /// `kind subject`, of those whose cause is not gone yet.
  public List<String> standing() {
    return all().stream()
        .filter(alarm -> alarm.clearedAt().isEmpty())
        .map(alarm -> alarm.kind() + " " + alarm.subject())
        .toList();
  }

  public Alarm only() {
    List<Alarm> alarms = all();
    if (alarms.size() != 1) {
      throw new AssertionError("expected one alarm, found " + alarms);
    }
    return alarms.getFirst();
  }

  public void acknowledge(Alarm alarm) {
    database.run(
        tx -> new AlarmTable().acknowledge(tx, alarm.id(), "ada", "seen", clock.instant()));
  }
}
