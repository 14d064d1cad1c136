package io.penstock.broker.keys;

import io.penstock.codec.seal.DocumentType;
import io.penstock.codec.seal.KeyUse;
import io.penstock.codec.seal.Keyset;
import io.penstock.codec.seal.Revocation;
import io.penstock.codec.seal.RevocationList;
import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.SignedDocument;
import io.penstock.codec.seal.SigningKey;
import java.time.Clock;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/// Who was ever revoked, by a signed list whose newest version lives in the keystore: an old row
/// put back in Postgres revives nobody.
///
/// A revocation is written in this order: [#prepare], then the list and the agent's row in one
/// database transaction, then [#advance]. A broker killed in between finds on its next start a list
/// in Postgres that follows the keystore's, and [#recover] takes it over.
public final class Revocations {
  private final Keystore keystore;
  private final Supplier<SigningKey> recordKey;
  private final Supplier<Keyset> keyset;
  private final Clock clock;
  private volatile RevocationList newest;

  /// What [#recover] found in the database.
  public enum Recovery {
    SAME,
    /// One step ahead of the keystore, rightly chained: taken over.
    ADVANCED,
    /// Missing or older than the keystore's: the database was set back. The keystore's list holds;
    /// the caller stores it again and raises an alarm.
    DATABASE_BEHIND,
    /// Neither: forged, or of another broker. The keystore's list holds; alarm.
    FOREIGN
  }

  /// @param ownKeyset with what is retired too: the list in the keystore needs no other proof
  Revocations(
      Keystore keystore,
      Supplier<SigningKey> recordKey,
      Supplier<Keyset> keyset,
      Supplier<Keyset> ownKeyset,
      Clock clock) {
    this.keystore = keystore;
    this.recordKey = recordKey;
    this.keyset = keyset;
    this.clock = clock;
    this.newest = readNewest(ownKeyset.get());
  }

  private RevocationList readNewest(Keyset ownKeyset) {
    String jws = keystore.content().revocationsJws();
    if (!jws.isEmpty()) {
      return RevocationList.verify(jws, ownKeyset);
    }
    var empty =
        new RevocationList(
            0, clock.instant().getEpochSecond(), RevocationList.NOTHING_BEFORE, Set.of());
    keystore.change(content -> content.withRevocations(empty.sign(recordKey.get())));
    return empty;
  }

  public boolean isRevoked(String agent) {
    return newest.agents().contains(agent);
  }

  public long counter() {
    return newest.counter();
  }

  /// The newest list as text, to be stored in the database.
  public String newestJws() {
    return keystore.content().revocationsJws();
  }

  /// A list ready to be stored, not yet in force.
  public record Prepared(long counter, String jws) {}

  public synchronized Prepared prepare(String agent) {
    RevocationList next = newest.with(agent, newestJws(), clock.instant().getEpochSecond());
    return new Prepared(next.counter(), next.sign(recordKey.get()));
  }

  /// The same list once more under the newest record key; empty when it is that already.
  public synchronized Optional<Prepared> prepareResigned() {
    SigningKey key = recordKey.get();
    String signedBy = SignedDocument.keyIdOf(newestJws(), DocumentType.REVOCATION_LIST);
    if (signedBy.equals(key.verifyingKey().keyId(KeyUse.RECORD.text()))) {
      return Optional.empty();
    }
    RevocationList next = newest.again(newestJws(), clock.instant().getEpochSecond());
    return Optional.of(new Prepared(next.counter(), next.sign(key)));
  }

  /// Puts a stored list in force. A list that was prepared before another one advanced is refused:
  /// prepare again.
  public synchronized void advance(String jws) {
    RevocationList next = RevocationList.verify(jws, keyset.get());
    if (!follows(next)) {
      throw new SealException("the revocation list does not follow the newest one");
    }
    keystore.change(content -> content.withRevocations(jws));
    newest = next;
  }

  private boolean follows(RevocationList next) {
    return next.counter() == newest.counter() + 1
        && next.previous().equals(RevocationList.hashOf(newestJws()))
        && next.agents().containsAll(newest.agents());
  }

  /// Compares the newest list in the database with ours; called once, before the first tunnel is
  /// accepted.
  public synchronized Recovery recover(String databaseJws) {
    if (databaseJws.equals(newestJws())) {
      return Recovery.SAME;
    }
    if (databaseJws.isEmpty()) {
      return newest.counter() == 0 ? Recovery.SAME : Recovery.DATABASE_BEHIND;
    }
    RevocationList found;
    try {
      found = RevocationList.verify(databaseJws, keyset.get());
    } catch (SealException _) {
      return Recovery.FOREIGN;
    }
    if (follows(found)) {
      advance(databaseJws);
      return Recovery.ADVANCED;
    }
    return found.counter() < newest.counter() ? Recovery.DATABASE_BEHIND : Recovery.FOREIGN;
  }

  /// The signed notice for one revoked agent.
  public String noticeFor(String agent) {
    return new Revocation(agent, newest.counter(), clock.instant().getEpochSecond())
        .sign(recordKey.get());
  }
}
