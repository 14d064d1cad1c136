package io.penstock.broker.access;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.penstock.broker.keys.JwtKeys;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SigningKey;
import io.penstock.codec.seal.VerifyingKey;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.auth.JWTOptions;
import io.vertx.ext.auth.authentication.TokenCredentials;
import io.vertx.ext.auth.jwt.JWTAuth;
import io.vertx.ext.auth.jwt.JWTAuthOptions;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;

/// The JWTs that people and service accounts call with: EdDSA, the seed's claims. A good signature
/// alone lets nobody in: whoever asks also looks at the session or token row.
public final class AccessTokens {
  private static final String ISSUER = "penstock";
  private static final String ALGORITHM = "EdDSA";
  private static final int MAX_CHARACTERS = 4096;
  private static final int MAX_KNOWN = 10_000;

  private final Vertx vertx;
  private final Supplier<JwtKeys> keys;
  private volatile InUse inUse;

  /// One for each key, so that a token is judged by one key at a time.
  ///
  /// @param known what verified tokens say, by their SHA-256: a caller shows the same one with
  ///     every call, and its signature costs more than most calls
  private record InUse(
      JwtKeys keys, JWTAuth signing, List<JWTAuth> verifying, Cache<Octets, Claims> known) {}

  /// @param keys asked at every use: they are rotated
  public AccessTokens(Vertx vertx, Supplier<JwtKeys> keys) {
    this.vertx = vertx;
    this.keys = keys;
    this.inUse = made(keys.get());
  }

  private InUse current() {
    JwtKeys now = keys.get();
    InUse known = inUse;
    if (!known.keys().equals(now)) {
      known = made(now);
      inUse = known;
    }
    return known;
  }

  private InUse made(JwtKeys from) {
    JWTAuth signing = auth(privateJwk(from.signing()));
    var verifying = new ArrayList<JWTAuth>();
    verifying.add(signing);
    from.replaced().forEach(key -> verifying.add(auth(publicJwk(key))));
    return new InUse(
        from,
        signing,
        List.copyOf(verifying),
        Caffeine.newBuilder().maximumSize(MAX_KNOWN).build());
  }

  private JWTAuth auth(JsonObject jwk) {
    return JWTAuth.create(
        vertx,
        new JWTAuthOptions()
            .addJwk(jwk)
            .setJWTOptions(
                new JWTOptions().setAlgorithm(ALGORITHM).setIssuer(ISSUER).setLeeway(0)));
  }

  /// The public keys that tokens verify with, as a JWK set (RFC 7517).
  public JsonObject publicKeys() {
    JwtKeys now = keys.get();
    var all = new JsonArray().add(publicJwk(now.signing().verifyingKey()));
    now.replaced().forEach(key -> all.add(publicJwk(key)));
    return new JsonObject().put("keys", all);
  }

  /// What a verified token says.
  public sealed interface Claims {
    Instant expiresAt();

    record OfUser(String email, UUID session, Instant expiresAt) implements Claims {}

    record OfService(String account, UUID token, Instant expiresAt) implements Claims {}
  }

  String forUser(
      String email, Role role, List<String> gatewayAccess, UUID session, Instant expires) {
    var permissions = new JsonArray();
    role.permissions().stream().map(Permission::text).sorted().forEach(permissions::add);
    return sign(
        new JsonObject()
            .put("sub", email)
            .put("roles", new JsonArray().add(role.text()))
            .put("permissions", permissions)
            .put("gateway_access", new JsonArray(List.copyOf(gatewayAccess)))
            .put("sid", session.toString())
            .put("use", "user"),
        expires);
  }

  String forService(String account, List<String> systems, UUID token, Instant expires) {
    return sign(
        new JsonObject()
            .put("sub", account)
            .put("roles", new JsonArray())
            .put("permissions", new JsonArray().add(Permission.SYSTEMS_INVOKE.text()))
            .put("gateway_access", new JsonArray(List.copyOf(systems)))
            .put("jti", token.toString())
            .put("use", "service"),
        expires);
  }

  private String sign(JsonObject claims, Instant expires) {
    claims.put("exp", expires.getEpochSecond());
    return current()
        .signing()
        .generateToken(claims, new JWTOptions().setAlgorithm(ALGORITHM).setIssuer(ISSUER));
  }

  /// Empty for anything that is not a token of ours, or is over. The first time takes some 100 µs:
  /// not for an event loop.
  public Optional<Claims> verify(String token) {
    if (token.length() > MAX_CHARACTERS || !isOurAlgorithm(token)) {
      return Optional.empty();
    }
    InUse now = current();
    Octets name = Octets.sha256(token.getBytes(StandardCharsets.UTF_8));
    Claims known = now.known().getIfPresent(name);
    if (known != null) {
      return Optional.of(known).filter(claims -> Instant.now().isBefore(claims.expiresAt()));
    }
    Optional<Claims> claims =
        now.verifying().stream().flatMap(jwt -> verify(jwt, token).stream()).findFirst();
    claims.ifPresent(it -> now.known().put(name, it));
    return claims;
  }

  private static Optional<Claims> verify(JWTAuth jwt, String token) {
    try {
      jwt.authenticate(new TokenCredentials(token))
          .toCompletionStage()
          .toCompletableFuture()
          .join();
      JsonObject all = payload(token);
      Instant expires = Instant.ofEpochSecond(all.getLong("exp"));
      return switch (all.getString("use", "")) {
        case "user" ->
            Optional.of(
                new Claims.OfUser(
                    all.getString("sub"), UUID.fromString(all.getString("sid")), expires));
        case "service" ->
            Optional.of(
                new Claims.OfService(
                    all.getString("sub"), UUID.fromString(all.getString("jti")), expires));
        default -> Optional.empty();
      };
    } catch (RuntimeException refused) {
      // Forged, malformed or expired: the caller hears only that it is not known.
      return Optional.empty();
    }
  }

  /// An explicit list of one: a token of another algorithm is none of ours, whatever keys a library
  /// knows.
  private static boolean isOurAlgorithm(String token) {
    int dot = token.indexOf('.');
    if (dot < 0) {
      return false;
    }
    try {
      byte[] header = Base64.getUrlDecoder().decode(token.substring(0, dot));
      return ALGORITHM.equals(
          new JsonObject(new String(header, StandardCharsets.UTF_8)).getString("alg"));
    } catch (RuntimeException malformed) {
      return false;
    }
  }

  private static JsonObject payload(String token) {
    String[] parts = token.split("\\.", -1);
    byte[] payload = Base64.getUrlDecoder().decode(parts[1]);
    return new JsonObject(new String(payload, StandardCharsets.UTF_8));
  }

  private static JsonObject publicJwk(VerifyingKey key) {
    return new JsonObject()
        .put("kty", "OKP")
        .put("crv", "Ed25519")
        .put("alg", ALGORITHM)
        .put("use", "sig")
        .put("kid", JwtKeys.kid(key))
        .put("x", key.octets().base64Url());
  }

  private static JsonObject privateJwk(SigningKey key) {
    Base64.Encoder base64 = Base64.getUrlEncoder().withoutPadding();
    byte[] seed = key.seed();
    try {
      return publicJwk(key.verifyingKey()).put("d", base64.encodeToString(seed));
    } finally {
      Arrays.fill(seed, (byte) 0);
    }
  }
}
