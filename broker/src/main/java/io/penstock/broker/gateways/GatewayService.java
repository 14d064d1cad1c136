package io.penstock.broker.gateways;

import io.penstock.broker.agents.Gateways;
import io.penstock.broker.agents.Gateways.Admitted;
import io.penstock.broker.delivery.Addressee;
import io.penstock.broker.delivery.Documents;
import io.penstock.broker.delivery.Documents.Newest;
import io.penstock.broker.delivery.Documents.Wanted;
import io.penstock.broker.delivery.GatewayReceipts;
import io.penstock.broker.keys.BrokerKeys;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.Tx;
import io.penstock.broker.systems.SystemOperations.Proof;
import io.penstock.broker.tunnel.ControlChannel.Admission;
import io.penstock.codec.message.ConfigurationDocument;
import io.penstock.codec.seal.HeadManifest;
import io.penstock.codec.seal.HeldVersion;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.StateDigest;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// What gateways ask for once they are admitted. Blocks like every transaction.
public final class GatewayService {
  /// Of documents in one answer; more is asked for by name.
  private static final int MAX_ANSWER_BYTES = 4 * 1024 * 1024;

  private static final int SLOT = 0;
  private static final byte[] NO_BOOT = new byte[16];

  private final Database database;
  private final Documents documents;
  private final Gateways gateways;
  private final GatewaySessions sessions;
  private final GatewayReceipts receipts;
  private final BrokerKeys keys;
  private final Clock clock;

  public GatewayService(
      Database database,
      Documents documents,
      Gateways gateways,
      GatewaySessions sessions,
      GatewayReceipts receipts,
      BrokerKeys keys,
      Clock clock) {
    this.database = database;
    this.documents = documents;
    this.gateways = gateways;
    this.sessions = sessions;
    this.receipts = receipts;
    this.keys = keys;
    this.clock = clock;
  }

  /// What lets a gateway check everything down to the root that its token pinned.
  public Proof proof() {
    BrokerKeys.Owner owner = keys.owner();
    return new Proof(owner.keysetJws(), owner.root().octets(), owner.rootLinks());
  }

  /// @param headJws empty = it never had a system
  /// @param etag changes with anything of it
  /// @param left systems whose documents did not fit
  public record Current(
      Optional<String> headJws,
      Proof proof,
      String etag,
      Map<String, ConfigurationDocument> documents,
      List<String> left) {}

  /// Only what identifies it.
  public String etag(Admitted of) {
    return database.transaction(tx -> etag(head(tx, of), proof()));
  }

  private Optional<String> head(Tx tx, Admitted of) {
    return documents.head(tx, of.gateway(), of.generation());
  }

  private static String etag(Optional<String> head, Proof proof) {
    String all = head.orElse("none") + "\n" + proof.keysetJws();
    return Octets.sha256(all.getBytes(StandardCharsets.US_ASCII)).base64Url();
  }

  /// The newest head, and the documents that it lists.
  ///
  /// @param only this system's document; empty = all
  public Current current(Admitted of, Optional<String> only) {
    return database.repeatable(tx -> current(tx, of, only));
  }

  private Current current(Tx tx, Admitted of, Optional<String> only) {
    Optional<String> head = head(tx, of);
    Proof proof = proof();
    var found = new TreeMap<String, ConfigurationDocument>();
    var left = new ArrayList<String>();
    int bytes = 0;
    for (Wanted wanted : listed(tx, of, only)) {
      Optional<ConfigurationDocument> document = document(tx, wanted);
      int size = document.map(GatewayService::size).orElse(0);
      if (document.isPresent() && (found.isEmpty() || bytes + size <= MAX_ANSWER_BYTES)) {
        found.put(wanted.system(), document.get());
        bytes += size;
      } else {
        left.add(wanted.system());
      }
    }
    return new Current(head, proof, etag(head, proof), found, left);
  }

