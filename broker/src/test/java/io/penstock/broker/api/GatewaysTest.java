package io.penstock.broker.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.access.Forger;
import io.penstock.broker.access.Role;
import io.penstock.broker.store.AuditTable;
import io.penstock.codec.schema.PluginSchema;
import io.penstock.codec.seal.ConfigurationHeader;
import io.penstock.codec.seal.EnrollmentToken;
import io.penstock.codec.seal.GatewayTexts;
import io.penstock.codec.seal.GatewayTexts.Binding;
import io.penstock.codec.seal.HeadManifest;
import io.penstock.codec.seal.Keyset;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.Receipt;
import io.penstock.codec.seal.SealedFor;
import io.penstock.codec.seal.SealedSecrets;
import io.penstock.codec.seal.SealedSecrets.Opening;
import io.penstock.codec.seal.SigningKey;
import io.penstock.codec.seal.VerifyingKey;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/// Agents without a tunnel, by the API, on a real Postgres: how they live, and what strangers try.
class GatewaysTest {
  private static final String SETTINGS =
      "{\"base_url\":\"https://erp\",\"user\":\"erp\",\"allow\":[]}";
  private static final SecureRandom RANDOM = new SecureRandom();

  @TempDir Path directory;
  private ApiRig rig;

  @BeforeEach
  void start() {
    rig = new ApiRig(directory.resolve("data"));
  }

  @AfterEach
  void stop() {
    rig.close();
  }

  private static JsonObject json(HttpResponse<String> answer, int status) {
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
    return new JsonObject(answer.body());
  }

  private static void assertProblem(HttpResponse<String> answer, int status, String title) {
    assertThat(json(answer, status).getString("title")).as(answer.body()).isEqualTo(title);
  }

  private static void assertRefused(HttpResponse<String> answer) {
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(401);
    assertThat(ApiRig.problem(answer))
        .isEqualTo(
            new JsonObject()
                .put("type", "about:blank")
                .put("title", "unauthorized")
                .put("status", 401)
                .put("detail", "a valid access token is needed"));
  }

  private JsonObject agent(String name) {
    return json(rig.send("GET", "/api/v1/agents/" + name, "", rig.admin), 200);
  }

  private List<AuditTable.Entry> events(String type) {
    return rig.systems.audit().stream().filter(it -> it.eventType().equals(type)).toList();
  }

  private List<String> reasons() {
    return events("authentication.failure").stream().map(it -> it.reason().orElse("")).toList();
  }

  // How it lives.

  @Test
  void aGatewayIsEnrolledProvenApprovedAndConfigured() {
    var gateway = new TestGateway(rig, "gw-1");
    EnrollmentToken token = rig.enrollmentToken("gw-1", false);

    JsonObject enrolled = json(gateway.enroll(gateway.claim(token)), 201);

    assertThat(enrolled.getString("state")).isEqualTo("pending");
    assertThat(enrolled.getString("fingerprint")).isEqualTo(gateway.fingerprint(token));
    assertThat(enrolled.getString("confirmation"))
        .isEqualTo(
            TestGateway.text(
                GatewayTexts.confirmation(token.secret().bytes(), gateway.transcript(token))));
    assertThat(agent("gw-1").getString("state")).isEqualTo("pending");
    assertThat(agent("gw-1").getJsonObject("enrollment").getString("method")).isEqualTo("gateway");
    assertProblem(gateway.approve(gateway.fingerprint(token)), 409, "proof-missing");
    assertProblem(gateway.askToken(gateway.assertion()), 403, "pending");

    json(gateway.prove(enrolled.getString("challenge")), 200);
    assertProblem(gateway.approve("AAAA-AAAA"), 409, "fingerprint-mismatch");
    json(gateway.approve(gateway.fingerprint(token)), 200);

    String access = gateway.token();
    JsonObject empty = json(gateway.current(access), 200);
    assertThat(empty.getValue("head")).isNull();
    assertThat(empty.getJsonObject("documents")).isEmpty();
    deploy(gateway);
    HttpResponse<String> answer = gateway.current(access);
    JsonObject current = json(answer, 200);
    assertThat(opened(gateway, token, current)).isEqualTo("{\"password\":\"s3cret\"}");
    assertThat(events("gateway.token")).hasSize(1);
    assertThat(events("gateway.enroll").getFirst().changes()).containsEntry("method", "gateway");
  }

