package io.penstock.broker.systems;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.broker.alarms.AlarmRig;
import io.penstock.broker.delivery.Addressee;
import io.penstock.broker.delivery.Documents;
import io.penstock.broker.delivery.Documents.Newest;
import io.penstock.broker.delivery.Documents.Told;
import io.penstock.broker.store.AgentState;
import io.penstock.broker.store.AuditTable;
import io.penstock.broker.store.HeadRow;
import io.penstock.broker.store.IdentityTable;
import io.penstock.broker.store.SystemRow;
import io.penstock.broker.store.SystemTable;
import io.penstock.broker.store.TestRows;
import io.penstock.broker.systems.Refusal.Reason;
import io.penstock.broker.systems.SystemOperations.Edit;
import io.penstock.broker.systems.SystemOperations.Made;
import io.penstock.broker.systems.SystemOperations.Outcome;
import io.penstock.broker.systems.SystemOperations.Progress;
import io.penstock.broker.systems.SystemOperations.Queued;
import io.penstock.broker.systems.SystemOperations.Recipient;
import io.penstock.broker.systems.SystemOperations.Secrets;
import io.penstock.broker.systems.SystemOperations.SystemView;
import io.penstock.codec.message.ConfigurationDocument;
import io.penstock.codec.schema.Problem;
import io.penstock.codec.seal.ConfigurationCheck;
import io.penstock.codec.seal.ConfigurationCheck.Verdict;
import io.penstock.codec.seal.ConfigurationHeader;
import io.penstock.codec.seal.HeadManifest;
import io.penstock.codec.seal.HeadManifest.Listed;
import io.penstock.codec.seal.HeadManifest.Tombstone;
import io.penstock.codec.seal.Hpke;
import io.penstock.codec.seal.Keyset;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.Receipt;
import io.penstock.codec.seal.SealedSecrets;
import io.penstock.codec.seal.SealedSecrets.Wrap;
import io.penstock.codec.seal.VerifyingKey;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Versions, deployment, heads and receipts on a real Postgres.
class SystemsTest {
  private static final String SETTINGS = settings("https://erp.example.org");
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final String SECRETS = "{\"password\":\"correct horse battery\"}";

  @TempDir Path directory;
  private SystemsRig rig;
  private Plant press;

  @BeforeEach
  void start() {
    rig = new SystemsRig(directory.resolve("data"));
    press = rig.approved("press");
  }

  @AfterEach
  void stop() {
    rig.close();
  }

  private static String settings(String url) {
    return "{\"base_url\":\"%s\",\"user\":\"erp\",\"allow\":[{\"methods\":[\"GET\"],\"paths\":[\"/api/**\"]}]}"
        .formatted(url);
  }

  private static String open(String url) {
    return "{\"base_url\":\"%s\",\"allow\":[]}".formatted(url);
  }

  private static Edit edit(String settings, Secrets secrets) {
    return new Edit(
        "http", settings.getBytes(StandardCharsets.UTF_8), secrets, OptionalLong.empty());
  }

  private Secrets sealed(Plant plant, String settings) {
    return new Secrets.Sealed(plant.seal("erp", settings, SECRETS), List.of("password"));
  }

  private static final Instant LATER = Instant.parse("2126-01-01T00:00:00Z");

  private static final Secrets NONE = new Secrets.None(false);
  private static final Secrets CARRIED = new Secrets.Carried(List.of());

  private Outcome<Made> put(Edit edit) {
    return rig.systems.put("press", "erp", edit, SystemsRig.ADMIN);
  }

  private Made made(Edit edit) {
    return done(put(edit));
  }

  private Outcome<Queued> deploy(long version) {
    return rig.systems.deploy("press", "erp", OptionalLong.of(version), SystemsRig.ADMIN);
  }

  /// A version with secrets, deployed.
  private Made deployed() {
    Made made = made(edit(SETTINGS, sealed(press, SETTINGS)));
    done(deploy(made.version()));
    return made;
  }

  private static <T> T done(Outcome<T> outcome) {
    return switch (outcome) {
      case Outcome.Done<T>(T value) -> value;
      case Outcome.Refused<T>(Refusal refusal) ->
          throw new AssertionError(refusal.reason() + ": " + refusal.detail());
    };
  }

  private static <T> Refusal refusal(Outcome<T> outcome) {
    return switch (outcome) {
      case Outcome.Done<T>(T value) -> throw new AssertionError("done: " + value);
      case Outcome.Refused<T>(Refusal refusal) -> refusal;
    };
  }

  private static <T> Reason reason(Outcome<T> outcome) {
    return refusal(outcome).reason();
  }

  private Documents documents() {
    return rig.systems.documents();
  }

  private Optional<String> headJws() {
    return rig.head("press");
  }

