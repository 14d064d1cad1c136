package io.penstock.broker.systems;

import io.penstock.broker.delivery.Addressee;
import io.penstock.broker.delivery.Documents;
import io.penstock.broker.store.MessageTable.Message;
import io.penstock.broker.store.Superseding;
import io.penstock.broker.store.SystemTable;
import io.penstock.broker.store.SystemTable.VersionKey;
import io.penstock.broker.store.SystemVersion;
import io.penstock.broker.store.TamperedRowException;
import io.penstock.broker.store.Tx;
import io.penstock.codec.message.ConfigurationDocument;
import io.penstock.codec.message.ControlMessage.Rewrapped;
import io.penstock.codec.seal.AgentRecord;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
  private final Superseding superseding;
  private final Receipts receipts;
  private final Rewraps rewraps;
  private final Recorder recorder;

  StoredDocuments(
      SystemTable table,
      Versions versions,
      Heads heads,
      Standing standing,
      Superseding superseding,
      Receipts receipts,
      Rewraps rewraps,
      Recorder recorder) {
    this.table = table;
    this.versions = versions;
    this.heads = heads;
    this.standing = standing;
    this.superseding = superseding;
    this.receipts = receipts;
    this.rewraps = rewraps;
    this.recorder = recorder;
  }

  @Override
  public Optional<String> head(Tx tx, String agent, long generation) {
    return watched(tx, () -> heads.current(tx, agent, generation)).map(head -> head.row().jws());
  }

  @Override
  public Optional<ConfigurationDocument> document(
      Tx tx, String agent, String system, long version) {
    Optional<AgentRecord> approved = standing.approved(tx, agent);
    return watched(
        tx,
        () ->
            table
                .version(tx, agent, system, version)
                .filter(row -> approved.map(AgentRecord::generation).equals(generation(row)))
                .map(row -> versions.open(tx, row).document()));
  }

  private static Optional<Long> generation(SystemVersion row) {
    return Optional.of(row.generation());
  }

  /// One spoiled row does not keep the others from being read: then each is read by itself.
  @Override
  public Map<Addressee, Newest> newest(Tx tx, Collection<Addressee> agents) {
    try {
      return newestOfAll(tx, agents);
    } catch (TamperedRowException found) {
      if (agents.size() == 1) {
        report(tx, found);
        return Map.of(
            agents.iterator().next(),
            new Newest.Unanswerable("the newest head cannot be read: " + found.getMessage()));
      }
      var each = new HashMap<Addressee, Newest>();
      agents.forEach(agent -> each.putAll(newest(tx, List.of(agent))));
      return each;
    }
  }

  private Map<Addressee, Newest> newestOfAll(Tx tx, Collection<Addressee> agents) {
    Map<Addressee, Heads.Verified> found = new HashMap<>();
    heads
        .newest(tx, agents.stream().map(Addressee::agent).distinct().toList())
        .forEach(
            head -> found.put(new Addressee(head.row().agent(), head.row().generation()), head));
    var newest = new HashMap<Addressee, Newest>();
    for (Addressee agent : agents) {
      Heads.Verified head = found.get(agent);
      newest.put(agent, head == null ? new Newest.Head(Optional.empty(), Map.of()) : answer(head));
    }
    return newest;
  }

  private static Newest answer(Heads.Verified head) {
    return new Newest.Head(Optional.of(head.row().jws()), head.manifest().systems());
  }

  @Override
  public Map<Wanted, ConfigurationDocument> documents(
      Tx tx, Collection<Wanted> wanted, int maxBytes) {
    var documents = new HashMap<Wanted, ConfigurationDocument>();
    try {
      open(tx, wanted, maxBytes, documents);
    } catch (TamperedRowException found) {
      if (wanted.size() == 1) {
        report(tx, found);
        return Map.of();
      }
      documents.clear();
      wanted.forEach(one -> documents.putAll(documents(tx, List.of(one), maxBytes)));
    }
    return documents;
  }

  private void open(
      Tx tx,
      Collection<Wanted> wanted,
      int maxBytes,
      Map<Wanted, ConfigurationDocument> documents) {
    List<SystemVersion> rows =
        table.versions(
            tx,
            wanted.stream()
                .map(one -> new VersionKey(one.agent().agent(), one.system(), one.version()))
                .toList());
    Map<VersionKey, SystemTable.Content> contents = table.contents(tx, rows, maxBytes);
    for (SystemVersion row : rows) {
      var name =
          new Wanted(new Addressee(row.agent(), row.generation()), row.system(), row.version());
      SystemTable.Content content =
          contents.get(new VersionKey(row.agent(), row.system(), row.version()));
      if (content != null && wanted.contains(name)) {
        documents.put(name, versions.open(row, content).document());
      }
    }
  }

  @Override
  public boolean rewrapped(Tx tx, String agent, long generation, Rewrapped told) {
    return watched(tx, () -> Optional.of(rewraps.record(tx, agent, generation, told)))
        .orElse(false);
  }

  /// A receipt about a row that we did not write changes nothing. Whatever is read is read before
  /// anything is written, so that each can be tried by itself.
  @Override
  public void receipts(Tx tx, List<Told> told, Instant now) {
    try {
      receipts
          .record(tx, told, now)
          .forEach(
              receipt ->
                  LOG.warn(
                      "a receipt of {} about version {} of {}, which is not there",
                      receipt.agent(),
                      receipt.version(),
                      receipt.system()));
    } catch (TamperedRowException found) {
      if (told.size() == 1) {
        report(tx, found);
        return;
      }
      told.forEach(one -> receipts(tx, List.of(one), now));
    }
  }

  @Override
  public void superseded(Tx tx, List<Message> dropped) {
    superseding.of(tx, dropped);
  }

  private <T> Optional<T> watched(Tx tx, Supplier<Optional<T>> read) {
    try {
      return read.get();
    } catch (TamperedRowException found) {
      report(tx, found);
      return Optional.empty();
    }
  }

  private void report(Tx tx, TamperedRowException found) {
    tx.whenOver(() -> recorder.tampered(found));
  }
}