  private void deploy(TestGateway gateway) {
    byte[] sealed =
        SealedSecrets.seal(
                "{\"password\":\"s3cret\"}".getBytes(StandardCharsets.UTF_8),
                owner(gateway),
                gateway.sealing.publicKey(),
                Optional.empty(),
                RANDOM)
            .toJson();
    var edit =
        new JsonObject()
            .put("plugin", "http")
            .put("settings", new JsonObject(SETTINGS))
            .put("sealed", new JsonObject(new String(sealed, StandardCharsets.UTF_8)))
            .put("secret_names", new JsonArray().add("password"));
    String path = "/api/v1/agents/" + gateway.name + "/systems/erp";
    json(rig.send("PUT", path, edit.encode(), rig.admin), 200);
    json(rig.send("POST", path + "/deploy", "", rig.admin), 200);
  }

  private static SealedFor owner(TestGateway gateway) {
    PluginSchema http = PluginSchema.of("http").orElseThrow();
    return new SealedFor(
        gateway.name, 1, "erp", http.destinationOf(SETTINGS.getBytes(StandardCharsets.UTF_8)));
  }

  /// All of it checked as the gateway would, from what its token pinned.
  private String opened(TestGateway gateway, EnrollmentToken token, JsonObject current) {
    Keyset keyset =
        Keyset.verify(
            current.getString("keyset"),
            VerifyingKey.fromBase64Url(current.getString("root_public")),
            token.rootSha256(),
            gateway.serverTime());
    HeadManifest head = HeadManifest.verify(current.getString("head"), keyset);
    JsonObject document = current.getJsonObject("documents").getJsonObject("erp");
    ConfigurationHeader header = ConfigurationHeader.verify(document.getString("header"), keyset);
    assertThat(head.listed("erp").orElseThrow().headerSha256())
        .isEqualTo(ConfigurationHeader.hashOf(document.getString("header")));
    assertThat(header.settingsSha256())
        .isEqualTo(
            Octets.sha256(document.getString("settings_json").getBytes(StandardCharsets.UTF_8)));
    SealedSecrets sealed =
        SealedSecrets.fromJson(
            document.getJsonObject("sealed").encode().getBytes(StandardCharsets.UTF_8));
    return sealed.open(gateway.sealing, owner(gateway)) instanceof Opening.Opened it
        ? new String(it.secretsJson(), StandardCharsets.UTF_8)
        : "refused";
  }

  @Test
  void anUnchangedConfigurationIsNotSentAgain() {
    TestGateway gateway = new TestGateway(rig, "gw-1").approved();
    deploy(gateway);
    String access = gateway.token();
    String etag = gateway.current(access).headers().firstValue("ETag").orElseThrow();

    HttpResponse<String> same = conditional(gateway, access, etag);

    assertThat(same.statusCode()).isEqualTo(304);
    assertThat(same.body()).isEmpty();
    assertThat(conditional(gateway, access, "\"other\", W/" + etag).statusCode()).isEqualTo(304);
    assertThat(conditional(gateway, access, "\"other\"").statusCode()).isEqualTo(200);
    deploy(gateway);
    assertThat(conditional(gateway, access, etag).statusCode()).isEqualTo(200);
  }

  private static HttpResponse<String> conditional(
      TestGateway gateway, String access, String etags) {
    return gateway.send(
        "GET",
        gateway.configPath(),
        "",
        access,
        gateway.proof("GET", gateway.configPath(), access),
        Map.of("If-None-Match", etags));
  }

  @Test
  void oneSystemIsAskedForByName() {
    TestGateway gateway = new TestGateway(rig, "gw-1").approved();
    deploy(gateway);
    String access = gateway.token();

    JsonObject none =
        json(
            gateway.send(
                "GET",
                gateway.configPath(),
                "?system=crm",
                "",
                access,
                gateway.proof("GET", gateway.configPath(), access)),
            200);

    assertThat(none.getJsonObject("documents")).isEmpty();
    assertThat(none.getString("head")).isNotEmpty();
  }

