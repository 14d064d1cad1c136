package io.penstock.broker.audit;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.codec.audit.Finding.What;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Whatever is done to the trail by SQL, the broker names the first bad record.
class AuditProofTest {
  @TempDir Path directory;
  private AuditRig rig;

  @BeforeEach
  void start() {
    rig = new AuditRig(directory.resolve("data"));
  }

  @AfterEach
  void stop() {
    rig.close();
  }

  @Test
  void anUntouchedTrailVerifies() {
    rig.sealed(3);
    rig.sealed(4);
    rig.record(2);

    Verdict verdict = rig.verify();

    assertThat(verdict.bad()).isEmpty();
    assertThat(verdict.complete()).isTrue();
    assertThat(verdict.to()).isEqualTo(7);
    assertThat(verdict.waiting()).isEqualTo(2);
    assertThat(verdict.checkpoint().orElseThrow().number()).isEqualTo(2);
    assertThat(verdict.checkpoint().orElseThrow().position()).isEqualTo(7);
  }

  @Test
  void anEmptyTrailVerifies() {
    rig.proof.checkpoint();

    Verdict verdict = rig.verify();

    assertThat(verdict.bad()).isEmpty();
    assertThat(verdict.complete()).isTrue();
    assertThat(verdict.checkpoint()).isEmpty();
  }

  @Test
  void moreThanAPageVerifies() {
    rig.test
        .database()
        .run(
            tx -> {
              for (int i = 0; i < 4_500; i++) {
                rig.audit.record(tx, AuditRig.event(i % 1_000));
              }
            });
    rig.proof.checkpoint();

    assertThat(rig.verify().bad()).isEmpty();
    assertThat(rig.verify().to()).isEqualTo(4_500);
    assertThat(rig.proof.verify(3_000, Duration.ofMinutes(1)).to()).isEqualTo(4_500);
    assertThat(rig.proof.verify(0, Duration.ofNanos(-1)).complete()).isFalse();
  }

  @Test
  void aChangedRecordIsNamed() {
    rig.sealed(9);

    rig.tamper("update audit_log set user_email = 'eve@example.com' where id in (5, 7)");

    assertBad(What.CHANGED, 5, 5);
  }

  @Test
  void aChangedValueDeepInsideIsNamed() {
    rig.sealed(9);

    rig.tamper("update audit_log set changes = jsonb_set(changes, '{site,a,1}', '3') where id = 4");

    assertBad(What.CHANGED, 4, 4);
  }

  @Test
  void anotherSpellingOfTheSameJsonIsTheSame() {
    rig.sealed(2);

    rig.tamper("update audit_log set changes = jsonb_set(changes, '{rate}', '2.500') where id = 1");

    assertThat(rig.verify().bad()).isEmpty();
  }

  @Test
  void aRecordChangedBeforeItWasSealedIsNamed() {
    rig.sealed(3);
    rig.record(3);

    rig.tamper("update audit_log set result = 'denied' where id = 5");

    assertBad(What.INSERTED, 3, 5);
    rig.proof.checkpoint();
    assertBad(What.INSERTED, 5, 5);
    assertThat(rig.proof.state().foreign()).isEqualTo(1);
  }

  @Test
  void aDeletedRecordIsNamed() {
    rig.sealed(9);

    rig.tamper("delete from audit_log where id = 6");

    assertBad(What.DELETED, 6, 6);
  }

  @Test
  void aRecordDeletedWithItsEntryIsNamed() {
    rig.sealed(9);

    rig.tamper(
        "delete from audit_log where id = 6",
        "delete from audit_chain where position = 6",
        "update audit_chain set position = position - 1 where position > 6");

    assertThat(rig.verify().bad().orElseThrow().position()).isEqualTo(6);
  }

  @Test
  void anInsertedRecordIsNamed() {
    rig.sealed(4);

    rig.tamper(
        "insert into audit_log (event_id, timestamp, event_type, user_email, result)"
            + " values (gen_random_uuid(), now(), 'user.create', 'bob@example.com', 'success')");

    assertBad(What.INSERTED, 4, 5);
    rig.record(1);
    rig.proof.checkpoint();
    assertBad(What.INSERTED, 5, 5);
  }

  @Test
  void aRecordInsertedBetweenSealedOnesIsNamed() {
    rig.sealed(3);
    rig.test.execute("select nextval('audit_log_id_seq')");
    rig.sealed(3);

    rig.tamper(
        "insert into audit_log overriding system value select 4, gen_random_uuid(), timestamp,"
            + " event_type, user_email, resource_id, action, changes, ip_address, user_agent,"
            + " resource, result, reason, approved_by, mac from audit_log where id = 3");

    assertThat(rig.verify().bad().orElseThrow().what()).isEqualTo(What.INSERTED);
    assertThat(rig.verify().bad().orElseThrow().id()).isEqualTo(4);
  }

  @Test
  void aGenuineRecordThatIsThereTwiceIsNamed() {
    rig.sealed(3);

    rig.tamper(
        "alter table audit_log drop constraint audit_log_event_id_key",
        "insert into audit_log (event_id, timestamp, event_type, user_email, resource_id, action,"
            + " changes, ip_address, user_agent, resource, result, reason, approved_by, mac)"
            + " select event_id, timestamp, event_type, user_email, resource_id, action, changes,"
            + " ip_address, user_agent, resource, result, reason, approved_by, mac from audit_log"
            + " where id = 2");
    rig.proof.checkpoint();

    assertBad(What.INSERTED, 4, 4);
  }

