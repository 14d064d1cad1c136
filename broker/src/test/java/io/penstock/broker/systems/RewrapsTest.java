package io.penstock.broker.systems;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.store.AuditTable;
import io.penstock.broker.store.SystemTable;
import io.penstock.broker.store.SystemVersion;
import io.penstock.codec.message.ConfigurationDocument;
import io.penstock.codec.message.ControlMessage.Rewrapped;
import io.penstock.codec.seal.ConfigurationHeader;
import io.penstock.codec.seal.Hpke;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SealedSecrets;
import io.penstock.codec.seal.SealedSecrets.Opening;
import io.penstock.codec.seal.SealedSecrets.Wrap;
import io.penstock.codec.seal.SealingKey;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// An agent that got new identity keys wraps its documents' keys anew.
class RewrapsTest {
  private static final String SETTINGS =
      "{\"base_url\":\"https://erp.example.org\",\"user\":\"erp\",\"allow\":[]}";
  private static final String SECRETS = "{\"password\":\"correct horse battery\"}";

  @TempDir Path directory;
  private SystemsRig rig;
  private Plant before;
  private Plant after;
  private final SealingKey recovery = Hpke.generate(new SecureRandom());

  @BeforeEach
  void start() {
    rig = new SystemsRig(directory.resolve("data"));
    before = rig.approved("press");
    put("erp", Optional.empty());
    put("mes", Optional.of(recovery.publicKey()));
    after = rig.rekeyed(before);
  }

  private void put(String system, Optional<Octets> recoveryPublic) {
    assertThat(
            rig.systems.put(
                "press",
                system,
                new SystemOperations.Edit(
                    "http",
                    SETTINGS.getBytes(StandardCharsets.UTF_8),
                    new SystemOperations.Secrets.Sealed(
                        before.seal(system, SETTINGS, SECRETS, recoveryPublic),
                        List.of("password")),
                    OptionalLong.empty()),
                SystemsRig.ADMIN))
        .isInstanceOf(SystemOperations.Outcome.Done.class);
  }

  @AfterEach
  void stop() {
    rig.close();
  }

  private ConfigurationDocument document() {
    return document("erp");
  }

  private ConfigurationDocument document(String system) {
    return rig.database()
        .transaction(tx -> rig.systems.documents().document(tx, "press", system, 1))
        .orElseThrow();
  }

  private SealedSecrets stored(String system) {
    return SealedSecrets.fromJson(Objects.requireNonNull(document(system).sealed()));
  }

  private String opened(Plant by) {
    return opened(by, "erp");
  }

  private String opened(Plant by, String system) {
    ConfigurationDocument document = document(system);
    return by.open(
        ConfigurationHeader.verify(document.header(), rig.keys.keyset()),
        document.settings(),
        Objects.requireNonNull(document.sealed()));
  }

  private Opening openedByTheOwner() {
    return stored("mes").open(recovery, before.owner("mes", document("mes").settings()));
  }

  private Rewrapped told(Plant from, Plant to) {
    return told(from, to, "erp");
  }

  private Rewrapped told(Plant from, Plant to, String system) {
    Octets next = to.sealing().publicKey();
    Wrap wrap =
        stored(system)
            .rewrap(from.sealing(), from.owner(system, document(system).settings()), next)
            .wrapFor(next)
            .orElseThrow();
    return new Rewrapped(
        system,
        1,
        ConfigurationHeader.hashOf(document(system).header()).bytes(),
        SealedSecrets.recipientOf(from.sealing().publicKey()).bytes(),
        wrap.recipient().bytes(),
        wrap.sealed().bytes());
  }

  private boolean record(Rewrapped told) {
    return rig.database()
        .transaction(tx -> rig.systems.documents().rewrapped(tx, "press", 1, told));
  }

  @Test
  void theNewKeyOpensWhatOnlyTheOldOneDid() {
    String header = document().header();
    assertThat(opened(after)).isEqualTo("refused");

    assertThat(record(told(before, after))).isTrue();

    assertThat(opened(after)).isEqualTo(SECRETS);
    assertThat(opened(before)).isEqualTo("refused");
    assertThat(document().header()).isEqualTo(header);
    assertThat(rig.alarmKinds()).isEmpty();
    assertThat(rig.audit()).extracting(AuditTable.Entry::eventType).contains("system.rewrapped");
  }

