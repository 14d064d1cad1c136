package io.penstock.broker.agents;

import io.penstock.broker.tunnel.TunnelAuthority.EnrollmentAttempt;
import io.penstock.codec.seal.Octets;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/// The exact bytes that an identity signs (`docs/protocol.md`, section 2).
final class SignedTexts {
  private static final byte[] ENROLL = "penstock enroll v1".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] READY = "penstock ready v1".getBytes(StandardCharsets.US_ASCII);

  private SignedTexts() {}

  /// Binds all keys to this transcript: nobody can enroll keys that he does not hold.
  static byte[] enroll(EnrollmentAttempt attempt) {
    var request = attempt.request();
    return concat(
        ENROLL,
        attempt.hashBefore(),
        attempt.dev().bytes(),
        request.sealingKey(),
        request.signingKey(),
        Octets.sha256(request.innerBundle()).bytes());
  }

  /// Shows that the bundle of WELCOME was opened in this very session.
  static byte[] ready(byte[] hash, byte[] sessionId) {
    return concat(READY, hash, sessionId);
  }

  static byte[] concat(byte[]... parts) {
    var all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }
}
