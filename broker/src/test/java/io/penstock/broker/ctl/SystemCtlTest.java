package io.penstock.broker.ctl;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.codec.schema.PluginSchema;
import io.penstock.codec.seal.AgentRecord;
import io.penstock.codec.seal.Hpke;
import io.penstock.codec.seal.KeyUse;
import io.penstock.codec.seal.Keyset;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.RootLink;
import io.penstock.codec.seal.RootLink.Succession;
import io.penstock.codec.seal.SealedFor;
import io.penstock.codec.seal.SealedSecrets;
import io.penstock.codec.seal.SealedSecrets.Opening;
import io.penstock.codec.seal.SealingKey;
import io.penstock.codec.seal.SigningKey;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `ctl system`: what it sends, what it trusts, and what it tells.
class SystemCtlTest {
  private static final Instant NOW = Instant.parse("2026-11-21T12:00:00Z");
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final String LOGIN =
      """
      {"token":"access-1","expires_at":"2026-11-21T12:15:00Z",
       "refresh_token":"refresh-1","session_expires_at":"2026-11-22T12:00:00Z"}
      """;
  private static final String ERP = "/api/v1/agents/plant-1/systems/erp";
  private static final String MADE =
      "{\"agent\":\"plant-1\",\"system\":\"erp\",\"plugin\":\"http\",\"version\":3,\"state\":\"sealed\"}";

  @TempDir Path home;
  private final SigningKey root = SigningKey.generate(RANDOM);
  private final SigningKey recordKey = SigningKey.generate(RANDOM);
  private final SealingKey sealing = Hpke.generate(RANDOM);
  private FakeBroker broker;
  private Shell shell;

  @BeforeEach
  void start() throws Exception {
    shell = new Shell(home, Clock.fixed(NOW, ZoneOffset.UTC));
    restart(sealingKey(root, 1, sealing.publicKey()));
    shell.login(broker);
  }

  @AfterEach
  void stop() {
    broker.close();
  }

  /// The same broker for the operator, with another answer about the agent's key.
  private void restart(String sealingKeyAnswer) throws Exception {
    broker = FakeBroker.start();
    broker
        .when("POST /api/v1/auth/login", 200, LOGIN)
        .when("GET /api/v1/agents/plant-1/sealing-key", 200, sealingKeyAnswer)
        .when("PUT " + ERP, 200, MADE);
  }

  private String sealingKey(SigningKey signingRoot, long generation, Octets sealingPublic) {
    return sealingKey(1, signingRoot, generation, sealingPublic);
  }

  private String sealingKey(
      long keysetVersion, SigningKey signingRoot, long generation, Octets sealingPublic) {
    long seconds = NOW.getEpochSecond();
    var keyset =
        new Keyset(
            keysetVersion,
            seconds - 60,
            seconds + 3600,
            List.of(Keyset.Key.of(KeyUse.RECORD, recordKey.verifyingKey())));
    var agentRecord =
        new AgentRecord(
            "plant-1",
            generation,
            "hamburg",
            Map.of(),
            Octets.of(new byte[32]),
            sealingPublic,
            SigningKey.generate(RANDOM).verifyingKey(),
            "ABCD-EFGH",
            List.of(),
            "admin@example.com",
            seconds);
    return Json.oneLine(
        Json.object()
            .put("agent", "plant-1")
            .put("generation", generation)
            .put("sealing_public", sealingPublic.base64Url())
            .put("record", agentRecord.sign(recordKey))
            .put("keyset", keyset.sign(signingRoot))
            .put("root_public", signingRoot.verifyingKey().octets().base64Url()));
  }

  private Shell.Result put(String... more) {
    var arguments =
        new ArrayList<>(
            List.of(
                "system",
                "put",
                "plant-1",
                "erp",
                "--plugin",
                "http",
                "--set",
                "base_url=https://erp.plant",
                "--allow",
                "GET,POST /api/** /health"));
    arguments.addAll(Arrays.asList(more));
    return shell.ctlWithInput("s3cret\n", arguments.toArray(String[]::new));
  }

