package io.penstock.codec.seal;

import io.penstock.codec.seal.SealedSecrets.Wrap;
import java.util.List;

/// Seals as no honest sealer does: wraps one key and commits to another.
public final class FalseCommitment {
  private FalseCommitment() {}

  public static SealedSecrets seal(byte[] secretsJson, SealedFor owner, Octets sealingPublic) {
    byte[] committed = new byte[DataKey.BYTES];
    byte[] wrapped = new byte[DataKey.BYTES];
    wrapped[0] = 1;
    Octets commitment = DataKey.owning(committed).commitment();
    DataKey other = DataKey.owning(wrapped);
    var wrap =
        new Wrap(
            SealedSecrets.recipientOf(sealingPublic),
            Octets.of(other.wrapTo(sealingPublic, owner.wrapContext(commitment))));
    byte[] ciphertext =
        other.encrypt(new byte[DataKey.NONCE_BYTES], owner.secretsContext(), secretsJson);
    return new SealedSecrets(1, Octets.of(ciphertext), commitment, List.of(wrap));
  }
}
