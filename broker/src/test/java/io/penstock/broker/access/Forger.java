package io.penstock.broker.access;

import io.penstock.codec.seal.SigningKey;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/// Makes tokens that nobody issues, of exactly the texts that a test wants, also with a real key.
public final class Forger {
  private static final Base64.Encoder BASE64 = Base64.getUrlEncoder().withoutPadding();

  private Forger() {}

  /// A token whose signature is right, whatever it says.
  public static String signed(SigningKey key, String header, String payload) {
    String input = base64(header) + "." + base64(payload);
    byte[] signature = key.sign(input.getBytes(StandardCharsets.US_ASCII));
    return input + "." + BASE64.encodeToString(signature);
  }

  public static String base64(String text) {
    return BASE64.encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  /// What a token says.
  public static JsonObject payload(String token) {
    return part(token, 1);
  }

  public static JsonObject header(String token) {
    return part(token, 0);
  }

  private static JsonObject part(String token, int index) {
    byte[] json = Base64.getUrlDecoder().decode(token.split("\\.", -1)[index]);
    return new JsonObject(new String(json, StandardCharsets.UTF_8));
  }
}
