package io.penstock.broker.systems;

import io.penstock.broker.delivery.Documents;
import io.penstock.broker.store.SystemTable;
import io.penstock.broker.store.SystemVersion;
import io.penstock.broker.store.TamperedRowException;
import io.penstock.broker.store.Tx;
import io.penstock.codec.message.ConfigurationDocument;
import io.penstock.codec.message.ControlMessage.Rewrapped;
import io.penstock.codec.seal.AgentRecord;
import io.penstock.codec.seal.HeadManifest;
import io.penstock.codec.seal.HeadManifest.Tombstone;
import io.penstock.codec.seal.Receipt;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What goes to agents, every signature verified again on the way out. What is not what we signed
/// does not travel: it is as if it were not there, and an alarm tells.
final class StoredDocuments implements Documents {
  private static final Logger LOG = LoggerFactory.getLogger(StoredDocuments.class);

  private final SystemTable table;
  private final Versions versions;
  private final Heads heads;
  private final Standing standing;
  private final Receipts receipts;
  private final Rewraps rewraps;
  private final Recorder recorder;

  StoredDocuments(
      SystemTable table,
      Versions versions,
      Heads heads,
      Standing standing,
      Receipts receipts,
      Rewraps rewraps,
      Recorder recorder) {
    this.table = table;
    this.versions = versions;
    this.heads = heads;
    this.standing = standing;
    this.receipts = receipts;
    this.rewraps = rewraps;
    this.recorder = recorder;
  }

  @Override
  public Optional<String> head(Tx tx, String agent) {
    return standing
        .approved(tx, agent)
        .flatMap(approved -> watched(() -> heads.current(tx, agent, approved.generation())))
        .map(head -> head.row().jws());
  }

  @Override
  public Optional<ConfigurationDocument> document(
      Tx tx, String agent, String system, long version) {
    Optional<AgentRecord> approved = standing.approved(tx, agent);
    return watched(
        () ->
            table
                .version(tx, agent, system, version)
                .filter(row -> approved.map(AgentRecord::generation).equals(generation(row)))
                .map(row -> versions.open(tx, row).document()));
  }

  private static Optional<Long> generation(SystemVersion row) {
    return Optional.of(row.generation());
  }

  @Override
  public List<Listed> listed(Tx tx, String agent) {
    return standing
        .approved(tx, agent)
        .flatMap(approved -> watched(() -> heads.listed(tx, agent, approved.generation())))
        .map(
            head ->
                head.systems().entrySet().stream()
                    .map(entry -> listed(entry.getKey(), entry.getValue()))
                    .toList())
        .orElse(List.of());
  }

  private static Listed listed(String system, HeadManifest.Entry entry) {
    return switch (entry) {
      case HeadManifest.Listed it -> new Listed(system, it.version(), it.headerSha256(), false);
      case Tombstone it -> new Listed(system, it.version(), it.held().headerSha256(), true);
    };
  }

  /// A receipt about a row that we did not write changes nothing.
  @Override
  public void receipt(Tx tx, Receipt receipt, String receiptJws, Instant now) {
    Optional<Boolean> known =
        watched(() -> Optional.of(receipts.record(tx, receipt, receiptJws, now)));
    if (known.isPresent() && !known.get()) {
      LOG.warn(
          "a receipt of {} about version {} of {}, which is not there",
          receipt.agent(),
          receipt.version(),
          receipt.system());
    }
  }

  @Override
  public boolean rewrapped(Tx tx, String agent, long generation, Rewrapped told) {
    return watched(() -> Optional.of(rewraps.record(tx, agent, generation, told))).orElse(false);
  }

  private <T> Optional<T> watched(Supplier<Optional<T>> read) {
    try {
      return read.get();
    } catch (TamperedRowException found) {
      recorder.tampered(found);
      return Optional.empty();
    }
  }
}
