package io.penstock.codec.seal;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/// The exact bytes that prove an agent's identity (`docs/protocol.md`, section 2): the agent makes
/// them to sign or open, the broker to verify or seal.
public final class SignedTexts {
  private static final byte[] ENROLL = ascii("penstock enroll v1");
  private static final byte[] READY = ascii("penstock ready v1");
  private static final byte[] IDENTITY_NEXT = ascii("penstock identity next v1");
  private static final byte[] PROOF = ascii("penstock proof v1");
  private static final byte[] FINGERPRINT = ascii("penstock fingerprint v1");

  private SignedTexts() {}

  /// Binds all keys to this transcript: nobody can enroll keys that he does not hold.
  ///
  /// @param hash handshake hash after message 2
  /// @param dev static key of the handshake
  public static byte[] enroll(
      byte[] hash, byte[] dev, byte[] sealingKey, byte[] signingKey, byte[] innerBundle) {
    return concat(ENROLL, hash, dev, sealingKey, signingKey, Octets.sha256(innerBundle).bytes());
  }

  /// Shows that the bundle of WELCOME was opened in this very session.
  ///
  /// @param hash handshake hash after message 3
  public static byte[] ready(byte[] hash, byte[] sessionId) {
    return concat(READY, hash, sessionId);
  }

  /// Hands an agent's identity on to new keys, in this very session.
  ///
  /// @param hash handshake hash after message 3
  public static byte[] identityNext(
      byte[] hash, byte[] sealingKey, byte[] signingKey, byte[] innerBundle) {
    return concat(IDENTITY_NEXT, hash, sealingKey, signingKey, Octets.sha256(innerBundle).bytes());
  }

  /// HPKE info of PROOF_CHALLENGE.
  public static byte[] proofInfo() {
    return PROOF.clone();
  }

  /// @param hash handshake hash after message 3
  static byte[] fingerprint(byte[] hash) {
    return concat(FINGERPRINT, hash);
  }

  private static byte[] concat(byte[]... parts) {
    var all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