  @Test
  void heartbeatsMakePresenceAndBringReceipts() {
    TestGateway gateway = new TestGateway(rig, "gw-1").approved();
    deploy(gateway);
    String access = gateway.token();
    assertThat(agent("gw-1").getBoolean("online")).isFalse();

    JsonObject first = json(gateway.heartbeat(access, new JsonObject()), 200);

    assertThat(first.getBoolean("in_sync")).isFalse();
    assertThat(agent("gw-1").getBoolean("online")).isTrue();
    assertThat(agent("gw-1").getInteger("tunnels")).isZero();
    assertThat(agent("gw-1").getLong("applied_version")).isZero();

    JsonObject second =
        json(
            gateway.heartbeat(
                access,
                new JsonObject()
                    .put("receipts", new JsonArray().add(receipt(gateway, access)))
                    .put("state_digest", digest(gateway, access))),
            200);

    assertThat(second.getBoolean("in_sync")).isTrue();
    JsonObject agent = agent("gw-1");
    assertThat(agent.getLong("applied_version")).isEqualTo(agent.getLong("config_version"));
    JsonObject system =
        json(rig.send("GET", "/api/v1/agents/gw-1/systems/erp", "", rig.admin), 200);
    assertThat(system.getString("state")).isEqualTo("applied");
    rig.systems.pass(Duration.ofSeconds(91));
    rig.gatewayService.sweep();
    assertThat(agent("gw-1").getBoolean("online")).isFalse();
    json(gateway.heartbeat(gateway.token(), new JsonObject()), 200);
    assertThat(agent("gw-1").getBoolean("online")).isTrue();
  }

  private static HeadManifest head(TestGateway gateway, String access) {
    JsonObject current = json(gateway.current(access), 200);
    return HeadManifest.verify(
        current.getString("head"),
        Keyset.verifyIgnoringTime(
            current.getString("keyset"),
            VerifyingKey.fromBase64Url(current.getString("root_public"))));
  }

  private static String digest(TestGateway gateway, String access) {
    return head(gateway, access).stateDigest().base64Url();
  }

  private String receipt(TestGateway gateway, String access) {
    var held = head(gateway, access).listed("erp").orElseThrow();
    return new Receipt(
            "gw-1",
            1,
            "erp",
            held.version(),
            held.headerSha256(),
            new Receipt.Applied(),
            gateway.now())
        .sign(gateway.signing);
  }

  @Test
  void aReceiptOfAnotherKeyIsAnAlarm() {
    TestGateway gateway = new TestGateway(rig, "gw-1").approved();
    deploy(gateway);
    String access = gateway.token();
    var held = head(gateway, access).listed("erp").orElseThrow();
    String forged =
        new Receipt(
                "gw-1",
                1,
                "erp",
                held.version(),
                held.headerSha256(),
                new Receipt.Applied(),
                gateway.now())
            .sign(SigningKey.generate(RANDOM));

    HttpResponse<String> answer =
        gateway.heartbeat(access, new JsonObject().put("receipts", new JsonArray().add(forged)));

    assertProblem(answer, 400, "bad-request");
    assertThat(rig.send("GET", "/api/v1/alarms", "", rig.admin).body()).contains("gw-1");
    assertThat(agent("gw-1").getLong("applied_version")).isZero();
    // It may go on, with receipts that hold.
    json(gateway.heartbeat(access, new JsonObject()), 200);
  }

  @Test
  void tokensAreRenewedForADay() {
    TestGateway gateway = new TestGateway(rig, "gw-1").approved();
    String first = gateway.token();

    String second = json(gateway.renew(first), 200).getString("token");

    json(gateway.current(second), 200);
    json(gateway.current(first), 200);
    rig.systems.pass(Duration.ofHours(24));
    // The signature's own clock is the machine's: only the day since the assertion is over.
    assertRefused(gateway.renew(second));
  }

  // Enrollment: what strangers try.

  @Test
  void nobodyRegistersByHimself() {
    assertProblem(
        rig.send("POST", "/api/v1/gateways/register", "{\"gateway_id\":\"x\"}", ""),
        403,
        "self-registration-disabled");
  }

