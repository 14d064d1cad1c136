package io.penstock.codec.seal;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Optional;

/// One step from a root to the next (`docs/protocol.md`, section 2, "Rotated roots"): the older
/// root's public key, and what it signed about the newer one.
///
/// @param root the one that signed
/// @param jws a [Succession], compact JWS
public record RootLink(@JsonProperty("root_public") VerifyingKey root, String jws) {

  /// The older root's word.
  ///
  /// @param sequence 1 for the first successor of the owner's first root, one more at each rotation
  /// @param successor public key of the root that counts from now on
  public record Succession(
      long sequence, VerifyingKey successor, @JsonProperty("issued_at") long issuedAtEpochSeconds) {
    public Succession {
      if (sequence < 1) {
        throw new SealException("a root's succession without a sequence");
      }
    }
  }

  /// The root names the one that follows it.
  public static RootLink sign(SigningKey root, Succession succession) {
    VerifyingKey key = root.verifyingKey();
    return new RootLink(
        key,
        SignedDocument.sign(DocumentType.ROOT_SUCCESSION, Keyset.rootKeyId(key), root, succession));
  }

  /// What the older root said; throws [SealException] when it did not.
  public Succession verify() {
    return SignedDocument.verify(
        jws,
        DocumentType.ROOT_SUCCESSION,
        kid -> kid.equals(Keyset.rootKeyId(root)) ? Optional.of(root) : Optional.empty(),
        Succession.class);
  }
}
