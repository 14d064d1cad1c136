package io.penstock.broker.audit;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.config.KafkaConfig;
import io.penstock.broker.store.AlarmKind;
import io.penstock.broker.store.AlarmTable;
import io.penstock.broker.store.AuditShippedTable;
import io.penstock.broker.store.AuditShippedTable.Shipped;
import io.penstock.codec.audit.ChainEntry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The retention and a Kafka that does not have everything yet.
class PruningHoldTest {
  private static final Duration RETENTION = Duration.ofDays(30);
  private static final Duration HOLD = Duration.ofDays(10);
  private static final KafkaConfig NOBODY_THERE =
      new KafkaConfig(
          List.of("localhost:1"),
          "audit_trail",
          "PLAINTEXT",
          "SCRAM-SHA-512",
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Duration.ofMinutes(5),
          HOLD,
          Duration.ofDays(7));

  @TempDir Path directory;
  private AuditRig rig;

  @BeforeEach
  void start() {
    rig =
        new AuditRig(directory.resolve("data"), Optional.of(RETENTION), Optional.of(NOBODY_THERE));
  }

  @AfterEach
  void stop() {
    rig.close();
  }

  @Test
  void whatIsNotInKafkaIsNotPruned() {
    rig.sealed(5);
    rig.clock.pass(RETENTION.plusDays(1));
    rig.sealed(3);

    rig.pruned();

    assertThat(firstPosition()).isEqualTo(1);
    assertThat(rig.verify().bad()).isEmpty();
  }

  @Test
  void whatIsThereIsPruned() {
    rig.sealed(5);
    rig.clock.pass(Duration.ofMinutes(1));
    rig.sealed(4);
    rig.clock.pass(RETENTION.plusDays(1));
    rig.sealed(3);
    shipped(5);

    rig.pruned();

    assertThat(firstPosition()).isEqualTo(6);
    assertThat(rig.verify().bad()).isEmpty();
    assertThat(lost()).isZero();
  }

  @Test
  void aNoteThatIsNotTheBrokersHoldsEverything() {
    rig.sealed(5);
    rig.clock.pass(RETENTION.plusDays(1));
    rig.sealed(3);
    shipped(5);
    rig.test.execute("update audit_shipped set position = 8");

    rig.pruned();

    assertThat(firstPosition()).isEqualTo(1);
  }

  @Test
  void afterTheHoldItIsPrunedWithAnAlarm() {
    rig.sealed(5);
    rig.clock.pass(RETENTION.plus(HOLD).plusDays(1));
    rig.sealed(3);
    shipped(2);

    rig.pruned();

    assertThat(firstPosition()).isEqualTo(6);
    assertThat(lost()).isEqualTo(1);
    assertThat(rig.verify().bad()).isEmpty();
  }

  private void shipped(long position) {
    var table = new AuditShippedTable(rig.keys.rowMac());
    rig.test
        .database()
        .run(
            tx ->
                table.begin(
                    tx,
                    KafkaShipper.sink(NOBODY_THERE),
                    new Shipped(position, ChainEntry.NOTHING_BEFORE, 1, 1)));
  }

  private long firstPosition() {
    return rig.test.number("select min(position) as n from audit_chain");
  }

  private long lost() {
    return rig.test.database().transaction(tx -> new AlarmTable().list(tx, true, 100)).stream()
        .filter(it -> it.kind().equals(AlarmKind.AUDIT_KAFKA_LOST.code()))
        .count();
  }
}