  @Test
  void everyDenialIsTheSame() {
    var gateway = new TestGateway(rig, "gw-1");
    EnrollmentToken token = rig.enrollmentToken("gw-1", false);
    var otherKeys = new TestGateway(rig, "gw-1");
    JsonObject claim = gateway.claim(token);

    JsonObject swapped =
        gateway
            .claim(token)
            .put("signing_key", otherKeys.signing.verifyingKey().octets().base64Url());
    JsonObject unsigned = gateway.claim(token).put("signature", TestGateway.text(new byte[64]));
    JsonObject unknown = gateway.claim(token).put("token_id", TestGateway.text(new byte[16]));
    JsonObject wrong = gateway.claim(token).put("claim", TestGateway.text(new byte[32]));
    JsonObject elsewhere = gateway.claim(token).put("gateway_id", "gw-2");
    JsonObject plain = gateway.claim(token).put("binding", "bearer");

    for (JsonObject bad : List.of(swapped, unknown, wrong, elsewhere)) {
      assertDenied(gateway.enroll(bad));
    }
    rig.systems.pass(Duration.ofMinutes(11));
    for (JsonObject bad : List.of(unsigned, plain)) {
      assertDenied(gateway.enroll(bad));
    }
    // The token is none the worse for it.
    json(gateway.enroll(claim), 201);
    assertThat(reasons()).contains("wrong-secret", "unknown-token", "bad-signature");
    assertThat(rig.send("GET", "/api/v1/alarms", "", rig.admin).body())
        .contains("token-secret-wrong");
  }

  private static void assertDenied(HttpResponse<String> answer) {
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(403);
    assertThat(ApiRig.problem(answer))
        .isEqualTo(
            new JsonObject()
                .put("type", "about:blank")
                .put("title", "enrollment-denied")
                .put("status", 403)
                .put(
                    "detail",
                    "the enrollment was denied; an Admin finds the reason with the token"));
  }

  @Test
  void aTokenIsForOneGatewayWhichMayComeAgain() {
    EnrollmentToken token = rig.enrollmentToken("gw-1", false);
    var gateway = new TestGateway(rig, "gw-1");
    json(gateway.enroll(gateway.claim(token)), 201);
    JsonObject again = json(gateway.enroll(gateway.claim(token)), 201);
    assertThat(again.getLong("generation")).isEqualTo(1);

    var thief = new TestGateway(rig, "gw-1");
    assertDenied(thief.enroll(thief.claim(token)));

    assertThat(reasons()).contains("token-reused");
    assertThat(rig.send("GET", "/api/v1/alarms", "", rig.admin).body()).contains("token-reused");
  }

  @Test
  void anExpiredTokenAndARevokedNameAreDenied() {
    EnrollmentToken token = rig.enrollmentToken("gw-1", false);
    rig.systems.pass(Duration.ofMinutes(61));
    var gateway = new TestGateway(rig, "gw-1");
    assertDenied(gateway.enroll(gateway.claim(token)));

    new TestGateway(rig, "gw-1").approved();
    json(rig.send("POST", "/api/v1/agents/gw-1/revoke", "", rig.admin), 200);
    EnrollmentToken anew = rig.enrollmentToken("gw-1", true);
    assertDenied(gateway.enroll(gateway.claim(anew)));
    assertThat(reasons()).contains("token-expired", "name-revoked");
  }

  @Test
  void theTokenItselfIsNotTaken() {
    EnrollmentToken token = rig.enrollmentToken("gw-1", false);
    var gateway = new TestGateway(rig, "gw-1");

    HttpResponse<String> answer =
        gateway.enroll(gateway.claim(token).put("enrollment_token", token.text()));

    assertProblem(answer, 400, "bad-request");
    assertThat(answer.body()).doesNotContain(token.text());
  }

  @Test
  void aWrongAnswerToTheChallengeProvesNothing() {
    EnrollmentToken token = rig.enrollmentToken("gw-1", false);
    var gateway = new TestGateway(rig, "gw-1");
    JsonObject enrolled = json(gateway.enroll(gateway.claim(token)), 201);
    String wrong = new JsonObject().put("opened", TestGateway.text(new byte[32])).encode();

    for (int i = 0; i < 5; i++) {
      assertProblem(
          rig.send("POST", "/api/v1/gateways/gw-1/proof", wrong, ""), 403, "enrollment-denied");
    }

    assertThat(reasons()).contains("proof-failed");
    assertProblem(gateway.approve(gateway.fingerprint(token)), 409, "proof-missing");
    // Beyond the limit of failures not even the right one counts, for ten minutes.
    assertProblem(gateway.prove(enrolled.getString("challenge")), 403, "enrollment-denied");
    rig.systems.pass(Duration.ofMinutes(11));
    json(gateway.prove(enrolled.getString("challenge")), 200);
  }

  // Assertions: what strangers try.

