package io.penstock.broker.ctl;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.audit.AuditRig;
import io.penstock.broker.keys.ManagedKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Exports of a real trail, looked at with nothing but a root's hash; and what the broker says.
class AuditCtlTest {
  private static final String LOGIN =
      """
      {"token":"access-1","expires_at":"2026-11-21T12:15:00Z",
       "refresh_token":"refresh-1","session_expires_at":"2026-11-22T12:00:00Z"}
      """;

  @TempDir Path home;
  private AuditRig rig;
  private Shell shell;
  private Path file;

  @BeforeEach
  void start() {
    rig = new AuditRig(home.resolve("data"));
    shell = new Shell(home, Clock.fixed(Instant.parse("2026-11-21T12:00:00Z"), ZoneOffset.UTC));
    file = home.resolve("trail.jsonl");
  }

  @AfterEach
  void stop() {
    rig.close();
  }

  @Test
  void anExportProvesItself() throws Exception {
    rig.sealed(1_200);
    rig.sealed(3);
    export();

    Shell.Result result = verify();

    assertThat(result.exitCode()).isZero();
    assertThat(result.out()).contains("positions 1 to 1203", rig.keys.rootSha256().base64Url());
  }

  @Test
  void anOldExportVerifiesAfterItsKeysetAndItsKeysAreGone() throws Exception {
    rig.sealed(3);
    String old = rig.keys.signingKid(ManagedKey.CHECKPOINT);
    rig.keys.announce(Set.of(ManagedKey.CHECKPOINT));
    rig.keys.activate();
    rig.sealed(2);
    rig.keys.retire(old);
    rig.keys.rotateRoot();
    String first = rig.keys.owner().rootLinks().getFirst().root().sha256().base64Url();
    export();
    rig.clock.pass(Duration.ofDays(400));

    Shell.Result result =
        shell.ctl("audit", "verify", "--file", file.toString(), "--root", first, "--json");

    assertThat(result.exitCode()).isZero();
    assertThat(result.out()).contains("\"checkpoints_of_older_keys\" : 1", "\"position\" : 5");
  }

  @Test
  void anotherRootIsRefused() throws Exception {
    rig.sealed(3);
    export();

    Shell.Result result =
        shell.ctl("audit", "verify", "--file", file.toString(), "--root", "00".repeat(32));

    assertThat(result.exitCode()).isEqualTo(ExitCode.REFUSED_FOR_GOOD);
    assertThat(result.err()).contains("the root key is not the pinned one");
  }

  @Test
  void withoutARootNothingIsBelieved() throws Exception {
    rig.sealed(3);
    export();

    Shell.Result result = shell.ctl("audit", "verify", "--file", file.toString());

    assertThat(result.exitCode()).isEqualTo(ExitCode.WRONG_USAGE);
    assertThat(result.err()).contains("--root");
  }

  // What somebody did to the database before the export was made.

  @Test
  void aChangeBySqlIsNamed() throws Exception {
    rig.sealed(9);
    rig.tamper("update audit_log set user_email = 'eve@example.com' where id = 5");
    export();

    assertBad("changed at position 5, record 5");
  }

  @Test
  void aDeletionBySqlIsNamed() throws Exception {
    rig.sealed(9);
    rig.tamper("delete from audit_log where id = 6");
    export();

    assertBad("deleted at position 6, record 6");
  }

  @Test
  void aDeletionOfTheEntryTooIsNamed() throws Exception {
    rig.sealed(9);
    rig.tamper("delete from audit_log where id = 6", "delete from audit_chain where position = 6");
    export();

    assertBad("deleted at position 6");
  }

  @Test
  void anInsertionBySqlIsNamed() throws Exception {
    rig.sealed(4);
    rig.tamper(
        "insert into audit_log (event_id, timestamp, event_type) values (gen_random_uuid(), now(),"
            + " 'user.create')");
    export();

    assertBad("inserted at position 5, record 5");
  }

  @Test
  void anInsertionBetweenSealedOnesIsNamed() throws Exception {
    rig.sealed(3);
    rig.test.execute("select nextval('audit_log_id_seq')");
    rig.sealed(3);
    rig.tamper(
        "insert into audit_log (id, event_id, timestamp, event_type) overriding system value"
            + " values (4, gen_random_uuid(), now(), 'user.create')");
    export();

    assertBad("inserted at position 3, record 4");
  }

