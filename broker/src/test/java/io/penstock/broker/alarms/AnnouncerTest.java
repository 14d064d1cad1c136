package io.penstock.broker.alarms;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.store.AlarmKind;
import io.penstock.broker.store.AlarmTable;
import io.penstock.broker.store.AlarmTable.Alarm;
import io.penstock.broker.store.AlarmTable.Severity;
import io.penstock.broker.store.SilenceTable;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/// What becomes of a change: audit, silence, notices.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class AnnouncerTest {
  private World world;
  private AlarmRig rig;
  private CollectingChannel channel;
  private Courier courier;

  @BeforeAll
  void start(@TempDir Path directory) {
    world = new World(directory.resolve("data"));
  }

  @AfterAll
  void stop() {
    world.close();
  }

  @BeforeEach
  void begin() {
    rig = world.rig(Map.of());
    channel = new CollectingChannel("webhook one");
    courier = rig.courier(channel);
  }

  private void raise(AlarmKind kind, String subject) {
    world
        .postgres
        .database()
        .run(tx -> new AlarmTable().raise(tx, kind, subject, "a test", world.clock.instant()));
  }

  private void clear(AlarmKind kind, String subject) {
    world
        .postgres
        .database()
        .run(tx -> new AlarmTable().clear(tx, kind, subject, world.clock.instant()));
  }

  private void silence(Optional<String> kind, Optional<String> subject, Duration time) {
    var now = world.clock.instant();
    world
        .postgres
        .database()
        .run(
            tx ->
                new SilenceTable()
                    .insert(tx, kind, subject, now.plus(time), "maintenance", now, "ada"));
  }

  /// Announces, and brings what waits.
  private List<String> told() {
    rig.announcer(courier).announce();
    try (Courier bringing = rig.courier(channel)) {
      bringing.start();
      World.await(() -> waiting() == 0);
    }
    return channel.changes();
  }

  private long waiting() {
    return world.postgres.number(
        "select count(*) as n from alarm_notices where channel = 'webhook one'");
  }

  @Test
  void aRaisedAndAClearedAlarmAreAuditedAndToldOnce() {
    raise(AlarmKind.AGENT_CLONED, "press-1");
    raise(AlarmKind.AGENT_CLONED, "press-1");
    assertThat(told()).containsExactly("raised agent-cloned press-1");
    clear(AlarmKind.AGENT_CLONED, "press-1");

    assertThat(told())
        .containsExactly("raised agent-cloned press-1", "cleared agent-cloned press-1");
    assertThat(told()).hasSize(2);
    assertThat(world.audited("alarm.*"))
        .containsExactly("alarm.raise press-1", "alarm.clear press-1");
  }

  @Test
  void whatSomebodySilencedWakesNobodyAndIsInTheAuditTrailAllTheSame() {
    silence(Optional.of("agent-offline"), Optional.empty(), Duration.ofHours(1));
    raise(AlarmKind.AGENT_OFFLINE, "press-1");
    raise(AlarmKind.AGENT_FLAPPING, "press-1");

    assertThat(told()).containsExactly("raised agent-flapping press-1");
    clear(AlarmKind.AGENT_OFFLINE, "press-1");
    assertThat(told()).as("nobody heard of it, so nobody hears of its end").hasSize(1);
    assertThat(world.audited("alarm.*")).hasSize(3);
  }

  @Test
  void aSilenceOfAnAgentIsOneOfItsSystemsToo() {
    silence(Optional.empty(), Optional.of("press-1"), Duration.ofHours(1));
    raise(AlarmKind.CONFIGURATION_REFUSED, "press-1/erp");
    raise(AlarmKind.CONFIGURATION_REFUSED, "press-10/erp");

    assertThat(told()).containsExactly("raised configuration-refused press-10/erp");
  }

  @Test
  void afterASilenceWhatIsStillThereIsTold() {
    silence(Optional.empty(), Optional.of("press-1"), Duration.ofHours(1));
    raise(AlarmKind.TOKEN_REUSED, "press-1");
    assertThat(told()).isEmpty();
    rig.look();
    assertThat(told()).as("the silence holds").isEmpty();

    world.pass(Duration.ofHours(1));
    rig.look();
    assertThat(told()).containsExactly("raised token-reused press-1");
    rig.look();
    assertThat(told()).hasSize(1);
    assertThat(world.audited("alarm.*")).containsExactly("alarm.raise press-1");
  }

  @Test
  void whatSomebodyAcknowledgedInASilenceIsNotTold() {
    silence(Optional.empty(), Optional.of("press-1"), Duration.ofHours(1));
    raise(AlarmKind.TOKEN_REUSED, "press-1");
    assertThat(told()).isEmpty();
    rig.acknowledge(rig.only());

    world.pass(Duration.ofHours(1));
    rig.look();

    assertThat(told()).isEmpty();
  }

  @Test
  void aChannelHearsWhatIsBadEnoughForIt() {
    channel = new CollectingChannel("webhook one", Severity.HIGH);
    courier = rig.courier(channel);
    raise(AlarmKind.SIGN_IN_FAILURES_OF_ACCOUNT, "user ada@example.org");
    raise(AlarmKind.DELIVERY_BACKLOG, "press-1");
    raise(AlarmKind.AGENT_OFFLINE, "press-1");
    raise(AlarmKind.AGENT_CLONED, "press-1");

    assertThat(told())
        .containsExactly("raised agent-offline press-1", "raised agent-cloned press-1");
  }

  @Test
  void aThousandAlarmsAtOnceAreTenNotices() {
    for (int i = 0; i < 1000; i++) {
      raise(AlarmKind.AGENT_OFFLINE, "press-" + i);
    }

    assertThat(told()).hasSize(1000);
    assertThat(channel.got).hasSize(10);
    assertThat(world.audited("alarm.raise")).hasSize(1000);
  }

  @Test
  void beyondAThousandNoticesTheOldestAreDropped() {
    for (int i = 0; i < Announcer.MAX_WAITING + 5; i++) {
      raise(AlarmKind.AGENT_OFFLINE, "press-" + i);
      rig.announcer(courier).announce();
    }

    assertThat(waiting()).isEqualTo(Announcer.MAX_WAITING);
    assertThat(told().getFirst()).isEqualTo("raised agent-offline press-5");
  }

  @Test
  void noticesOfChannelsThatAreGoneAreDropped() {
    raise(AlarmKind.AGENT_OFFLINE, "press-1");
    rig.announcer(rig.courier(new CollectingChannel("webhook former"))).announce();
    assertThat(world.postgres.number("select count(*) as n from alarm_notices")).isEqualTo(1);

    rig.look();

    assertThat(world.postgres.number("select count(*) as n from alarm_notices")).isZero();
  }

  @Test
  void aNoticeSaysWhatToDo() {
    raise(AlarmKind.DISK_LOW, "node broker-1");
    told();
    Alarm alarm = rig.only();

    var body = channel.got.getFirst();

    assertThat(body.getString("broker")).isEqualTo("https://broker.example.org");
    var change = body.getJsonArray("changes").getJsonObject(0);
    assertThat(change.getJsonObject("alarm").getLong("id")).isEqualTo(alarm.id());
    assertThat(change.getJsonObject("alarm").getString("next"))
        .isEqualTo(AlarmKind.DISK_LOW.next());
    assertThat(NoticeBody.headline(body))
        .isEqualTo(
            "Penstock: raised, high: The disk of the data directory is nearly full (node"
                + " broker-1)");
    assertThat(NoticeBody.text(body)).contains("next: Make room.", "kind: disk-low");
  }

  @Test
  void textsOfStrangersBreakNoLine() {
    raise(AlarmKind.SIGN_IN_FAILURES_OF_ACCOUNT, "user a@b\r\nBcc: everybody@example.org");
    told();

    assertThat(NoticeBody.headline(channel.got.getFirst())).doesNotContain("\r", "\n");
    assertThat(NoticeBody.text(channel.got.getFirst()).lines())
        .noneMatch(line -> line.startsWith("Bcc"));
  }
}
