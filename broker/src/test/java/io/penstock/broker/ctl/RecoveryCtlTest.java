package io.penstock.broker.ctl;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.codec.schema.PluginSchema;
import io.penstock.codec.seal.AgentRecord;
import io.penstock.codec.seal.ConfigurationHeader;
import io.penstock.codec.seal.Hpke;
import io.penstock.codec.seal.KeyUse;
import io.penstock.codec.seal.Keyset;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SealedFor;
import io.penstock.codec.seal.SealedSecrets;
import io.penstock.codec.seal.SealedSecrets.Opening;
import io.penstock.codec.seal.SealingKey;
import io.penstock.codec.seal.SigningKey;
import java.io.IOException;
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
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `ctl recovery-key` and `ctl system recover`: what is on disk, what is pinned, what is believed.
class RecoveryCtlTest {
  private static final Instant NOW = Instant.parse("2026-11-21T12:00:00Z");
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final String PASSPHRASE = "a passphrase of the owner";
  private static final String SECRETS = "{\"password\":\"s3cret-of-before\"}";
  private static final String SETTINGS =
      "{\"base_url\":\"https://erp.plant\",\"user\":\"penstock\",\"allow\":[]}";
  private static final String LOGIN =
      """
      {"token":"access-1","expires_at":"2026-11-21T12:15:00Z",
       "refresh_token":"refresh-1","session_expires_at":"2026-11-22T12:00:00Z"}
      """;
  private static final String ERP = "/api/v1/agents/plant-1/systems/erp";
  private static final String MADE =
      "{\"agent\":\"plant-1\",\"system\":\"erp\",\"plugin\":\"http\",\"version\":4,\"state\":\"sealed\"}";

  @TempDir Path home;
  private final SigningKey root = SigningKey.generate(RANDOM);
  private final SigningKey recordKey = SigningKey.generate(RANDOM);
  private final SigningKey configurationKey = SigningKey.generate(RANDOM);
  private final SealingKey sealingOfBefore = Hpke.generate(RANDOM);
  private final SealingKey sealingOfNow = Hpke.generate(RANDOM);
  private FakeBroker broker;
  private Shell shell;

  @BeforeEach
  void start() throws Exception {
    shell = new Shell(home, Clock.fixed(NOW, ZoneOffset.UTC));
    broker = FakeBroker.start();
    broker
        .when("POST /api/v1/auth/login", 200, LOGIN)
        .when("GET /api/v1/agents/plant-1/sealing-key", 200, sealingKey())
        .when("GET " + ERP, 200, "{\"system\":\"erp\",\"version\":3}")
        .when("PUT " + ERP, 200, MADE);
    shell.login(broker, "--root", root.verifyingKey().sha256().base64Url());
  }

  @AfterEach
  void stop() {
    broker.close();
  }

  // The broker's answers.

  private ObjectNode proof(SigningKey signingRoot) {
    long seconds = NOW.getEpochSecond();
    var keyset =
        new Keyset(
            1,
            seconds - 60,
            seconds + 3600,
            List.of(
                Keyset.Key.of(KeyUse.RECORD, recordKey.verifyingKey()),
                Keyset.Key.of(KeyUse.CONFIGURATION, configurationKey.verifyingKey())));
    return Json.object()
        .put("keyset", keyset.sign(signingRoot))
        .put("root_public", signingRoot.verifyingKey().octets().base64Url());
  }

  /// The agent as it is now: enrolled again.
  private String sealingKey() {
    var agentRecord =
        new AgentRecord(
            "plant-1",
            2,
            "hamburg",
            Map.of(),
            Octets.of(new byte[32]),
            sealingOfNow.publicKey(),
            SigningKey.generate(RANDOM).verifyingKey(),
            "ABCD-EFGH",
            List.of(),
            "admin@example.com",
            NOW.getEpochSecond());
    return Json.oneLine(proof(root).put("record", agentRecord.sign(recordKey)));
  }

  private static SealedFor owner(long generation) {
    byte[] settings = SETTINGS.getBytes(StandardCharsets.UTF_8);
    return new SealedFor(
        "plant-1",
        generation,
        "erp",
        PluginSchema.of("http").orElseThrow().destinationOf(settings));
  }

  private SealedSecrets sealedBefore(Octets recovery) {
    return SealedSecrets.seal(
        SECRETS.getBytes(StandardCharsets.UTF_8),
        owner(1),
        sealingOfBefore.publicKey(),
        Optional.of(recovery),
        RANDOM);
  }