  private HeadManifest head() {
    return HeadManifest.verify(headJws().orElseThrow(), rig.keys.keyset());
  }

  private long listedVersion() {
    return head().listed("erp").orElseThrow().version();
  }

  private static byte[] sealedOf(ConfigurationDocument document) {
    return Optional.ofNullable(document.sealed()).orElseThrow();
  }

  private Newest newest(long generation) {
    var press = new Addressee("press", generation);
    return Objects.requireNonNull(
        rig.database().transaction(tx -> documents().newest(tx, Set.of(press))).get(press));
  }

  @Test
  void theHeadOfAnotherGenerationListsNothing() {
    deployed();

    assertThat(newest(2)).isEqualTo(new Newest.Head(Optional.empty(), Map.of()));
  }

  @Test
  void readingTheNewestHeadNeitherSignsNorWaitsForItsLock() {
    deployed();
    String before = ((Newest.Head) newest(1)).jws().orElseThrow();
    rig.pass(Duration.ofHours(2));

    Newest read =
        rig.database()
            .transaction(
                tx -> {
                  TestRows.query(tx, "select 1 from heads for update");
                  return newest(1);
                });

    assertThat(((Newest.Head) read).jws()).contains(before);
  }

  private Optional<ConfigurationDocument> document(long version) {
    return rig.database().transaction(tx -> documents().document(tx, "press", "erp", version));
  }

  private void receipt(Plant plant, long version, Octets header, Receipt.Outcome outcome) {
    Receipt receipt = plant.receipt("erp", version, header, outcome);
    rig.database()
        .run(tx -> documents().receipts(tx, List.of(plant.told(receipt)), rig.clock().instant()));
  }

  private SystemView view() {
    return done(rig.systems.show("press", "erp")).system();
  }

  private List<String> auditTypes() {
    return rig.audit().stream().map(AuditTable.Entry::eventType).toList();
  }

  @Test
  void aDeployedVersionIsExactlyWhatTheAgentAccepts() {
    Made made = deployed();

    ConfigurationDocument document = document(1).orElseThrow();
    Verdict verdict =
        new ConfigurationCheck("press", 1, "erp", rig.keys.keyset(), head(), Optional.empty())
            .judge(document.header(), document.settings(), Optional.of(sealedOf(document)));

    assertThat(verdict).isInstanceOf(Verdict.Accepted.class);
    assertThat(((Verdict.Accepted) verdict).headerSha256()).isEqualTo(made.headerSha256());
    ConfigurationHeader header = ConfigurationHeader.verify(document.header(), rig.keys.keyset());
    assertThat(press.open(header, document.settings(), sealedOf(document))).isEqualTo(SECRETS);
    assertThat(header.previous()).isEqualTo(ConfigurationHeader.NOTHING_BEFORE);
    assertThat(header.author()).isEqualTo("admin@example.org");
    assertThat(rig.queue.messages).containsExactly("configuration press/erp 1");
  }

  @Test
  void aVersionThatIsNotDeployedIsListedNowhere() {
    Made made = made(edit(SETTINGS, sealed(press, SETTINGS)));

    assertThat(made.state()).isEqualTo("sealed");
    assertThat(headJws()).isEmpty();
    assertThat(rig.queue.messages).isEmpty();
    assertThat(view().deployedVersion()).isZero();
    assertThat(view().drift()).isFalse();
    assertThat(document(1)).as("for a test before it is deployed").isPresent();
  }

  @Test
  void settingsRestEncrypted() {
    deployed();

    rig.tamper(raisesIfFound("erp.example.org", "settings"));
    assertThatThrownBy(() -> rig.tamper(raisesIfFound("dek_commitment", "sealed")))
        .as("control")
        .hasMessageContaining("in the clear");
    assertThat(done(rig.systems.show("press", "erp")).settingsJson()).isEqualTo(SETTINGS);
  }

  private static String raisesIfFound(String text, String column) {
    return "do $$ begin if exists (select 1 from system_versions where position('%s'::bytea in %s) > 0)"
            .formatted(text, column)
        + " then raise exception 'in the clear'; end if; end $$";
  }

  @Test
  void versionsAreChainedByTheirHeaders() {
    Made first = deployed();
    String next = settings("https://erp.example.org/v2");

    made(edit(next, sealed(press, next)));

    ConfigurationDocument second = document(2).orElseThrow();
    assertThat(ConfigurationHeader.verify(second.header(), rig.keys.keyset()).previous())
        .isEqualTo(first.headerSha256());
  }

