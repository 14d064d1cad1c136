package io.penstock.agent.identity;

import io.penstock.codec.message.ControlMessage.NodeHello;
import io.penstock.codec.noise.PublicKey;
import io.penstock.codec.seal.Keyset;
import io.penstock.codec.seal.NodeCertificate;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.VerifyingKey;
import java.time.Instant;

/// What an agent checks before message 3 says who it is (`docs/protocol.md`, section 2).
public final class BrokerTrust {
  private BrokerTrust() {}

  /// The keyset of a broker that is the pinned owner's, or an [IdentityException] that says what
  /// does not hold.
  ///
  /// @param shownStaticKey the handshake's, which the certificate must name
  /// @param keysetFloor highest keyset version seen
  public static Keyset verify(
      NodeHello hello, PublicKey shownStaticKey, Octets pinnedRootSha256, long keysetFloor)
      throws IdentityException {
    // The server's time: an agent's clock may be years off, and the handshake proves whose it is.
    Instant serverTime = Instant.ofEpochMilli(hello.serverTimeMs());
    try {
      Keyset keyset =
          Keyset.verify(
              hello.keyset(), VerifyingKey.of(hello.root()), pinnedRootSha256, serverTime);
      if (keyset.version() < keysetFloor) {
        throw new IdentityException(
            "expected keyset version " + keysetFloor + " or newer, found " + keyset.version());
      }
      NodeCertificate.verify(hello.certificate(), keyset, shownStaticKey.bytes(), serverTime);
      return keyset;
    } catch (SealException broken) {
      throw new IdentityException("the broker's identity does not hold: " + broken.getMessage());
    }
  }
}