  @Test
  void swappedRecordsAreNamed() throws Exception {
    rig.sealed(9);
    rig.tamper(
        "alter table audit_log alter id drop identity",
        "update audit_log set id = -4 where id = 4",
        "update audit_log set id = 4 where id = 6",
        "update audit_log set id = 6 where id = -4");
    export();

    assertBad("changed at position 4, record 4");
  }

  @Test
  void aTailCutBySqlIsNamed() throws Exception {
    rig.sealed(4);
    rig.sealed(5);
    rig.tamper("delete from audit_log where id > 7", "delete from audit_chain where position > 7");
    export();

    assertBad("cut at position 8");
  }

  @Test
  void aRestoredOldCopyIsNamed() throws Exception {
    rig.sealed(4);
    rig.test.execute("create table old_checkpoints as select * from audit_checkpoints");
    rig.sealed(5);
    rig.tamper(
        "delete from audit_log where id > 4",
        "delete from audit_chain where position > 4",
        "delete from audit_checkpoints where number > 1");
    export();

    assertBad("restored at position 5");
  }

  // What somebody did to the file.

  @Test
  void whateverIsDoneToTheFileIsNamed() throws Exception {
    rig.sealed(4);
    rig.sealed(5);
    List<String> lines = export();
    int five = line(lines, "\"position\":5,");

    write(changed(lines, five, "press-0", "press-9"));
    assertBad("changed at position 5");
    write(without(lines, five));
    assertBad("deleted at position 5");
    var swapped = new ArrayList<>(lines);
    swapped.set(five, lines.get(five + 1));
    swapped.set(five + 1, lines.get(five));
    write(swapped);
    assertBad("reordered at position 5");
    write(lines.subList(0, five));
    assertBad("cut at position 5");
    write(lines.subList(0, lines.size() - 1));
    assertBad("cut at position 10");
    var doubled = new ArrayList<>(lines);
    doubled.add(five, lines.get(five));
    write(doubled);
    assertBad("reordered at position 5");
    write(changed(lines, five, "\"position\":5,", "\"position\":\"5\","));
    assertBad("changed at position 5");
    int checkpoint = line(lines, "{\"checkpoint\"");
    String jws = lines.get(checkpoint);
    String otherEnd = jws.endsWith("A\"}") ? "g\"}" : "A\"}";
    write(changed(lines, checkpoint, jws, jws.substring(0, jws.length() - 3) + otherEnd));
    assertBad("forged-checkpoint at position 1");
    write(lines);
    assertThat(verify().exitCode()).isZero();
  }