  private String header(long version, SealedSecrets sealed) {
    return new ConfigurationHeader(
            "plant-1",
            1,
            "erp",
            "http",
            PluginSchema.of("http").orElseThrow().id(),
            version,
            ConfigurationHeader.NOTHING_BEFORE,
            Octets.sha256(SETTINGS.getBytes(StandardCharsets.UTF_8)),
            sealed.hashes(),
            "eng@example.com",
            NOW.getEpochSecond())
        .sign(configurationKey);
  }

  private ObjectNode sealedVersion(long version, SealedSecrets sealed) {
    ObjectNode answer =
        proof(root).put("header", header(version, sealed)).put("settings_json", SETTINGS);
    answer.set("sealed", Json.parse(sealed.toJson()).orElseThrow());
    answer.putArray("secret_names").add("password");
    return answer;
  }

  private void brokerHolds(long version, JsonNode answer) {
    broker.when("GET " + ERP + "/versions/" + version + "/sealed", 200, Json.oneLine(answer));
  }

  // The owner's machine.

  private Path passphraseFile(String passphrase) throws IOException {
    return Files.writeString(home.resolve("passphrase"), passphrase + "\n");
  }

  private Path keyFile() {
    return home.resolve("recovery.key");
  }

  private Path publicFile() {
    return home.resolve("recovery.key.pub");
  }

  private Shell.Result create(Path file) throws IOException {
    return shell.ctl(
        "recovery-key",
        "create",
        "--out",
        file.toString(),
        "--passphrase-file",
        passphraseFile(PASSPHRASE).toString());
  }

  private RecoveryPublicKey created() throws IOException {
    assertThat(create(keyFile()).exitCode()).isZero();
    return RecoveryPublicKey.ofFile(publicFile());
  }

  private Shell.Result recover(String... more) {
    return recoverBy("ABCD-EFGH", more);
  }

  private Shell.Result recoverBy(String fingerprint, String... more) {
    List<String> all = new ArrayList<>(List.of("--fingerprint", fingerprint));
    all.addAll(Arrays.asList(more));
    return recoverWithoutFingerprint(all.toArray(String[]::new));
  }

