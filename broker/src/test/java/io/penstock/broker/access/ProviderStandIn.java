package io.penstock.broker.access;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.penstock.codec.seal.Octets;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.interfaces.RSAPublicKey;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/// A stand-in for an identity provider on loopback, for what a real one would not do: lie. It
/// checks code, client, redirect URI and PKCE as a provider does. The real one is in `OidcIT`.
public final class ProviderStandIn implements AutoCloseable {
  public static final String CLIENT = "penstock";
  public static final String SECRET = "a client's secret, 4711";

  /// Client and secret as in a form (RFC 6749 2.3.1).
  private static final String BASIC =
      "Basic "
          + Base64.getEncoder()
              .encodeToString(
                  "penstock:a+client%27s+secret%2C+4711".getBytes(StandardCharsets.US_ASCII));

  private static final KeyPair FIRST = keyPair();
  private static final KeyPair SECOND = keyPair();

  private final HttpServer server;
  private final CountDownLatch closing = new CountDownLatch(1);
  private final Map<String, Map<String, String>> codes = new HashMap<>();
  private final Set<String> spent = new HashSet<>();
  public final AtomicInteger keysAsked = new AtomicInteger();
  private volatile KeyPair signing = FIRST;
  private volatile String signingKid = "first";
  private volatile JsonArray published = new JsonArray().add(jwk(FIRST, "first"));

  /// What it says of somebody.
  public volatile UnaryOperator<JsonObject> claims = it -> it;

  /// How a token is made of header and claims; empty text = signed as it should be.
  public volatile Forgery forgery = (_, _) -> "";

  public volatile UnaryOperator<JsonObject> configuration = it -> it;

  /// Paths that are never answered.
  public volatile Set<String> hanging = Set.of();

  /// Paths that are answered by a byte now and then, without an end.
  public volatile Set<String> trickling = Set.of();

  /// Whether the other side had enough of that.
  public final CountDownLatch cut = new CountDownLatch(1);

  /// What it gives for a code.
  public volatile UnaryOperator<JsonObject> tokens = it -> it;

  /// What stands in front of its token endpoint and answers instead.
  public volatile Optional<Raw> proxy = Optional.empty();

  public record Raw(int status, String type, String body) {}

  /// Makes a token that is none of ours.
  public interface Forgery {
    String of(JsonObject header, JsonObject claims);
  }

  public ProviderStandIn() {
    try {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 50);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.createContext("/", this::answer);
    server.start();
  }