  @Test
  void anExportThatIsOlderThanACheckpointKnownFromElsewhereIsCut() throws Exception {
    rig.sealed(4);
    export();

    Shell.Result result =
        shell.ctl(
            "audit", "verify", "--file", file.toString(), "--root", root(), "--at-least", "9");

    assertThat(result.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(result.out()).contains("cut at position 5");
  }

  @Test
  void aPrunedTrailBeginsWhereItIsSigned() throws Exception {
    rig.close();
    rig = AuditRig.keeping(home.resolve("kept"), Duration.ofDays(30));
    rig.sealed(5);
    rig.clock.pass(Duration.ofDays(20));
    rig.sealed(4);
    rig.clock.pass(Duration.ofDays(11));
    rig.pruned();
    List<String> lines = export();

    assertThat(verify().out()).contains("positions 6 to 10");
    write(without(lines, line(lines, "\"position\":6,")));
    assertBad("deleted at position 6");
  }

  // Online.

  @Test
  void theBrokersVerdictIsPrintedAndIsTheExitCode() throws Exception {
    try (FakeBroker broker = FakeBroker.start().when("POST /api/v1/auth/login", 200, LOGIN)) {
      shell.login(broker);
      broker
          .when(
              "GET /api/v1/audit/verify",
              200,
              "{\"ok\":true,\"complete\":false,\"position\":7,\"first_bad\":null}")
          .when(
              "GET /api/v1/audit/verify?after=7",
              200,
              """
              {"ok":false,"complete":true,"position":8,"waiting":0,
               "first_bad":{"what":"changed","position":9,"id":11,"detail":"it is not"},
               "checkpoint":{"number":3,"position":9,"hash":"x","issued_at":"y"}}
              """);

      Shell.Result result = shell.ctl("audit", "verify");

      assertThat(result.exitCode()).isEqualTo(ExitCode.FAILED);
      assertThat(result.out()).contains("changed at position 9, record 11: it is not");
    }
  }

  @Test
  void anExportIsWrittenPageByPageForItsOwnerAlone() throws Exception {
    rig.sealed(3);
    List<String> lines = rig.export();
    String begin = String.join("\n", lines.subList(0, lines.size() - 2)) + "\n";
    String rest = String.join("\n", lines.subList(lines.size() - 2, lines.size())) + "\n";
    try (FakeBroker broker = FakeBroker.start().when("POST /api/v1/auth/login", 200, LOGIN)) {
      shell.login(broker);
      broker
          .when("GET /api/v1/audit/export", 200, begin)
          .when("GET /api/v1/audit/export?after=2&up_to=3", 200, rest);

      Shell.Result result = shell.ctl("audit", "export", file.toString());

      assertThat(result.exitCode()).isZero();
      assertThat(result.out()).contains("up to position 3");
      assertThat(Files.readAllLines(file)).isEqualTo(lines);
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
          .isEqualTo("rw-------");
      assertThat(verify().exitCode()).isZero();
      assertThat(shell.ctl("audit", "export", file.toString()).exitCode())
          .isEqualTo(ExitCode.WRONG_USAGE);
    }
  }

  @Test
  void reportsOfManyPagesArePrintedAsOne() throws Exception {
    try (FakeBroker broker = FakeBroker.start().when("POST /api/v1/auth/login", 200, LOGIN)) {
      shell.login(broker);
      broker
          .when(
              "GET /api/v1/audit/reports/gdpr?user=a%40b&format=csv",
              200, Map.of("Link", "<?after=5>; rel=\"next\""), "timestamp,action\r\n1,x\r\n")
          .when(
              "GET /api/v1/audit/reports/gdpr?user=a%40b&format=csv&after=5",
              200, "timestamp,action\r\n2,y\r\n")
          .when(
              "GET /api/v1/audit/reports/iso27001",
              200,
              "{\"fields\":[\"user_email\"],\"rows\":[{\"user_email\":\"eve\"}],\"next\":4}")
          .when(
              "GET /api/v1/audit/reports/iso27001?after=4",
              200,
              "{\"fields\":[\"user_email\"],\"rows\":[{\"user_email\":\"bob\"}],\"next\":null}");

      assertThat(shell.ctl("audit", "report", "gdpr", "--user", "a@b", "--csv").out())
          .isEqualTo("timestamp,action\r\n1,x\r\n2,y\r\n");
      assertThat(shell.ctl("audit", "report", "iso27001").out()).contains("eve", "bob");
      assertThat(shell.ctl("audit", "report", "gdpr").exitCode()).isEqualTo(ExitCode.WRONG_USAGE);
    }
  }

  private List<String> export() throws IOException {
    List<String> lines = rig.export();
    write(lines);
    return lines;
  }

  private void write(List<String> lines) throws IOException {
    Files.write(file, lines);
  }

  private static int line(List<String> lines, String part) {
    for (int i = 0; i < lines.size(); i++) {
      if (lines.get(i).contains(part)) {
        return i;
      }
    }
    throw new AssertionError("no line has " + part);
  }

  private static List<String> changed(List<String> lines, int at, String from, String to) {
    var all = new ArrayList<>(lines);
    all.set(at, lines.get(at).replace(from, to));
    assertThat(all).isNotEqualTo(lines);
    return all;
  }

  private static List<String> without(List<String> lines, int at) {
    var all = new ArrayList<>(lines);
    all.remove(at);
    return all;
  }

  private Shell.Result verify() {
    return shell.ctl("audit", "verify", "--file", file.toString(), "--root", root());
  }

  private String root() {
    return rig.keys.rootSha256().base64Url();
  }

  private void assertBad(String... words) {
    Shell.Result result = verify();
    assertThat(result.out()).as(Arrays.toString(words)).contains(words);
    assertThat(result.exitCode()).isEqualTo(ExitCode.FAILED);
  }
}
