package io.penstock.broker.access;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import io.penstock.codec.seal.VerifyingKey;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Optional;
import java.util.Set;

/// A signed token in compact form (RFC 7515), read in the one way that leaves nothing open: three
/// parts of canonical base64url, JSON objects without a name twice, and no header parameter but
/// `alg`, `typ` and `kid`. So nothing in it can name a key to fetch (`jku`, `x5u`), bring one along
/// (`jwk`, `x5c`), or ask for an extension (`crit`, `b64`). Its signature is not looked at here.
public record CompactJws(String token, JsonObject header, JsonObject payload) {
  private static final Set<String> PARAMETERS = Set.of("alg", "typ", "kid");
  private static final JsonFactory STRICT =
      JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  static Optional<CompactJws> read(String token) {
    return read(token, PARAMETERS);
  }

  /// The same with other header parameters, all of which the caller looks at.
  public static Optional<CompactJws> read(String token, Set<String> parameters) {
    String[] parts = token.split("\\.", -1);
    if (parts.length != 3 || bytes(parts[2]).isEmpty()) {
      return Optional.empty();
    }
    return bytes(parts[0])
        .flatMap(CompactJws::object)
        .filter(header -> parameters.containsAll(header.fieldNames()))
        .flatMap(
            header ->
                bytes(parts[1])
                    .flatMap(CompactJws::object)
                    .map(payload -> new CompactJws(token, header, payload)));
  }

  /// Empty unless this very text is what encoding the bytes gives: no padding, no blanks, no bits
  /// that are dropped.
  private static Optional<byte[]> bytes(String text) {
    try {
      byte[] decoded = Base64.getUrlDecoder().decode(text);
      boolean canonical =
          decoded.length > 0
              && Base64.getUrlEncoder().withoutPadding().encodeToString(decoded).equals(text);
      return canonical ? Optional.of(decoded) : Optional.empty();
    } catch (IllegalArgumentException _) {
      return Optional.empty();
    }
  }

  private static Optional<JsonObject> object(byte[] json) {
    try (JsonParser tokens = STRICT.createParser(json)) {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(json)).toString();
      if (tokens.nextToken() != JsonToken.START_OBJECT) {
        return Optional.empty();
      }
      tokens.skipChildren();
      // What stands behind the object belongs to nobody.
      return tokens.nextToken() == null ? Optional.of(new JsonObject(text)) : Optional.empty();
    } catch (IOException | DecodeException _) {
      return Optional.empty();
    }
  }

  /// Empty when it names none.
  String kid() {
    return header.getValue("kid") instanceof String kid ? kid : "";
  }

  public boolean isSignedBy(VerifyingKey key) {
    int end = token.lastIndexOf('.');
    return key.verify(
        token.substring(0, end).getBytes(StandardCharsets.US_ASCII),
        Base64.getUrlDecoder().decode(token.substring(end + 1)));
  }

  public boolean isOf(String algorithm, String type) {
    return algorithm.equals(header.getValue("alg")) && type.equals(header.getValue("typ"));
  }
}
