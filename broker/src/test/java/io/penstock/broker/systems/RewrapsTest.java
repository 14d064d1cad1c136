package io.penstock.broker.systems;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.store.AuditTable;
import io.penstock.codec.message.ConfigurationDocument;
import io.penstock.codec.message.ControlMessage.Rewrapped;
import io.penstock.codec.seal.ConfigurationHeader;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SealedSecrets;
import io.penstock.codec.seal.SealedSecrets.Wrap;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
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

  @BeforeEach
  void start() {
    rig = new SystemsRig(directory.resolve("data"));
    before = rig.approved("press");
    SystemOperations.Outcome<SystemOperations.Made> made =
        rig.systems.put(
            "press",
            "erp",
            new SystemOperations.Edit(
                "http",
                SETTINGS.getBytes(StandardCharsets.UTF_8),
                new SystemOperations.Secrets.Sealed(
                    before.seal("erp", SETTINGS, SECRETS), List.of("password")),
                OptionalLong.empty()),
            SystemsRig.ADMIN);
    assertThat(made).isInstanceOf(SystemOperations.Outcome.Done.class);
    after = rig.rekeyed(before);
  }

  @AfterEach
  void stop() {
    rig.close();
  }

  private ConfigurationDocument document() {
    return rig.database()
        .transaction(tx -> rig.systems.documents().document(tx, "press", "erp", 1))
        .orElseThrow();
  }

  private SealedSecrets stored() {
    return SealedSecrets.fromJson(Objects.requireNonNull(document().sealed()));
  }

  private String opened(Plant by) {
    ConfigurationDocument document = document();
    return by.open(
        ConfigurationHeader.verify(document.header(), rig.keys.keyset()),
        document.settings(),
        Objects.requireNonNull(document.sealed()));
  }

  private Rewrapped told(Plant from, Plant to) {
    Octets next = to.sealing().publicKey();
    Wrap wrap =
        stored()
            .rewrap(from.sealing(), from.owner("erp", document().settings()), next)
            .wrapFor(next)
            .orElseThrow();
    return new Rewrapped(
        "erp",
        1,
        ConfigurationHeader.hashOf(document().header()).bytes(),
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
