package io.penstock.broker.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.broker.config.DataDirectory;
import io.penstock.broker.keys.ManagedKey;
import io.penstock.codec.audit.AuditCheckpoint;
import io.penstock.codec.seal.DocumentType;
import io.penstock.codec.seal.SignedDocument;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// In which order and when records get their places, and what is signed.
class ChainSealerTest {
  private static final Duration RETENTION = Duration.ofDays(30);

  @TempDir Path directory;
  private AuditRig rig;

  @BeforeEach
  void start() {
    rig = new AuditRig(directory.resolve("data"), Optional.of(RETENTION));
  }

  @AfterEach
  void stop() {
    rig.close();
  }

  @Test
  void nothingIsSealedBeforeARecordThatMayStillCome() throws Exception {
    rig.record(1);
    rig.proof.seal();
    var written = new CountDownLatch(1);
    var goOn = new CountDownLatch(1);
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<?> open =
          threads.submit(
              () ->
                  rig.test
                      .database()
                      .run(
                          tx -> {
                            rig.audit.record(tx, AuditRig.event(2));
                            // The row goes to Postgres now and gets its number.
                            rig.audit.flush(tx);
                            written.countDown();
                            awaitOrFail(goOn);
                          }));
      awaitOrFail(written);
      rig.record(3);

      rig.proof.seal();
      rig.proof.seal();

      assertThat(rig.proof.state().position()).isEqualTo(1);
      assertThat(rig.proof.state().unsealed()).isEqualTo(4);
      assertThat(rig.verify().bad()).isEmpty();
      goOn.countDown();
      open.get(10, TimeUnit.SECONDS);
    }

    rig.proof.seal();

