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
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;

/// The JWTs that people and service accounts call with: EdDSA, the seed's claims. A good signature
/// alone lets nobody in: whoever asks also looks at the session or token row.
public final class AccessTokens {
  private static final String ISSUER = "penstock";
  private static final String ALGORITHM = "EdDSA";
  private static final String TYPE = "JWT";
  private static final String AUDIENCE = "penstock";
  private static final int MAX_CHARACTERS = 4096;
  private static final int MAX_SHOWN_CHARACTERS = 800;

  /// Clocks of two brokers differ.
  private static final int SKEW_SECONDS = 60;
  private static final int MAX_KNOWN = 10_000;

  /// The end of the year 9999: beyond, not every reader of times follows.
  private static final double MAX_EPOCH_SECONDS = 253_402_300_799.0;

  private final Vertx vertx;
  private final Supplier<JwtKeys> keys;
  private volatile InUse inUse;

  /// One for each key, so that a token is judged by one key at a time.
  ///
  /// @param known what verified tokens say, by their SHA-256: a caller shows the same one with
  ///     every call, and its signature costs more than most calls
  /// @param verifying by key id, which is looked up here and nowhere else
  private record InUse(
      JwtKeys keys, JWTAuth signing, Map<String, JWTAuth> verifying, Cache<Octets, Claims> known) {}

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
    var verifying = new HashMap<String, JWTAuth>();
    from.replaced().forEach(key -> verifying.put(JwtKeys.kid(key), auth(publicJwk(key))));
    verifying.put(JwtKeys.kid(from.signing().verifyingKey()), signing);
    return new InUse(
        from, signing, Map.copyOf(verifying), Caffeine.newBuilder().maximumSize(MAX_KNOWN).build());
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

