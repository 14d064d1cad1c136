package io.penstock.agent.identity;

import io.penstock.codec.message.ControlMessage.CrossSignature;
import io.penstock.codec.message.ControlMessage.NodeHello;
import io.penstock.codec.message.ControlMessage.OwnerKeys;
import io.penstock.codec.noise.PublicKey;
import io.penstock.codec.seal.Keyset;
import io.penstock.codec.seal.NodeCertificate;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.RootLink;
import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.VerifyingKey;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What an agent checks before message 3 says who it is (`docs/protocol.md`, section 2).
public final class BrokerTrust {
  private BrokerTrust() {}

  /// What an agent believes of its owner.
  ///
  /// @param rootSha256 hash of the root
  /// @param keysetFloor highest keyset version seen
  public record Pin(Octets rootSha256, long keysetFloor) {}

  /// What was shown and holds.
  ///
  /// @param rootSha256 the pinned one, or one that cross-signatures lead to
  public record Shown(Keyset keyset, Octets rootSha256) {
    public Pin pin() {
      return new Pin(rootSha256, keyset.version());
    }
  }

  /// The keyset of a broker that is the pinned owner's, or an [IdentityException] that says what
  /// does not hold.
  ///
  /// @param shownStaticKey the handshake's, which the certificate must name
  public static Shown verify(NodeHello hello, PublicKey shownStaticKey, Pin pin)
      throws IdentityException {
    // The server's time: an agent's clock may be years off, and the handshake proves whose it is.
    Instant serverTime = Instant.ofEpochMilli(hello.serverTimeMs());
    try {
      Shown shown = shown(hello.keyset(), hello.root(), hello.crossSignatures(), pin, serverTime);
      NodeCertificate.verify(
          hello.certificate(), shown.keyset(), shownStaticKey.bytes(), serverTime);
      return shown;
    } catch (SealException broken) {
      throw new IdentityException("the broker's identity does not hold: " + broken.getMessage());
    }
  }

  /// The same for keys that changed while a tunnel is up.
  public static Shown verify(OwnerKeys keys, Pin pin, Instant serverTime) throws IdentityException {
    try {
      return shown(keys.keyset(), keys.root(), keys.crossSignatures(), pin, serverTime);
    } catch (SealException broken) {
      throw new IdentityException("the owner's new keys do not hold: " + broken.getMessage());
    }
  }

  private static Shown shown(
      String jws,
      byte[] rootKey,
      @Nullable List<CrossSignature> crossSignatures,
      Pin pin,
      Instant serverTime)
      throws IdentityException {
    VerifyingKey root = VerifyingKey.of(rootKey);
    List<RootLink> links =
        crossSignatures == null
            ? List.of()
            : crossSignatures.stream()
                .map(it -> new RootLink(VerifyingKey.of(it.root()), it.jws()))
                .toList();
    Keyset keyset = Keyset.verify(jws, root, links, pin.rootSha256(), serverTime);
    if (keyset.version() < pin.keysetFloor()) {
      throw new IdentityException(
          "expected keyset version " + pin.keysetFloor() + " or newer, found " + keyset.version());
    }
    return new Shown(keyset, root.sha256());
  }
}
