package io.penstock.broker.audit;

/// How far the proof of the audit trail is, for metrics.
///
/// @param position of the last sealed record
/// @param checkpointNumber 0 before the first
/// @param checkpointPosition what the newest checkpoint covers
/// @param checkpointEpochSeconds when it was signed
/// @param unsealed numbers given out that may belong to records without a place yet
/// @param foreign records that were sealed by this process although the broker had not written them
/// @param halted the database contradicts what was sealed: nothing is sealed until somebody looks
public record ChainState(
    long position,
    long checkpointNumber,
    long checkpointPosition,
    long checkpointEpochSeconds,
    long unsealed,
    long foreign,
    boolean halted) {

  static final ChainState NOTHING = new ChainState(0, 0, 0, 0, 0, 0, false);
}