  private List<Wanted> listed(Tx tx, Admitted of, Optional<String> only) {
    var addressee = new Addressee(of.gateway(), of.generation());
    Newest newest = documents.newest(tx, List.of(addressee)).get(addressee);
    if (!(newest instanceof Newest.Head head)) {
      return List.of();
    }
    return new TreeMap<>(head.systems())
        .entrySet().stream()
            .filter(entry -> only.map(entry.getKey()::equals).orElse(true))
            .filter(entry -> entry.getValue() instanceof HeadManifest.Listed)
            .map(entry -> new Wanted(addressee, entry.getKey(), entry.getValue().version()))
            .toList();
  }

  private Optional<ConfigurationDocument> document(Tx tx, Wanted wanted) {
    return documents.document(tx, wanted.agent().agent(), wanted.system(), wanted.version());
  }

  private static int size(ConfigurationDocument document) {
    byte[] sealed = document.sealed();
    return document.header().length()
        + document.settings().length
        + (sealed == null ? 0 : sealed.length);
  }

  /// How a heartbeat was taken.
  public sealed interface Beat {
    /// @param inSync whether the gateway says it has applied what its newest head lists
    record Taken(String etag, boolean inSync) implements Beat {}

    /// A receipt that does not hold.
    record BadReceipt() implements Beat {}
  }

  /// @param stateDigest of what the gateway has applied (`docs/protocol.md`, section 7)
  /// @param receiptJws signed by its identity key
  public Beat heartbeat(Admitted of, Optional<Octets> stateDigest, List<String> receiptJws) {
    GatewaySession session = session(of);
    if (!receiptJws.isEmpty()) {
      receipts.record(session, receiptJws);
      if (!session.isOpen()) {
        return new Beat.BadReceipt();
      }
    }
    return database.repeatable(
        tx -> {
          String etag = etag(head(tx, of), proof());
          Octets expected = digest(tx, of);
          return new Beat.Taken(etag, stateDigest.map(expected::equals).orElse(false));
        });
  }

  /// Of what the newest head lists.
  private Octets digest(Tx tx, Admitted of) {
    var addressee = new Addressee(of.gateway(), of.generation());
    return documents.newest(tx, List.of(addressee)).get(addressee) instanceof Newest.Head head
        ? digest(head.systems())
        : digest(Map.of());
  }

  private static Octets digest(Map<String, HeadManifest.Entry> systems) {
    var held = new TreeMap<String, HeldVersion>();
    systems.forEach(
        (system, entry) -> {
          if (entry instanceof HeadManifest.Listed listed) {
            held.put(system, listed.held());
          }
        });
    return StateDigest.of(held);
  }

  /// The one that goes on, or a new one: after silence, a new enrollment, or on another broker.
  private GatewaySession session(Admitted of) {
    Instant now = clock.instant();
    Optional<GatewaySession> known =
        sessions
            .find(of.gateway())
            .filter(session -> session.admission().generation() == of.generation())
            .filter(session -> session.admission().signingKey().equals(of.signingKey()))
            .filter(
                session ->
                    database.transaction(tx -> gateways.currentEpoch(tx, of.gateway()))
                        == session.admission().sessionEpoch());
    known.ifPresent(session -> session.heard(now));
    return known.orElseGet(() -> opened(of, now));
  }

  private GatewaySession opened(Admitted of, Instant now) {
    long epoch = database.transaction(tx -> gateways.nextEpoch(tx, of.gateway()));
    var admission =
        new Admission(
            of.gateway(),
            of.signed().site(),
            Math.toIntExact(of.generation()),
            SLOT,
            epoch,
            NO_BOOT,
            Optional.empty(),
            of.signingKey(),
            Octets.of(new byte[0]));
    var session = new GatewaySession(admission, of.remote(), now, this::closed);
    sessions.put(session);
    gateways.opened(session);
    return session;
  }

  private void closed(GatewaySession session, String reason) {
    sessions.remove(session);
    gateways.closed(session, reason);
  }

  /// Called every few seconds.
  public void sweep() {
    sessions.sweep(clock.instant());
  }

  public void close() {
    sessions.closeAll();
  }
}