  private Shell.Result putWithSecret(String... more) {
    var arguments =
        new ArrayList<>(List.of("--set", "user=penstock", "--secret-stdin", "password"));
    arguments.addAll(Arrays.asList(more));
    return put(arguments.toArray(String[]::new));
  }

  private JsonNode sent() {
    return Json.parse(broker.lastAsked().body().getBytes(StandardCharsets.UTF_8)).orElseThrow();
  }

  private String opened(JsonNode body) {
    byte[] settings = Json.oneLine(body.path("settings")).getBytes(StandardCharsets.UTF_8);
    var owner =
        new SealedFor(
            "plant-1", 1, "erp", PluginSchema.of("http").orElseThrow().destinationOf(settings));
    byte[] sealed = Json.oneLine(body.path("sealed")).getBytes(StandardCharsets.UTF_8);
    Opening opening = SealedSecrets.fromJson(sealed).open(sealing, owner);
    return opening instanceof Opening.Opened it
        ? new String(it.secretsJson(), StandardCharsets.UTF_8)
        : opening.toString();
  }

  @Test
  void secretsAreSealedHereForTheAgentAlone() throws Exception {
    Shell.Result result = putWithSecret("--set", "max_connections=7");

    assertThat(result.exitCode()).isZero();
    assertThat(result.out()).contains("version 3 of erp is made");
    JsonNode body = sent();
    assertThat(body.path("settings"))
        .isEqualTo(
            Json.parse(
                    """
                    {"base_url":"https://erp.plant","user":"penstock","max_connections":7,
                     "allow":[{"methods":["GET","POST"],"paths":["/api/**","/health"]}]}
                    """
                        .getBytes(StandardCharsets.UTF_8))
                .orElseThrow());
    assertThat(body.path("secret_names").get(0).asText()).isEqualTo("password");
    assertThat(opened(body)).isEqualTo("{\"password\":\"s3cret\"}");
    assertThat(broker.asked().toString()).doesNotContain("s3cret");
    assertThat(result.out() + result.err()).doesNotContain("s3cret");
  }