    /// @param thumbprint of the key that it is bound to (`cnf`, RFC 7800); empty = to none
    /// @param authenticated when the gateway last signed an assertion
    record OfGateway(
        String gateway,
        long generation,
        Optional<String> thumbprint,
        Instant authenticated,
        Instant expiresAt)
        implements Claims {}
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
            .put("gateway_access", shown(gatewayAccess))
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
            .put("gateway_access", shown(systems))
            .put("jti", token.toString())
            .put("use", "service"),
        expires);
  }

  /// @param thumbprint empty = whoever holds it may use it
  public String forGateway(
      String gateway,
      long generation,
      Optional<String> thumbprint,
      Instant authenticated,
      UUID token,
      Instant expires) {
    var claims =
        new JsonObject()
            .put("sub", gateway)
            .put("roles", new JsonArray())
            .put("permissions", new JsonArray())
            .put("gateway_access", new JsonArray().add(gateway))
            .put("gen", generation)
            .put("auth_time", authenticated.getEpochSecond())
            .put("jti", token.toString())
            .put("use", "gateway");
    thumbprint.ifPresent(jkt -> claims.put("cnf", new JsonObject().put("jkt", jkt)));
    return sign(claims, expires);
  }

  /// For people who read tokens; rows decide. A long list is cut, so that the token stays short.
  private static JsonArray shown(List<String> access) {
    var shown = new JsonArray();
    int characters = 0;
    for (String entry : access) {
      characters += entry.length();
      if (characters > MAX_SHOWN_CHARACTERS) {
        break;
      }
      shown.add(entry);
    }
    return shown;
  }

  private String sign(JsonObject claims, Instant expires) {
    claims.put("aud", AUDIENCE).put("exp", expires.getEpochSecond());
    InUse now = current();
    return now.signing()
        .generateToken(
            claims,
            new JWTOptions()
                .setAlgorithm(ALGORITHM)
                .setIssuer(ISSUER)
                .setHeader(
                    new JsonObject().put("kid", JwtKeys.kid(now.keys().signing().verifyingKey()))));
  }

  /// Empty for anything that is not a token of ours, or is over. The first time takes some 100 µs:
  /// not for an event loop.
  public Optional<Claims> verify(String token) {
    if (token.length() > MAX_CHARACTERS) {
      return Optional.empty();
    }
    InUse now = current();
    Octets name = Octets.sha256(token.getBytes(StandardCharsets.UTF_8));
    Claims known = now.known().getIfPresent(name);
    if (known != null) {
      return Optional.of(known).filter(claims -> Instant.now().isBefore(claims.expiresAt()));
    }
    Optional<Claims> claims = CompactJws.read(token).flatMap(jws -> verify(now, jws));
    claims.ifPresent(it -> now.known().put(name, it));
    return claims;
  }

  /// Our own reading first: one algorithm, one of our keys by its name, nothing in the header that
  /// asks for more, and claims of the types that they have. Then the library's, which looks at the
  /// signature.
  private static Optional<Claims> verify(InUse now, CompactJws jws) {
    JWTAuth key = now.verifying().get(jws.kid());
    if (key == null || !jws.isOf(ALGORITHM, TYPE)) {
      return Optional.empty();
    }
    Optional<Claims> claims = claims(jws.payload());
    if (claims.isEmpty()) {
      return Optional.empty();
    }
    try {
      key.authenticate(new TokenCredentials(jws.token()))
          .toCompletionStage()
          .toCompletableFuture()
          .join();
    } catch (CompletionException refused) {
      // Forged or expired: the caller hears only that it is not known.
      return Optional.empty();
    }
    return claims;
  }

  private static Optional<Claims> claims(JsonObject all) {
    if (!(all.getValue("exp") instanceof Number exp
        && all.getValue("iat") instanceof Number iat
        && all.getValue("sub") instanceof String subject
        && ISSUER.equals(all.getValue("iss"))
        && AUDIENCE.equals(all.getValue("aud")))) {
      return Optional.empty();
    }
    // Nothing is signed yet: whatever a number can say comes here.
    double seconds = exp.doubleValue();
    if (!(seconds >= 0 && seconds <= MAX_EPOCH_SECONDS)) {
      return Optional.empty();
    }
    Instant now = Instant.now();
    Instant expires = Instant.ofEpochSecond(exp.longValue());
    boolean tooEarly =
        iat.longValue() > now.getEpochSecond() + SKEW_SECONDS || all.containsKey("nbf");
    if (tooEarly || !now.isBefore(expires)) {
      return Optional.empty();
    }
    return switch (all.getValue("use") instanceof String use ? use : "") {
      case "user" -> id(all, "sid").map(id -> new Claims.OfUser(subject, id, expires));
      case "service" -> id(all, "jti").map(id -> new Claims.OfService(subject, id, expires));
      case "gateway" -> gateway(all, subject, expires);
      default -> Optional.empty();
    };
  }

  private static Optional<Claims> gateway(JsonObject all, String name, Instant expires) {
    Optional<String> thumbprint = Optional.empty();
    if (all.containsKey("cnf")) {
      if (!(all.getValue("cnf") instanceof JsonObject confirmation
          && confirmation.getValue("jkt") instanceof String jkt)) {
        return Optional.empty();
      }
      thumbprint = Optional.of(jkt);
    }
    return all.getValue("gen") instanceof Number generation
            && all.getValue("auth_time") instanceof Number authenticated
            && authenticated.doubleValue() >= 0
            && authenticated.doubleValue() <= MAX_EPOCH_SECONDS
        ? Optional.of(
            new Claims.OfGateway(
                name,
                generation.longValue(),
                thumbprint,
                Instant.ofEpochSecond(authenticated.longValue()),
                expires))
        : Optional.empty();
  }

  private static Optional<UUID> id(JsonObject all, String claim) {
    try {
      return all.getValue(claim) instanceof String text
          ? Optional.of(UUID.fromString(text))
          : Optional.empty();
    } catch (IllegalArgumentException _) {
      return Optional.empty();
    }
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
