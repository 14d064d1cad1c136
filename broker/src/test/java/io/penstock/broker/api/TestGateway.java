package io.penstock.broker.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.access.Forger;
import io.penstock.codec.seal.EnrollmentToken;
import io.penstock.codec.seal.Fingerprint;
import io.penstock.codec.seal.GatewayTexts;
import io.penstock.codec.seal.GatewayTexts.Binding;
import io.penstock.codec.seal.Hpke;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SealingKey;
import io.penstock.codec.seal.SignedTexts;
import io.penstock.codec.seal.SigningKey;
import io.vertx.core.json.JsonObject;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;

/// A gateway as somebody would write it from `docs/gateways.md`.
final class TestGateway {
  static final String URL = "https://localhost:8443";
  private static final String ALL = "/api/v1/gateways";
  private static final SecureRandom RANDOM = new SecureRandom();

  final ApiRig rig;
  final String name;
  final Binding binding;
  final SigningKey signing = SigningKey.generate(RANDOM);
  final SealingKey sealing = Hpke.generate(RANDOM);
  private final Octets nonce;

  TestGateway(ApiRig rig, String name) {
    this(rig, name, Binding.KEY);
  }

  TestGateway(ApiRig rig, String name, Binding binding) {
    this.rig = rig;
    this.name = name;
    this.binding = binding;
    byte[] bytes = new byte[32];
    RANDOM.nextBytes(bytes);
    nonce = Octets.of(bytes);
  }

  // Enrollment.

  byte[] transcript(EnrollmentToken token) {
    return GatewayTexts.transcript(
        token.id(),
        name,
        URL,
        binding,
        sealing.publicKey(),
        signing.verifyingKey().octets(),
        nonce);
  }

  String fingerprint(EnrollmentToken token) {
    return Fingerprint.of(Octets.sha256(transcript(token)).bytes()).text();
  }

  JsonObject claim(EnrollmentToken token) {
    byte[] transcript = transcript(token);
    Octets key = signing.verifyingKey().octets();
    byte[] signed = GatewayTexts.signed(transcript, sealing.publicKey(), key, binding);
    return new JsonObject()
        .put("gateway_id", name)
        .put("token_id", token.id().base64Url())
        .put("binding", binding.text())
        .put("sealing_key", sealing.publicKey().base64Url())
        .put("signing_key", key.base64Url())
        .put("nonce", nonce.base64Url())
        .put("claim", text(GatewayTexts.claim(token.secret().bytes(), transcript)))
        .put("signature", text(signing.sign(signed)))
        .put("hostname", "rig-alpha.local")
        .put("hardware_info", new JsonObject().put("hardware", "Edge Gateway 3200"));
  }

  static String text(byte[] bytes) {
    return Octets.of(bytes).base64Url();
  }

  HttpResponse<String> enroll(JsonObject claim) {
    return rig.send("POST", ALL + "/enroll", claim.encode(), "");
  }

  HttpResponse<String> prove(String challenge) {
    byte[] opened =
        Hpke.open(sealing, SignedTexts.proofInfo(), Octets.fromBase64Url(challenge).bytes());
    return rig.send(
        "POST",
        ALL + "/" + name + "/proof",
        new JsonObject().put("opened", text(opened)).encode(),
        "");
  }

  HttpResponse<String> approve(String fingerprint) {
    return rig.send(
        "POST",
        ALL + "/" + name + "/approve",
        new JsonObject().put("fingerprint", fingerprint).encode(),
        rig.admin);
  }

  /// Enrolled, proven and approved.
  TestGateway approved() {
    EnrollmentToken token = rig.enrollmentToken(name, false);
    return approved(token);
  }

  TestGateway approved(EnrollmentToken token) {
    HttpResponse<String> enrolled = enroll(claim(token));
    assertThat(enrolled.statusCode()).as(enrolled.body()).isEqualTo(201);
    assertThat(prove(new JsonObject(enrolled.body()).getString("challenge")).statusCode())
        .isEqualTo(200);
    var body =
        new JsonObject()
            .put("fingerprint", fingerprint(token))
            .put("plain_bearer", binding == Binding.BEARER);
    HttpResponse<String> answer =
        rig.send("POST", ALL + "/" + name + "/approve", body.encode(), rig.admin);
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    return this;
  }

  // Tokens.

  long now() {
    return rig.systems.clock().instant().getEpochSecond();
  }

  JsonObject assertionClaims() {
    return new JsonObject()
        .put("iss", name)
        .put("sub", name)
        .put("aud", URL + ALL + "/token")
        .put("iat", now())
        .put("exp", now() + 60)
        .put("jti", UUID.randomUUID().toString());
  }

  static JsonObject assertionHeader() {
    return new JsonObject().put("alg", "EdDSA").put("typ", "JWT");
  }

  String assertion() {
    return signed(assertionHeader(), assertionClaims());
  }

  String signed(JsonObject header, JsonObject claims) {
    return Forger.signed(signing, header.encode(), claims.encode());
  }

  HttpResponse<String> askToken(String assertion) {
    return rig.send(
        "POST",
        ALL + "/token",
        new JsonObject().put("gateway_id", name).put("assertion", assertion).encode(),
        "");
  }

  String token() {
    HttpResponse<String> answer = askToken(assertion());
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    return new JsonObject(answer.body()).getString("token");
  }

  // Requests.

  JsonObject proofHeader() {
    return new JsonObject()
        .put("alg", "EdDSA")
        .put("typ", "dpop+jwt")
        .put(
            "jwk",
            new JsonObject()
                .put("kty", "OKP")
                .put("crv", "Ed25519")
                .put("x", signing.verifyingKey().octets().base64Url()));
  }

  JsonObject proofClaims(String method, String path, String token) {
    return new JsonObject()
        .put("jti", UUID.randomUUID().toString())
        .put("htm", method)
        .put("htu", URL + path)
        .put("iat", now())
        .put("ath", Octets.sha256(token.getBytes(StandardCharsets.US_ASCII)).base64Url());
  }

  String proof(String method, String path, String token) {
    return signed(proofHeader(), proofClaims(method, path, token));
  }

  String configPath() {
    return ALL + "/" + name + "/config/current";
  }

  String heartbeatPath() {
    return ALL + "/" + name + "/heartbeat";
  }

  HttpResponse<String> send(
      String method, String path, String query, String body, String token, String proof) {
    return send(method, path + query, body, token, proof, Map.of());
  }

  HttpResponse<String> send(
      String method,
      String target,
      String body,
      String token,
      String proof,
      Map<String, String> more) {
    var fields = new HashMap<>(more);
    fields.put("Authorization", (binding == Binding.KEY ? "DPoP " : "Bearer ") + token);
    if (!proof.isEmpty()) {
      fields.put("DPoP", proof);
    }
    return rig.send(method, target, body, fields);
  }

  HttpResponse<String> current(String token) {
    return send("GET", configPath(), "", token, proof("GET", configPath(), token), Map.of());
  }

  HttpResponse<String> heartbeat(String token, JsonObject body) {
    String path = heartbeatPath();
    return send("POST", path, body.encode(), token, proof("POST", path, token), Map.of());
  }

  HttpResponse<String> renew(String token) {
    String path = ALL + "/token/renew";
    return send("POST", path, "", token, proof("POST", path, token), Map.of());
  }

  Instant serverTime() {
    return rig.systems.clock().instant();
  }
}