  @Test
  void everyProblemOfTheSettingsIsNamed() {
    Refusal refusal =
        refusal(put(edit("{\"base_url\":\"ftp://x\",\"max_connections\":0,\"colour\":1}", NONE)));

    assertThat(refusal.reason()).isEqualTo(Reason.SCHEMA_INVALID);
    assertThat(refusal.problems().stream().map(Problem::path))
        .containsExactlyInAnyOrder("/base_url", "/max_connections", "/colour", "/allow");
    assertThat(rig.audit().getLast().result()).contains("denied");
    assertThat(rig.systems.list("press")).isEqualTo(new Outcome.Done<>(List.of()));
  }

  @Test
  void aSecretAmongTheSettingsIsRefusedWithoutItsValue() {
    Refusal refusal =
        refusal(
            put(
                edit(
                    "{\"base_url\":\"https://x\",\"user\":\"u\",\"password\":\"hunter2\",\"allow\":[]}",
                    NONE)));

    assertThat(refusal.reason()).isEqualTo(Reason.SCHEMA_INVALID);
    assertThat(refusal.toString()).contains("/password").doesNotContain("hunter2");
    assertThat(rig.audit().toString()).doesNotContain("hunter2");
  }

  @Test
  void secretsSealedForAnotherKeyAreRefused() {
    Plant other = rig.approved("other");

    Refusal refusal = refusal(put(edit(SETTINGS, sealed(other, SETTINGS))));

    assertThat(refusal.reason()).isEqualTo(Reason.WRONG_RECIPIENT);
    assertThat(refusal.detail()).contains("fetch the agent's sealing key again");
  }

  @Test
  void secretsAreCarriedUnopened() {
    deployed();
    String more = SETTINGS.replace("\"user\"", "\"idle_ms\":5000,\"user\"");

    Made second = made(edit(more, CARRIED));

    assertThat(second.version()).isEqualTo(2);
    assertThat(document(2).orElseThrow().sealed()).isEqualTo(document(1).orElseThrow().sealed());
    assertThat(done(rig.systems.show("press", "erp")).secretNames()).containsExactly("password");
  }

  @Test
  void whatIsCarriedKeepsItsWrapsAndTheirIdsAreShown() {
    byte[] sealed =
        press.seal("erp", SETTINGS, SECRETS, Optional.of(Hpke.generate(RANDOM).publicKey()));
    List<Octets> ids =
        SealedSecrets.fromJson(sealed).wraps().stream().map(Wrap::recipient).toList();

    Made first = made(edit(SETTINGS, new Secrets.Sealed(sealed, List.of("password"))));
    Made second = made(edit(SETTINGS, CARRIED));
    Made third = done(rig.systems.rollback("press", "erp", 1, SystemsRig.ADMIN));

    List<Recipient> expected =
        List.of(new Recipient(ids.getFirst(), true), new Recipient(ids.getLast(), false));
    assertThat(first.recipients()).isEqualTo(expected);
    assertThat(second.recipients()).isEqualTo(expected);
    assertThat(third.recipients()).isEqualTo(expected);
    assertThat(done(rig.systems.show("press", "erp")).recipients()).isEqualTo(expected);
    assertThat(done(rig.systems.version("press", "erp", 2)).recipients()).contains(expected);
    assertThat(document(3).orElseThrow().sealed()).isEqualTo(document(1).orElseThrow().sealed());
  }

  @Test
  void moreWrapsThanTheFormatHasAreRefused() {
    String sealed = new String(press.seal("erp", SETTINGS, SECRETS), StandardCharsets.UTF_8);
    int at = sealed.indexOf("{\"recipient\"");
    String wrap = sealed.substring(at, sealed.length() - 2);
    String id = wrap.substring("{\"recipient\":\"".length(), "{\"recipient\":\"".length() + 43);
    var more = new StringBuilder(sealed.substring(0, sealed.length() - 2));
    for (int i = 1; i <= 4; i++) {
      more.append(',').append(wrap.replace(id, Octets.sha256(new byte[] {(byte) i}).base64Url()));
    }
    byte[] five = more.append("]}").toString().getBytes(StandardCharsets.UTF_8);

    Refusal refusal = refusal(put(edit(SETTINGS, new Secrets.Sealed(five, List.of("password")))));

    assertThat(refusal.reason()).isEqualTo(Reason.BAD_SECRETS);
  }

