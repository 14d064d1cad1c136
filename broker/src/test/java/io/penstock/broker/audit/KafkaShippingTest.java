package io.penstock.broker.audit;

import static org.apache.kafka.common.acl.AclOperation.DESCRIBE_CONFIGS;
import static org.apache.kafka.common.acl.AclOperation.READ;
import static org.apache.kafka.common.acl.AclOperation.WRITE;
import static org.apache.kafka.common.resource.ResourceType.GROUP;
import static org.apache.kafka.common.resource.ResourceType.TOPIC;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.penstock.broker.config.DataDirectory;
import io.penstock.broker.config.KafkaConfig;
import io.penstock.broker.ctl.Shell;
import io.penstock.broker.store.AlarmKind;
import io.penstock.broker.store.AlarmTable;
import io.penstock.broker.store.AlarmTable.Alarm;
import io.penstock.codec.audit.ExportLine;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.GroupAuthorizationException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/// The audit trail in a real Kafka, over SASL_SSL with SCRAM, which comes and goes.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Order(1)
class KafkaShippingTest {
  private static final Map<String, String> KEPT =
      Map.of("cleanup.policy", "delete", "retention.ms", "-1");
  private static final String OTHER_TOPIC = "telemetry.raw";
  private static final Duration BEHIND = Duration.ofMinutes(5);

  @TempDir static Path kafkaDirectory;
  @TempDir Path directory;
  private TestKafka kafka;
  private Optional<AuditRig> opened = Optional.empty();
  private int rigs;

  @BeforeAll
  void startKafka() throws Exception {
    kafka = TestKafka.start(kafkaDirectory.resolve("kafka"));
    createTopic(OTHER_TOPIC, KEPT);
    kafka.allow(TestKafka.SINK, GROUP, TestKafka.GROUP, READ);
  }

  @AfterAll
  void stopKafka() throws Exception {
    kafka.close();
  }

  @AfterEach
  void stop() {
    opened.ifPresent(
        rig -> {
          rig.proof.stopShipping();
          rig.close();
        });
    opened = Optional.empty();
  }

  /// A topic of one test's own, with the rights of `docs/kafka.md`.
  private void createTopic(String topic, Map<String, String> settings) throws Exception {
    kafka.createTopic(topic, settings);
    if (!topic.equals(OTHER_TOPIC)) {
      kafka.allow(TestKafka.PRODUCER, TOPIC, topic, WRITE, DESCRIBE_CONFIGS);
      kafka.allow(TestKafka.SINK, TOPIC, topic, READ);
    }
  }

  private AuditRig rig(String topic) {
    return rig(kafka.config(TestKafka.PRODUCER, topic, BEHIND));
  }

  private AuditRig rig(KafkaConfig config) {
    Path data = directory.resolve("data-" + ++rigs);
    var rig = new AuditRig(data, Optional.empty(), Optional.of(config));
    opened = Optional.of(rig);
    return rig;
  }

  @Test
  void recordsArriveInOrderWithTheirHashesAndProveThemselves() throws Exception {
    createTopic(TestKafka.TOPIC, KEPT);
    AuditRig rig = rig(kafka.config());
    rig.sealed(700);
    rig.proof.ship();
    rig.sealed(3);
    rig.proof.ship();

    List<ConsumerRecord<String, String>> records = kafka.consumed(TestKafka.TOPIC);

    assertThat(positions(records)).isEqualTo(upTo(703));
    assertThat(rig.proof.shipping()).isEqualTo(new ShippingState(true, true, 703, 0, 0));
    List<ConsumerRecord<String, String>> entries = entries(records);
    assertThat(header(entries.get(0), "previous_hash")).isEqualTo("A".repeat(43));
    for (int i = 1; i < entries.size(); i++) {
      assertThat(header(entries.get(i), "previous_hash"))
          .isEqualTo(header(entries.get(i - 1), "hash"));
    }
    assertThat(entries.stream().map(ConsumerRecord::value))
        .isEqualTo(rig.export().stream().filter(it -> it.startsWith("{\"position")).toList());
    assertThat(records.getLast().value()).startsWith("{\"penstock_audit_export\":1");
    Shell.Result verified = verify(rig, records);
    assertThat(verified.exitCode()).as(verified.err()).isZero();
    assertThat(verified.out()).contains("positions 1 to 703", "0 lines came again");
  }