  private Shell.Result recoverWithoutFingerprint(String... more) {
    var arguments =
        new ArrayList<>(
            List.of(
                "system",
                "recover",
                "plant-1/erp",
                "--key",
                keyFile().toString(),
                "--passphrase-file",
                home.resolve("passphrase").toString()));
    arguments.addAll(Arrays.asList(more));
    return shell.ctl(arguments.toArray(String[]::new));
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
                "GET /**"));
    arguments.addAll(Arrays.asList(more));
    return shell.ctlWithInput("s3cret\n", arguments.toArray(String[]::new));
  }

  private Shell.Result putWithSecret(String... more) {
    var arguments = new ArrayList<>(List.of("--set", "user=u", "--secret-stdin", "password"));
    arguments.addAll(Arrays.asList(more));
    return put(arguments.toArray(String[]::new));
  }

  private JsonNode sent() {
    return Json.parse(broker.lastAsked().body().getBytes(StandardCharsets.UTF_8)).orElseThrow();
  }

  private static String opened(JsonNode body, SealingKey key, SealedFor owner) {
    byte[] sealed = Json.oneLine(body.path("sealed")).getBytes(StandardCharsets.UTF_8);
    return SealedSecrets.fromJson(sealed).open(key, owner) instanceof Opening.Opened it
        ? new String(it.secretsJson(), StandardCharsets.UTF_8)
        : "refused";
  }

  private SealingKey privatePart() {
    return RecoveryKeyFile.of(keyFile()).open(PASSPHRASE.getBytes(StandardCharsets.UTF_8));
  }

  private boolean askedToPut() {
    return broker.asked().stream().anyMatch(it -> it.line().startsWith("PUT"));
  }

  // Keys.

  @Test
  void aKeyIsMadeForItsOwnerAloneAndShownOnce() throws Exception {
    Shell.Result result = create(keyFile());

    RecoveryPublicKey shown = RecoveryPublicKey.ofFile(publicFile());
    assertThat(result.exitCode()).isZero();
    assertThat(result.out())
        .contains(shown.octets().base64Url(), "sha256     " + shown.sha256().base64Url());
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(keyFile())))
        .isEqualTo("rw-------");
    assertThat(privatePart().publicKey()).isEqualTo(shown.octets());
    String seed = Octets.of(privatePart().seed()).base64Url();
    assertThat(Files.readString(keyFile())).doesNotContain(seed).contains("argon2id");
    assertThat(result.out() + result.err()).doesNotContain(seed);
  }

  @Test
  void noKeyIsEverOverwritten() throws Exception {
    created();
    byte[] first = Files.readAllBytes(keyFile());

    Shell.Result again = create(keyFile());
    Files.move(keyFile(), home.resolve("elsewhere"));
    Shell.Result beside = create(keyFile());

    assertThat(again.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(again.err()).contains("exists");
    assertThat(beside.err()).contains(publicFile() + " exists");
    assertThat(keyFile()).doesNotExist();
    assertThat(Files.readAllBytes(home.resolve("elsewhere"))).isEqualTo(first);
  }

  @Test
  void aPassphraseIsTypedOrInAFileAndNeverShort() throws Exception {
    Shell.Result untyped = shell.ctl("recovery-key", "create", "--out", keyFile().toString());
    Shell.Result tooShort =
        shell.ctl(
            "recovery-key",
            "create",
            "--out",
            keyFile().toString(),
            "--passphrase-file",
            passphraseFile("seven77").toString());
    Shell.Result argument =
        shell.ctl(
            "recovery-key", "create", "--out", keyFile().toString(), "--passphrase", PASSPHRASE);

    assertThat(untyped.exitCode()).isEqualTo(ExitCode.WRONG_USAGE);
    assertThat(untyped.err()).contains("--passphrase-file");
    assertThat(tooShort.exitCode()).isEqualTo(ExitCode.WRONG_USAGE);
    assertThat(tooShort.err()).contains("at least 8 bytes, found 7");
    assertThat(argument.exitCode()).isEqualTo(ExitCode.WRONG_USAGE);
    assertThat(keyFile()).doesNotExist();
  }

  /// The file's format, written once by the first version that had it.
  @Test
  void aKeyFileOfTheFirstVersionOpens() throws Exception {
    Path old = home.resolve("old.key");
    try (var in = RecoveryCtlTest.class.getResourceAsStream("recovery.key")) {
      Files.copy(Objects.requireNonNull(in), old);
    }

    SealingKey key =
        RecoveryKeyFile.of(old)
            .open("correct horse battery staple".getBytes(StandardCharsets.UTF_8));

    assertThat(Octets.of(key.seed()).hex())
        .isEqualTo("202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f");
  }

  @Test
  void aChangedKeyFileDoesNotOpen() throws Exception {
    created();
    ObjectNode file = (ObjectNode) Json.parse(Files.readAllBytes(keyFile())).orElseThrow();
    byte[] sealed = Octets.fromBase64Url(file.path("sealed").asText()).bytes();
    sealed[20] ^= 1;
    String otherId = Octets.sha256(new byte[] {1}).base64Url();

    assertUnopenable(it -> it.put("sealed", Octets.of(sealed).base64Url()));
    assertUnopenable(it -> it.put("sha256", otherId));
    assertUnopenable(it -> it.withObject("/argon2id").put("passes", 2));
    assertUnopenable(it -> it.withObject("/argon2id").put("memory_kib", 1 << 30));
    assertUnopenable(it -> it.put("format", 2));
    assertUnopenable(it -> it.put("kind", "penstock-recovery-public-key"));
  }

  private void assertUnopenable(Consumer<ObjectNode> change) throws IOException {
    ObjectNode file = (ObjectNode) Json.parse(Files.readAllBytes(keyFile())).orElseThrow();
    change.accept(file);
    Path changed = Files.writeString(home.resolve("changed.key"), Json.oneLine(file));
    Octets id = RecoveryPublicKey.ofFile(publicFile()).sha256();
    brokerHolds(3, sealedVersion(3, sealedBefore(RecoveryPublicKey.ofFile(publicFile()).octets())));

    Shell.Result result =
        shell.ctl(
            "system",
            "recover",
            "plant-1/erp",
            "--key",
            changed.toString(),
            "--passphrase-file",
            home.resolve("passphrase").toString(),
            "--print-secrets");

    assertThat(result.exitCode()).as(id + " " + file).isEqualTo(ExitCode.FAILED);
    assertThat(result.out()).isEmpty();
  }

  // Pins.

  @Test
  void anotherKeyIsPinnedOnlyByItsHash() throws Exception {
    RecoveryPublicKey first = created();
    Path other = home.resolve("other.key");
    create(other);
    Path otherPublic = home.resolve("other.key.pub");
    RecoveryPublicKey second = RecoveryPublicKey.ofFile(otherPublic);

    assertThat(shell.ctl("recovery-key", "show").exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(pin(publicFile()).exitCode()).isZero();
    assertThat(pin(publicFile()).exitCode()).as("the same again").isZero();
    Shell.Result refused = pin(otherPublic);
    Shell.Result wrong = pin(otherPublic, "--replace", first.sha256().base64Url());
    String shownBetween = shell.ctl("recovery-key", "show").out();
    Shell.Result replaced = pin(otherPublic, "--replace", second.sha256().hex());

    assertThat(refused.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(refused.err()).contains(first.sha256().base64Url(), "--replace");
    assertThat(wrong.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(shownBetween).contains(first.sha256().base64Url());
    assertThat(replaced.exitCode()).isZero();
    assertThat(shell.ctl("recovery-key", "show").out()).contains(second.sha256().base64Url());
    assertThat(shell.ctl("recovery-key", "unpin").exitCode()).isZero();
    assertThat(shell.ctl("recovery-key", "show").exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(shell.ctl("recovery-key").exitCode()).isEqualTo(ExitCode.WRONG_USAGE);
    assertThat(broker.asked()).as("no broker is told").hasSize(1);
  }

  private Shell.Result pin(Path file, String... more) {
    var arguments = new ArrayList<>(List.of("recovery-key", "pin", file.toString()));
    arguments.addAll(Arrays.asList(more));
    return shell.ctl(arguments.toArray(String[]::new));
  }

  @Test
  void whatIsNoPublicKeyIsNotPinned() throws Exception {
    RecoveryPublicKey key = created();
    String text = Files.readString(publicFile());
    Path changed = home.resolve("changed.pub");

    for (String wrong :
        List.of(
            "{}",
            "no json",
            text.replace(key.sha256().base64Url(), Octets.sha256(new byte[1]).base64Url()),
            text.replace(key.octets().base64Url(), "AAAA"))) {
      Files.writeString(changed, wrong);
      assertThat(pin(changed).exitCode()).isEqualTo(ExitCode.FAILED);
    }
    assertThat(pin(keyFile()).err()).contains("public part");
    assertThat(shell.ctl("recovery-key", "show").exitCode()).isEqualTo(ExitCode.FAILED);
  }

  @Test
  void secretsAreSealedToThePinnedKeyToo() throws Exception {
    RecoveryPublicKey key = created();
    pin(publicFile());
    String agentsId = SealedSecrets.recipientOf(sealingOfNow.publicKey()).base64Url();

    Shell.Result people = putWithSecret();
    JsonNode body = sent();
    Shell.Result machines = putWithSecret("--json");

    assertThat(people.out())
        .contains(
            "sealed to the agent's key " + agentsId,
            "and the recovery key " + key.sha256().base64Url());
    JsonNode sealedTo =
        Json.parse(machines.out().getBytes(StandardCharsets.UTF_8)).orElseThrow().path("sealed_to");
    assertThat(Json.oneLine(sealedTo))
        .isEqualTo(
            "[{\"key_id\":\"%s\",\"holder\":\"agent\"},{\"key_id\":\"%s\",\"holder\":\"recovery\"}]"
                .formatted(agentsId, key.sha256().base64Url()));
    assertThat(opened(body, privatePart(), owner(2))).isEqualTo("{\"password\":\"s3cret\"}");
    assertThat(opened(body, sealingOfNow, owner(2))).isEqualTo("{\"password\":\"s3cret\"}");
  }

  @Test
  void withoutAPinSecretsAreTheAgentsAlone() throws Exception {
    created();
    pin(publicFile());
    shell.ctl("recovery-key", "unpin");

    putWithSecret();

    assertThat(sent().path("sealed").path("wraps")).hasSize(1);
  }

  @Test
  void whatIsCarriedAndNotSealedToThePinnedKeyIsSaid() throws Exception {
    RecoveryPublicKey key = created();
    pin(publicFile());
    ObjectNode made = (ObjectNode) Json.parse(MADE.getBytes(StandardCharsets.UTF_8)).orElseThrow();
    made.putArray("recipients").addObject().put("key_id", "agents").put("of_agent", true);
    broker.when("PUT /api/v1/agents/plant-1/systems/mes", 200, Json.oneLine(made));

    Shell.Result result =
        shell.ctl(
            "system",
            "put",
            "plant-1",
            "mes",
            "--plugin",
            "http",
            "--set",
            "base_url=https://mes",
            "--allow",
            "GET /**",
            "--carry-secrets");

    assertThat(result.exitCode()).isZero();
    assertThat(result.out()).contains("sealed to the agent's key agents");
    assertThat(result.err()).contains("not sealed to the pinned recovery key " + key.sha256());
  }

  @Test
  void getTellsWhoCanOpenTheSecrets() throws Exception {
    RecoveryPublicKey key = created();
    pin(publicFile());
    broker.when(
        "GET /api/v1/agents/plant-1/systems/mes",
        200,
        """
        {"system":"mes","version":3,"settings":{},"recipients":[{"key_id":"agents","of_agent":true},
          {"key_id":"%s","of_agent":false},{"key_id":"stranger","of_agent":false}]}
        """
            .formatted(key.sha256().base64Url()));

    Shell.Result shown = shell.ctl("system", "get", "plant-1", "mes");
    Shell.Result json = shell.ctl("system", "get", "plant-1", "mes", "--json");

    assertThat(shown.out())
        .contains(
            "the agent's key agents,the recovery key " + key.sha256() + ",another key stranger");
    assertThat(json.out()).contains("\"holder\" : \"recovery\"", "\"holder\" : \"other\"");
  }

  // Recovery.

  @Test
  void whatWasSealedToAGoneKeyIsSealedToThePresentOne() throws Exception {
    RecoveryPublicKey key = created();
    pin(publicFile());
    brokerHolds(3, sealedVersion(3, sealedBefore(key.octets())));

    Shell.Result result = recover();

    assertThat(result.err()).isEmpty();
    assertThat(result.exitCode()).isZero();
    assertThat(result.out()).contains("version 4 of erp has the secrets of version 3");
    JsonNode body = sent();
    assertThat(Json.oneLine(body.path("settings"))).isEqualTo(SETTINGS);
    assertThat(body.path("plugin").asText()).isEqualTo("http");
    assertThat(body.path("expected_version").asLong()).isEqualTo(3);
    assertThat(Json.oneLine(body.path("secret_names"))).isEqualTo("[\"password\"]");
    assertThat(opened(body, sealingOfNow, owner(2))).isEqualTo(SECRETS);
    assertThat(opened(body, privatePart(), owner(2))).as("recoverable again").isEqualTo(SECRETS);
    assertThat(opened(body, sealingOfBefore, owner(2))).isEqualTo("refused");
    assertThat(broker.asked().toString() + result.out()).doesNotContain("s3cret-of-before");
    assertThat(filesWith("s3cret-of-before")).isEmpty();
  }

  private List<Path> filesWith(String secret) throws IOException {
    try (Stream<Path> files = Files.walk(home)) {
      var found = new ArrayList<Path>();
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        if (new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1).contains(secret)) {
          found.add(file);
        }
      }
      return found;
    }
  }

  @Test
  void anOlderVersionIsRecoveredByItsNumberAndDeployedAtOnce() throws Exception {
    RecoveryPublicKey key = created();
    brokerHolds(2, sealedVersion(2, sealedBefore(key.octets())));
    broker.when(
        "POST " + ERP + "/deploy", 200, "{\"system\":\"erp\",\"version\":4,\"sequence\":9}");

    Shell.Result result = recover("--version", "2", "--deploy");

    assertThat(result.exitCode()).isZero();
    assertThat(broker.lastAsked().line()).isEqualTo("POST " + ERP + "/deploy");
    assertThat(result.out()).contains("version 4 of erp waits for plant-1; sealed to the agent");
  }

  @Test
  void secretsArePrintedOnlyWhenAskedAndThenNothingIsMade() throws Exception {
    RecoveryPublicKey key = created();
    brokerHolds(3, sealedVersion(3, sealedBefore(key.octets())));

    Shell.Result result = recover("--print-secrets");

    assertThat(result.out()).isEqualTo(SECRETS + System.lineSeparator());
    assertThat(askedToPut()).isFalse();
    assertThat(broker.asked()).noneMatch(it -> it.line().endsWith("/sealing-key"));
    assertThat(recover("--print-secrets", "--deploy").exitCode()).isEqualTo(ExitCode.WRONG_USAGE);
  }

  @Test
  void aKnownAgentsNewGenerationDemandsTheFingerprint() throws Exception {
    RecoveryPublicKey key = created();
    brokerHolds(3, sealedVersion(3, sealedBefore(key.octets())));
    new Pins(new SessionStore(home.resolve("ctl")), broker.url())
        .pinAgent("plant-1", new Pins.Known(1, Octets.sha256(sealingOfBefore.publicKey().bytes())));

    Shell.Result refused = recoverWithoutFingerprint();
    Shell.Result confirmed = recover();

    assertThat(refused.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(refused.err()).contains("sealing key of plant-1 has changed", "--fingerprint");
    assertThat(confirmed.exitCode()).isZero();
  }

  @Test
  void anAgentThatWasNeverSealedToFromHereDemandsTheFingerprintAndComparesIt() throws Exception {
    RecoveryPublicKey key = created();
    brokerHolds(3, sealedVersion(3, sealedBefore(key.octets())));

    Shell.Result without = recoverWithoutFingerprint();
    Shell.Result wrong = recoverBy("AAAA-AAAA");

    assertThat(without.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(without.err()).contains("never sealed to from here", "--fingerprint");
    assertThat(wrong.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(wrong.err()).contains("the fingerprint is not that of plant-1");
    assertThat(askedToPut()).isFalse();
  }

  @Test
  void anotherPassphraseOpensNothing() throws Exception {
    RecoveryPublicKey key = created();
    brokerHolds(3, sealedVersion(3, sealedBefore(key.octets())));
    passphraseFile("another passphrase");

    Shell.Result result = recover("--print-secrets");

    assertThat(result.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(result.err()).contains("another passphrase, or changed");
    assertThat(result.out()).isEmpty();
  }

  @Test
  void aVersionThatIsNotSealedToTheKeySaysToWhomItIs() throws Exception {
    created();
    Octets other = Hpke.generate(RANDOM).publicKey();
    brokerHolds(3, sealedVersion(3, sealedBefore(other)));

    Shell.Result result = recover();

    assertThat(result.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(result.err())
        .contains("is not sealed to recovery key", SealedSecrets.recipientOf(other).base64Url());
    assertThat(askedToPut()).isFalse();
  }

  @Test
  void nothingIsOpenedThatThePinnedRootDoesNotVouchFor() throws Exception {
    Octets key = created().octets();
    SigningKey thief = SigningKey.generate(RANDOM);
    JsonNode others = Json.parse(sealedBefore(key).toJson()).orElseThrow();

    assertNotProven(11, key, it -> it.setAll(proof(thief)), "root key has changed");
    assertNotProven(
        12,
        key,
        it -> it.put("header", header(2, sealedBefore(key))),
        "expected plant-1/erp version 12, found plant-1/erp version 2");
    assertNotProven(
        13,
        key,
        it -> it.put("settings_json", SETTINGS.replace("erp.plant", "thief")),
        "settings are not the header's");
    assertNotProven(14, key, it -> it.set("sealed", others), "secrets are not the header's");
    assertNotProven(
        15,
        key,
        it -> it.put("header", it.path("header").asText().replaceFirst("....$", "AAAA")),
        "not proven");
  }

  private void assertNotProven(
      long version, Octets recovery, Consumer<ObjectNode> change, String why) {
    ObjectNode answer = sealedVersion(version, sealedBefore(recovery));
    change.accept(answer);
    brokerHolds(version, answer);

    Shell.Result result = recover("--version", Long.toString(version));

    assertThat(result.exitCode()).as(why).isEqualTo(ExitCode.REFUSED_FOR_GOOD);
    assertThat(result.err()).contains(why);
    assertThat(askedToPut()).isFalse();
  }

  @Test
  void withoutAKnownRootNothingIsBelieved() throws Exception {
    RecoveryPublicKey key = created();
    brokerHolds(3, sealedVersion(3, sealedBefore(key.octets())));
    Files.delete(shell.sessionFile().resolveSibling("pins.json"));

    Shell.Result unknown = recover();
    Shell.Result given = recover("--root", root.verifyingKey().sha256().hex());

    assertThat(unknown.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(unknown.err()).contains("no root key of this broker is pinned", "--root");
    assertThat(given.exitCode()).isZero();
  }

  @Test
  void theTargetIsAnAgentAndASystem() throws Exception {
    created();

    for (String target : List.of("plant-1", "/erp", "plant-1/", "a/b/c")) {
      assertThat(shell.ctl("system", "recover", target, "--key", keyFile().toString()).exitCode())
          .isEqualTo(ExitCode.WRONG_USAGE);
    }
  }
}