  @TestFactory
  Stream<DynamicTest> assertionsThatAreNone() {
    TestGateway gateway = new TestGateway(rig, "gw-1").approved();
    TestGateway other = new TestGateway(rig, "gw-2").approved();
    long now = gateway.now();
    String good = gateway.assertion();
    json(gateway.askToken(good), 200);
    String[] parts = gateway.assertion().split("\\.", -1);
    JsonObject header = TestGateway.assertionHeader();
    return Map.ofEntries(
            Map.entry("replayed", good),
            Map.entry(
                "of another key",
                Forger.signed(
                    SigningKey.generate(RANDOM),
                    header.encode(),
                    gateway.assertionClaims().encode())),
            Map.entry(
                "of another gateway's key",
                Forger.signed(other.signing, header.encode(), gateway.assertionClaims().encode())),
            Map.entry("another gateway's", other.assertion()),
            Map.entry(
                "expired",
                gateway.signed(
                    header, gateway.assertionClaims().put("iat", now - 90).put("exp", now - 1))),
            Map.entry(
                "for an hour",
                gateway.signed(header, gateway.assertionClaims().put("exp", now + 3600))),
            Map.entry(
                "from tomorrow",
                gateway.signed(
                    header,
                    gateway.assertionClaims().put("iat", now + 86_400).put("exp", now + 86_460))),
            Map.entry(
                "for another broker",
                gateway.signed(
                    header,
                    gateway
                        .assertionClaims()
                        .put("aud", "https://elsewhere/api/v1/gateways/token"))),
            Map.entry(
                "for two audiences",
                gateway.signed(
                    header,
                    gateway
                        .assertionClaims()
                        .put(
                            "aud",
                            new JsonArray()
                                .add(TestGateway.URL + "/api/v1/gateways/token")
                                .add("https://elsewhere")))),
            Map.entry(
                "without an id", gateway.signed(header, without(gateway.assertionClaims(), "jti"))),
            Map.entry(
                "without an end",
                gateway.signed(header, without(gateway.assertionClaims(), "exp"))),
            Map.entry(
                "without an audience",
                gateway.signed(header, without(gateway.assertionClaims(), "aud"))),
            Map.entry(
                "of alg none",
                Forger.base64("{\"alg\":\"none\",\"typ\":\"JWT\"}") + "." + parts[1] + "."),
            Map.entry(
                "of alg none, signed",
                gateway.signed(
                    new JsonObject().put("alg", "none").put("typ", "JWT"),
                    gateway.assertionClaims())),
            Map.entry("of HS256 under the public key", hs256(gateway)),
            Map.entry(
                "with a key of its own",
                gateway.signed(
                    header.copy().put("jwk", new JsonObject()), gateway.assertionClaims())),
            Map.entry(
                "with a place to fetch a key from",
                gateway.signed(
                    header.copy().put("jku", "https://elsewhere"), gateway.assertionClaims())),
            Map.entry("that is a proof", gateway.proof("POST", "/api/v1/gateways/token", "")),
            Map.entry("without a signature", parts[0] + "." + parts[1] + "."),
            Map.entry("with a flipped bit", flipped(gateway.assertion())),
            Map.entry("that is nothing", "x"))
        .entrySet()
        .stream()
        .map(
            attack ->
                DynamicTest.dynamicTest(
                    attack.getKey(),
                    () -> {
                      // Limits are of their own.
                      rig.systems.pass(Duration.ofNanos(1));
                      HttpResponse<String> answer = gateway.askToken(attack.getValue());
                      assertThat(answer.statusCode()).isIn(401, 429);
                      assertThat(answer.body()).doesNotContain("\"token\"");
                    }));
  }

  private static JsonObject without(JsonObject claims, String name) {
    claims.remove(name);
    return claims;
  }

  private static String flipped(String token) {
    char last = token.charAt(token.length() - 5);
    return token.substring(0, token.length() - 5)
        + (last == 'A' ? 'B' : 'A')
        + token.substring(token.length() - 4);
  }

