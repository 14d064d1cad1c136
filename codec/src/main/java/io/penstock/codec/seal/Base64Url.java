package io.penstock.codec.seal;

import java.util.Base64;

/// Unpadded base64url with one spelling per value: what does not encode back to itself is refused,
/// so a signed text cannot be varied.
final class Base64Url {
  private Base64Url() {}

  static String encode(byte[] bytes) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  static byte[] decode(String text) {
    byte[] bytes;
    try {
      bytes = Base64.getUrlDecoder().decode(text);
    } catch (IllegalArgumentException e) {
      throw new SealException("not base64url", e);
    }
    if (!encode(bytes).equals(text)) {
      throw new SealException("not canonical base64url");
    }
    return bytes;
  }
}
