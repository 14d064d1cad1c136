package io.penstock.broker.rotation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.broker.audit.Audit;
import io.penstock.broker.keys.KeyState;
import io.penstock.broker.keys.ManagedKey;
import io.penstock.broker.keys.RotationRefusedException;
import io.penstock.broker.store.AuditTable;
import io.penstock.broker.systems.SystemOperations;
import io.penstock.broker.systems.SystemOperations.Edit;
import io.penstock.broker.systems.SystemOperations.Made;
import io.penstock.broker.systems.SystemOperations.Outcome;
import io.penstock.broker.systems.SystemsRig;
import io.penstock.codec.seal.ConfigurationHeader;
import io.penstock.codec.seal.HeadManifest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KeyRotationTest {
  private static final Set<ManagedKey> ALL = EnumSet.complementOf(EnumSet.of(ManagedKey.ROW_MAC));
  private static final String SETTINGS = "{\"base_url\":\"http://erp.example.org\",\"allow\":[]}";

  @TempDir Path directory;
  private SystemsRig rig;
  private KeyRotation rotation;
  private final Files files = new Files();

  /// One file, which the disk may not let be written.
  private static final class Files implements WrappedFiles {
    private final AtomicInteger wrapped = new AtomicInteger();
    private volatile boolean diskIsFull;

    @Override
    public void rewrap() {
      if (diskIsFull) {
        throw new UncheckedIOException(new IOException("no space left on device"));
      }
      wrapped.incrementAndGet();
    }

    @Override
    public List<String> needsOfOlderKek() {
      return diskIsFull ? List.of("a file") : List.of();
    }
  }

  @BeforeEach
  void start() {
    rig = new SystemsRig(directory.resolve("data"));
    rig.approved("press");
    rotation =
        new KeyRotation(
            new KeyRotation.Surroundings(
                rig.database(),
                rig.keys,
                new Audit(rig.database(), rig.keys.rowMac(), rig.clock()),
                rig.agents().keyUpkeep(),
                rig.systems.keyUpkeep(),
                files,
                Duration.ofMinutes(15),
                rig.clock()));
  }

  @AfterEach
  void stop() {
    rotation.close();
    rig.close();
  }

  private Made deployed() {
    Outcome<Made> put =
        rig.systems.put(
            "press",
            "erp",
            new Edit(
                "http",
                SETTINGS.getBytes(StandardCharsets.UTF_8),
                new SystemOperations.Secrets.None(false),
                OptionalLong.empty()),
            SystemsRig.ADMIN);
    Made made = ((Outcome.Done<Made>) put).value();
    assertThat(
            rig.systems.deploy("press", "erp", OptionalLong.of(made.version()), SystemsRig.ADMIN))
        .isInstanceOf(Outcome.Done.class);
    return made;
  }

  private HeadManifest head() {
    return rig.head("press").map(jws -> HeadManifest.verify(jws, rig.keys.keyset())).orElseThrow();
  }

  private List<String> neededBy(String kid) {
    return rotation.list().stream()
        .filter(key -> key.key().kid().equals(kid))
        .findFirst()
        .orElseThrow()
        .neededBy();
  }

  private KeyState state(String kid) {
    return rotation.list().stream()
        .filter(key -> key.key().kid().equals(kid))
        .map(key -> key.key().state())
        .findFirst()
        .orElseThrow();
  }

  @Test
  void everyKeyIsReplacedAndWhatNothingNeedsIsGivenUp() {
    deployed();
    List<String> old = ALL.stream().map(rig.keys::signingKid).toList();
    String configuration = rig.keys.signingKid(ManagedKey.CONFIGURATION);

    var outcome = rotation.rotate(ALL, SystemsRig.ADMIN);
    rig.pass(Duration.ofHours(49));
    rotation.keepUp();

    assertThat(outcome.rotated()).hasSize(ALL.size()).allMatch(it -> old.contains(it.replaced()));
    for (String kid : old) {
      assertThat(state(kid))
          .as(kid)
          .isEqualTo(kid.equals(configuration) ? KeyState.VERIFYING : KeyState.RETIRED);
    }
    assertThat(neededBy(configuration)).containsExactly("1 versions of systems");
    assertThat(files.wrapped.get()).isPositive();
    assertThat(head().listed("erp")).isPresent();
    assertThat(rig.audit().stream().map(AuditTable.Entry::eventType))
        .filteredOn("keys.rotate"::equals)
        .hasSize(ALL.size());
  }

  @Test
  void whatIsStillNeededIsNotRetiredAndTheAnswerSaysWhy() {
    deployed();
    String old = rig.keys.signingKid(ManagedKey.CONFIGURATION);
    assertThatThrownBy(() -> rotation.retire(old, SystemsRig.ADMIN))
        .isInstanceOf(RotationRefusedException.class)
        .hasMessageContaining("rotate configuration first");

    rotation.rotate(EnumSet.of(ManagedKey.CONFIGURATION), SystemsRig.ADMIN);
    rig.pass(Duration.ofMinutes(1));
    rotation.keepUp();

    assertThatThrownBy(() -> rotation.retire(old, SystemsRig.ADMIN))
        .isInstanceOf(RotationRefusedException.class)
        .hasMessage(old + " is needed by 1 versions of systems");
  }

  @Test
  void aCompromisedConfigurationKeyIsGivenUpAndWhatIsDeployedIsIssuedAgain() {
    Made first = deployed();
    String old = rig.keys.signingKid(ManagedKey.CONFIGURATION);

    var outcome =
        rotation.rotateCompromised(EnumSet.of(ManagedKey.CONFIGURATION), SystemsRig.ADMIN);

    assertThat(outcome.failed()).isEmpty();
    assertThat(state(old)).isEqualTo(KeyState.RETIRED);
    var listed = head().listed("erp").orElseThrow();
    assertThat(listed.version()).isGreaterThan(first.version());
    var document =
        rig.database()
            .transaction(
                tx -> rig.systems.documents().document(tx, "press", "erp", listed.version()))
            .orElseThrow();
    assertThat(ConfigurationHeader.verify(document.header(), rig.keys.keyset()).version())
        .isEqualTo(listed.version());
    assertThat(new String(document.settings(), StandardCharsets.UTF_8)).isEqualTo(SETTINGS);
  }

  /// Events of this type cannot be written, as when the database fails just then.
  private void refuseAudit(String type) {
    rig.tamper(
        """
        create function no_audit() returns trigger language plpgsql as $$
        begin if new.event_type = '%s' then raise exception 'no audit'; end if; return new; end $$\
        """
            .formatted(type));
    rig.tamper(
        "create trigger no_audit before insert on audit_log for each row execute function"
            + " no_audit()");
  }

  private void takeAudit() {
    rig.tamper("drop trigger if exists no_audit on audit_log");
    rig.tamper("drop function if exists no_audit");
  }

  private List<String> events(String type) {
    return rig.audit().stream()
        .filter(entry -> entry.eventType().equals(type))
        .map(entry -> String.valueOf(entry.changes()))
        .toList();
  }

  @Test
  void aCompromisedKeyIsAuditedBeforeAnythingIsDone() {
    String old = rig.keys.signingKid(ManagedKey.JWT);
    refuseAudit("keys.compromised");
    try {
      assertThatThrownBy(
              () -> rotation.rotateCompromised(EnumSet.of(ManagedKey.JWT), SystemsRig.ADMIN))
          .hasMessageContaining("no audit");
    } finally {
      takeAudit();
    }

    assertThat(state(old)).isEqualTo(KeyState.SIGNING);
    assertThat(events("keys.retire")).isEmpty();
  }

  @Test
  void aKeyWhoseWithdrawalIsNotAuditedStaysInForceAndASecondTryWithdrawsIt() {
    String old = rig.keys.signingKid(ManagedKey.JWT);
    refuseAudit("keys.retire");
    try {
      assertThatThrownBy(
              () -> rotation.rotateCompromised(EnumSet.of(ManagedKey.JWT), SystemsRig.ADMIN))
          .hasMessageContaining("no audit");
    } finally {
      takeAudit();
    }
    assertThat(state(old)).as("not withdrawn without its event").isEqualTo(KeyState.VERIFYING);
    String second = rig.keys.signingKid(ManagedKey.JWT);

    rotation.rotateCompromised(EnumSet.of(ManagedKey.JWT), SystemsRig.ADMIN);

    assertThat(state(old)).isEqualTo(KeyState.RETIRED);
    assertThat(state(second)).isEqualTo(KeyState.RETIRED);
    assertThat(events("keys.retire"))
        .satisfiesExactly(
            first -> assertThat(first).contains(old), then -> assertThat(then).contains(second));
    assertThat(events("keys.compromised")).hasSize(2);
  }

  @Test
  void aWithdrawalThatACrashCutAfterItsEventIsRepeated() throws Exception {
    String old = rig.keys.signingKid(ManagedKey.JWT);
    rotation.rotate(EnumSet.of(ManagedKey.JWT), SystemsRig.ADMIN);
    // Where the keystore is written beside before it takes its place.
    Path beside = directory.resolve("data").resolve("keystore.new");
    java.nio.file.Files.createDirectories(beside.resolve("in-the-way"));
    assertThatThrownBy(
            () -> rotation.rotateCompromised(EnumSet.of(ManagedKey.JWT), SystemsRig.ADMIN))
        .isInstanceOf(UncheckedIOException.class);
    assertThat(events("keys.retire")).singleElement().asString().contains(old);
    assertThat(state(old)).as("in force").isEqualTo(KeyState.VERIFYING);
    java.nio.file.Files.delete(beside.resolve("in-the-way"));
    java.nio.file.Files.delete(beside);

    rotation.rotateCompromised(EnumSet.of(ManagedKey.JWT), SystemsRig.ADMIN);

    assertThat(state(old)).isEqualTo(KeyState.RETIRED);
    assertThat(rig.keys.jwtKeys().replaced()).isEmpty();
  }

  @Test
  void aCompromisedRootCannotBeGivenUpLikeThat() {
    assertThatThrownBy(
            () -> rotation.rotateCompromised(EnumSet.of(ManagedKey.ROOT), SystemsRig.ADMIN))
        .isInstanceOf(RotationRefusedException.class)
        .hasMessageContaining("without --compromised");
  }

  @Test
  void aReplacedKekStaysWhileAFileNeedsIt() {
    deployed();
    String old = rig.keys.signingKid(ManagedKey.KEK);
    files.diskIsFull = true;
    rotation.rotate(EnumSet.of(ManagedKey.KEK), SystemsRig.ADMIN);
    rig.pass(Duration.ofMinutes(1));
    rotation.keepUp();

    assertThat(state(old)).isEqualTo(KeyState.VERIFYING);
    assertThat(neededBy(old)).containsExactly("a file");
    assertThatThrownBy(() -> rotation.retire(old, SystemsRig.ADMIN))
        .isInstanceOf(RotationRefusedException.class)
        .hasMessage(old + " is needed by a file");

    files.diskIsFull = false;
    rotation.keepUp();
    assertThat(state(old)).isEqualTo(KeyState.RETIRED);
  }

  @Test
  void aReplacedKekStaysWhileARowThatNobodyCanOpenNeedsIt() {
    deployed();
    rig.tamper(
        "update system_versions set settings ="
            + " set_byte(settings, 30, 255 - get_byte(settings, 30))");
    String old = rig.keys.signingKid(ManagedKey.KEK);

    rotation.rotate(EnumSet.of(ManagedKey.KEK), SystemsRig.ADMIN);
    rig.pass(Duration.ofMinutes(1));
    rotation.keepUp();

    assertThat(neededBy(old)).containsExactly("settings of 1 versions");
    assertThat(state(old)).isEqualTo(KeyState.VERIFYING);
  }
}
