package io.penstock.agent.identity;

import io.penstock.codec.seal.Octets;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/// What both sides of an enrollment show and an operator compares: the first 40 bits of a hash of
/// the transcript, `XXXX-XXXX` in Crockford's base 32 (`docs/protocol.md`, section 2).
public record Fingerprint(String text) {
  private static final String ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  private static final byte[] LABEL = "penstock fingerprint v1".getBytes(StandardCharsets.US_ASCII);
  private static final int BYTES = 5;
  private static final int CHARACTERS = 8;
  private static final int BITS = 5;

  /// @param hash handshake hash after message 3
  public static Fingerprint of(byte[] hash) {
    var input = new ByteArrayOutputStream();
    input.writeBytes(LABEL);
    input.writeBytes(hash);
    byte[] digest = Octets.sha256(input.toByteArray()).bytes();
    long bits = 0;
    for (int i = 0; i < BYTES; i++) {
      bits = bits << 8 | (digest[i] & 0xff);
    }
    var text = new StringBuilder();
    for (int i = CHARACTERS - 1; i >= 0; i--) {
      text.append(ALPHABET.charAt((int) (bits >>> (i * BITS)) & 31));
    }
    return new Fingerprint(text.insert(CHARACTERS / 2, '-').toString());
  }
}
