package io.penstock.broker.store;

import io.penstock.broker.store.SystemTable.VersionKey;
import io.penstock.codec.seal.Octets;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// One row of `receipts`: the last word of an agent about one version.
///
/// @param outcome `applied` or `refused`
/// @param document SHA-256 of the JWS in which the agent signed it
public record ReceiptRow(
    String agent,
    String system,
    long version,
    String outcome,
    Optional<String> reason,
    Optional<String> detail,
    Octets document,
    Instant receivedAt) {

  public VersionKey key() {
    return new VersionKey(agent, system, version);
  }

  public boolean refused() {
    return outcome.equals("refused");
  }

  /// What the MAC covers.
  List<String> granting() {
    return List.of(
        agent,
        system,
        Long.toString(version),
        outcome,
        MacText.of(reason),
        MacText.of(detail),
        document.base64Url(),
        Long.toString(receivedAt.toEpochMilli()));
  }
}