  private static KeyPair keyPair() {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
      generator.initialize(2048);
      return generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  public String issuer() {
    return "http://127.0.0.1:" + server.getAddress().getPort() + "/realm";
  }

  /// From now on it signs with another key, which it publishes.
  public void rotate() {
    signing = SECOND;
    signingKid = "second";
    published.add(jwk(SECOND, "second"));
  }

  /// As [#rotate], but it keeps the key to itself.
  public void signWithUnpublishedKey() {
    signing = SECOND;
    signingKid = "unpublished";
  }

  public RSAPublicKey publicKey() {
    return (RSAPublicKey) FIRST.getPublic();
  }

  private static JsonObject jwk(KeyPair pair, String kid) {
    var key = (RSAPublicKey) pair.getPublic();
    return new JsonObject()
        .put("kty", "RSA")
        .put("kid", kid)
        .put("use", "sig")
        .put("alg", "RS256")
        .put("n", base64(unsigned(key.getModulus())))
        .put("e", base64(unsigned(key.getPublicExponent())));
  }

  private static byte[] unsigned(BigInteger number) {
    byte[] bytes = number.toByteArray();
    return bytes[0] == 0 ? Arrays.copyOfRange(bytes, 1, bytes.length) : bytes;
  }

  public static String base64(byte[] bytes) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  /// Somebody signs in there, as the authorization request asks.
  ///
  /// @return what their browser comes back with
  public synchronized Map<String, String> signIn(String authorizationUrl) {
    Map<String, String> asked = form(URI.create(authorizationUrl).getRawQuery());
    String code = "code-" + (codes.size() + 1);
    codes.put(code, asked);
    var back = new HashMap<String, String>();
    back.put("code", code);
    back.put("state", asked.getOrDefault("state", ""));
    back.put("iss", issuer());
    return back;
  }

  private static Map<String, String> form(String text) {
    var form = new HashMap<String, String>();
    for (String pair : text.split("&", -1)) {
      int equals = pair.indexOf('=');
      form.put(
          URLDecoder.decode(pair.substring(0, equals), StandardCharsets.UTF_8),
          URLDecoder.decode(pair.substring(equals + 1), StandardCharsets.UTF_8));
    }
    return form;
  }

  private void answer(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    if (hanging.contains(path)) {
      try {
        closing.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      exchange.close();
      return;
    }
    if (trickling.contains(path)) {
      trickle(exchange);
      return;
    }
    String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
    switch (path) {
      case "/realm/.well-known/openid-configuration" -> send(exchange, 200, configuration());
      case "/realm/keys" -> {
        keysAsked.incrementAndGet();
        send(exchange, 200, new JsonObject().put("keys", published));
      }
      case "/realm/token" -> {
        if (proxy.isPresent()) {
          send(exchange, proxy.get());
        } else {
          token(exchange, form(body));
        }
      }
      default -> send(exchange, 404, new JsonObject());
    }
  }

  private void trickle(HttpExchange exchange) throws IOException {
    exchange.getRequestBody().readAllBytes();
    exchange.sendResponseHeaders(200, 0);
    try {
      while (!closing.await(50, TimeUnit.MILLISECONDS)) {
        exchange.getResponseBody().write(' ');
        exchange.getResponseBody().flush();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      cut.countDown();
    } finally {
      exchange.close();
    }
  }

  private JsonObject configuration() {
    return configuration.apply(
        new JsonObject()
            .put("issuer", issuer())
            .put("authorization_endpoint", issuer() + "/auth")
            .put("token_endpoint", issuer() + "/token")
            .put("jwks_uri", issuer() + "/keys")
            .put("authorization_response_iss_parameter_supported", true)
            .put(
                "token_endpoint_auth_methods_supported",
                new JsonArray(List.of("client_secret_basic", "client_secret_post"))));
  }

  private synchronized void token(HttpExchange exchange, Map<String, String> form)
      throws IOException {
    boolean known =
        BASIC.equals(exchange.getRequestHeaders().getFirst("Authorization"))
            || (CLIENT.equals(form.get("client_id")) && SECRET.equals(form.get("client_secret")));
    if (!known) {
      send(exchange, 401, new JsonObject().put("error", "invalid_client"));
      return;
    }
    String code = form.getOrDefault("code", "");
    Map<String, String> asked = codes.getOrDefault(code, Map.of());
    boolean good =
        !asked.isEmpty()
            && spent.add(code)
            && Objects.equals(asked.get("redirect_uri"), form.get("redirect_uri"))
            && "S256".equals(asked.get("code_challenge_method"))
            && challenge(form.getOrDefault("code_verifier", ""))
                .equals(asked.get("code_challenge"));
    if (!good) {
      send(exchange, 400, new JsonObject().put("error", "invalid_grant"));
      return;
    }
    send(
        exchange,
        200,
        tokens.apply(
            new JsonObject()
                .put("access_token", "opaque")
                .put("token_type", "Bearer")
                .put("expires_in", 300)
                .put("id_token", idToken(asked.getOrDefault("nonce", "")))));
  }

  private static String challenge(String verifier) {
    return Octets.sha256(verifier.getBytes(StandardCharsets.US_ASCII)).base64Url();
  }

  private String idToken(String nonce) {
    long now = Instant.now().getEpochSecond();
    JsonObject all =
        claims.apply(
            new JsonObject()
                .put("iss", issuer())
                .put("aud", CLIENT)
                .put("azp", CLIENT)
                .put("sub", "subject-1")
                .put("nonce", nonce)
                .put("iat", now)
                .put("exp", now + 300)
                .put("email", "Eve@Example.org")
                .put("email_verified", true)
                .put(
                    "realm_access",
                    new JsonObject().put("roles", new JsonArray(List.of("operators", "others")))));
    var header = new JsonObject().put("alg", "RS256").put("typ", "JWT").put("kid", signingKid);
    String forged = forgery.of(header, all);
    return forged.isEmpty() ? signed(header, all) : forged;
  }

  private String signed(JsonObject header, JsonObject all) {
    String text = text(header, all);
    try {
      Signature signature = Signature.getInstance("SHA256withRSA");
      signature.initSign(signing.getPrivate());
      signature.update(text.getBytes(StandardCharsets.US_ASCII));
      return text + "." + base64(signature.sign());
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  /// What a signature is made of.
  public static String text(JsonObject header, JsonObject claims) {
    return base64(header.encode().getBytes(StandardCharsets.UTF_8))
        + "."
        + base64(claims.encode().getBytes(StandardCharsets.UTF_8));
  }

  /// Signed as if the provider's public key were a secret that both share.
  public static String withHmac(JsonObject header, JsonObject claims, byte[] key) {
    String text = text(header.copy().put("alg", "HS256"), claims);
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(key, "HmacSHA256"));
      return text + "." + base64(mac.doFinal(text.getBytes(StandardCharsets.US_ASCII)));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void send(HttpExchange exchange, int status, JsonObject body) throws IOException {
    send(exchange, new Raw(status, "application/json", body.encode()));
  }

  private static void send(HttpExchange exchange, Raw raw) throws IOException {
    byte[] bytes = raw.body().getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", raw.type());
    exchange.sendResponseHeaders(raw.status(), bytes.length == 0 ? -1 : bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  @Override
  public void close() {
    if (closing.getCount() > 0) {
      closing.countDown();
      server.stop(0);
    }
  }
}
