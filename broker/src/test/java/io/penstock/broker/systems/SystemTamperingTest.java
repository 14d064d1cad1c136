package io.penstock.broker.systems;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.broker.delivery.Addressee;
import io.penstock.broker.delivery.Documents;
import io.penstock.broker.systems.Refusal.Reason;
import io.penstock.broker.systems.SystemOperations.Edit;
import io.penstock.broker.systems.SystemOperations.Made;
import io.penstock.broker.systems.SystemOperations.Outcome;
import io.penstock.broker.systems.SystemOperations.Secrets;
import io.penstock.codec.message.ConfigurationDocument;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.Receipt;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Somebody writes to the database who has no keystore: nothing of it travels.
class SystemTamperingTest {
  private static final String SETTINGS =
      "{\"base_url\":\"https://erp\",\"user\":\"erp\",\"allow\":[]}";

  @TempDir Path directory;
  private SystemsRig rig;
  private Plant press;

  @BeforeEach
  void start() {
    rig = new SystemsRig(directory.resolve("data"));
    press = rig.approved("press");
    put(press, "erp");
    deploy("press", "erp", 1);
    put(press, "erp");
  }

  @AfterEach
  void stop() {
    rig.close();
  }

  private Made put(Plant plant, String system) {
    var secrets =
        new Secrets.Sealed(
            plant.seal(system, SETTINGS, "{\"password\":\"x\"}"), List.of("password"));
    var edit =
        new Edit("http", SETTINGS.getBytes(StandardCharsets.UTF_8), secrets, OptionalLong.empty());
    return switch (rig.systems.put(plant.name(), system, edit, SystemsRig.ADMIN)) {
      case Outcome.Done<Made>(Made made) -> made;
      case Outcome.Refused<Made>(Refusal refusal) -> throw new AssertionError(refusal.detail());
    };
  }

  private Outcome<?> deploy(String agent, String system, long version) {
    return rig.systems.deploy(agent, system, OptionalLong.of(version), SystemsRig.ADMIN);
  }

  private static void assertTampered(Outcome<?> outcome) {
    assertThat(outcome).isInstanceOf(Outcome.Refused.class);
    assertThat(((Outcome.Refused<?>) outcome).refusal().reason()).isEqualTo(Reason.ROW_TAMPERED);
  }

  private Optional<String> head() {
    return rig.head("press");
  }

  private Optional<ConfigurationDocument> document(long version) {
    return rig.database().transaction(tx -> documents().document(tx, "press", "erp", version));
  }