  /// What an agent would send to shut the owner out: it holds the DEK, so the wrap is a good one
  /// for its own key, in the place of the recovery key's.
  private Rewrapped insteadOfTheOwners() {
    Rewrapped honest = told(before, after, "mes");
    return new Rewrapped(
        honest.system(),
        honest.version(),
        honest.headerSha256(),
        SealedSecrets.recipientOf(recovery.publicKey()).bytes(),
        honest.recipient(),
        honest.wrap());
  }

  @Test
  void anAgentReplacesNoWrapButItsOwn() {
    Rewrapped hostile = insteadOfTheOwners();

    assertThat(record(hostile)).isFalse();
    assertThat(record(hostile)).isFalse();

    assertThat(openedByTheOwner()).isInstanceOf(Opening.Opened.class);
    assertThat(opened(before, "mes")).isEqualTo(SECRETS);
    assertThat(rig.alarmKinds()).containsExactly("foreign-wrap");
    assertThat(rig.audit())
        .filteredOn(it -> it.eventType().equals("system.rewrapped"))
        .singleElement()
        .satisfies(it -> assertThat(it.result()).contains("denied"));
  }

  @Test
  void theOwnersWrapOutlivesTheAgentsKeys() {
    assertThat(record(told(before, after, "mes"))).isTrue();
    Plant third = rig.rekeyed(after);
    assertThat(record(told(after, third, "mes"))).isTrue();

    assertThat(opened(third, "mes")).isEqualTo(SECRETS);
    assertThat(opened(after, "mes")).isEqualTo("refused");
    assertThat(openedByTheOwner()).isInstanceOf(Opening.Opened.class);
    assertThat(rig.alarmKinds()).isEmpty();
  }

  @Test
  void inRowsFromBeforeTheOnlyWrapIsTheAgentsAndOfTwoNobodyKnows() {
    Rewrapped alone = told(before, after);
    Rewrapped withTheOwner = told(before, after, "mes");
    writeAsBefore("erp");
    writeAsBefore("mes");

    assertThat(record(alone)).isTrue();
    assertThat(record(withTheOwner)).isFalse();

    assertThat(opened(after)).isEqualTo(SECRETS);
    assertThat(openedByTheOwner()).isInstanceOf(Opening.Opened.class);
    assertThat(rig.alarmKinds()).isEmpty();
  }

  /// The row as brokers wrote it that did not note whose wrap is whose, under its MAC of then.
  private void writeAsBefore(String system) {
    var table = new SystemTable(rig.keys.rowMac());
    SystemVersion row =
        rig.database().transaction(tx -> table.version(tx, "press", system, 1)).orElseThrow();
    SystemTable.Content content = rig.database().transaction(tx -> table.content(tx, row));
    rig.tamper("delete from system_versions where system = '" + system + "'");
    var old =
        new SystemVersion(
            row.agent(),
            row.system(),
            row.version(),
            row.generation(),
            row.plugin(),
            row.state(),
            row.headerJws(),
            row.headerSha256(),
            row.sealedSha256(),
            Optional.empty(),
            row.secretNames(),
            row.author(),
            row.createdAt(),
            row.rowVersion());
    rig.database().run(tx -> table.insert(tx, old, content));
  }

  @Test
  void theSecondTimeNothingChanges() {
    Rewrapped told = told(before, after);
    record(told);

    assertThat(record(told)).isFalse();

    assertThat(opened(after)).isEqualTo(SECRETS);
  }

  @Test
  void onlyTheSealingKeyOfTheRecordIsARecipient() {
    Plant stranger = rig.rekeyed(after);
    Rewrapped toStranger = told(before, stranger);
    Plant again = rig.rekeyed(stranger);

    assertThat(record(toStranger)).isFalse();

    assertThat(opened(again)).isEqualTo("refused");
    assertThat(opened(before)).isEqualTo(SECRETS);
  }

  @Test
  void aHeaderThatIsNotThisVersionsChangesNothing() {
    Rewrapped told = told(before, after);

    boolean changed =
        record(
            new Rewrapped("erp", 1, new byte[32], told.replaces(), told.recipient(), told.wrap()));

    assertThat(changed).isFalse();
    assertThat(opened(before)).isEqualTo(SECRETS);
  }

  @Test
  void aSystemOrAgentThatIsNotThereChangesNothing() {
    Rewrapped told = told(before, after);

    assertThat(
            record(
                new Rewrapped(
                    "other",
                    1,
                    told.headerSha256(),
                    told.replaces(),
                    told.recipient(),
                    told.wrap())))
        .isFalse();
    boolean ofNobody =
        rig.database().transaction(tx -> rig.systems.documents().rewrapped(tx, "nobody", 1, told));
    assertThat(ofNobody).isFalse();
  }
}
