package io.penstock.codec.audit;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.penstock.codec.seal.DocumentType;
import io.penstock.codec.seal.KeyUse;
import io.penstock.codec.seal.Keyset;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.SignedDocument;
import io.penstock.codec.seal.SigningKey;

/// The broker's signed word about how far the chain reaches and where it begins. Signed by the
/// keyset's checkpoint key; it covers everything before it, so only the newest one needs a key that
/// still counts.
///
/// @param number rises by one with each checkpoint
/// @param position of the last entry that it covers, which is how many there ever were
/// @param lastId the number of that entry's record; 0 without one
/// @param hash of that entry
/// @param beginsAfter entries up to here are pruned; 0 = none
/// @param beginsAfterId the number of the last pruned record
/// @param beginHash of the last pruned entry
public record AuditCheckpoint(
    long number,
    long position,
    long lastId,
    Octets hash,
    @JsonProperty("issued_at") long issuedAtEpochSeconds,
    long beginsAfter,
    long beginsAfterId,
    Octets beginHash) {

  public AuditCheckpoint {
    if (number < 1 || beginsAfter < 0 || position < beginsAfter || lastId < beginsAfterId) {
      throw new SealException("an audit checkpoint with an impossible number or position");
    }
    hash.requireLength(32, "a checkpoint's hash");
    beginHash.requireLength(32, "a checkpoint's begin_hash");
  }

  /// Whether both can be true of one chain as far as these two tell.
  public boolean agreesWith(AuditCheckpoint other) {
    return position != other.position || (hash.equals(other.hash) && lastId == other.lastId);
  }

  public String sign(SigningKey checkpointKey) {
    return SignedDocument.sign(
        DocumentType.AUDIT_CHECKPOINT,
        checkpointKey.verifyingKey().keyId(KeyUse.CHECKPOINT.text()),
        checkpointKey,
        this);
  }

  public static AuditCheckpoint verify(String jws, Keyset keyset) {
    return SignedDocument.verify(
        jws,
        DocumentType.AUDIT_CHECKPOINT,
        keyset.keysFor(KeyUse.CHECKPOINT),
        AuditCheckpoint.class);
  }
}