  @Test
  void whoReadsSealedBytesIsInTheAuditTrailBeforeTheyAreHandedOut() {
    byte[] sealed = press.seal("erp", SETTINGS, SECRETS);
    made(edit(SETTINGS, new Secrets.Sealed(sealed, List.of("password"))));
    rig.approved("press");

    SystemOperations.SealedView read =
        done(rig.systems.sealed("press", "erp", 1, SystemsRig.ADMIN));

    ConfigurationHeader header =
        ConfigurationHeader.verify(
            read.headerJws(),
            Keyset.verify(
                read.proof().keysetJws(),
                VerifyingKey.of(read.proof().rootPublic().bytes()),
                rig.keys.rootSha256(),
                rig.clock().instant()));
    assertThat(press.open(header, SETTINGS.getBytes(StandardCharsets.UTF_8), read.sealedJson()))
        .isEqualTo(SECRETS);
    assertThat(Octets.sha256(read.settingsJson().getBytes(StandardCharsets.UTF_8)))
        .isEqualTo(header.settingsSha256());
    AuditTable.Entry entry = rig.audit().getLast();
    assertThat(entry.eventType()).isEqualTo("system.sealed-read");
    assertThat(entry.user()).contains("admin@example.org");
    assertThat(entry.resourceId()).contains("press/erp");
    assertThat(entry.changes()).containsEntry("version", 1);
  }

  @Test
  void thereIsNothingSealedToReadWithoutSecrets() {
    made(edit(open("https://erp.example.org"), NONE));

    assertThat(reason(rig.systems.sealed("press", "erp", 1, SystemsRig.ADMIN)))
        .isEqualTo(Reason.NO_SECRETS);
    assertThat(reason(rig.systems.sealed("press", "erp", 2, SystemsRig.ADMIN)))
        .isEqualTo(Reason.UNKNOWN_VERSION);
    assertThat(rig.audit().getLast().result()).contains("denied");
  }

  @Test
  void aChangedDestinationDemandsTheSecretsAgain() {
    deployed();
    String elsewhere = settings("https://thief.example.org");

    Refusal refusal = refusal(put(edit(elsewhere, CARRIED)));

    assertThat(refusal.reason()).isEqualTo(Reason.DESTINATION_CHANGED);
    assertThat(refusal.detail()).contains("base_url").doesNotContain("thief");
    assertThat(made(edit(elsewhere, sealed(press, elsewhere))).version()).isEqualTo(2);
  }

  @Test
  void secretsAreDroppedOnlyWhenSaid() {
    deployed();
    String without = open("https://erp.example.org");

    assertThat(reason(put(edit(without, NONE)))).isEqualTo(Reason.SECRETS_MISSING);
    assertThat(made(edit(without, new Secrets.None(true))).version()).isEqualTo(2);
    assertThat(document(2).orElseThrow().sealed()).isNull();
    assertThat(reason(put(edit(without, CARRIED)))).isEqualTo(Reason.NO_SECRETS_TO_CARRY);
  }

  @Test
  void secretNamesGoWithSealed() {
    byte[] sealed = press.seal("erp", SETTINGS, SECRETS);

    assertThat(reason(put(edit(SETTINGS, new Secrets.Sealed(sealed, List.of())))))
        .isEqualTo(Reason.BAD_SECRETS);
    assertThat(reason(put(edit(SETTINGS, new Secrets.Sealed(sealed, List.of("pin", "password"))))))
        .isEqualTo(Reason.SCHEMA_INVALID);
    assertThat(
            reason(
                put(
                    edit(
                        SETTINGS,
                        new Secrets.Sealed(
                            "{}".getBytes(StandardCharsets.UTF_8), List.of("password"))))))
        .isEqualTo(Reason.BAD_SECRETS);
  }

  @Test
  void moreThanAMebibyteIsTooLarge() {
    String large = open("https://x").replace("[]", "[" + " ".repeat(1024 * 1024) + "]");

    assertThat(reason(put(edit(large, NONE)))).isEqualTo(Reason.TOO_LARGE);
  }

