import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.codec.seal.ConfigurationHeader;
import io.penstock.codec.seal.EnrollmentToken;
import io.penstock.codec.seal.Fingerprint;
import io.penstock.codec.seal.GatewayTexts;
import io.penstock.codec.seal.GatewayTexts.Binding;
import io.penstock.codec.seal.HeadManifest;
import io.penstock.codec.seal.Hpke;
import io.penstock.codec.seal.Keyset;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.Receipt;
import io.penstock.codec.seal.SignedTexts;
import io.penstock.codec.seal.SigningKey;
import io.penstock.codec.seal.VerifyingKey;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.security.cert.CertificateFactory;
import java.time.Instant;
import java.util.UUID;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/// A gateway from its enrollment to its first receipts (`docs/gateways.md`), to be read. A real one
/// keeps its keys, its token and the newest head that it saw, and applies what it is given.
///
/// Arguments: the gateway's name, a file with the enrollment token, the broker's CA (PEM).
final class Gateway {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final String GATEWAYS = "/api/v1/gateways";

  private final String name;
  private final EnrollmentToken token;
  private final HttpClient http;
  private final SigningKey signing = SigningKey.generate(RANDOM);
  private final io.penstock.codec.seal.SealingKey sealing = Hpke.generate(RANDOM);

  private Gateway(String name, EnrollmentToken token, HttpClient http) {
    this.name = name;
    this.token = token;
    this.http = http;
  }

  public static void main(String[] args) throws Exception {
    EnrollmentToken token = EnrollmentToken.parse(Files.readString(Path.of(args[1])));
    new Gateway(args[0], token, client(Path.of(args[2]))).run();
  }

  private void run() throws Exception {
    enroll();
    String access = accessToken();
    JsonNode current = current(access);
    while (current.path("head").isNull()) {
      System.out.println("nothing is deployed yet");
      Thread.sleep(10_000);
      current = current(access);
    }
    Keyset keyset = trusted(current);
    HeadManifest head = HeadManifest.verify(current.path("head").asText(), keyset);
    ObjectNode beat = JSON.createObjectNode();
    beat.put("state_digest", head.stateDigest().base64Url());
    var receipts = beat.putArray("receipts");
    for (var document : current.path("documents").properties()) {
      String jws = document.getValue().path("header").asText();
      ConfigurationHeader header = ConfigurationHeader.verify(jws, keyset);
      require(
          head.listed(header.system())
              .orElseThrow()
              .headerSha256()
              .equals(ConfigurationHeader.hashOf(jws)),
          "a version that the head lists");
      System.out.println("got " + header.system() + " version " + header.version());
      receipts.add(
          new Receipt(
                  name,
                  header.generation(),
                  header.system(),
                  header.version(),
                  ConfigurationHeader.hashOf(jws),
                  new Receipt.Applied(),
                  Instant.now().getEpochSecond())
              .sign(signing));
    }
    System.out.println(call("POST", GATEWAYS + "/" + name + "/heartbeat", beat, access));
  }

  private JsonNode current(String access) throws Exception {
    return call("GET", GATEWAYS + "/" + name + "/config/current", null, access);
  }

  // Enrollment.

  private void enroll() throws Exception {
    byte[] nonce = new byte[GatewayTexts.NONCE_BYTES];
    RANDOM.nextBytes(nonce);
    Octets key = signing.verifyingKey().octets();
    byte[] transcript =
        GatewayTexts.transcript(
            token.id(),
            name,
            token.brokerUrl(),
            Binding.KEY,
            sealing.publicKey(),
            key,
            Octets.of(nonce));
    byte[] hash = Octets.sha256(transcript).bytes();
    byte[] signed = GatewayTexts.signed(transcript, sealing.publicKey(), key, Binding.KEY);
    ObjectNode claim =
        JSON.createObjectNode()
            .put("gateway_id", name)
            .put("token_id", token.id().base64Url())
            .put("sealing_key", sealing.publicKey().base64Url())
            .put("signing_key", key.base64Url())
            .put("nonce", text(nonce))
            .put("claim", text(GatewayTexts.claim(token.secret().bytes(), transcript)))
            .put("signature", text(signing.sign(signed)));
    JsonNode pending = post("/enroll", claim);
    require(
        MessageDigest.isEqual(
            GatewayTexts.confirmation(token.secret().bytes(), transcript),
            Octets.fromBase64Url(pending.path("confirmation").asText()).bytes()),
        "a broker that knows the token");
    var _ = trusted(pending);
    byte[] opened =
        Hpke.open(
            sealing,
            SignedTexts.proofInfo(),
            Octets.fromBase64Url(pending.path("challenge").asText()).bytes());
    var _ = post("/" + name + "/proof", JSON.createObjectNode().put("opened", text(opened)));
    System.out.println("fingerprint " + Fingerprint.of(hash).text());
  }