  @Test
  void aChangedOrMissingLineOfTheTopicIsNamed() throws Exception {
    createTopic("changed", KEPT);
    AuditRig rig = rig("changed");
    rig.sealed(9);
    rig.proof.ship();
    List<String> lines =
        new ArrayList<>(kafka.consumed("changed").stream().map(ConsumerRecord::value).toList());

    var changed = new ArrayList<>(lines);
    changed.set(4, lines.get(4).replace("alice@example.com", "eve@example.com"));
    var cut = new ArrayList<>(lines);
    cut.remove(5);

    assertThat(verifyLines(rig, changed).err() + verifyLines(rig, changed).out())
        .contains("changed at position 5");
    assertThat(verifyLines(rig, cut).exitCode()).isEqualTo(1);
    assertThat(verifyLines(rig, cut).out()).contains("at position 6");
    assertThat(verifyLines(rig, lines.subList(3, lines.size())).out()).contains("positions 5 to 9");
  }

  @Test
  void kafkaThatIsKilledAndComesBackGetsEverythingInOrder() throws Exception {
    outage("outage", Duration.ofSeconds(1));
  }

  @Test
  @Tag("slow")
  void kafkaThatIsAwayForTenMinutesGetsEverythingInOrder() throws Exception {
    outage("long-outage", Duration.ofMinutes(10));
  }

  private void outage(String topic, Duration length) throws Exception {
    createTopic(topic, KEPT);
    AuditRig rig = rig(topic);
    rig.proof.startShipping();
    rig.sealed(50);
    await(() -> rig.proof.shipping().position() == 50);

    kafka.kill();
    long until = System.nanoTime() + length.toNanos();
    int written = 50;
    while (System.nanoTime() < until) {
      rig.sealed(20);
      written += 20;
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(300));
    }
    int sealed = written;
    await(() -> rig.proof.shipping().secondsBehind() > 0);
    assertThat(rig.proof.shipping().position()).isLessThan(sealed);
    assertThat(rig.proof.shipping().lag()).isGreaterThan(0);
    rig.clock.pass(BEHIND.plusSeconds(1));
    await(() -> alarm(rig, KafkaShipper.BEHIND).isPresent());
    assertThat(alarm(rig, KafkaShipper.BEHIND).orElseThrow().message()).contains("after position");
    kafka.start();