  @Test
  void somebodyElsesVersionIsNotOverwritten() {
    deployed();
    var outdated =
        new Edit(
            "http",
            open("https://x").getBytes(StandardCharsets.UTF_8),
            new Secrets.None(true),
            OptionalLong.of(0));

    assertThat(reason(put(outdated))).isEqualTo(Reason.VERSION_CONFLICT);
    assertThat(view().version()).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"penstock", "a b", "ä", ""})
  void whatIsNoNameOfASystemIsRefused(String name) {
    Outcome<Made> outcome =
        rig.systems.put("press", name, edit(open("https://x"), NONE), SystemsRig.ADMIN);

    assertThat(reason(outcome)).isEqualTo(Reason.BAD_NAME);
  }

  @ParameterizedTest
  @CsvSource({"PENDING", "QUARANTINED", "REJECTED", "REVOKED"})
  void onlyApprovedAgentsAreConfigured(AgentState state) {
    rig.state("press", state);

    Refusal refusal = refusal(put(edit(open("https://x"), NONE)));

    assertThat(refusal.reason()).isEqualTo(Reason.AGENT_NOT_APPROVED);
    assertThat(refusal.detail()).contains(state.name().toLowerCase(java.util.Locale.ROOT));
    assertThat(reason(rig.systems.sealingKey("press"))).isEqualTo(Reason.AGENT_NOT_APPROVED);
    assertThat(reason(rig.systems.sealingKey("nobody"))).isEqualTo(Reason.UNKNOWN_AGENT);
  }

  @Test
  void theNewestHeadListsWhatIsDeployedAndCountsUp() {
    deployed();
    HeadManifest first = head();
    made(edit(SETTINGS, CARRIED));

    done(deploy(2));

    HeadManifest second = head();
    assertThat(first.sequence()).isEqualTo(1);
    assertThat(second.sequence()).isEqualTo(2);
    assertThat(second.systems().get("erp"))
        .isEqualTo(new Listed(2, ConfigurationHeader.hashOf(document(2).orElseThrow().header())));
    assertThat(second.expiresAtEpochSeconds() - second.issuedAtEpochSeconds())
        .isEqualTo(24 * 60 * 60);
    assertThat(newest(1)).isInstanceOf(Newest.Head.class);
    assertThat(((Newest.Head) newest(1)).systems()).containsExactlyEntriesOf(second.systems());
  }

  @Test
  void aVersionWhoseMessageWentOutIsDelivered() {
    deployed();

    // In the place of delivery, whose table this is.
    rig.tamper(
        "insert into messages (agent, sequence, generation, kind, system, version, author,"
            + " created_at, sent_at, mac) values ('press', 1, 1, 'configuration', 'erp', 1, 'eng',"
            + " now(), now(), '')");

    assertThat(view().state()).isEqualTo("delivered");
    assertThat(done(rig.systems.version("press", "erp", 1)).state()).isEqualTo("delivered");
  }

  @Test
  void whatTheAgentHasNotDealtWithIsSuperseded() {
    deployed();
    made(edit(SETTINGS, CARRIED));
    done(deploy(2));

    assertThat(done(rig.systems.version("press", "erp", 1)).state()).isEqualTo("superseded");
    assertThat(view().state()).isEqualTo("buffered");
    assertThat(view().drift()).isTrue();
  }

  @Test
  void anAppliedReceiptEndsTheDrift() {
    Made made = deployed();

    receipt(press, 1, made.headerSha256(), new Receipt.Applied());

    assertThat(view().state()).isEqualTo("applied");
    assertThat(view().appliedVersion()).isEqualTo(1);
    assertThat(view().drift()).isFalse();
    assertThat(view().lastReceipt().orElseThrow().outcome()).isEqualTo("applied");
    assertThat(rig.systems.progress()).isEqualTo(Map.of("press", new Progress(1, 1)));
    assertThat(auditTypes()).containsExactly("system.create", "system.deploy", "system.applied");
    assertThat(rig.audit().getLast().user()).contains("press");
  }

  @Test
  void whatAnAgentAppliedAndRefusesAfterARestartDrifts() {
    Made made = deployed();
    receipt(press, 1, made.headerSha256(), new Receipt.Applied());
    Receipt.Outcome refusal =
        Receipt.Refused.of(Receipt.Reason.MISSING_SECRET_REFERENCE, "${secret:erp}");

    receipt(press, 1, made.headerSha256(), refusal);

    assertThat(view().drift()).isTrue();
    assertThat(done(rig.systems.show("press", "erp")).system().drift()).isTrue();

    made(edit(SETTINGS, CARRIED));
    assertThat(view().drift()).as("beside a version that is not deployed").isTrue();
    assertThat(done(rig.systems.show("press", "erp")).system().drift()).isTrue();

    receipt(press, 1, made.headerSha256(), new Receipt.Applied());
    assertThat(view().drift()).as("once it runs again").isFalse();
    assertThat(done(rig.systems.show("press", "erp")).system().drift()).isFalse();
  }

  @Test
  void aRefusalIsToldWithItsReasonAndTheOldVersionGoesOn() {
    Made first = deployed();
    receipt(press, 1, first.headerSha256(), new Receipt.Applied());
    Made second = made(edit(SETTINGS, CARRIED));
    done(deploy(2));

    receipt(
        press,
        2,
        second.headerSha256(),
        Receipt.Refused.of(Receipt.Reason.START_FAILED, "the port is taken"));

    assertThat(view().state()).isEqualTo("refused");
    assertThat(view().appliedVersion()).isEqualTo(1);
    assertThat(view().drift()).isTrue();
    assertThat(view().lastReceipt().orElseThrow().reason()).contains("start-failed");
    assertThat(rig.systems.progress()).isEqualTo(Map.of("press", new Progress(2, 1)));
    assertThat(rig.audit().getLast().reason()).contains("start-failed: the port is taken");
    assertThat(rig.alarmKinds()).isEmpty();
  }

  @Test
  void whatAnAgentProvesAgainStandsInTheTrailOnce() {
    Made made = deployed();

    receipt(press, made.version(), made.headerSha256(), new Receipt.Applied());
    receipt(press, made.version(), made.headerSha256(), new Receipt.Applied());

    assertThat(auditTypes()).containsExactly("system.create", "system.deploy", "system.applied");
  }

  @Test
  void whatOneDocumentProvesOfSeveralSystemsIsOneRecordThatEachFinds() {
    Made erp = deployed();
    Edit open = edit(open("https://mes.example.org"), NONE);
    Made mes = done(rig.systems.put("press", "mes", open, SystemsRig.ADMIN));
    done(rig.systems.deploy("press", "mes", OptionalLong.empty(), SystemsRig.ADMIN));
    List<Told> told =
        press.told(
            List.of(
                press.receipt("erp", 1, erp.headerSha256(), new Receipt.Applied()),
                press.receipt("mes", 1, mes.headerSha256(), new Receipt.Applied())));

    rig.database().run(tx -> documents().receipts(tx, told, rig.clock().instant()));

    assertThat(auditTypes()).endsWith("system.deploy", "system.applied");
    assertThat(rig.audit().getLast().resourceId()).contains("press");
    assertThat(rig.applied("press/erp")).isEqualTo(rig.applied("press/mes")).hasSize(1);
    assertThat(rig.applied("press/crm")).isEmpty();
    assertThat(rig.applied("lathe/erp")).isEmpty();
    assertThat(view().state()).isEqualTo("applied");
  }

  @Test
  void whatIsDeployedOnceMoreWaitsForAnotherReceipt() {
    Made made = deployed();
    receipt(press, 1, made.headerSha256(), new Receipt.Applied());
    done(deploy(1));
    assertThat(view().state()).isEqualTo("buffered");

    receipt(press, 1, made.headerSha256(), new Receipt.Applied());

    assertThat(view().state()).isEqualTo("applied");
    assertThat(auditTypes()).endsWith("system.applied", "system.deploy", "system.applied");
  }

  /// The receipt is judged by rows that somebody else is about to change, and waits for them.
  @Test
  void whatChangesWhileAReceiptIsWrittenDownIsNotLost() throws Exception {
    Made made = deployed();
    Receipt receipt = press.receipt("erp", 1, made.headerSha256(), new Receipt.Applied());
    var table = new SystemTable(rig.keys.rowMac());
    var changed = new CountDownLatch(1);

    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var changing =
          threads.submit(
              () ->
                  rig.database()
                      .run(
                          tx -> {
                            SystemRow row = table.lock(tx, "press", "erp").orElseThrow();
                            HeadRow head = table.lockHead(tx, "press").orElseThrow();
                            table.update(tx, row.deployed(1, 1, "somebody", row.updatedAt()));
                            table.update(tx, again(head));
                            changed.countDown();
                            awaitSomebodyWaits();
                          }));
      await(changed);
      receipt(press, 1, receipt.headerSha256(), new Receipt.Applied());
      changing.get(10, TimeUnit.SECONDS);
    }

    SystemRow row = rig.database().transaction(tx -> table.find(tx, "press", "erp")).orElseThrow();
    assertThat(row.updatedBy()).isEqualTo("somebody");
    assertThat(row.appliedVersion()).isEqualTo(1);
    HeadRow head = rig.database().transaction(tx -> table.head(tx, "press")).orElseThrow();
    assertThat(head.expiresAt()).isEqualTo(LATER);
    assertThat(head.applied()).isTrue();
  }

  private static HeadRow again(HeadRow head) {
    return new HeadRow(
        head.agent(),
        head.generation(),
        head.incarnation(),
        head.sequence(),
        head.appliedSequence(),
        head.jws(),
        head.issuedAt(),
        LATER,
        head.rowVersion() + 1);
  }

  private void awaitSomebodyWaits() {
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (rig.postgres.number(
            "select count(*) as n from pg_stat_activity"
                + " where wait_event_type = 'Lock' and datname = current_database()")
        == 0) {
      assertThat(System.nanoTime()).isLessThan(until);
      Thread.onSpinWait();
    }
  }

  @Test
  void whatAnAgentProvesAtEveryStartIsKeptOnce() {
    Made made = deployed();
    for (int start = 0; start < 3; start++) {
      var told =
          new Receipt(
              "press",
              1,
              "erp",
              made.version(),
              made.headerSha256(),
              new Receipt.Applied(),
              100 + start);
      rig.database()
          .run(tx -> documents().receipts(tx, List.of(press.told(told)), rig.clock().instant()));
    }

    List<JsonObject> kept =
        rig.database()
            .transaction(
                tx ->
                    TestRows.query(
                        tx, "select jws from receipt_documents where agent = $1", "press"));
    assertThat(kept).hasSize(1);
  }

  /// Delivery holds a message's row when it records the receipt; deploying again takes that row to
  /// supersede the message. Another agent's row stands for it here.
  @Test
  void aReceiptAndADeploymentOfTheSameSystemDoNotWaitForEachOther() throws Exception {
    Made made = deployed();
    rig.approved("message");
    var receiptHoldsIt = new CountDownLatch(1);
    var deploymentWantsIt = new CountDownLatch(1);
    Receipt receipt = press.receipt("erp", 1, made.headerSha256(), new Receipt.Applied());
    rig.queue.whenAsked =
        tx -> {
          deploymentWantsIt.countDown();
          new IdentityTable().lock(tx, "message").get();
        };

    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var receiving =
          threads.submit(
              () ->
                  rig.database()
                      .run(
                          tx -> {
                            new IdentityTable().lock(tx, "message").get();
                            receiptHoldsIt.countDown();
                            await(deploymentWantsIt);
                            documents()
                                .receipts(tx, List.of(press.told(receipt)), rig.clock().instant());
                          }));
      await(receiptHoldsIt);
      var deploying = threads.submit(() -> done(deploy(1)));
      receiving.get(10, TimeUnit.SECONDS);
      deploying.get(10, TimeUnit.SECONDS);
    }

    assertThat(view().appliedVersion()).isEqualTo(1);
    assertThat(view().state()).isEqualTo("buffered");
    assertThat(rig.alarmKinds()).isEmpty();
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(10, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException stopped) {
      throw new AssertionError(stopped);
    }
  }

  @Test
  void rollingBackMakesANewVersionOfTheOldContent() {
    deployed();
    String other = SETTINGS.replace("\"user\"", "\"idle_ms\":5000,\"user\"");
    made(edit(other, CARRIED));
    done(deploy(2));

    assertThat(reason(deploy(1))).isEqualTo(Reason.OLDER_VERSION);
    Made back = done(rig.systems.rollback("press", "erp", 1, SystemsRig.ADMIN));

    assertThat(back.version()).isEqualTo(3);
    assertThat(done(rig.systems.show("press", "erp")).settingsJson()).isEqualTo(SETTINGS);
    done(deploy(3));
    assertThat(listedVersion()).isEqualTo(3);
  }

  @Test
  void diffsNameWhatDiffers() {
    deployed();
    made(edit(SETTINGS.replace("\"user\"", "\"idle_ms\":5000,\"user\""), CARRIED));

    assertThat(done(rig.systems.diff("press", "erp", 1, 2)))
        .containsExactly(
            Map.entry("/idle_ms", new SettingsDiff.Change(Optional.empty(), Optional.of("5000"))));
    assertThat(rig.audit().getLast().changes().get("settings"))
        .isEqualTo(Map.of("/idle_ms", Map.of("new", 5000)));
    assertThat(rig.audit().getLast().changes().get("secrets")).isEqualTo("carried");
  }

  @Test
  void aRemovedSystemIsATombstoneAboveAllItsVersions() {
    Made made = deployed();
    receipt(press, 1, made.headerSha256(), new Receipt.Applied());

    Queued removed = done(rig.systems.delete("press", "erp", SystemsRig.ADMIN));

    assertThat(removed.version()).isEqualTo(2);
    assertThat(head().systems().get("erp")).isEqualTo(Tombstone.at(2));
    assertThat(rig.queue.messages).contains("removal press/erp 2");
    assertThat(done(rig.systems.list("press")))
        .singleElement()
        .extracting(SystemView::state)
        .isEqualTo("removed");
    receipt(press, 2, ConfigurationHeader.NOTHING_BEFORE, new Receipt.Applied());
    assertThat(done(rig.systems.list("press"))).isEmpty();
    assertThat(rig.systems.progress()).isEqualTo(Map.of("press", new Progress(2, 2)));
    assertThat(reason(rig.systems.delete("press", "erp", SystemsRig.ADMIN)))
        .isEqualTo(Reason.UNKNOWN_SYSTEM);
  }

  @Test
  void aRemovedSystemComesBackOnlyAsANewVersion() {
    deployed();
    done(rig.systems.delete("press", "erp", SystemsRig.ADMIN));

    assertThat(reason(deploy(1))).isEqualTo(Reason.REMOVED);
    assertThat(reason(put(edit(SETTINGS, CARRIED)))).isEqualTo(Reason.NO_SECRETS_TO_CARRY);
    Made again = made(edit(open("https://x"), NONE));
    assertThat(again.version()).isEqualTo(3);
    done(deploy(3));
    assertThat(listedVersion()).isEqualTo(3);
  }

  @Test
  void anAgentEnrolledAgainStartsWithAnEmptyHead() {
    deployed();
    Plant again = rig.approved("press");

    HeadManifest empty = head();
    assertThat(empty.generation()).isEqualTo(2);
    assertThat(empty.sequence()).isEqualTo(2);
    assertThat(empty.systems()).isEmpty();
    assertThat(document(1)).isEmpty();
    assertThat(view().drift()).isTrue();
    assertThat(reason(deploy(1))).isEqualTo(Reason.OLD_GENERATION);
    assertThat(reason(put(edit(SETTINGS, CARRIED)))).isEqualTo(Reason.OLD_GENERATION);
    assertThat(reason(rig.systems.rollback("press", "erp", 1, SystemsRig.ADMIN)))
        .isEqualTo(Reason.OLD_GENERATION);
    assertThat(reason(put(edit(SETTINGS, sealed(press, SETTINGS)))))
        .isEqualTo(Reason.WRONG_RECIPIENT);

    made(edit(SETTINGS, sealed(again, SETTINGS)));
    done(deploy(2));
    assertThat(head().systems().keySet()).containsExactly("erp");
    assertThat(document(2)).isPresent();
  }

  @Test
  void aHeadThatNobodySignsAgainIsAnAlarmUntilSomebodyDoes() {
    deployed();
    var alarms =
        new AlarmRig(
            rig.postgres, rig.keys.rowMac(), rig.clock(), Map.of("alarms.offline_after", "7d"));
    rig.pass(Duration.ofMinutes(23 * 60 + 59));
    alarms.look();
    assertThat(alarms.standing()).doesNotContain("head-stale press");
    rig.pass(Duration.ofMinutes(1));
    alarms.look();
    assertThat(alarms.standing()).contains("head-stale press");

    rig.systems.renewHeads();
    alarms.look();
    rig.pass(Duration.ofMinutes(1));
    alarms.look();

    assertThat(alarms.standing()).doesNotContain("head-stale press");
  }

  @Test
  void headsAreSignedAgainHourly() {
    Made made = deployed();
    receipt(press, 1, made.headerSha256(), new Receipt.Applied());
    rig.approved("idle");
    HeadManifest first = head();

    rig.pass(Duration.ofMinutes(59));
    rig.systems.renewHeads();
    assertThat(rig.queue.renewed).isEmpty();
    rig.pass(Duration.ofMinutes(2));
    rig.systems.renewHeads();
    rig.systems.renewHeads();

    assertThat(rig.queue.renewed).containsExactly("press");
    HeadManifest second = head();
    assertThat(second.sequence()).isEqualTo(2);
    assertThat(second.systems()).isEqualTo(first.systems());
    assertThat(second.issuedAtEpochSeconds()).isGreaterThan(first.issuedAtEpochSeconds());
    assertThat(rig.systems.progress()).isEqualTo(Map.of("press", new Progress(2, 2)));
  }

  @Test
  void aHeadThatHasExpiredWhileTheBrokerWasAwayIsSignedBeforeItTravels() {
    deployed();
    rig.pass(Duration.ofHours(30));

    assertThat(head().isExpiredAt(rig.clock().instant())).isFalse();
  }

  @Test
  void aFullQueueLeavesEverythingAsItWas() {
    deployed();
    made(edit(SETTINGS, CARRIED));
    rig.queue.full = true;

    Refusal refusal = refusal(deploy(2));

    assertThat(refusal.reason()).isEqualTo(Reason.TOO_MANY_MESSAGES);
    assertThat(listedVersion()).isEqualTo(1);
    assertThat(view().deployedVersion()).isEqualTo(1);
    assertThat(done(rig.systems.version("press", "erp", 1)).state()).isEqualTo("buffered");
  }

  @Test
  void whatCannotBeAuditedDoesNotHappen() {
    deployed();
    made(edit(SETTINGS, CARRIED));
    rig.tamper("alter table audit_log rename to hidden");

    try {
      assertThatThrownBy(() -> deploy(2)).isInstanceOf(RuntimeException.class);
      assertThatThrownBy(() -> put(edit(SETTINGS, CARRIED))).isInstanceOf(RuntimeException.class);
    } finally {
      rig.tamper("alter table hidden rename to audit_log");
    }
    assertThat(view().version()).isEqualTo(2);
    assertThat(view().deployedVersion()).isEqualTo(1);
    assertThat(rig.queue.messages).hasSize(1);
  }

  @Test
  void theSealingKeyComesWithItsProof() {
    var view = done(rig.systems.sealingKey("press"));

    assertThat(view.agentRecord().sealingPublic()).isEqualTo(press.sealing().publicKey());
    assertThat(io.penstock.codec.seal.AgentRecord.verify(view.recordJws(), rig.keys.keyset()))
        .isEqualTo(view.agentRecord());
  }
}
