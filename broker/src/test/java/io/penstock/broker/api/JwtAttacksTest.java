package io.penstock.broker.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.access.Forger;
import io.penstock.broker.access.Role;
import io.penstock.codec.seal.SigningKey;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/// The known ways to make a token that is taken for one of ours. Where it makes sense the forger
/// even holds the real key, so that nothing but the check in question can refuse.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class JwtAttacksTest {
  private ApiRig rig;
  private ServerSocket listening;
  private final AtomicInteger fetches = new AtomicInteger();
  private String good;
  private JsonObject header;
  private JsonObject payload;
  private final SigningKey foreign = SigningKey.generate(new SecureRandom());

  @BeforeAll
  void start(@TempDir Path directory) throws IOException {
    rig = new ApiRig(directory.resolve("data"), Map.of("access.bad_tokens_per_source", "100000"));
    listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    Thread.ofVirtual().start(this::countFetches);
    good = rig.user("eve@example.org", Role.ADMIN);
    header = Forger.header(good);
    payload = Forger.payload(good);
  }

  private void countFetches() {
    while (!listening.isClosed()) {
      try (var _ = listening.accept()) {
        fetches.incrementAndGet();
      } catch (IOException _) {
        // Closed: the test is over.
        return;
      }
    }
  }

  @AfterAll
  void stop() throws IOException {
    listening.close();
    rig.close();
  }

  private HttpResponse<String> me(String token) {
    return rig.send("GET", "/api/v1/auth/me", "", token);
  }

  private String url() {
    return "http://127.0.0.1:" + listening.getLocalPort() + "/keys.json";
  }

  @Test
  void theForgerMakesTokensThatAreTakenWhenNothingIsWrong() {
    String again = Forger.signed(rig.jwtKey, header.encode(), payload.encode());

    assertThat(me(good).statusCode()).isEqualTo(200);
    assertThat(me(again).statusCode()).isEqualTo(200);
  }

  @TestFactory
  Stream<DynamicTest> aForgedTokenIsRefusedLikeAnyOther() {
    HttpResponse<String> without = me("");
    return attacks().entrySet().stream()
        .map(
            attack ->
                DynamicTest.dynamicTest(
                    attack.getKey(),
                    () -> {
                      HttpResponse<String> answer = me(attack.getValue());
                      assertThat(answer.statusCode()).isEqualTo(401);
                      assertThat(ApiRig.problem(answer)).isEqualTo(ApiRig.problem(without));
                      assertThat(fetches).hasValue(0);
                    }));
  }

  private Map<String, String> attacks() {
    var all = new LinkedHashMap<String, String>();
    noSignature(all);
    keyConfusion(all);
    keysBroughtAlong(all);
    headers(all);
    claims(all);
    texts(all);
    return all;
  }

  private void noSignature(Map<String, String> all) {
    for (String none : List.of("none", "None", "NONE", "nOnE", "")) {
      JsonObject forged = header.copy().put("alg", none);
      all.put("alg '" + none + "', no signature", unsigned(forged) + ".");
      all.put("alg '" + none + "', two parts", unsigned(forged));
      all.put("alg '" + none + "', the old signature", unsigned(forged) + "." + part(good, 2));
    }
    all.put("the signature left out", unsigned(header) + ".");
    all.put("a signature of zeros", unsigned(header) + "." + base64(new byte[64]));
    all.put("a foreign signature", Forger.signed(foreign, header.encode(), payload.encode()));
    JsonObject admin = payload.copy().put("sub", rig.first.email());
    all.put(
        "other claims, the old signature",
        part(good, 0) + "." + Forger.base64(admin.encode()) + "." + part(good, 2));
  }

  private String unsigned(JsonObject forged) {
    return Forger.base64(forged.encode()) + "." + Forger.base64(payload.encode());
  }

  /// The public key, which everybody knows, as the secret of an HMAC.
  private void keyConfusion(Map<String, String> all) {
    byte[] raw = rig.jwtKey.verifyingKey().octets().bytes();
    String jwks = rig.send("GET", "/api/v1/auth/jwks", "", "").body();
    Map<String, byte[]> secrets =
        Map.of(
            "raw",
            raw,
            "base64",
            base64(raw).getBytes(StandardCharsets.US_ASCII),
            "JWK",
            new JsonObject(jwks)
                .getJsonArray("keys")
                .getJsonObject(0)
                .encode()
                .getBytes(StandardCharsets.UTF_8),
            "empty",
            new byte[1]);
    for (String bits : List.of("256", "384", "512")) {
      secrets.forEach(
          (name, secret) ->
              all.put("HS" + bits + " with the public key, " + name, hmac(bits, secret)));
    }
  }

  private String hmac(String bits, byte[] secret) {
    String input = unsigned(header.copy().put("alg", "HS" + bits));
    try {
      Mac mac = Mac.getInstance("HmacSHA" + bits);
      mac.init(new SecretKeySpec(secret, "HmacSHA" + bits));
      return input + "." + base64(mac.doFinal(input.getBytes(StandardCharsets.US_ASCII)));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  /// A key of the forger's own, in every place where a header can name one; signed by it.
  private void keysBroughtAlong(Map<String, String> all) {
    JsonObject jwk =
        new JsonObject()
            .put("kty", "OKP")
            .put("crv", "Ed25519")
            .put("kid", "mine")
            .put("x", foreign.verifyingKey().octets().base64Url());
    Map<String, Object> parameters =
        Map.of(
            "jwk",
            jwk,
            "jku",
            url(),
            "x5u",
            url(),
            "x5c",
            new JsonArray().add("MIIBszCCAVmgAwIBAgIUAQ=="),
            "x5t",
            "AAAA",
            "x5t#S256",
            "AAAA");
    parameters.forEach(
        (name, value) -> {
          JsonObject plain = header.copy().put(name, value);
          JsonObject named = plain.copy().put("kid", "mine");
          all.put(name + ", our kid", Forger.signed(foreign, plain.encode(), payload.encode()));
          all.put(name + ", its kid", Forger.signed(foreign, named.encode(), payload.encode()));
          // Nobody needs to look there, not even when the signature is ours.
          all.put(
              name + ", our signature",
              Forger.signed(rig.jwtKey, plain.encode(), payload.encode()));
        });
    for (String kid :
        List.of(
            "",
            "mine",
            "../../../../dev/null",
            "/dev/null",
            "' union select 'k' --",
            "\u0000",
            url(),
            "${jndi:ldap://127.0.0.1:" + listening.getLocalPort() + "/a}",
            "|/usr/bin/id")) {
      JsonObject forged = header.copy().put("kid", kid);
      all.put("kid " + kid, Forger.signed(foreign, forged.encode(), payload.encode()));
      all.put(
          "kid " + kid + " of ours", Forger.signed(rig.jwtKey, forged.encode(), payload.encode()));
    }
    all.put("kid a number", withHeader(it -> it.put("kid", 1)));
    all.put(
        "kid a list", withHeader(it -> it.put("kid", new JsonArray().add(it.getString("kid")))));
    all.put(
        "kid left out",
        withHeader(
            it -> {
              it.remove("kid");
              return it;
            }));
  }

  private String withHeader(UnaryOperator<JsonObject> change) {
    return Forger.signed(rig.jwtKey, change.apply(header.copy()).encode(), payload.encode());
  }

  private String withClaims(UnaryOperator<JsonObject> change) {
    return Forger.signed(rig.jwtKey, header.encode(), change.apply(payload.copy()).encode());
  }

  private void headers(Map<String, String> all) {
    all.put("crit", withHeader(it -> it.put("crit", new JsonArray().add("exp"))));
    all.put("crit, empty", withHeader(it -> it.put("crit", new JsonArray())));
    all.put("b64", withHeader(it -> it.put("b64", false)));
    all.put("zip", withHeader(it -> it.put("zip", "DEF")));
    all.put("cty", withHeader(it -> it.put("cty", "JWT")));
    for (String typ : List.of("JWE", "JOSE", "jwt", "dpop+jwt", "penstock-record+jws", "")) {
      all.put("typ '" + typ + "'", withHeader(it -> it.put("typ", typ)));
    }
    for (String alg : List.of("eddsa", "EdDSA ", "Ed25519", "ES256", "RS256", "PS512", "ES256K")) {
      all.put("alg " + alg, withHeader(it -> it.put("alg", alg)));
    }
    all.put("alg a list", withHeader(it -> it.put("alg", new JsonArray().add("EdDSA"))));
    all.put(
        "alg twice",
        Forger.signed(
            rig.jwtKey, "{\"alg\":\"none\"," + header.encode().substring(1), payload.encode()));
  }

  private void claims(Map<String, String> all) {
    long now = Instant.now().getEpochSecond();
    all.put("expired", withClaims(it -> it.put("exp", now - 1)));
    all.put("expired long ago", withClaims(it -> it.put("exp", 1)));
    all.put("exp a text", withClaims(it -> it.put("exp", Long.toString(now + 600))));
    all.put("exp a list", withClaims(it -> it.put("exp", new JsonArray().add(now + 600))));
    all.put("no exp", without("exp"));
    all.put("exp beyond all times", withClaims(it -> it.put("exp", 1_000_000_000_000_000_000L)));
    all.put("exp before all times", withClaims(it -> it.put("exp", -1_000_000_000_000_000_000L)));
    for (String number : List.of("1e18", "-1e18", "1e400", "-1e400", "1" + "0".repeat(400))) {
      String exp = "\"exp\":" + payload.getValue("exp");
      all.put(
          "exp " + number,
          Forger.signed(
              rig.jwtKey, header.encode(), payload.encode().replace(exp, "\"exp\":" + number)));
      all.put(
          "exp " + number + ", a foreign signature",
          Forger.signed(
              foreign, header.encode(), payload.encode().replace(exp, "\"exp\":" + number)));
    }
    all.put("not yet valid", withClaims(it -> it.put("nbf", now + 600)));
    all.put("issued in an hour", withClaims(it -> it.put("iat", now + 3600)));
    all.put("no iat", without("iat"));
    for (Object issuer : List.of("", "Penstock", "penstock ", "https://evil.example", 7)) {
      all.put("issuer " + issuer, withClaims(it -> it.put("iss", issuer)));
    }
    all.put("no issuer", without("iss"));
    for (Object audience : List.of("", "other", new JsonArray().add("penstock").add("other"))) {
      all.put("audience " + audience, withClaims(it -> it.put("aud", audience)));
    }
    all.put("no audience", without("aud"));
    all.put("no subject", without("sub"));
    all.put("somebody else's subject", withClaims(it -> it.put("sub", rig.first.email())));
    all.put("no session", without("sid"));
    all.put("a session that is none", withClaims(it -> it.put("sid", "x' or '1'='1")));
    all.put(
        "another session", withClaims(it -> it.put("sid", new java.util.UUID(1, 2).toString())));
    for (Object use : List.of("", "admin", "service", 1)) {
      all.put("use " + use, withClaims(it -> it.put("use", use)));
    }
    all.put("no use", without("use"));
    for (String claim : List.of("sub", "exp", "sid", "use", "iss")) {
      all.put(
          claim + " twice",
          Forger.signed(
              rig.jwtKey,
              header.encode(),
              "{\""
                  + claim
                  + "\":"
                  + json(payload.getValue(claim))
                  + ","
                  + payload.encode().substring(1)));
    }
  }

  private static String json(Object value) {
    return io.vertx.core.json.Json.encode(value);
  }

  private String without(String claim) {
    return withClaims(
        it -> {
          it.remove(claim);
          return it;
        });
  }

  /// A good token, written in another way.
  private void texts(Map<String, String> all) {
    String[] parts = good.split("\\.", -1);
    all.put("padding", parts[0] + "==." + parts[1] + "." + parts[2]);
    all.put("a fourth part", good + ".");
    all.put("five parts, as JWE", good + ".AAAA.AAAA");
    all.put("a part before", "." + good);
    all.put("the old alphabet", good.replace('-', '+').replace('_', '/') + "=");
    all.put("a byte behind the signature", good + "A");
    all.put("bits that are dropped", dropped(good));
    all.put(
        "text behind the claims",
        Forger.signed(rig.jwtKey, header.encode(), payload.encode() + "{}"));
    all.put(
        "a list of claims",
        Forger.signed(rig.jwtKey, header.encode(), "[" + payload.encode() + "]"));
    all.put("no JSON", Forger.signed(rig.jwtKey, header.encode(), "x"));
    all.put("nothing", "..");
    all.put("as JSON", "{\"payload\":\"" + parts[1] + "\"}");
    all.put("very long", "A".repeat(5000) + "." + parts[1] + "." + parts[2]);
    all.put(
        "very deep",
        Forger.signed(
            rig.jwtKey, header.encode(), "{\"a\":" + "[".repeat(1500) + "]".repeat(1500) + "}"));
  }

  /// The last character of 64 bytes carries bits that decode to nothing.
  private static String dropped(String token) {
    String alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    int last = alphabet.indexOf(token.charAt(token.length() - 1));
    return token.substring(0, token.length() - 1) + alphabet.charAt(last ^ 1);
  }

  private static String part(String token, int index) {
    return token.split("\\.", -1)[index];
  }

  private static String base64(byte[] bytes) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  /// Wycheproof's JSON Web Signatures are of other algorithms and keys: valid or not, none of them
  /// is a token of ours.
  @Test
  void noPublishedSignatureIsAToken() throws IOException {
    var taken = new ArrayList<String>();
    var others = new ArrayList<String>();
    JsonObject expected = ApiRig.problem(me(""));
    int tried = 0;
    for (Object group : vectors().getJsonArray("testGroups")) {
      for (Object test : ((JsonObject) group).getJsonArray("tests")) {
        String jws = ((JsonObject) test).getValue("jws").toString();
        // What no field of a request can carry does not reach us.
        if (!jws.chars().allMatch(c -> c > ' ' && c < 0x7f) || jws.length() > 6000) {
          continue;
        }
        tried++;
        HttpResponse<String> answer = me(jws);
        if (answer.statusCode() != 401) {
          taken.add(jws);
        } else if (!ApiRig.problem(answer).equals(expected)) {
          others.add(jws);
        }
      }
    }

    assertThat(tried).isGreaterThan(350);
    assertThat(taken).isEmpty();
    assertThat(others).isEmpty();
    assertThat(fetches).hasValue(0);
  }

  /// The codec's copy of them.
  private static JsonObject vectors() throws IOException {
    return new JsonObject(
        Files.readString(Path.of("../codec/src/test/resources/jws/json_web_signature_test.json")));
  }
}