    await(() -> rig.proof.shipping().position() == sealed);
    await(() -> alarm(rig, KafkaShipper.BEHIND).isEmpty());
    List<ConsumerRecord<String, String>> records = kafka.consumed(topic);
    assertThat(taken(records)).isEqualTo(upTo(sealed));
    assertThat(firstSeen(records)).isEqualTo(upTo(sealed));
    assertThat(verify(rig, records).exitCode()).isZero();
  }

  @Test
  void aCrashBeforeTheNoteSendsAPageTwiceAndConsumersPassOverIt() throws Exception {
    createTopic("crash", KEPT);
    AuditRig rig = rig("crash");
    rig.sealed(5);
    rig.proof.ship();
    rig.test.execute("create table noted as select * from audit_shipped");
    rig.sealed(5);
    rig.proof.ship();
    rig.proof.stopShipping();
    rig.test.execute(
        "update audit_shipped as s set position = n.position, hash = n.hash, checkpoint ="
            + " n.checkpoint, row_version = n.row_version, mac = n.mac from noted as n");
    rig.restart();
    rig.sealed(2);
    rig.proof.ship();

    List<ConsumerRecord<String, String>> records = kafka.consumed("crash");

    assertThat(positions(records))
        .containsExactly(1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L, 10L, 6L, 7L, 8L, 9L, 10L, 11L, 12L);
    assertThat(taken(records)).isEqualTo(upTo(12));
    Shell.Result verified = verify(rig, records);
    assertThat(verified.exitCode()).as(verified.err()).isZero();
    assertThat(verified.out()).contains("5 lines came again");
  }

  @Test
  void oneBrokerShipsUntilItStops() throws Exception {
    createTopic("two", KEPT);
    AuditRig rig = rig("two");
    try (DataDirectory other = DataDirectory.open(directory.resolve("other"))) {
      AuditProof second = rig.another(other);
      rig.sealed(3);
      second.seal();
      rig.proof.ship();
      rig.sealed(2);
      second.ship();

      assertThat(second.shipping().shipping()).isFalse();
      assertThat(second.shipping().position()).isEqualTo(3);
      assertThat(positions(kafka.consumed("two"))).isEqualTo(upTo(3));

      rig.proof.stopShipping();
      second.ship();

      assertThat(second.shipping().shipping()).isTrue();
      assertThat(positions(kafka.consumed("two"))).isEqualTo(upTo(5));
      second.stopShipping();
    }
  }

  @Test
  void aHoldOfNobodyIsNotWaitedForAndOneThatSendsNothingIsAnAlarm() throws Exception {
    createTopic("hold", KEPT);
    AuditRig rig = rig("hold");
    rig.sealed(3);
    rig.proof.ship();
    rig.test.execute("update audit_shipped set holder = 'nobody', held_until = 'infinity'");
    rig.sealed(2);

    rig.proof.ship();

    assertThat(positions(kafka.consumed("hold"))).isEqualTo(upTo(5));

    rig.sealed(2);
    rig.test.execute(
        "update audit_shipped set holder = 'nobody', held_until = now() + interval '50 s'");
    rig.proof.ship();
    rig.proof.ship();
    rig.clock.pass(BEHIND.multipliedBy(2).plusSeconds(1));
    rig.proof.ship();

    assertThat(positions(kafka.consumed("hold"))).isEqualTo(upTo(5));
    assertThat(alarm(rig, KafkaShipper.BEHIND).orElseThrow().message())
        .contains("after position 5", "the broker that has the turn sends nothing");
    rig.test.execute("update audit_shipped set held_until = now() - interval '1 s'");
    rig.proof.ship();
    rig.proof.ship();

    assertThat(positions(kafka.consumed("hold"))).isEqualTo(upTo(7));
    assertThat(alarm(rig, KafkaShipper.BEHIND)).isEmpty();
  }

  @Test
  void aNoteThatIsNotTheBrokersIsNotFollowed() throws Exception {
    createTopic("note", KEPT);
    AuditRig rig = rig("note");
    rig.sealed(5);
    rig.proof.ship();
    rig.test.execute("update audit_shipped set position = 9");
    rig.sealed(6);

    rig.proof.ship();
    rig.clock.pass(BEHIND.plusSeconds(1));
    rig.proof.ship();

    assertThat(positions(kafka.consumed("note"))).isEqualTo(upTo(5));
    assertThat(alarm(rig, KafkaShipper.BEHIND).orElseThrow().message())
        .contains("is not the broker's");
  }

  @Test
  void aTopicThatThinsOutRecordsIsAnAlarmAndOneThatIsMissingIsNotMade() throws Exception {
    createTopic("thin", Map.of("cleanup.policy", "compact", "retention.ms", "60000"));
    AuditRig rig = rig("thin");
    rig.sealed(3);
    rig.proof.ship();

    assertThat(alarm(rig, KafkaShipper.TOPIC).orElseThrow().message())
        .contains("cleanup.policy: expected delete, found compact")
        .contains("retention.ms: expected -1 or at least 604800000, found 60000");
    assertThat(positions(kafka.consumed("thin"))).isEqualTo(upTo(3));
    stop();

    kafka.allow(TestKafka.PRODUCER, TOPIC, "missing", WRITE, DESCRIBE_CONFIGS);
    AuditRig without = rig("missing");
    without.sealed(3);
    without.proof.ship();
    without.clock.pass(BEHIND.plusSeconds(1));
    without.proof.ship();

    assertThat(alarm(without, KafkaShipper.BEHIND).orElseThrow().message())
        .contains("there is no topic missing");
    try (var admin = kafka.admin()) {
      assertThat(admin.listTopics().names().get(20, TimeUnit.SECONDS)).doesNotContain("missing");
    }
  }

  // What the commands of docs/kafka.md allow.

  @Test
  void theSinkReadsItsTopicInItsGroupAndNothingElse() throws Exception {
    createTopic("acl", KEPT);
    AuditRig rig = rig("acl");
    rig.sealed(2);
    rig.proof.ship();

    try (KafkaConsumer<String, String> mine = kafka.consumer(TestKafka.SINK, TestKafka.GROUP)) {
      mine.subscribe(List.of("acl"));
      var got = new ArrayList<ConsumerRecord<String, String>>();
      await(
          () -> {
            mine.poll(Duration.ofMillis(100)).forEach(got::add);
            return entries(got).size() == 2;
          });
      mine.commitSync();
    }
    try (KafkaProducer<String, String> writing = kafka.producerOfTheSink()) {
      assertThatThrownBy(
              () -> writing.send(new ProducerRecord<>("acl", "forged")).get(30, TimeUnit.SECONDS))
          .isInstanceOf(ExecutionException.class)
          .cause()
          .isInstanceOf(TopicAuthorizationException.class);
    }
    assertThatThrownBy(() -> kafka.consumed(OTHER_TOPIC))
        .isInstanceOf(TopicAuthorizationException.class);
    try (KafkaConsumer<String, String> other = kafka.consumer(TestKafka.SINK, "another-group")) {
      other.subscribe(List.of("acl"));
      assertThatThrownBy(() -> pollForAWhile(other))
          .isInstanceOf(GroupAuthorizationException.class);
    }
    assertThat(entries(kafka.consumed("acl"))).hasSize(2);
  }

  @Test
  void theBrokerWritesItsTopicAndReadsNothing() throws Exception {
    createTopic("write-only", KEPT);
    var partition = new TopicPartition("write-only", 0);
    try (KafkaConsumer<String, String> reading =
        kafka.consumer(TestKafka.PRODUCER, TestKafka.GROUP)) {
      reading.assign(List.of(partition));
      reading.seekToBeginning(List.of(partition));
      assertThatThrownBy(() -> pollForAWhile(reading))
          .isInstanceOf(TopicAuthorizationException.class);
    }

    AuditRig rig = rig(OTHER_TOPIC);
    rig.sealed(1);
    rig.proof.ship();
    rig.clock.pass(BEHIND.plusSeconds(1));
    rig.proof.ship();

    assertThat(rig.proof.shipping().position()).isZero();
    assertThat(alarm(rig, KafkaShipper.BEHIND).orElseThrow().message())
        .contains("TopicAuthorizationException");
  }

  @Test
  void theWordsForALoginAreInNoLogLine() throws Exception {
    createTopic("logged", KEPT);
    var lines = new ListAppender<ILoggingEvent>();
    lines.start();
    List<Logger> loggers =
        List.of(
            (Logger) LoggerFactory.getLogger("org.apache.kafka"),
            (Logger) LoggerFactory.getLogger("io.penstock"));
    List<Level> before = loggers.stream().map(Logger::getEffectiveLevel).toList();
    for (Logger logger : loggers) {
      logger.setLevel(Level.DEBUG);
      logger.setAdditive(false);
      logger.addAppender(lines);
    }
    try {
      AuditRig rig = rig("logged");
      rig.sealed(2);
      rig.proof.ship();
      assertThat(rig.proof.shipping().position()).isEqualTo(2);
      stop();
      // A wrong one.
      AuditRig refused = rig(kafka.config("nobody", "logged", BEHIND));
      refused.sealed(2);
      refused.proof.ship();
      refused.clock.pass(BEHIND.plusSeconds(1));
      refused.proof.ship();
      assertThat(alarm(refused, KafkaShipper.BEHIND).orElseThrow().message())
          .contains("SaslAuthenticationException")
          .doesNotContain("cer; é");
    } finally {
      for (int i = 0; i < loggers.size(); i++) {
        loggers.get(i).setLevel(before.get(i));
        loggers.get(i).setAdditive(true);
        loggers.get(i).detachAppender(lines);
      }
    }

    assertThat(lines.list)
        .anyMatch(it -> it.getFormattedMessage().contains("sasl.jaas.config = [hidden]"));
    assertThat(lines.list).noneMatch(it -> it.getFormattedMessage().contains("cer; é"));
  }

  private static void pollForAWhile(KafkaConsumer<String, String> consumer) {
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (System.nanoTime() < until) {
      consumer.poll(Duration.ofMillis(200));
    }
  }

  private static Optional<Alarm> alarm(AuditRig rig, AlarmKind kind) {
    return rig.test.database().transaction(tx -> new AlarmTable().list(tx, true, 100)).stream()
        .filter(it -> it.kind().equals(kind.code()))
        .findFirst();
  }

  private Shell.Result verify(AuditRig rig, List<ConsumerRecord<String, String>> records)
      throws Exception {
    return verifyLines(rig, records.stream().map(ConsumerRecord::value).toList());
  }

  private Shell.Result verifyLines(AuditRig rig, List<String> lines) throws Exception {
    Path file = directory.resolve("consumed.jsonl");
    Files.write(file, lines);
    return new Shell(directory, Clock.systemUTC())
        .ctl(
            "audit",
            "verify",
            "--file",
            file.toString(),
            "--consumed",
            "--root",
            rig.keys.rootSha256().base64Url());
  }

  private static List<ConsumerRecord<String, String>> entries(
      List<ConsumerRecord<String, String>> records) {
    return records.stream().filter(it -> header(it, ShippedLine.KIND).equals("entry")).toList();
  }

  private static String header(ConsumerRecord<String, String> record, String name) {
    return new String(record.headers().lastHeader(name).value(), StandardCharsets.UTF_8);
  }

  private static List<Long> positions(List<ConsumerRecord<String, String>> records) {
    return entries(records).stream()
        .map(it -> ((ExportLine.Sealed) ExportLine.parse(it.value())).entry().position())
        .toList();
  }

  /// As `docs/kafka.md` tells a consumer: the next position, nothing else.
  private static List<Long> taken(List<ConsumerRecord<String, String>> records) {
    var taken = new ArrayList<Long>();
    for (long position : positions(records)) {
      if (position == taken.size() + 1) {
        taken.add(position);
      }
    }
    return taken;
  }

  private static List<Long> firstSeen(List<ConsumerRecord<String, String>> records) {
    return positions(records).stream().distinct().toList();
  }

  private static List<Long> upTo(long last) {
    var all = new ArrayList<Long>();
    for (long position = 1; position <= last; position++) {
      all.add(position);
    }
    return all;
  }

  private static void await(BooleanSupplier condition) {
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(120);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("time is over").isLessThan(until);
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
    }
  }
}