  @Test
  void reorderedRecordsAreNamed() {
    rig.sealed(9);

    rig.tamper(
        "alter table audit_log alter id set generated by default",
        "update audit_log set id = -4 where id = 4",
        "update audit_log set id = 4 where id = 6",
        "update audit_log set id = 6 where id = -4");

    assertBad(What.REORDERED, 4, 4);
  }

  @Test
  void aCutTailIsNamed() {
    rig.sealed(4);
    rig.sealed(5);

    rig.tamper("delete from audit_log where id > 7", "delete from audit_chain where position > 7");

    assertBad(What.CUT, 8, 0);
    rig.restart();
    assertBad(What.CUT, 8, 0);
  }

  @Test
  void aTailCutBehindTheLastCheckpointIsNamedWhileTheBrokerRuns() {
    rig.sealed(4);
    rig.record(5);
    rig.proof.seal();

    rig.tamper("delete from audit_log where id > 7", "delete from audit_chain where position > 7");
    rig.record(4);
    rig.proof.checkpoint();

    assertBad(What.CUT, 8, 0);
    assertThat(rig.proof.state().halted()).isTrue();
    assertThat(rig.verify().checkpoint().orElseThrow().position()).isEqualTo(4);
  }

  @Test
  void aRestoredOldCopyIsNamed() {
    rig.sealed(4);
    rig.test.execute("create table old_log as select * from audit_log");
    rig.test.execute("create table old_chain as select * from audit_chain");
    rig.test.execute("create table old_checkpoints as select * from audit_checkpoints");
    rig.sealed(5);

    rig.tamper(
        "delete from audit_log",
        "delete from audit_chain",
        "delete from audit_checkpoints",
        "insert into audit_log overriding system value select * from old_log",
        "insert into audit_chain select * from old_chain",
        "insert into audit_checkpoints select * from old_checkpoints");
    rig.restart();

    assertBad(What.RESTORED, 5, 0);
    rig.record(8);
    rig.proof.checkpoint();
    assertBad(What.RESTORED, 5, 0);
    assertThat(rig.proof.state().halted()).isTrue();
  }

  @Test
  void anEmptiedTrailIsNamed() {
    rig.sealed(4);

    rig.tamper("delete from audit_log", "delete from audit_chain", "delete from audit_checkpoints");
    rig.restart();
    rig.record(1);
    rig.proof.checkpoint();

    assertBad(What.RESTORED, 1, 0);
  }

  @Test
  void aChangedEntryIsNamed() {
    rig.sealed(9);

    rig.tamper("update audit_chain set hash = sha256('x') where position = 3");

    assertBad(What.CHANGED, 3, 3);
  }

  @Test
  void aCheckpointOfSomebodyElseIsNamed() {
    rig.sealed(3);

    rig.tamper(
        "insert into audit_checkpoints select number + 1, position, issued_at,"
            + " overlay(jws placing 'AAAA' from length(jws) - 20), mac from audit_checkpoints");

    assertBad(What.FORGED_CHECKPOINT, 3, 0);
    rig.record(1);
    rig.proof.checkpoint();
    assertThat(rig.proof.state().halted()).isTrue();
  }

  @Test
  void aCheckpointMovedInTimeIsNamed() {
    rig.sealed(3);

    rig.tamper("update audit_checkpoints set issued_at = issued_at - interval '3 years'");

    assertBad(What.FORGED_CHECKPOINT, 3, 0);
    rig.record(1);
    rig.proof.checkpoint();
    assertThat(rig.proof.state().halted()).isTrue();
  }

  @Test
  void anEmptiedChainIsNotBegunAnew() {
    rig.sealed(4);

    rig.tamper("delete from audit_log", "delete from audit_chain");
    rig.record(3);
    rig.proof.checkpoint();

    assertThat(rig.proof.state().halted()).isTrue();
    assertBad(What.CUT, 1, 0);
  }

  @Test
  void whatFollowsAForeignRecordIsLookedAtFromThere() {
    rig.sealed(3);
    rig.tamper(
        "insert into audit_log (event_id, timestamp, event_type) values (gen_random_uuid(), now(),"
            + " 'x')");
    rig.sealed(3);

    assertBad(What.INSERTED, 4, 4);
    Verdict rest = rig.proof.verify(4, Duration.ofMinutes(1));
    assertThat(rest.bad()).isEmpty();
    assertThat(rest.to()).isEqualTo(7);
    rig.tamper("update audit_log set result = 'denied' where id = 6");
    assertThat(rig.proof.verify(4, Duration.ofMinutes(1)).bad().orElseThrow().position())
        .isEqualTo(6);
  }

  @Test
  void aRecordThatNoReaderTakesDoesNotStopTheSealing() {
    rig.sealed(1);

    rig.tamper(
        "insert into audit_log (event_id, timestamp, event_type, changes) values"
            + " (gen_random_uuid(), 'infinity', 'x', ('{\"n\": 1' || repeat('0', 2000) ||"
            + " '}')::jsonb)");
    rig.record(1);
    rig.proof.checkpoint();

    assertBad(What.INSERTED, 2, 2);
    assertThat(rig.verify().checkpoint().orElseThrow().position()).isEqualTo(3);
  }

  private void assertBad(What what, long position, long id) {
    assertThat(rig.verify().bad())
        .get()
        .extracting(it -> it.what(), it -> it.position(), it -> it.id())
        .containsExactly(what, position, id);
    assertThat(Optional.of(rig.verify().complete())).contains(true);
  }
}