  /// The keys that sign configuration, down to the root that the token names.
  private Keyset trusted(JsonNode answer) {
    return Keyset.verify(
        answer.path("keyset").asText(),
        VerifyingKey.fromBase64Url(answer.path("root_public").asText()),
        token.rootSha256(),
        Instant.now());
  }

  // Tokens and requests.

  /// Asks until an operator has decided.
  private String accessToken() throws Exception {
    while (true) {
      long now = Instant.now().getEpochSecond();
      ObjectNode claims =
          JSON.createObjectNode()
              .put("iss", name)
              .put("sub", name)
              .put("aud", token.brokerUrl() + GATEWAYS + "/token")
              .put("iat", now)
              .put("exp", now + 60)
              .put("jti", UUID.randomUUID().toString());
      ObjectNode header = JSON.createObjectNode().put("alg", "EdDSA").put("typ", "JWT");
      HttpResponse<String> answer =
          send(
              request(GATEWAYS + "/token")
                  .POST(
                      HttpRequest.BodyPublishers.ofString(
                          JSON.createObjectNode()
                              .put("gateway_id", name)
                              .put("assertion", jws(header, claims))
                              .toString())));
      if (answer.statusCode() == 200) {
        return JSON.readTree(answer.body()).path("token").asText();
      }
      require(answer.body().contains("\"pending\""), "a token, or pending: " + answer.body());
      Thread.sleep(10_000);
    }
  }

  private JsonNode call(String method, String path, JsonNode body, String access) throws Exception {
    ObjectNode header = JSON.createObjectNode().put("alg", "EdDSA").put("typ", "dpop+jwt");
    header
        .putObject("jwk")
        .put("kty", "OKP")
        .put("crv", "Ed25519")
        .put("x", signing.verifyingKey().octets().base64Url());
    ObjectNode claims =
        JSON.createObjectNode()
            .put("jti", UUID.randomUUID().toString())
            .put("htm", method)
            .put("htu", token.brokerUrl() + path)
            .put("iat", Instant.now().getEpochSecond())
            .put("ath", Octets.sha256(access.getBytes(StandardCharsets.US_ASCII)).base64Url());
    return read(
        send(
            request(path)
                .header("Authorization", "DPoP " + access)
                .header("DPoP", jws(header, claims))
                .method(
                    method,
                    body == null
                        ? HttpRequest.BodyPublishers.noBody()
                        : HttpRequest.BodyPublishers.ofString(body.toString()))));
  }

  private JsonNode post(String path, JsonNode body) throws Exception {
    return read(
        send(request(GATEWAYS + path).POST(HttpRequest.BodyPublishers.ofString(body.toString()))));
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create(token.brokerUrl() + path))
        .header("Content-Type", "application/json");
  }

  private HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
    return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  private static JsonNode read(HttpResponse<String> answer) throws Exception {
    require(answer.statusCode() / 100 == 2, "2xx, found " + answer.body());
    return JSON.readTree(answer.body());
  }

  private String jws(JsonNode header, JsonNode claims) {
    String input = text(header.toString().getBytes(StandardCharsets.UTF_8));
    input += "." + text(claims.toString().getBytes(StandardCharsets.UTF_8));
    return input + "." + text(signing.sign(input.getBytes(StandardCharsets.US_ASCII)));
  }

  private static String text(byte[] bytes) {
    return Octets.of(bytes).base64Url();
  }

  private static void require(boolean holds, String expected) {
    if (!holds) {
      throw new IllegalStateException("expected " + expected);
    }
  }

  private static HttpClient client(Path ca) throws Exception {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    try (InputStream pem = Files.newInputStream(ca)) {
      store.setCertificateEntry(
          "broker", CertificateFactory.getInstance("X.509").generateCertificate(pem));
    }
    var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(store);
    SSLContext context = SSLContext.getInstance("TLSv1.3");
    context.init(null, trust.getTrustManagers(), null);
    return HttpClient.newBuilder().sslContext(context).build();
  }
}