  private Documents documents() {
    return rig.systems.documents();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "plugin = 'other'",
        "version = 9",
        "deployed_version = 0",
        "deployed_version = 2",
        "deployed_generation = 7",
        "applied_version = 1",
        "removed_version = 2",
        "updated_by = 'boss'",
        "updated_at = updated_at + interval '1 hour'",
        "row_version = row_version + 1",
        "mac = sha256(mac)"
      })
  void aChangedSystemIsNotBelieved(String change) {
    rig.tamper("update systems set " + change);

    assertTampered(deploy("press", "erp", 2));
    assertTampered(rig.systems.delete("press", "erp", SystemsRig.ADMIN));
    assertTampered(rig.systems.list("press"));
    assertThat(rig.alarmKinds()).containsExactly("database-tampered");
    assertThat(rig.queue.messages).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "generation = 1 + generation",
        "plugin = 'other'",
        "state = 'applied'",
        "header_jws = header_jws || 'A'",
        "header_sha256 = sha256(header_sha256)",
        "settings = settings || '\\x00'",
        "settings = set_byte(settings, 20, get_byte(settings, 20) # 1)",
        "sealed = sealed || '\\x20'",
        "sealed = null, sealed_sha256 = null",
        "sealed_sha256 = sha256(sealed_sha256)",
        "agent_recipient = sha256(agent_recipient)",
        "agent_recipient = null",
        "secret_names = '{}'",
        "author = 'boss'",
        "created_at = created_at + interval '1 hour'",
        "row_version = row_version + 1"
      })
  void aChangedVersionDoesNotTravel(String change) {
    rig.tamper("update system_versions set " + change);

    assertThat(document(1)).isEmpty();
    assertThat(document(2)).isEmpty();
    assertTampered(deploy("press", "erp", 2));
    assertTampered(rig.systems.rollback("press", "erp", 1, SystemsRig.ADMIN));
    assertThat(rig.alarmKinds()).containsExactly("database-tampered");
    assertThat(rig.queue.messages).hasSize(1);
  }

  @Test
  void aRenumberedVersionDoesNotTravel() {
    rig.tamper("update system_versions set version = 9 where version = 2");

    assertThat(document(9)).isEmpty();
    assertThat(document(2)).isEmpty();
    assertThat(rig.alarmKinds()).containsExactly("database-tampered");
  }

  /// Every column is ours and every MAC holds; together they say something that we never wrote.
  @ParameterizedTest
  @ValueSource(
      strings = {
        "settings = o.settings",
        "sealed = o.sealed, sealed_sha256 = o.sealed_sha256",
        "header_jws = o.header_jws, header_sha256 = o.header_sha256",
        "header_jws = o.header_jws, header_sha256 = o.header_sha256, settings = o.settings, sealed"
            + " = o.sealed, sealed_sha256 = o.sealed_sha256, mac = o.mac"
      })
  void whatBelongsToAnotherVersionDoesNotTravel(String swap) {
    rig.tamper(
        "update system_versions v set "
            + swap
            + " from system_versions o where v.version = 1 and"
            + " o.version = 2");

    assertThat(document(1)).isEmpty();
    assertThat(document(2)).isPresent();
    assertThat(rig.alarmKinds()).containsExactly("database-tampered");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "generation = 2",
        "incarnation = 2",
        "sequence = sequence + 1",
        "applied_sequence = sequence",
        "jws = jws || 'A'",
        "issued_at = issued_at + interval '1 hour'",
        "expires_at = expires_at + interval '1 year'",
        "row_version = row_version + 1"
      })
  void aChangedHeadDoesNotTravel(String change) {
    rig.tamper("update heads set " + change);

    assertThat(head()).isEmpty();
    var press = new Addressee("press", 1);
    var lathe = new Addressee("lathe", 1);
    var newest = rig.database().transaction(tx -> documents().newest(tx, List.of(press, lathe)));
    // A head of another generation is none of this one; what it says of itself is not believed.
    assertThat(newest.get(press)).isInstanceOf(Documents.Newest.Unanswerable.class);
    assertThat(newest.get(lathe)).isInstanceOf(Documents.Newest.Head.class);
    assertTampered(deploy("press", "erp", 2));
    assertThat(rig.alarmKinds()).containsExactly("database-tampered");
  }

  @Test
  void whatIsFoundInATransactionIsToldWhenItIsOver() {
    rig.tamper("update heads set jws = 'x'");

    rig.database()
        .run(
            tx -> {
              assertThat(documents().head(tx, "press", 1)).isEmpty();
              assertThat(rig.alarmKinds()).isEmpty();
            });

    assertThat(rig.alarmKinds()).containsExactly("database-tampered");
  }

  @Test
  void whatIsFoundIsToldThoughTheTransactionIsRolledBack() {
    rig.tamper("update heads set jws = 'x'");

    assertThatThrownBy(
            () ->
                rig.database()
                    .run(
                        tx -> {
                          documents().head(tx, "press", 1);
                          throw new IllegalStateException("rolled back");
                        }))
        .hasMessage("rolled back");

    assertThat(rig.alarmKinds()).containsExactly("database-tampered");
  }

  @Test
  void theHeadOfAnotherAgentDoesNotTravel() {
    Plant lathe = rig.approved("lathe");
    put(lathe, "erp");
    deploy("lathe", "erp", 1);

    rig.tamper(
        "update heads h set jws = o.jws, mac = o.mac from heads o where h.agent = 'press' and"
            + " o.agent = 'lathe'");

    assertThat(head()).isEmpty();
    assertThat(rig.alarmKinds()).containsExactly("database-tampered");
  }

  @Test
  void oneSpoiledHeadDoesNotKeepTheOthersFromBeingSigned() {
    Plant lathe = rig.approved("lathe");
    put(lathe, "erp");
    deploy("lathe", "erp", 1);
    rig.tamper("update heads set jws = 'x' where agent = 'lathe'");

    rig.pass(java.time.Duration.ofHours(2));
    rig.systems.renewHeads();

    assertThat(rig.queue.renewed).containsExactly("press");
    assertThat(rig.alarmKinds()).containsExactly("database-tampered");
  }

  @Test
  void aReceiptAboutASpoiledRowChangesNothing() {
    Octets header = Octets.sha256(new byte[] {1});
    rig.tamper("update systems set applied_version = 1");
    Receipt receipt = press.receipt("erp", 1, header, new Receipt.Applied());

    rig.database()
        .run(tx -> documents().receipts(tx, List.of(press.told(receipt)), rig.clock().instant()));

    assertThat(rig.alarmKinds()).containsExactly("database-tampered");
    assertThat(rig.audit()).noneMatch(entry -> entry.eventType().equals("system.applied"));
  }

  @Test
  void aForgedReceiptIsNotShown() {
    Made made = put(press, "mes");
    Receipt receipt =
        press.receipt(
            "mes", 1, made.headerSha256(), Receipt.Refused.of(Receipt.Reason.TOO_LARGE, "x"));
    rig.database()
        .run(tx -> documents().receipts(tx, List.of(press.told(receipt)), rig.clock().instant()));

    rig.tamper("update receipts set outcome = 'applied', reason = null, detail = null");

    assertTampered(rig.systems.show("press", "mes"));
    assertThat(rig.alarmKinds()).containsExactly("database-tampered");
  }

  @Test
  void aForgedReceiptDoesNotKeepTheTrueOneOut() {
    Made made = put(press, "mes");
    deploy("press", "mes", 1);
    rig.tamper(
        "insert into receipts (agent, system, version, outcome, document, received_at, mac) values"
            + " ('press', 'mes', 1, 'applied', '', now(), '')");
    Receipt receipt = press.receipt("mes", 1, made.headerSha256(), new Receipt.Applied());

    rig.database()
        .run(tx -> documents().receipts(tx, List.of(press.told(receipt)), rig.clock().instant()));

    assertThat(rig.applied("press/mes")).hasSize(1);
    assertThat(rig.alarmKinds()).containsExactly("database-tampered");
    assertThat(rig.systems.show("press", "mes")).isInstanceOf(Outcome.Done.class);
  }

  @Test
  void aForgedReceiptKeepsNobodyFromDeployingOrRemoving() {
    put(press, "mes");
    deploy("press", "mes", 1);
    rig.tamper(
        "insert into receipts (agent, system, version, outcome, document, received_at, mac) values"
            + " ('press', 'mes', 1, 'applied', '', now(), '')");

    assertThat(rig.systems.delete("press", "mes", SystemsRig.ADMIN))
        .isInstanceOf(Outcome.Done.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "update agents set state = 'approved', generation = 2",
        "update agent_generations set sealing_public = sealing_public || '\\x00'"
      })
  void aChangedAgentGetsNothing(String change) {
    rig.tamper(change);

    assertThat(head()).isEmpty();
    assertThat(document(1)).isEmpty();
    assertThat(rig.systems.sealingKey("press")).isInstanceOf(Outcome.Refused.class);
    assertThat(rig.alarmKinds()).containsExactly("database-tampered");
  }
}