    assertThat(rig.proof.state().position()).isEqualTo(5);
    assertThat(rig.proof.state().unsealed()).isZero();
    assertThat(rig.verify().bad()).isEmpty();
  }

  @Test
  void aRolledBackRecordLeavesNoHole() throws Exception {
    rig.record(2);
    try {
      rig.test
          .database()
          .run(
              tx -> {
                rig.audit.record(tx, AuditRig.event(2));
                rig.audit.flush(tx);
                throw new IllegalStateException("changed its mind");
              });
    } catch (IllegalStateException expected) {
      assertThat(expected).hasMessage("changed its mind");
    }
    rig.sealed(2);

    assertThat(rig.proof.state().position()).isEqualTo(4);
    assertThat(rig.verify().bad()).isEmpty();
  }

  @Test
  void manyTransactionsAtOnceAreSealedWithoutAGap() throws Exception {
    int writers = 6;
    int each = 150;
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> all = new ArrayList<>();
      for (int w = 0; w < writers; w++) {
        all.add(threads.submit(() -> rig.record(each)));
      }
      while (!all.stream().allMatch(Future::isDone)) {
        rig.proof.seal();
      }
      for (Future<?> one : all) {
        one.get(1, TimeUnit.SECONDS);
      }
    }
    rig.proof.checkpoint();

    assertThat(rig.proof.state().position()).isEqualTo((long) writers * each);
    assertThat(rig.verify().bad()).isEmpty();
  }

  @Test
  void twoBrokersSealOneChain() {
    try (DataDirectory other = DataDirectory.open(directory.resolve("other"))) {
      AuditProof second = rig.another(other);
      rig.sealed(3);
      rig.record(2);
      second.checkpoint();
      rig.sealed(2);

      assertThat(rig.verify().bad()).isEmpty();
      assertThat(rig.verify().to()).isEqualTo(7);
      second.seal();
      assertThat(second.verify(0, Duration.ofMinutes(1)).checkpoint().orElseThrow().position())
          .isEqualTo(7);
      assertThat(other.read(KnownCheckpoint.FILE))
          .contains(rig.data.read(KnownCheckpoint.FILE).orElseThrow());
    }
  }

  @Test
  void aCheckpointIsSignedEveryMinuteAndAtTheEnd() {
    rig.record(1);
    rig.proof.seal();
    assertThat(position()).isEqualTo(1);
    rig.record(1);
    rig.proof.seal();
    assertThat(position()).isEqualTo(1);

    rig.clock.pass(Duration.ofMinutes(1));
    rig.proof.seal();

    assertThat(position()).isEqualTo(2);
    rig.record(1);
    rig.proof.close();
    assertThat(position()).isEqualTo(3);
  }

  @Test
  void aNewCheckpointKeySignsAtOnceAndTheOldOneIsNotNeeded() {
    rig.sealed(2);
    String old = rig.keys.signingKid(ManagedKey.CHECKPOINT);
    rig.keys.announce(Set.of(ManagedKey.CHECKPOINT));
    rig.keys.activate();

    rig.proof.seal();
    rig.keys.retire(old);

    String jws = rig.verify().checkpointJws().orElseThrow();
    assertThat(SignedDocument.keyIdOf(jws, DocumentType.AUDIT_CHECKPOINT))
        .isEqualTo(rig.keys.signingKid(ManagedKey.CHECKPOINT))
        .isNotEqualTo(old);
    assertThat(AuditCheckpoint.verify(jws, rig.keys.keyset()).position()).isEqualTo(2);
    assertThat(rig.verify().bad()).isEmpty();
  }

  @Test
  void recordsFromBeforeTheChainAreSealedFirst() {
    rig.test.execute(
        "insert into audit_log (event_id, timestamp, event_type) select gen_random_uuid(), now(),"
            + " 'user.create' from generate_series(1, 3)");
    rig.sealed(2);

    assertThat(rig.verify().bad()).isEmpty();
    assertThat(rig.verify().to()).isEqualTo(5);
    rig.tamper("update audit_log set event_type = 'user.delete' where id = 2");
    assertThat(rig.verify().bad().orElseThrow().position()).isEqualTo(2);
  }

  @Test
  void whatIsOlderThanTheRetentionIsPrunedUpToACheckpoint() {
    rig.sealed(5);
    rig.clock.pass(Duration.ofDays(20));
    rig.sealed(4);
    rig.clock.pass(Duration.ofDays(11));

    rig.pruned();

    assertThat(number("select count(*) as n from audit_log where id <= 5")).isZero();
    assertThat(number("select min(position) as n from audit_chain")).isEqualTo(6);
    assertThat(rig.verify().bad()).isEmpty();
    assertThat(rig.verify().to()).isEqualTo(10);
    AuditCheckpoint newest = rig.verify().checkpoint().orElseThrow();
    assertThat(newest.beginsAfter()).isEqualTo(5);
    assertThat(number("select count(*) as n from audit_log where event_type = 'audit.prune'"))
        .isEqualTo(1);
    rig.restart();
    rig.sealed(1);
    assertThat(rig.verify().bad()).isEmpty();
  }

  @Test
  void pruningNeverEmptiesTheChain() {
    rig.sealed(5);
    rig.clock.pass(Duration.ofDays(31));
    rig.pruned();

    assertThat(number("select max(position) as n from audit_chain")).isEqualTo(5);
    rig.sealed(3);
    assertThat(rig.verify().bad()).isEmpty();
    assertThat(rig.verify().to()).isEqualTo(8);
    rig.pruned();
    assertThat(rig.verify().checkpoint().orElseThrow().beginsAfter()).isEqualTo(5);
    assertThat(rig.verify().bad()).isEmpty();
  }

  @Test
  void aClockThatIsWrongForwardsTakesNothingAway() {
    rig.sealed(5);
    rig.clock.pass(Duration.ofHours(30));
    rig.sealed(5);
    rig.restart();
    rig.clock.setForward(Duration.ofDays(1_000));
    rig.record(2);

    rig.proof.attempt();
    rig.clock.pass(Duration.ofMinutes(61));
    rig.proof.attempt();
    rig.proof.checkpoint();

    assertThat(number("select min(position) as n from audit_chain")).isEqualTo(1);
    assertThat(rig.verify().bad()).isEmpty();
    assertThat(rig.verify().checkpoint().orElseThrow().beginsAfter()).isZero();
  }

  @Test
  void nothingIsPrunedInTheFirstHour() {
    rig.sealed(5);
    rig.clock.pass(Duration.ofDays(31));
    rig.sealed(2);
    rig.dayOfCheckpoints();
    rig.restart();

    rig.proof.attempt();
    assertThat(number("select min(position) as n from audit_chain")).isEqualTo(1);
    rig.clock.pass(Duration.ofMinutes(61));
    rig.proof.attempt();
    assertThat(number("select min(position) as n from audit_chain")).isEqualTo(6);
  }

  @Test
  void aRecordWithoutAPlaceIsNamedWhileTheBeginningIsPruned() {
    rig.sealed(5);
    rig.clock.pass(Duration.ofDays(31));
    rig.sealed(2);
    rig.test.execute("select nextval('audit_log_id_seq')");
    rig.sealed(2);
    // As if the pruning had just begun.
    rig.test.execute(
        "create or replace function audit_prune(up_to bigint, most bigint) returns bigint language"
            + " sql as $$ select 0::bigint $$");
    rig.pruned();
    assertThat(rig.verify().bad()).isEmpty();
    assertThat(rig.verify().checkpoint().orElseThrow().beginsAfter()).isEqualTo(5);

    rig.tamper(
        "insert into audit_log (id, event_id, timestamp, event_type) overriding system value values"
            + " (8, gen_random_uuid(), now(), 'x')");

    assertThat(rig.verify().bad().orElseThrow().id()).isEqualTo(8);
  }

  @Test
  void aClockThatIsSetBackDoesNotSilenceTheCheckpoints() {
    rig.sealed(1);
    long before = rig.proof.state().checkpointNumber();
    rig.clock.setForward(Duration.ofHours(-3));

    rig.proof.seal();
    rig.proof.seal();

    assertThat(rig.proof.state().checkpointNumber()).isEqualTo(before + 1);
    rig.record(1);
    rig.clock.pass(Duration.ofMinutes(1));
    rig.proof.seal();
    assertThat(position()).isEqualTo(2);
  }

  @Test
  void aBacklogIsSignedOnTheWay() {
    rig.test
        .database()
        .run(
            tx -> {
              for (int i = 0; i < 25_000; i++) {
                rig.audit.record(tx, AuditRig.event(i % 1_000));
              }
            });

    rig.proof.seal();

    assertThat(rig.proof.state().position()).isEqualTo(25_000);
    // The first is due with the first records.
    assertThat(number("select min(position) as n from audit_checkpoints")).isEqualTo(2_000);
    assertThat(rig.proof.state().checkpointPosition()).isEqualTo(22_000);
  }

  @Test
  void aBacklogIsSealedAndSignedAtTheStop() {
    rig.test
        .database()
        .run(
            tx -> {
              for (int i = 0; i < 5_000; i++) {
                rig.audit.record(tx, AuditRig.event(i % 1_000));
              }
            });

    rig.proof.close();

    assertThat(rig.proof.state().checkpointPosition()).isEqualTo(5_000);
    assertThat(rig.verify().bad()).isEmpty();
  }

  @Test
  void aStopDoesNotWaitForWhoWillNotEnd() throws Exception {
    rig.sealed(1);
    var written = new CountDownLatch(1);
    var goOn = new CountDownLatch(1);
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<?> open =
          threads.submit(
              () ->
                  rig.test
                      .database()
                      .run(
                          tx -> {
                            rig.audit.record(tx, AuditRig.event(2));
                            rig.audit.flush(tx);
                            written.countDown();
                            awaitOrFail(goOn);
                          }));
      awaitOrFail(written);
      rig.record(1);

      long begin = System.nanoTime();
      rig.proof.close();

      assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(8));
      goOn.countDown();
      open.get(10, TimeUnit.SECONDS);
    }
    rig.restart();
    rig.proof.checkpoint();
    assertThat(rig.proof.state().position()).isEqualTo(3);
    assertThat(rig.verify().bad()).isEmpty();
  }

  @Test
  void aTurnWithoutAnythingNewLooksAtNumbersOnly() {
    rig.sealed(3);
    rig.proof.seal();
    rig.proof.seal();
    // Whatever looks closer than at the numbers fails.
    rig.test.execute("alter table audit_checkpoints rename column jws to hidden");

    rig.proof.seal();

    rig.record(1);
    assertThatThrownBy(rig.proof::seal).hasMessageContaining("jws");
    rig.test.execute("alter table audit_checkpoints rename column hidden to jws");
    rig.proof.seal();
    assertThat(rig.proof.state().position()).isEqualTo(4);
  }

  @Test
  void whatAlwaysFailsRaisesAnAlarmAndGoesOnAfterwards() {
    rig.sealed(1);
    rig.record(1);
    rig.test.execute("alter table audit_chain rename to hidden");

    for (int i = 0; i < 5; i++) {
      assertThat(rig.proof.state().halted()).isFalse();
      rig.proof.attempt();
    }

    assertThat(rig.proof.state().halted()).isTrue();
    assertThat(openAlarms("audit-chain-broken")).isEqualTo(1);
    rig.test.execute("alter table hidden rename to audit_chain");
    rig.proof.attempt();
    rig.proof.attempt();
    assertThat(rig.proof.state().halted()).isFalse();
    assertThat(rig.proof.state().position()).isEqualTo(2);
  }

  @Test
  void aFullDataDirectoryStopsNeitherSealingNorReports() throws Exception {
    rig.sealed(1);
    Path inTheWay = rig.data.resolve(KnownCheckpoint.FILE + ".new");
    Files.createDirectories(inTheWay.resolve("x"));

    rig.sealed(2);

    assertThat(rig.proof.state().checkpointPosition()).isEqualTo(3);
    assertThat(openAlarms("audit-checkpoint-not-kept")).isEqualTo(1);
    Files.delete(inTheWay.resolve("x"));
    rig.proof.seal();
    assertThat(openAlarms("audit-checkpoint-not-kept")).isZero();
    rig.restart();
    rig.proof.close();
    assertThat(rig.proof.state().checkpointPosition()).isEqualTo(3);
  }

  @Test
  void copiesAreCountedWhereNothingElseHoldsThemOff() {
    rig.sealed(2);
    assertThat(openAlarms("audit-log-unguarded")).isZero();

    rig.tamper(
        "alter table audit_log drop constraint audit_log_event_id_key",
        "create index audit_log_event_id_key on audit_log (event_id)");
    rig.sealed(2);

    assertThat(openAlarms("audit-log-unguarded")).isEqualTo(1);
    assertThat(rig.verify().bad()).isEmpty();
  }

  @Test
  void aTransactionThatHoldsTheSealingUpRaisesAnAlarm() throws Exception {
    var written = new CountDownLatch(1);
    var goOn = new CountDownLatch(1);
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<?> open =
          threads.submit(
              () ->
                  rig.test
                      .database()
                      .run(
                          tx -> {
                            rig.audit.record(tx, AuditRig.event(2));
                            rig.audit.flush(tx);
                            written.countDown();
                            awaitOrFail(goOn);
                          }));
      awaitOrFail(written);
      rig.proof.seal();
      assertThat(openAlarms("audit-sealing-held-up")).isZero();
      rig.clock.pass(Duration.ofMinutes(6));
      rig.proof.seal();
      assertThat(openAlarms("audit-sealing-held-up")).isEqualTo(1);
      goOn.countDown();
      open.get(10, TimeUnit.SECONDS);
    }

    rig.proof.seal();

    assertThat(openAlarms("audit-sealing-held-up")).isZero();
  }

  @Test
  void aBeginningThatNobodySignedIsNamed() {
    rig.sealed(5);
    rig.sealed(4);

    rig.tamper(
        "delete from audit_log where id <= 5", "delete from audit_chain where position <= 5");

    assertThat(rig.verify().bad().orElseThrow().position()).isEqualTo(1);
  }

  private long position() {
    return rig.verify().checkpoint().orElseThrow().position();
  }

  private long openAlarms(String kind) {
    return number(
        "select count(*) as n from alarms where cleared_at is null and kind = '" + kind + "'");
  }

  private long number(String query) {
    return rig.test.number(query);
  }

  private static void awaitOrFail(CountDownLatch latch) {
    try {
      assertThat(latch.await(10, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
