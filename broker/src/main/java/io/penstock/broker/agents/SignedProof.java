package io.penstock.broker.agents;

import io.penstock.broker.access.CompactJws;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.VerifyingKey;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;

/// What gateways sign, read strictly: an assertion that asks for a token (after RFC 7523), or the
/// proof beside one request (RFC 9449). One algorithm, EdDSA; a key in the header is compared with
/// the enrolled one and never believed by itself.
///
/// @param key that the header brings along; empty in assertions, which name none
/// @param id of it, to be used once
/// @param until when somebody would believe it
record SignedProof(CompactJws jws, Optional<VerifyingKey> key, String id, Instant until) {
  private static final String ALGORITHM = "EdDSA";
  private static final int MAX_CHARACTERS = 4096;
  private static final Duration SKEW = Duration.ofSeconds(60);
  private static final Duration LONGEST = Duration.ofMinutes(2);
  private static final int MIN_ID = 8;
  private static final int MAX_ID = 128;

  private static final Set<String> ASSERTION_HEADER = Set.of("alg", "typ");
  private static final Set<String> ASSERTION_CLAIMS =
      Set.of("iss", "sub", "aud", "iat", "exp", "jti");
  private static final Set<String> PROOF_HEADER = Set.of("alg", "typ", "jwk");
  private static final Set<String> JWK = Set.of("kty", "crv", "x");

  /// An assertion of `gateway`, made for `audience`; whose key signed it is looked at next.
  static Optional<SignedProof> assertion(
      String text, String gateway, String audience, Instant now) {
    return read(text, ASSERTION_HEADER, "JWT")
        .filter(jws -> ASSERTION_CLAIMS.containsAll(jws.payload().fieldNames()))
        .filter(jws -> gateway.equals(jws.payload().getValue("iss")))
        .filter(jws -> gateway.equals(jws.payload().getValue("sub")))
        .filter(jws -> isFor(jws.payload().getValue("aud"), audience))
        .flatMap(jws -> inTime(jws, now));
  }

  private static boolean isFor(Object audience, String expected) {
    return audience instanceof JsonArray several
        ? several.size() == 1 && expected.equals(several.getValue(0))
        : expected.equals(audience);
  }

  private static Optional<SignedProof> inTime(CompactJws jws, Instant now) {
    Optional<Instant> made = instant(jws, "iat");
    Optional<Instant> ends = instant(jws, "exp");
    Optional<String> id = id(jws);
    if (made.isEmpty() || ends.isEmpty() || id.isEmpty()) {
      return Optional.empty();
    }
    boolean fits =
        !made.get().isAfter(now.plus(SKEW))
            && now.isBefore(ends.get())
            && !ends.get().isAfter(now.plus(LONGEST).plus(SKEW))
            && !ends.get().isAfter(made.get().plus(LONGEST));
    return fits
        ? Optional.of(new SignedProof(jws, Optional.empty(), id.get(), ends.get()))
        : Optional.empty();
  }

  /// A proof for this very request and token.
  ///
  /// @param url of the request, without its query
  static Optional<SignedProof> ofRequest(
      String text, String method, String url, String token, Instant now) {
    return read(text, PROOF_HEADER, "dpop+jwt")
        .filter(jws -> method.equals(jws.payload().getValue("htm")))
        .filter(jws -> url.equals(jws.payload().getValue("htu")))
        .filter(jws -> hash(token).equals(jws.payload().getValue("ath")))
        .flatMap(jws -> fresh(jws, now));
  }

  private static Optional<SignedProof> fresh(CompactJws jws, Instant now) {
    Optional<Instant> made = instant(jws, "iat");
    Optional<String> id = id(jws);
    Optional<VerifyingKey> key = key(jws.header().getValue("jwk"));
    if (made.isEmpty() || id.isEmpty() || key.isEmpty()) {
      return Optional.empty();
    }
    boolean fits = !made.get().isBefore(now.minus(SKEW)) && !made.get().isAfter(now.plus(SKEW));
    return fits
        ? Optional.of(new SignedProof(jws, key, id.get(), made.get().plus(SKEW).plusSeconds(1)))
        : Optional.empty();
  }

  private static Optional<CompactJws> read(String text, Set<String> header, String type) {
    return text.length() > MAX_CHARACTERS
        ? Optional.empty()
        : CompactJws.read(text, header).filter(jws -> jws.isOf(ALGORITHM, type));
  }

  private static Optional<Instant> instant(CompactJws jws, String claim) {
    return jws.payload().getValue(claim) instanceof Number number
            && number.doubleValue() >= 0
            && number.doubleValue() <= 253_402_300_799.0
        ? Optional.of(Instant.ofEpochSecond(number.longValue()))
        : Optional.empty();
  }

  private static Optional<String> id(CompactJws jws) {
    return jws.payload().getValue("jti") instanceof String id
            && id.length() >= MIN_ID
            && id.length() <= MAX_ID
        ? Optional.of(id)
        : Optional.empty();
  }

  private static Optional<VerifyingKey> key(Object jwk) {
    if (!(jwk instanceof JsonObject members)
        || !members.fieldNames().equals(JWK)
        || !"OKP".equals(members.getValue("kty"))
        || !"Ed25519".equals(members.getValue("crv"))
        || !(members.getValue("x") instanceof String x)) {
      return Optional.empty();
    }
    try {
      return Optional.of(VerifyingKey.fromBase64Url(x));
    } catch (SealException _) {
      return Optional.empty();
    }
  }

  boolean isSignedBy(VerifyingKey enrolled) {
    return key.map(enrolled::equals).orElse(true) && jws.isSignedBy(enrolled);
  }

  /// Of this kind of text and its id, for [io.penstock.broker.store.GatewayProofTable].
  Octets use() {
    String kind = key.isPresent() ? "proof" : "assertion";
    return Octets.sha256((kind + "\n" + id).getBytes(StandardCharsets.UTF_8));
  }

  /// As a proof names its token (`ath`).
  private static String hash(String token) {
    return Octets.sha256(token.getBytes(StandardCharsets.US_ASCII)).base64Url();
  }

  /// RFC 7638: the name of a key, as tokens bound to it show it.
  static String thumbprint(VerifyingKey key) {
    String canonical =
        "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"" + key.octets().base64Url() + "\"}";
    return Octets.sha256(canonical.getBytes(StandardCharsets.US_ASCII)).base64Url();
  }
}
