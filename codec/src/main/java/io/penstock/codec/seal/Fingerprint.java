package io.penstock.codec.seal;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Locale;

/// What both sides of an enrollment show and an operator compares: the first 40 bits of a hash of
/// the transcript (`docs/protocol.md`, section 2), `XXXX-XXXX` in Crockford's base 32.
public record Fingerprint(String text) {
  private static final String ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  private static final int CHARS = 8;
  private static final int BITS_PER_CHAR = 5;

  /// @param hash handshake hash after message 3
  public static Fingerprint of(byte[] hash) {
    byte[] digest = Octets.sha256(SignedTexts.fingerprint(hash)).bytes();
    long bits = 0;
    for (int i = 0; i < CHARS * BITS_PER_CHAR / 8; i++) {
      bits = bits << 8 | (digest[i] & 0xff);
    }
    var text = new StringBuilder(CHARS + 1);
    for (int i = CHARS - 1; i >= 0; i--) {
      text.append(ALPHABET.charAt((int) (bits >>> (i * BITS_PER_CHAR)) & 31));
      if (i == CHARS / 2) {
        text.append('-');
      }
    }
    return new Fingerprint(text.toString());
  }

  /// Whether an operator typed this one: case, hyphens and blanks do not count, and the letters
  /// that Crockford reads as digits are those digits.
  public boolean matches(String typed) {
    return MessageDigest.isEqual(normalised(text), normalised(typed));
  }

  private static byte[] normalised(String typed) {
    return typed
        .toUpperCase(Locale.ROOT)
        .replaceAll("[\\s-]", "")
        .replace('O', '0')
        .replace('I', '1')
        .replace('L', '1')
        .getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public String toString() {
    return text;
  }
}
