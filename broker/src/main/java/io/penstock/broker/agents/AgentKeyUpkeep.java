package io.penstock.broker.agents;

import io.penstock.broker.keys.BrokerKeys;
import io.penstock.broker.keys.ManagedKey;
import io.penstock.broker.store.AgentKeys;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.GenerationState;
import io.penstock.broker.store.KeyTable;
import io.penstock.broker.store.Tx;
import io.penstock.codec.seal.DocumentType;
import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.SignedDocument;
import java.util.ArrayList;
import java.util.List;

/// Carries agents over to new keys (`docs/keys.md`): bundles to the newest KEK, records and the
/// list of the revoked to the newest record key, tunnels to the newest keyset and root. Whatever is
/// new already is left alone, so it may be run again at any time, also after a crash.
public final class AgentKeyUpkeep {
  private static final int AT_ONCE = 100;

  private final Database database;
  private final BrokerKeys keys;
  private final Identities identities;
  private final SignedRecords records;
  private final Bundles bundles;
  private final Revocation revocation;
  private final NodeIdentity node;
  private final OwnersNews news;
  private final Tampering tampering;
  private final Failpoint failpoint;
  private final KeyTable table = new KeyTable();

  AgentKeyUpkeep(
      Database database,
      BrokerKeys keys,
      Identities identities,
      Bundles bundles,
      Revocation revocation,
      NodeIdentity node,
      OwnersNews news,
      Tampering tampering,
      Failpoint failpoint) {
    this.database = database;
    this.keys = keys;
    this.identities = identities;
    this.records = new SignedRecords(keys);
    this.bundles = bundles;
    this.revocation = revocation;
    this.node = node;
    this.news = news;
    this.tampering = tampering;
    this.failpoint = failpoint;
  }

  /// New handshakes and live tunnels are shown the owner's newest keys.
  public void show() {
    node.renew();
    news.tell();
  }

  /// A row that somebody changed is reported, and stays as it is.
  public void renew() {
    revocation.resign();
    String last = "";
    while (true) {
      List<String> behind = behind(last);
      for (String agent : behind) {
        tampering.watch(() -> database.run(tx -> renew(tx, agent)));
        failpoint.passed(Failpoint.KEK_AFTER_AGENT);
      }
      if (behind.size() < AT_ONCE) {
        return;
      }
      last = behind.getLast();
    }
  }

  private List<String> behind(String after) {
    String header =
        SignedDocument.headerOf(DocumentType.AGENT_RECORD, keys.signingKid(ManagedKey.RECORD));
    return database.transaction(
        tx -> table.agentsBehind(tx, keys.kek().currentPrefix(), header, after, AT_ONCE));
  }

  private void renew(Tx tx, String agent) {
    identities.lock(tx, agent);
    for (AgentKeys generation : identities.generations(tx, agent)) {
      AgentKeys next = rewrapped(resigned(generation));
      if (!next.equals(generation)) {
        identities.update(tx, next);
      }
    }
  }

  private AgentKeys resigned(AgentKeys generation) {
    boolean behind =
        generation.state() == GenerationState.APPROVED
            && generation.approval().isPresent()
            && !isCurrent(generation.approval().get().recordJws());
    return behind ? records.relabelled(generation, generation.place().labels()) : generation;
  }

  private boolean isCurrent(String recordJws) {
    return recordJws.startsWith(
        SignedDocument.headerOf(DocumentType.AGENT_RECORD, keys.signingKid(ManagedKey.RECORD))
            + ".");
  }

  private AgentKeys rewrapped(AgentKeys generation) {
    try {
      return bundles.rewrapped(generation);
    } catch (SealException _) {
      throw new TamperedException(generation.agent(), "an identity bundle does not unwrap");
    }
  }

  /// What of a replaced record key is left.
  public List<String> needsOfRecordKey(Tx tx, String kid) {
    var needs = new ArrayList<String>();
    long found = table.records(tx, SignedDocument.headerOf(DocumentType.AGENT_RECORD, kid));
    if (found > 0) {
      needs.add(found + " agent records");
    }
    if (SignedDocument.keyIdOf(keys.revocations().newestJws(), DocumentType.REVOCATION_LIST)
        .equals(kid)) {
      needs.add("the revocation list");
    }
    return needs;
  }

  /// What is wrapped by another KEK than the newest.
  public List<String> needsOfOlderKek(Tx tx) {
    long found = table.bundlesBehind(tx, keys.kek().currentPrefix());
    return found > 0 ? List.of("identity bundles of " + found + " enrollments") : List.of();
  }
}
