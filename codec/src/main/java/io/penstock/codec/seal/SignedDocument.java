package io.penstock.codec.seal;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.util.Optional;
import java.util.function.Function;

/// A JSON payload under one Ed25519 signature: JWS compact serialization (RFC 7515, RFC 8037) with
/// exactly the header members `alg`, `kid` and `typ`.
///
/// Stricter than the RFC on purpose: one algorithm, one spelling of every part, a known `typ` and a
/// known `kid`, so that a JWS library's leniencies (padding, whitespace, embedded keys, `crit`) are
/// out of reach.
public final class SignedDocument {
  // Unknown members are a newer writer's; the signature covers them all the same.
  static final JsonMapper JSON =
      JsonMapper.builder()
          .annotationIntrospector(new EveryMemberIsRequired())
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .defaultPropertyInclusion(
              JsonInclude.Value.construct(JsonInclude.Include.NON_NULL, JsonInclude.Include.ALWAYS))
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .build();

  /// Of 64 bytes.
  private static final int SIGNATURE_CHARS = 86;

  /// RFC 8037.
  private static final String ALGORITHM = "EdDSA";

  private SignedDocument() {}

  /// Signs `payload`, a record of this package or anything else Jackson can write.
  public static String sign(DocumentType type, String keyId, SigningKey key, Object payload) {
    try {
      return signText(type, keyId, key, JSON.writeValueAsString(payload));
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("a payload of " + type.typ() + " that is not JSON", e);
    }
  }

  /// RFC 7515, section 7.1. BouncyCastle signs, as it verifies.
  private static String signText(DocumentType type, String keyId, SigningKey key, String payload) {
    String signed = headerOf(type, keyId) + "." + Base64Url.encode(payload.getBytes(UTF_8));
    byte[] signature = key.sign(signed.getBytes(US_ASCII));
    String compact = signed + "." + Base64Url.encode(signature);
    if (compact.length() > type.maxChars()) {
      throw new SealException(
          type.typ() + " would be longer than " + type.maxChars() + " characters");
    }
    return compact;
  }

  /// Verifies `compact` and reads its payload. `keys` answers the key for a `kid`, empty when that
  /// id may not sign this type. Throws [SealException] for everything that is not exactly such a
  /// document.
  public static <T> T verify(
      String compact,
      DocumentType type,
      Function<String, Optional<VerifyingKey>> keys,
      Class<T> payload) {
    if (compact.length() > type.maxChars()) {
      throw new SealException(type.typ() + " is longer than " + type.maxChars() + " characters");
    }
    // Base64url has no dot, and its decoder refuses every other letter that is none of its own.
    int first = compact.indexOf('.');
    int last = compact.lastIndexOf('.');
    if (first < 0
        || compact.indexOf('.', first + 1) != last
        || compact.length() - last - 1 != SIGNATURE_CHARS) {
      throw new SealException(type.typ() + " is not a compact JWS");
    }
    byte[] signature = Base64Url.decode(compact.substring(last + 1));
    byte[] body = Base64Url.decode(compact.substring(first + 1, last));
    String keyId = keyId(Base64Url.decode(compact.substring(0, first)), type);
    VerifyingKey key =
        keys.apply(keyId)
            .orElseThrow(() -> new SealException(type.typ() + " is signed by an unknown key"));
    // RFC 7515, section 5.2. The header is exactly ours by now, so nothing in it changes what is
    // signed.
    if (!key.verify(compact.substring(0, last).getBytes(US_ASCII), signature)) {
      throw new SealException(type.typ() + " has a signature that does not verify");
    }
    return read(body, type, payload);
  }

  /// What every document of this type begins with that is signed by the key of this id, up to the
  /// first dot: to look for them in a database.
  public static String headerOf(DocumentType type, String keyId) {
    var header = JSON.createObjectNode();
    header.put("alg", ALGORITHM).put("kid", keyId).put("typ", type.typ());
    return Base64Url.encode(header.toString().getBytes(UTF_8));
  }

  /// The `kid` that a document names, its signature not looked at: to find out what still needs a
  /// key. Throws [SealException] for what is no document of this type.
  public static String keyIdOf(String compact, DocumentType type) {
    int end = compact.indexOf('.');
    if (end < 0 || compact.length() > type.maxChars()) {
      throw new SealException(type.typ() + " is not a compact JWS");
    }
    return keyId(Base64Url.decode(compact.substring(0, end)), type);
  }

  private static String keyId(byte[] headerJson, DocumentType type) {
    JsonNode header = readHeader(headerJson, type);
    if (header.size() != 3
        || !header.path("alg").asText().equals(ALGORITHM)
        || !header.path("typ").asText().equals(type.typ())
        || !header.path("kid").isTextual()) {
      throw new SealException(
          type.typ() + " needs exactly alg EdDSA, its own typ and a kid in its header");
    }
    return header.path("kid").textValue();
  }

  private static JsonNode readHeader(byte[] headerJson, DocumentType type) {
    try {
      JsonNode header = JSON.readTree(headerJson);
      if (header != null && header.isObject()) {
        return header;
      }
    } catch (IOException e) {
      throw new SealException(type.typ() + " has a header that is not JSON", e);
    }
    throw new SealException(type.typ() + " has a header that is not a JSON object");
  }

  private static <T> T read(byte[] body, DocumentType type, Class<T> payload) {
    try {
      T value = JSON.readValue(new String(body, UTF_8), payload);
      if (value != null) {
        return value;
      }
    } catch (JsonProcessingException e) {
      // Jackson quotes the input in its message; the cause of the cause would carry it into logs.
      throw new SealException(type.typ() + " has a payload of another shape");
    }
    throw new SealException(type.typ() + " has no payload");
  }
}