  @Test
  void whatIsTrustedIsRememberedForTheOwnerAlone() throws Exception {
    Shell.Result first = putWithSecret();
    Shell.Result second = putWithSecret();

    Path pins = shell.sessionFile().resolveSibling("pins.json");
    assertThat(first.err()).contains("root key is " + root.verifyingKey().sha256());
    assertThat(second.err()).isEmpty();
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(pins)))
        .isEqualTo("rw-------");
    assertThat(Files.readString(pins))
        .contains(root.verifyingKey().sha256().base64Url())
        .contains(Octets.sha256(sealing.publicKey().bytes()).base64Url());
  }

  @Test
  void aChangedSealingKeyDemandsTheFingerprint() throws Exception {
    putWithSecret();
    replaceAnswer(sealingKey(root, 1, Hpke.generate(RANDOM).publicKey()));

    Shell.Result refused = putWithSecret();
    Shell.Result wrong = putWithSecret("--fingerprint", "AAAA-AAAA");
    int asked = broker.asked().size();
    Shell.Result confirmed = putWithSecret("--fingerprint", "abcd efgh");
    Shell.Result again = putWithSecret();

    assertThat(refused.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(refused.err()).contains("sealing key of plant-1 has changed", "--fingerprint");
    assertThat(wrong.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(broker.asked().subList(0, asked)).noneMatch(it -> it.line().equals("PUT " + ERP));
    assertThat(confirmed.exitCode()).isZero();
    assertThat(again.exitCode()).isZero();
  }

  /// The pins are by address, so another fake broker is given the same ones.
  private void replaceAnswer(String sealingKeyAnswer) throws Exception {
    Path pins = shell.sessionFile().resolveSibling("pins.json");
    String old = broker.url().toString();
    broker.close();
    restart(sealingKeyAnswer);
    Files.writeString(pins, Files.readString(pins).replace(old, broker.url().toString()));
    shell.login(broker);
  }

  @Test
  void aNewGenerationOfAKnownAgentDemandsTheFingerprintToo() throws Exception {
    putWithSecret();
    replaceAnswer(sealingKey(root, 2, Hpke.generate(RANDOM).publicKey()));

    assertThat(putWithSecret().exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(putWithSecret("--fingerprint", "ABCD-EFGH").exitCode()).isZero();
  }

  @Test
  void aChangedRootIsNotFollowedBlindly() throws Exception {
    putWithSecret();
    SigningKey other = SigningKey.generate(RANDOM);
    replaceAnswer(sealingKey(other, 1, sealing.publicKey()));

    Shell.Result refused = putWithSecret();
    Shell.Result typed = putWithSecret("--fingerprint", "ABCD-EFGH");
    assertThat(broker.asked()).noneMatch(it -> it.line().equals("PUT " + ERP));
    Shell.Result named = putWithSecret("--root", other.verifyingKey().sha256().hex());

    for (Shell.Result each : List.of(refused, typed)) {
      assertThat(each.exitCode()).isEqualTo(ExitCode.FAILED);
      assertThat(each.err()).contains("root key has changed", "--root");
    }
    assertThat(named.exitCode()).isZero();
  }

  /// As the broker answers after rotations of its root, oldest first.
  private String sealingKeyAfter(SigningKey... roots) {
    ObjectNode answer =
        (ObjectNode)
            Json.parse(
                    sealingKey(roots[roots.length - 1], 1, sealing.publicKey())
                        .getBytes(StandardCharsets.UTF_8))
                .orElseThrow();
    var links = answer.putArray("cross_signatures");
    for (int i = 1; i < roots.length; i++) {
      RootLink link =
          RootLink.sign(
              roots[i - 1], new Succession(i, roots[i].verifyingKey(), NOW.getEpochSecond()));
      links.addObject().put("root_public", link.root().octets().base64Url()).put("jws", link.jws());
    }
    return Json.oneLine(answer);
  }

  private static String hash(SigningKey root) {
    return root.verifyingKey().sha256().base64Url();
  }

  @Test
  void aFingerprintDoesNotLeadBackToAReplacedRoot() throws Exception {
    SigningKey newer = SigningKey.generate(RANDOM);
    putWithSecret();
    replaceAnswer(sealingKeyAfter(root, newer));
    assertThat(putWithSecret().exitCode()).isZero();
    replaceAnswer(sealingKey(root, 1, sealing.publicKey()));

    Shell.Result refused = putWithSecret("--fingerprint", "ABCD-EFGH");

    assertThat(refused.exitCode()).isEqualTo(ExitCode.REFUSED_FOR_GOOD);
    assertThat(refused.err()).contains(hash(root), hash(newer));
  }

  @Test
  void aKeysetThatIsOlderThanTheLastSeenIsRefused() throws Exception {
    replaceBeforePins(sealingKey(2, root, 1, sealing.publicKey()));
    assertThat(putWithSecret().exitCode()).isZero();
    replaceAnswer(sealingKey(1, root, 1, sealing.publicKey()));

    Shell.Result refused = putWithSecret();

    assertThat(refused.exitCode()).isEqualTo(ExitCode.REFUSED_FOR_GOOD);
    assertThat(refused.err()).contains("keyset: expected version 2 or newer, found 1");
  }

  @Test
  void aWrongFingerprintIsRefusedAlsoAtFirstSight() {
    Shell.Result result = putWithSecret("--fingerprint", "AAAA-AAAA");

    assertThat(result.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(result.err()).contains("the fingerprint is not that of plant-1");
    assertThat(broker.asked()).noneMatch(it -> it.line().equals("PUT " + ERP));
  }

  @Test
  void anOldRootThatIsGivenDoesNotMoveANewerPinBack() throws Exception {
    SigningKey newer = SigningKey.generate(RANDOM);
    putWithSecret();
    replaceAnswer(sealingKeyAfter(root, newer));
    assertThat(putWithSecret("--root", hash(root)).exitCode()).as("leads to the newer").isZero();
    replaceAnswer(sealingKey(root, 1, sealing.publicKey()));
    int asked = broker.asked().size();

    Shell.Result put = putWithSecret("--root", hash(root));
    Shell.Result login = shell.login(broker, "--root", hash(root));

    for (Shell.Result refused : List.of(put, login)) {
      assertThat(refused.exitCode()).isEqualTo(ExitCode.REFUSED_FOR_GOOD);
      assertThat(refused.err()).contains(hash(root), hash(newer));
    }
    assertThat(broker.asked().subList(asked, broker.asked().size()))
        .noneMatch(it -> it.line().equals("PUT " + ERP) || it.line().contains("login"));
    replaceAnswer(sealingKeyAfter(root, newer));
    assertThat(putWithSecret().exitCode()).as("the newer is still the one").isZero();
  }

  @Test
  void whoeverHasAnOldRootCannotLeadElsewhereFromIt() throws Exception {
    SigningKey newer = SigningKey.generate(RANDOM);
    SigningKey thief = SigningKey.generate(RANDOM);
    replaceBeforePins(sealingKeyAfter(root, newer));
    assertThat(putWithSecret().exitCode()).isZero();
    replaceAnswer(sealingKeyAfter(root, thief));

    Shell.Result refused = putWithSecret("--root", hash(root));

    assertThat(refused.exitCode()).isEqualTo(ExitCode.REFUSED_FOR_GOOD);
    assertThat(refused.err()).contains(hash(root), hash(newer));
    assertThat(broker.asked()).noneMatch(it -> it.line().equals("PUT " + ERP));
  }

  @Test
  void anotherRootThanTheGivenOneIsRefusedForGood() {
    Shell.Result result = putWithSecret("--root", Octets.sha256(new byte[] {1}).base64Url());

    assertThat(result.exitCode()).isEqualTo(ExitCode.REFUSED_FOR_GOOD);
    assertThat(broker.asked()).noneMatch(it -> it.line().equals("PUT " + ERP));
  }

  @Test
  void aRecordThatTheKeysetDoesNotVouchForIsRefusedForGood() throws Exception {
    String forged =
        sealingKey(root, 1, sealing.publicKey())
            .replaceFirst("(\"record\":\"[^.]+\\.[^.]+\\.)[A-Za-z0-9_-]{4}", "$1AAAA");
    replaceBeforePins(forged);

    Shell.Result result = putWithSecret();

    assertThat(result.exitCode()).isEqualTo(ExitCode.REFUSED_FOR_GOOD);
    assertThat(result.err()).contains("not proven");
    assertThat(broker.asked()).noneMatch(it -> it.line().equals("PUT " + ERP));
  }

  private void replaceBeforePins(String sealingKeyAnswer) throws Exception {
    broker.close();
    restart(sealingKeyAnswer);
    shell.login(broker);
  }

  @Test
  void theRootCanBeGivenAtSignIn() throws Exception {
    shell.login(broker, "--root", Octets.sha256(new byte[] {1}).base64Url());

    assertThat(putWithSecret().err()).contains("root key has changed");
  }

  @Test
  void secretsDoNotComeInArguments() {
    Shell.Result result = put("--set", "password=hunter2");

    assertThat(result.exitCode()).isEqualTo(ExitCode.WRONG_USAGE);
    assertThat(result.err()).contains("--secret-stdin password").doesNotContain("hunter2");
  }

  @Test
  void everyProblemIsNamedBeforeAnythingIsSent() {
    Shell.Result result = putWithSecret("--set", "max_connections=0", "--set", "colour=blue");

    assertThat(result.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(result.err()).contains("/max_connections", "/colour");
    assertThat(broker.asked()).noneMatch(it -> it.line().startsWith("PUT"));
  }

  @Test
  void valuesHaveTheTypesOfTheSchema() {
    assertThat(put("--set", "max_connections=many").exitCode()).isEqualTo(ExitCode.WRONG_USAGE);
    assertThat(put("--set", "idle_ms=1.5").exitCode()).isEqualTo(ExitCode.WRONG_USAGE);
    assertThat(put("--set", "nothing").exitCode()).isEqualTo(ExitCode.WRONG_USAGE);
    assertThat(put("--set", "allow=GET").exitCode()).isEqualTo(ExitCode.WRONG_USAGE);
    assertThat(put("--allow", "GET").exitCode()).isEqualTo(ExitCode.WRONG_USAGE);
    assertThat(
            put("--set", "allow=[{\"methods\":[\"*\"],\"paths\":[\"/**\"]}]", "--set", "idle_ms=5")
                .exitCode())
        .isZero();
    assertThat(sent().path("settings").path("idle_ms").isIntegralNumber()).isTrue();
  }

  @Test
  void settingsAndSecretsComeFromFiles() throws Exception {
    Path settings = Files.writeString(home.resolve("erp.json"), "{\"idle_ms\":9,\"user\":\"u\"}");
    Path secret = Files.writeString(home.resolve("password"), "two words \n");

    Shell.Result result =
        put("--settings-file", settings.toString(), "--secret-file", "password=" + secret);

    assertThat(result.err()).doesNotContain("two words");
    assertThat(result.exitCode()).isZero();
    assertThat(sent().path("settings").path("idle_ms").asInt()).isEqualTo(9);
    assertThat(opened(sent())).isEqualTo("{\"password\":\"two words \"}");
  }

  @Test
  void carriedAndDroppedSecretsAreSaid() {
    put("--carry-secrets", "--expect-version", "2");
    assertThat(sent().path("carry_secrets").asBoolean()).isTrue();
    assertThat(sent().path("expected_version").asInt()).isEqualTo(2);
    assertThat(sent().has("sealed")).isFalse();

    put("--drop-secrets");
    assertThat(sent().path("sealed").isNull()).isTrue();
    assertThat(sent().path("secret_names").isEmpty()).isTrue();

    put();
    assertThat(sent().has("sealed")).isFalse();
    assertThat(putWithSecret("--carry-secrets").exitCode()).isEqualTo(ExitCode.WRONG_USAGE);
  }

  @Test
  void theProblemsThatTheBrokerFoundAreAllShown() {
    broker.when(
        "PUT /api/v1/agents/plant-1/systems/mes",
        400,
        """
        {"title":"schema-invalid","status":400,"request_id":"r",
         "errors":[{"path":"/allow","expected":"a value","found":"none"}]}
        """);

    Shell.Result result =
        shell.ctl(
            "system",
            "put",
            "plant-1",
            "mes",
            "--plugin",
            "http",
            "--set",
            "base_url=https://x",
            "--allow",
            "GET /**");

    assertThat(result.err()).contains("schema-invalid; /allow: expected a value, found none");
  }

  @Test
  void deployWaitsForTheReceipt() {
    broker
        .when("POST " + ERP + "/deploy", 200, "{\"system\":\"erp\",\"version\":3,\"sequence\":9}")
        .when("GET " + ERP + "/versions/3", 200, "{\"version\":3,\"state\":\"buffered\"}")
        .when("GET " + ERP + "/versions/3", 200, "{\"version\":3,\"state\":\"applied\"}");

    Shell.Result result = shell.ctl("system", "deploy", "plant-1", "erp", "--wait", "30");

    assertThat(result.exitCode()).isZero();
    assertThat(result.out()).contains("plant-1 has applied version 3 of erp");
  }

  @Test
  void aRefusedDeployTellsWhy() {
    broker
        .when("POST " + ERP + "/deploy", 200, "{\"system\":\"erp\",\"version\":3,\"sequence\":9}")
        .when(
            "GET " + ERP + "/versions/3",
            200,
            "{\"state\":\"refused\",\"receipt\":{\"reason\":\"start-failed\",\"detail\":\"port\"}}");

    Shell.Result result = shell.ctl("system", "deploy", "plant-1", "erp", "--wait", "30");

    assertThat(result.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(result.err()).contains("plant-1 refused version 3: start-failed: port");
  }

  @Test
  void aDeployThatIsNotHeardOfTellsWhatItWaitsFor() {
    broker
        .when("POST " + ERP + "/deploy", 200, "{\"system\":\"erp\",\"version\":3,\"sequence\":9}")
        .when("GET " + ERP + "/versions/3", 200, "{\"state\":\"buffered\"}")
        .when(
            "GET /api/v1/agents/plant-1/messages",
            200,
            "{\"messages\":[{\"system\":\"erp\",\"why\":\"the agent is offline\"}]}");

    Shell.Result result = shell.ctl("system", "deploy", "plant-1", "erp", "--wait", "0");

    assertThat(result.exitCode()).isEqualTo(ExitCode.CANNOT_REACH);
    assertThat(result.err()).contains("it waits because the agent is offline");
  }

  @Test
  void putDeploysAtOnceWhenAsked() {
    broker.when(
        "POST " + ERP + "/deploy", 200, "{\"system\":\"erp\",\"version\":3,\"sequence\":9}");

    Shell.Result result = put("--deploy");

    assertThat(result.exitCode()).isZero();
    assertThat(broker.lastAsked().body()).isEqualTo("{\"version\":3}");
    assertThat(put("--wait", "3").exitCode()).isEqualTo(ExitCode.WRONG_USAGE);
  }

  @Test
  void aTestNamesTheStageThatFails() {
    broker.when(
        "POST " + ERP + "/test",
        200,
        """
        {"ok":false,"stages":[{"name":"dns","ok":true,"ms":1.5,"detail":"10.1.2.3"},
          {"name":"tcp","ok":false,"ms":20,"detail":"connection refused"}]}
        """);

    Shell.Result result = shell.ctl("system", "test", "plant-1", "erp", "--version", "4");

    assertThat(result.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(result.out()).contains("dns", "tcp", "connection refused");
    assertThat(broker.lastAsked().body()).isEqualTo("{\"version\":4}");
  }

  @Test
  void listShowHistoryDiffRollbackDeleteAndMessages() {
    broker
        .when(
            "GET /api/v1/agents/plant-1/systems",
            200,
            "{\"systems\":[{\"system\":\"erp\",\"version\":3,\"deployed_version\":2,\"state\":\"sealed\"}]}")
        .when(
            "GET " + ERP,
            200,
            "{\"system\":\"erp\",\"version\":3,\"deployed_version\":2,\"settings\":{\"a\":[1]}}")
        .when(
            "GET " + ERP + "/versions", 200, "{\"versions\":[{\"version\":3,\"author\":\"eve\"}]}")
        .when(
            "GET " + ERP + "/diff?from=2&to=3",
            200,
            "{\"from\":2,\"to\":3,\"changes\":{\"/idle_ms\":{\"new\":5}}}")
        .when("POST " + ERP + "/rollback", 200, "{\"version\":4}")
        .when("DELETE " + ERP, 200, "{\"version\":5}")
        .when(
            "GET /api/v1/agents/plant-1/messages",
            200,
            "{\"messages\":[{\"sequence\":1,\"kind\":\"configuration\",\"why\":\"offline\"}]}");

    assertThat(shell.ctl("system", "list", "plant-1").out()).contains("erp", "sealed");
    assertThat(shell.ctl("system", "get", "plant-1", "erp").out()).contains("{\"a\":[1]}");
    assertThat(shell.ctl("system", "history", "plant-1", "erp").out()).contains("eve");
    assertThat(shell.ctl("system", "diff", "plant-1", "erp").out()).contains("/idle_ms", "5");
    assertThat(shell.ctl("system", "rollback", "plant-1", "erp", "2").out())
        .contains("version 4 of erp is as 2 was");
    assertThat(shell.ctl("system", "delete", "plant-1", "erp").exitCode()).isZero();
    assertThat(shell.ctl("messages", "plant-1").out()).contains("configuration", "offline");
    assertThat(shell.ctl("system").exitCode()).isEqualTo(ExitCode.WRONG_USAGE);
  }
}
