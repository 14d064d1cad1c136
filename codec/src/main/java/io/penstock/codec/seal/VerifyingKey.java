package io.penstock.codec.seal;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import org.bouncycastle.crypto.params.Ed25519PublicKeyParameters;
import org.bouncycastle.crypto.signers.Ed25519Signer;
import org.jspecify.annotations.Nullable;

/// An Ed25519 public key, 32 bytes. Equal to any other of the same bytes.
public final class VerifyingKey {
  public static final int BYTES = 32;
  private static final int SIGNATURE_BYTES = 64;

  private final Octets octets;

  /// The point on the curve, a fifth of a verification's cost to decode; null before the first one
  /// and for bytes that are no such point. Racing threads decode the same.
  private volatile @Nullable Ed25519PublicKeyParameters point;

  public VerifyingKey(Octets octets) {
    octets.requireLength(BYTES, "an Ed25519 public key");
    this.octets = octets;
  }

  public static VerifyingKey of(byte[] bytes) {
    return new VerifyingKey(Octets.of(bytes));
  }

  @JsonCreator
  public static VerifyingKey fromBase64Url(String text) {
    return new VerifyingKey(Octets.fromBase64Url(text));
  }

  @JsonValue
  public Octets octets() {
    return octets;
  }

  /// What tokens pin of the root, and what key ids are made of.
  public Octets sha256() {
    return Octets.sha256(octets.bytes());
  }

  /// `record-0123456789abcdef`: the use, then the head of the key's hash.
  public String keyId(String use) {
    return use + "-" + sha256().hex().substring(0, 16);
  }

  public boolean verify(byte[] message, byte[] signature) {
    if (signature.length != SIGNATURE_BYTES) {
      return false;
    }
    try {
      var signer = new Ed25519Signer();
      signer.init(false, point());
      signer.update(message, 0, message.length);
      return signer.verifySignature(signature);
    } catch (IllegalArgumentException _) {
      // The bytes are no point on the curve: nothing was signed by such a key.
      return false;
    }
  }

  private Ed25519PublicKeyParameters point() {
    Ed25519PublicKeyParameters known = point;
    if (known == null) {
      known = new Ed25519PublicKeyParameters(octets.bytes(), 0);
      point = known;
    }
    return known;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof VerifyingKey key && octets.equals(key.octets);
  }

  @Override
  public int hashCode() {
    return octets.hashCode();
  }

  @Override
  public String toString() {
    return "VerifyingKey[octets=" + octets + "]";
  }
}