  private static String hs256(TestGateway gateway) {
    String input =
        Forger.base64("{\"alg\":\"HS256\",\"typ\":\"JWT\"}")
            + "."
            + Forger.base64(gateway.assertionClaims().encode());
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(gateway.signing.verifyingKey().octets().bytes(), "HmacSHA256"));
      return input + "." + TestGateway.text(mac.doFinal(input.getBytes(StandardCharsets.US_ASCII)));
    } catch (java.security.GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void whoFailsIsLimitedAndTheRightKeyIsNot() {
    TestGateway gateway = new TestGateway(rig, "gw-1").approved();
    var thief = new TestGateway(rig, "gw-1");
    for (int i = 0; i < 5; i++) {
      assertRefused(thief.askToken(thief.assertion()));
    }

    assertProblem(thief.askToken(thief.assertion()), 429, "rate-limited");
    assertRefusedAlike("nobody-1");

    json(gateway.askToken(gateway.assertion()), 200);
    assertThat(reasons().stream().filter("unknown-key"::equals).count()).isEqualTo(10);
  }

  /// A name that nobody has is answered in the same words.
  private void assertRefusedAlike(String name) {
    var stranger = new TestGateway(rig, name);
    for (int i = 0; i < 5; i++) {
      assertRefused(stranger.askToken(stranger.assertion()));
    }
    assertProblem(stranger.askToken(stranger.assertion()), 429, "rate-limited");
  }

  // Requests: what strangers try.

  @TestFactory
  Stream<DynamicTest> requestsThatAreNotTheGateways() {
    TestGateway gateway = new TestGateway(rig, "gw-1").approved();
    TestGateway other = new TestGateway(rig, "gw-2").approved();
    String access = gateway.token();
    String others = other.token();
    String path = gateway.configPath();
    long now = gateway.now();
    String used = gateway.proof("GET", path, access);
    json(gateway.send("GET", path, "", access, used, Map.of()), 200);
    JsonObject header = gateway.proofHeader();
    return Map.ofEntries(
            Map.entry("no proof", List.of(access, "")),
            Map.entry("a proof that was used", List.of(access, used)),
            Map.entry(
                "a proof for another path",
                List.of(access, gateway.proof("GET", gateway.heartbeatPath(), access))),
            Map.entry(
                "a proof for another gateway's path",
                List.of(access, gateway.proof("GET", other.configPath(), access))),
            Map.entry(
                "a proof for another method", List.of(access, gateway.proof("POST", path, access))),
            Map.entry(
                "a proof for another broker",
                List.of(
                    access,
                    gateway.signed(
                        header,
                        gateway
                            .proofClaims("GET", path, access)
                            .put("htu", "https://elsewhere" + path)))),
            Map.entry(
                "a proof for another token", List.of(access, gateway.proof("GET", path, others))),
            Map.entry(
                "a proof from before",
                List.of(
                    access,
                    gateway.signed(
                        header, gateway.proofClaims("GET", path, access).put("iat", now - 62)))),
            Map.entry(
                "a proof from later",
                List.of(
                    access,
                    gateway.signed(
                        header, gateway.proofClaims("GET", path, access).put("iat", now + 62)))),
            Map.entry(
                "a proof without an id",
                List.of(
                    access,
                    gateway.signed(
                        header, without(gateway.proofClaims("GET", path, access), "jti")))),
            Map.entry("a proof by another key", List.of(access, other.proof("GET", path, access))),
            Map.entry(
                "a proof by another key that shows ours",
                List.of(access, other.signed(header, gateway.proofClaims("GET", path, access)))),
            Map.entry(
                "a proof of alg none",
                List.of(
                    access,
                    gateway.signed(
                        header.copy().put("alg", "none"),
                        gateway.proofClaims("GET", path, access)))),
            Map.entry(
                "a proof of another type",
                List.of(
                    access,
                    gateway.signed(
                        header.copy().put("typ", "JWT"),
                        gateway.proofClaims("GET", path, access)))),
            Map.entry(
                "a proof that names a place to fetch a key from",
                List.of(
                    access,
                    gateway.signed(
                        header.copy().put("jku", "https://elsewhere"),
                        gateway.proofClaims("GET", path, access)))),
            Map.entry(
                "the token of another gateway",
                List.of(others, gateway.proof("GET", path, others))),
            Map.entry(
                "the token of another gateway with its proof",
                List.of(others, other.proof("GET", path, others))),
            Map.entry(
                "the token of a person", List.of(rig.admin, gateway.proof("GET", path, rig.admin))),
            Map.entry(
                "an assertion in the place of a token",
                List.of(gateway.assertion(), gateway.proof("GET", path, access))))
        .entrySet()
        .stream()
        .map(
            attack ->
                DynamicTest.dynamicTest(
                    attack.getKey(),
                    () -> {
                      HttpResponse<String> answer =
                          gateway.send(
                              "GET",
                              path,
                              "",
                              attack.getValue().getFirst(),
                              attack.getValue().getLast(),
                              Map.of());
                      assertThat(answer.statusCode()).as(answer.body()).isIn(401, 429);
                    }));
  }

  @Test
  void aBoundTokenIsWorthNothingAsAPlainOneOrToPeoplesRoutes() {
    TestGateway gateway = new TestGateway(rig, "gw-1").approved();
    String access = gateway.token();

    assertRefused(
        rig.send("GET", gateway.configPath(), "", Map.of("Authorization", "Bearer " + access)));
    assertRefused(rig.send("GET", "/api/v1/agents", "", access));
    assertRefused(rig.send("GET", "/api/v1/auth/me", "", access));
    assertRefused(rig.send("GET", gateway.configPath(), "", Map.of()));
  }

  @Test
  void aRevokedGatewayIsOutWithItsNextRequest() {
    TestGateway gateway = new TestGateway(rig, "gw-1").approved();
    String access = gateway.token();
    json(gateway.heartbeat(access, new JsonObject()), 200);

    json(rig.send("POST", "/api/v1/agents/gw-1/revoke", "", rig.admin), 200);

    assertThat(agent("gw-1").getBoolean("online")).isFalse();
    assertProblem(gateway.current(access), 403, "revoked");
    assertProblem(gateway.heartbeat(access, new JsonObject()), 403, "revoked");
    assertProblem(gateway.renew(access), 403, "revoked");
    assertProblem(gateway.askToken(gateway.assertion()), 403, "revoked");
    assertThat(agent("gw-1").getBoolean("online")).isFalse();
  }

  @Test
  void aRowThatWasPutBackRevivesNobody() {
    TestGateway gateway = new TestGateway(rig, "gw-1").approved();
    String access = gateway.token();
    rig.systems.tamper("create table before as select * from agents where name = 'gw-1'");
    rig.systems.tamper(
        "create table before_g as select * from agent_generations where agent = 'gw-1'");
    try {
      json(rig.send("POST", "/api/v1/agents/gw-1/revoke", "", rig.admin), 200);
      rig.systems.tamper(
          "update agents set state = b.state, mac = b.mac, revoked_at = b.revoked_at"
              + " from before b where agents.name = b.name");
      rig.systems.tamper(
          "update agent_generations g set state = b.state, mac = b.mac,"
              + " bundle_current = b.bundle_current from before_g b where g.agent = b.agent");

      assertProblem(gateway.current(access), 403, "revoked");
    } finally {
      rig.systems.tamper("drop table before, before_g");
    }
  }

  @Test
  void aNewEnrollmentEndsTheOneBefore() {
    TestGateway old = new TestGateway(rig, "gw-1").approved();
    String access = old.token();
    var next = new TestGateway(rig, "gw-1");
    EnrollmentToken token = rig.enrollmentToken("gw-1", true);

    next.enroll(next.claim(token));
    // What waits beside it changes nothing yet.
    json(old.current(access), 200);
    next.approved(token);

    assertProblem(old.current(access), 403, "ended");
    assertProblem(old.askToken(old.assertion()), 403, "ended");
    json(next.current(next.token()), 200);
    assertThat(agent("gw-1").getLong("generation")).isEqualTo(2);
  }

  @Test
  void aRejectedGatewayHearsIt() {
    EnrollmentToken token = rig.enrollmentToken("gw-1", false);
    var gateway = new TestGateway(rig, "gw-1");
    json(gateway.enroll(gateway.claim(token)), 201);
    json(rig.send("POST", "/api/v1/agents/gw-1/reject", "", rig.admin), 200);

    assertProblem(gateway.askToken(gateway.assertion()), 403, "rejected");
  }

  @Test
  void anAgentWithATunnelIsNoGateway() {
    var plant = rig.systems.approved("plant-1");
    var impostor = new TestGateway(rig, "plant-1");
    String assertion =
        Forger.signed(
            plant.signing(),
            TestGateway.assertionHeader().encode(),
            impostor.assertionClaims().encode());

    assertRefused(impostor.askToken(assertion));
  }

  @Test
  void instructionsDoNotWaitForAGatewayForEver() {
    new TestGateway(rig, "gw-1").approved();

    var found =
        rig.systems
            .database()
            .transaction(tx -> rig.systems.agents().enrollments().lock(tx, "gw-1"))
            .orElseThrow();

    assertThat(found.addressable()).isFalse();
    assertThat(found.state()).isEqualTo("a gateway, which has no tunnel");
  }

  @Test
  void aGatewaysRowThatWasChangedBySqlLetsNobodyIn() {
    TestGateway gateway = new TestGateway(rig, "gw-1").approved();
    String access = gateway.token();
    rig.systems.tamper("update agent_generations set allowed_cidrs = '{0.0.0.0/0}'");

    assertRefused(gateway.current(access));

    assertThat(rig.send("GET", "/api/v1/alarms", "", rig.admin).body())
        .contains("database-tampered");
  }

  @Test
  void itComesOnlyFromItsNetworks() {
    EnrollmentToken token =
        rig.enrollmentToken(
            new JsonObject()
                .put("agent", "gw-1")
                .put("allowed_cidrs", new JsonArray().add("203.0.113.0/24")));
    var gateway = new TestGateway(rig, "gw-1");

    assertDenied(gateway.enroll(gateway.claim(token)));

    assertThat(reasons()).contains("wrong-network");
  }

  @Test
  void onlyWhoManagesAgentsApproves() {
    EnrollmentToken token = rig.enrollmentToken("gw-1", false);
    var gateway = new TestGateway(rig, "gw-1");
    json(gateway.enroll(gateway.claim(token)), 201);
    String engineer = rig.user("eng@example.org", Role.ENGINEER);
    String scoped = rig.user("far@example.org", Role.ADMIN, "agent:elsewhere");
    String body = new JsonObject().put("fingerprint", gateway.fingerprint(token)).encode();

    assertProblem(
        rig.send("POST", "/api/v1/gateways/gw-1/approve", body, engineer), 403, "forbidden");
    assertProblem(
        rig.send("POST", "/api/v1/gateways/gw-1/approve", body, scoped), 404, "not-found");
    assertProblem(
        rig.send("POST", "/api/v1/gateways/nobody/approve", body, scoped), 404, "not-found");
  }

  // Plain tokens.

  @Test
  void plainTokensAreOffUnlessTheBrokerIsToldOtherwise() {
    EnrollmentToken token = rig.enrollmentToken("gw-1", false);
    var gateway = new TestGateway(rig, "gw-1", Binding.BEARER);

    assertDenied(gateway.enroll(gateway.claim(token)));

    assertThat(reasons()).contains("plain-bearer");
  }

  @Test
  void plainTokensAreMarkedEverywhere() {
    rig.close();
    rig = new ApiRig(directory.resolve("plain"), Map.of("gateways.plain_bearer", "true"));
    EnrollmentToken token = rig.enrollmentToken("gw-1", false);
    var gateway = new TestGateway(rig, "gw-1", Binding.BEARER);
    JsonObject enrolled = json(gateway.enroll(gateway.claim(token)), 201);
    json(gateway.prove(enrolled.getString("challenge")), 200);
    assertProblem(gateway.approve(gateway.fingerprint(token)), 409, "plain-bearer");
    assertProblem(
        rig.send(
            "POST",
            "/api/v1/agents/gw-1/approve",
            new JsonObject().put("fingerprint", gateway.fingerprint(token)).encode(),
            rig.admin),
        409,
        "plain-bearer");

    gateway.approved(token);

    JsonObject answer = json(gateway.askToken(gateway.assertion()), 200);
    assertThat(answer.getString("token_type")).isEqualTo("Bearer");
    String access = answer.getString("token");
    json(gateway.send("GET", gateway.configPath(), "", access, "", Map.of()), 200);
    assertThat(agent("gw-1").getJsonObject("enrollment").getString("method"))
        .isEqualTo("gateway-bearer");
    assertThat(events("gateway.approve").getLast().changes())
        .containsEntry("method", "gateway-bearer");
    assertThat(events("gateway.token").getLast().changes()).containsEntry("binding", "bearer");
    json(rig.send("POST", "/api/v1/agents/gw-1/revoke", "", rig.admin), 200);
    assertProblem(
        gateway.send("GET", gateway.configPath(), "", access, "", Map.of()), 403, "revoked");
  }
}
