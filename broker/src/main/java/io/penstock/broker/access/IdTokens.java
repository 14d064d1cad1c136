package io.penstock.broker.access;

import io.penstock.broker.config.OidcConfig;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What an identity provider says of somebody, checked as OpenID Connect Core 3.1.3.7 asks. Nothing
/// in a token names a key to fetch or brings one along.
final class IdTokens {
  private static final Duration LEEWAY = Duration.ofSeconds(60);
  private static final int MAX_CHARACTERS = 64 * 1024;
  private static final int MAX_SUBJECT = 255;
  private static final int MAX_ROLES = 1000;

  /// The thumbprints are of certificates, and not looked at: the key's name counts.
  private static final Set<String> PARAMETERS = Set.of("alg", "typ", "kid", "x5t", "x5t#S256");

  private final OidcConfig config;
  private final Clock clock;

  IdTokens(OidcConfig config, Clock clock) {
    this.config = config;
    this.clock = clock;
  }

  /// What a look at a token found.
  sealed interface Checked {
    record Good(JsonObject claims) implements Checked {}

    /// @param what does not hold, by a word of ours
    record Bad(String what) implements Checked {}

    /// Newer keys may have it.
    record UnknownKey() implements Checked {}
  }

  Checked check(String text, ProviderKeys keys, String nonce) {
    Optional<CompactJws> token =
        text.length() <= MAX_CHARACTERS ? CompactJws.read(text, PARAMETERS) : Optional.empty();
    if (token.isEmpty()) {
      return new Checked.Bad("form");
    }
    Object type = token.get().header().getValue("typ");
    if (type != null && !"JWT".equals(type)) {
      return new Checked.Bad("typ");
    }
    return switch (keys.verdict(token.get())) {
      case GOOD -> claims(token.get().payload(), nonce);
      case BAD -> new Checked.Bad("signature");
      case ALGORITHM -> new Checked.Bad("alg");
      case UNKNOWN_KEY -> new Checked.UnknownKey();
    };
  }

  private Checked claims(JsonObject claims, String nonce) {
    if (!config.issuer().equals(claims.getValue("iss"))) {
      return new Checked.Bad("iss");
    }
    List<Object> audience = values(claims.getValue("aud"));
    if (!audience.contains(config.clientId())) {
      return new Checked.Bad("aud");
    }
    Object party = claims.getValue("azp");
    boolean needsParty = audience.size() > 1;
    if ((party != null || needsParty) && !config.clientId().equals(party)) {
      return new Checked.Bad("azp");
    }
    Instant now = clock.instant();
    Optional<Instant> expires = instant(claims, "exp");
    if (expires.isEmpty() || !now.isBefore(expires.get().plus(LEEWAY))) {
      return new Checked.Bad("exp");
    }
    Optional<Instant> issued = instant(claims, "iat");
    if (issued.isEmpty() || issued.get().isAfter(now.plus(LEEWAY))) {
      return new Checked.Bad("iat");
    }
    if (claims.containsKey("nbf")
        && instant(claims, "nbf").filter(from -> !from.isAfter(now.plus(LEEWAY))).isEmpty()) {
      return new Checked.Bad("nbf");
    }
    if (!(claims.getValue("nonce") instanceof String found) || !isSame(nonce, found)) {
      return new Checked.Bad("nonce");
    }
    return claims.getValue("sub") instanceof String subject
            && !subject.isBlank()
            && subject.length() <= MAX_SUBJECT
        ? new Checked.Good(claims)
        : new Checked.Bad("sub");
  }

  static boolean isSame(String expected, String found) {
    return MessageDigest.isEqual(
        expected.getBytes(StandardCharsets.UTF_8), found.getBytes(StandardCharsets.UTF_8));
  }

  private static Optional<Instant> instant(JsonObject claims, String name) {
    return claims.getValue(name) instanceof Number seconds
            && seconds.doubleValue() >= 0
            && seconds.doubleValue() < 1e11
        ? Optional.of(Instant.ofEpochSecond(seconds.longValue()))
        : Optional.empty();
  }

  private static List<Object> values(@Nullable Object claim) {
    return switch (claim) {
      case String one -> List.of(one);
      case JsonArray many when many.size() <= MAX_ROLES -> {
        var values = new ArrayList<Object>();
        many.forEach(values::add);
        yield values;
      }
      case null, default -> List.of();
    };
  }

  private static @Nullable Object at(JsonObject claims, List<String> way) {
    Object found = claims.getValue(way.getFirst());
    if (way.size() == 1) {
      return found;
    }
    return found instanceof JsonObject inner ? at(inner, way.subList(1, way.size())) : null;
  }

  /// The first entry of the table that fits.
  Optional<Role> role(JsonObject claims) {
    List<Object> found = values(at(claims, config.rolesClaim()));
    return config.roles().stream()
        .filter(entry -> found.contains(entry.value()))
        .findFirst()
        .flatMap(entry -> Role.of(entry.role()));
  }

  /// An address that a new account can have. One that the provider says nobody has proved is none.
  Optional<String> email(JsonObject claims) {
    boolean unproved = config.emailClaim().equals("email") && isFalse(claims, "email_verified");
    return claims.getValue(config.emailClaim()) instanceof String email
            && !unproved
            && Accounts.isEmail(email)
        ? Optional.of(email.toLowerCase(Locale.ROOT))
        : Optional.empty();
  }

  private static boolean isFalse(JsonObject claims, String name) {
    Object value = claims.getValue(name);
    return Boolean.FALSE.equals(value) || "false".equals(value);
  }
}
