package io.penstock.broker.alarms;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.broker.edge.InvocationRecord;
import io.penstock.broker.edge.InvocationRecord.HopMicros;
import io.penstock.broker.keys.DevelopmentTls;
import io.penstock.broker.store.AlarmTable;
import io.penstock.broker.store.AlarmTable.Severity;
import io.penstock.broker.store.AlarmTable.State;
import io.penstock.broker.store.StoreUnavailableException;
import io.penstock.broker.store.TestDatabase;
import io.penstock.codec.RequestIds;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/// Causes of the node itself and of its systems, and how alarms come and go with them.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class EvaluatorTest {
  private World world;

  @BeforeAll
  void start(@TempDir Path directory) {
    world = new World(directory.resolve("data"));
  }

  @AfterAll
  void stop() {
    world.close();
  }

  /// A minute without the cause, and a look before and after.
  private void calm(AlarmRig rig) {
    rig.look();
    world.pass(Duration.ofSeconds(60));
    rig.look();
  }

  private void agent(String name) {
    world.postgres.execute(
        "insert into agents (name, site, state, generation, created_at) values ('"
            + name
            + "', 'plant', 'approved', 1, timestamptz '"
            + world.clock.instant()
            + "')");
  }

  // Coming and going.

  @Test
  void anAgentThatNeverCameIsOffline() {
    AlarmRig rig = world.rig(Map.of());
    agent("press-1");
    world.pass(Duration.ofMinutes(10));

    rig.look();

    assertThat(rig.standing()).containsExactly("agent-offline press-1");
  }

  @Test
  void afterAStartOfTheBrokerAgentsHaveTimeToComeBack() {
    world.rig(Map.of());
    agent("press-1");
    world.pass(Duration.ofHours(3));
    AlarmRig rig = world.again(Map.of());

    rig.look();
    assertThat(rig.all()).isEmpty();
    world.pass(Duration.ofSeconds(119));
    rig.look();
    assertThat(rig.all()).isEmpty();
    world.pass(Duration.ofSeconds(1));
    rig.look();

    assertThat(rig.only().kind()).isEqualTo("agent-offline");
    assertThat(rig.only().severity()).isEqualTo(Severity.HIGH);
  }

  @Test
  void whatComesBackWithinAMinuteIsTheSameAlarm() {
    AlarmRig rig = world.rig(Map.of());
    keysetExpiresIn(rig, 5);
    rig.look();

    keysetExpiresIn(rig, 80);
    rig.look();
    world.pass(Duration.ofSeconds(59));
    rig.look();
    assertThat(rig.only().state()).isEqualTo(State.OPEN);
    keysetExpiresIn(rig, 5);
    rig.look();

    assertThat(rig.only().occurrences()).isEqualTo(2);
    world.pass(Duration.ofMinutes(2));
    rig.look();
    assertThat(rig.only().state()).as("calm begins anew").isEqualTo(State.OPEN);
    keysetExpiresIn(rig, 80);
    calm(rig);
    assertThat(rig.only().state()).isEqualTo(State.CLEARED);
  }

  @Test
  void anAcknowledgedAlarmIsNotRaisedAgainWhileItsCauseLasts() {
    AlarmRig rig = world.rig(Map.of());
    keysetExpiresIn(rig, 5);
    rig.look();
    rig.acknowledge(rig.only());

    world.pass(Duration.ofHours(1));
    rig.look();
    assertThat(rig.only().state()).isEqualTo(State.ACKNOWLEDGED);

    keysetExpiresIn(rig, 80);
    calm(rig);
    assertThat(rig.only().state()).isEqualTo(State.CLEARED);
    keysetExpiresIn(rig, 5);
    rig.look();
    assertThat(rig.all()).hasSize(2);
    assertThat(rig.standing()).containsExactly("keyset-expiring node broker-1");
  }

  @Test
  void whatLastsShowsWhenItWasSeenLast() {
    AlarmRig rig = world.rig(Map.of());
    keysetExpiresIn(rig, 5);
    rig.look();
    world.pass(Duration.ofMinutes(6));
    rig.look();

    assertThat(rig.only().lastAt()).isEqualTo(world.clock.instant());
    assertThat(rig.only().occurrences()).isEqualTo(1);
  }

  @Test
  void oneNodeAtATimeLooksAtWhatIsOfAll() throws Exception {
    AlarmRig rig = world.rig(Map.of());
    agent("press-1");
    world.pass(Duration.ofMinutes(10));
    var locked = new java.util.concurrent.CountDownLatch(1);
    var done = new java.util.concurrent.CountDownLatch(1);
    Thread other =
        Thread.ofVirtual()
            .start(
                () ->
                    world
                        .postgres
                        .database()
                        .run(
                            tx -> {
                              assertThat(new AlarmTable().lock(tx)).isTrue();
                              locked.countDown();
                              awaitUninterruptibly(done);
                            }));
    locked.await();

    keysetExpiresIn(rig, 5);
    rig.look();
    assertThat(rig.standing()).containsExactly("keyset-expiring node broker-1");
    done.countDown();
    other.join();
    rig.look();

    assertThat(rig.standing())
        .containsExactlyInAnyOrder("keyset-expiring node broker-1", "agent-offline press-1");
  }

  private static void awaitUninterruptibly(java.util.concurrent.CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void alarmsOfAnotherNodeAreLeftAlone() {
    AlarmRig rig = world.rig(Map.of());
    world.postgres.execute(
        "insert into alarms (kind, severity, subject, message, raised_at, last_at) values"
            + " ('disk-low', 'high', 'node broker-2', 'm', now(), now())");

    calm(rig);

    assertThat(rig.standing()).containsExactly("disk-low node broker-2");
  }

  // The node itself.

  private void keysetExpiresIn(AlarmRig rig, int days) {
    rig.keysetExpiresAt = world.clock.instant().plus(Duration.ofDays(days)).getEpochSecond();
  }

  @Test
  void aKeysetThatNobodyRenewsIsAnAlarmUntilSomebodyDoes() {
    AlarmRig rig = world.rig(Map.of());
    rig.keysetExpiresAt = world.keys.owner().keyset().expiresEpochSeconds();
    rig.look();
    assertThat(rig.all()).isEmpty();

    world.pass(Duration.ofDays(80));
    rig.look();
    assertThat(rig.standing()).containsExactly("keyset-expiring node broker-1");

    // Whoever asks for the owner's keys renews them.
    rig.keysetExpiresAt = world.keys.owner().keyset().expiresEpochSeconds();
    calm(rig);
    assertThat(rig.standing()).isEmpty();
  }

  @Test
  void aCertificateThatExpiresSoonIsAnAlarmUntilThereIsANewOne() {
    AlarmRig rig = world.rig(Map.of());
    rig.certificates = certificates();
    rig.look();
    assertThat(rig.all()).isEmpty();

    world.pass(Duration.ofDays(355));
    rig.look();
    assertThat(rig.standing()).containsExactly("certificate-expiring node broker-1");
    assertThat(rig.only().message()).contains("the certificate of CN=Penstock", "expires at 2");

    rig.certificates = certificates();
    calm(rig);
    assertThat(rig.standing()).isEmpty();
  }

  private List<java.security.cert.X509Certificate> certificates() {
    return DevelopmentTls.open(world.data, world.keys.kek(), List.of(), world.clock).chain();
  }

  @Test
  void aDiskWithLessFreeThanWantedIsAnAlarmUntilThereIsMore() throws Exception {
    var store = Files.getFileStore(world.directory);
    double free = (double) store.getUsableSpace() / store.getTotalSpace();
    AlarmRig wantsMore = diskRig(Math.min(0.999, free + 0.01));
    wantsMore.look();
    assertThat(wantsMore.standing()).containsExactly("disk-low node broker-1");
    assertThat(wantsMore.only().message()).contains("% of the data directory's disk is free");

    // The same alarms, by a node that is content with what there is.
    world.pass(Duration.ofSeconds(1));
    calm(sameAlarms(Math.max(0.0001, free - 0.05)));
    assertThat(wantsMore.standing()).isEmpty();
  }

  @Test
  void atItsLimitADiskAlarmStays() throws Exception {
    var store = Files.getFileStore(world.directory);
    double free = (double) store.getUsableSpace() / store.getTotalSpace();
    AlarmRig wantsMore = diskRig(Math.min(0.999, free + 0.01));
    wantsMore.look();

    calm(sameAlarms(Math.max(0.0001, free - 0.01)));

    assertThat(wantsMore.standing()).containsExactly("disk-low node broker-1");
  }

  private AlarmRig diskRig(double least) {
    return world.rig(Map.of("alarms.disk_free", Double.toString(least)));
  }

  private AlarmRig sameAlarms(double least) {
    return world.again(Map.of("alarms.disk_free", Double.toString(least)));
  }

  @Test
  void aPostgresThatIsAwayIsToldAtOnceAndIsAnAlarmOnceItIsBack() {
    AlarmRig rig = world.rig(Map.of());
    agent("press-1");
    rig.look();
    world.breakable.cut();
    assertThatThrownBy(rig::look).isInstanceOf(StoreUnavailableException.class);
    world.pass(Duration.ofSeconds(29));
    assertThatThrownBy(rig::look).isInstanceOf(StoreUnavailableException.class);
    assertThat(rig.urgent.got).as("too short").isEmpty();
    world.pass(Duration.ofSeconds(1));
    assertThatThrownBy(rig::look).isInstanceOf(StoreUnavailableException.class);
    assertThatThrownBy(rig::look).isInstanceOf(StoreUnavailableException.class);
    assertThat(rig.urgent.changes()).containsExactly("raised database-away node broker-1");
    world.pass(Duration.ofMinutes(10));

    world.breakable.mend();
    rig.look();
    assertThat(rig.standing())
        .as("and no agent is missed: none could be seen")
        .containsExactly("database-away node broker-1");
    assertThat(rig.only().severity()).isEqualTo(Severity.CRITICAL);
    assertThat(rig.only().message())
        .startsWith("Postgres did not answer, or took no writes, for 630 s");

    calm(rig);
    assertThat(rig.only().state()).isEqualTo(State.CLEARED);
  }

  @Test
  void aPostgresThatTakesNoWritesIsAwayToo() {
    AlarmRig rig = world.rig(Map.of());
    rig.look();
    String name = world.postgres.address().database();
    world.postgres.execute("alter database " + name + " set default_transaction_read_only = on");
    world.breakable.cut();
    world.breakable.mend();
    World.await(() -> look(rig).contains("25006"));
    world.pass(Duration.ofSeconds(31));

    assertThatThrownBy(rig::look)
        .isInstanceOf(StoreUnavailableException.class)
        .hasMessageContaining("25006");
    assertThat(rig.urgent.changes()).containsExactly("raised database-away node broker-1");

    world
        .postgres
        .database()
        .run(
            tx -> {
              TestDatabase.execute(tx, "set transaction read write");
              TestDatabase.execute(
                  tx, "alter database " + name + " reset default_transaction_read_only");
            });
    world.breakable.cut();
    world.breakable.mend();
    World.await(() -> look(rig).isEmpty());
    assertThat(rig.standing()).contains("database-away node broker-1");
  }

  /// What Postgres says against it; a connection that a test has cut says something else once.
  private static String look(AlarmRig rig) {
    try {
      rig.look();
      return "";
    } catch (StoreUnavailableException away) {
      return String.valueOf(away.getMessage());
    }
  }

  @Test
  void aShortOutageOfPostgresIsNone() {
    AlarmRig rig = world.rig(Map.of());
    world.breakable.cut();
    assertThatThrownBy(rig::look).isInstanceOf(StoreUnavailableException.class);
    world.pass(Duration.ofSeconds(20));
    world.breakable.mend();

    rig.look();

    assertThat(rig.all()).isEmpty();
    assertThat(rig.urgent.got).isEmpty();
  }

  // Systems.

  @Test
  void aSystemThatIsTooSlowIsAnAlarmUntilItIsFastAgain() {
    AlarmRig rig = world.rig(Map.of("alarms.latency_objective", "1s"));
    invoke(rig, 40, Duration.ofMillis(50));
    invoke(rig, 20, Duration.ofSeconds(2));
    rig.look();
    assertThat(rig.standing()).containsExactly("latency-objective route berlin/erp");
    assertThat(rig.only().message())
        .isEqualTo(
            "20 of 60 invocations within 5 min took longer than 1000 ms; burn rate 33.3 over 5"
                + " min, 33.3 over 1 h");

    world.pass(Duration.ofMinutes(7));
    invoke(rig, 100, Duration.ofMillis(50));
    calm(rig);
    assertThat(rig.standing()).isEmpty();
  }

  @Test
  void fastSystemsAndRefusedCallsAreNone() {
    AlarmRig rig = world.rig(Map.of("alarms.latency_objective", "1s"));
    invoke(rig, 1000, Duration.ofMillis(999));
    for (int i = 0; i < 1000; i++) {
      rig.counts.ended(record("berlin", "erp", 403, new HopMicros(10, 0, 0, 0, 9_000_000)));
      rig.counts.ended(record("", "", 404, new HopMicros(10, 0, 0, 0, 9_000_000)));
    }

    rig.look();

    assertThat(rig.all()).isEmpty();
  }

  @Test
  void aLongBodyIsNotSlow() {
    AlarmRig rig = world.rig(Map.of("alarms.latency_objective", "1s"));
    for (int i = 0; i < 100; i++) {
      rig.counts.ended(record("berlin", "erp", 200, new HopMicros(10, 10, 10, 10, 90_000_000)));
    }

    rig.look();

    assertThat(rig.all()).isEmpty();
  }

  @Test
  void whatTimedOutIsSlow() {
    AlarmRig rig = world.rig(Map.of("alarms.latency_objective", "1s"));
    for (int i = 0; i < 100; i++) {
      rig.counts.ended(record("berlin", "erp", 504, new HopMicros(0, 0, 0, 0, 60_000_000)));
    }

    rig.look();

    assertThat(rig.standing()).containsExactly("latency-objective route berlin/erp");
  }

  @Test
  void whatWasCountedWhilePostgresWasAwayCountsAfterwards() {
    AlarmRig rig = world.rig(Map.of("alarms.latency_objective", "1s"));
    invoke(rig, 60, Duration.ofSeconds(2));
    world.breakable.cut();
    assertThatThrownBy(rig::look).isInstanceOf(StoreUnavailableException.class);
    world.breakable.mend();

    rig.look();

    assertThat(rig.standing()).containsExactly("latency-objective route berlin/erp");
  }

  private static void invoke(AlarmRig rig, int times, Duration took) {
    long micros = took.toNanos() / 1_000;
    for (int i = 0; i < times; i++) {
      rig.counts.ended(record("berlin", "erp", 200, new HopMicros(0, 0, 0, micros, micros)));
    }
  }

  private static InvocationRecord record(String site, String system, int status, HopMicros hops) {
    return new InvocationRecord(
        IDS, true, "billing", site, system, "press-1", "GET", status, "ok", false, 0, 0, hops, 0);
  }

  private static final RequestIds IDS = new RequestIds(1, 2, 3, 4, 5, 0);
}
