package io.penstock.codec.audit;

import io.penstock.codec.audit.ChainEntry.Kind;
import io.penstock.codec.audit.Finding.What;
import io.penstock.codec.seal.Octets;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// Follows a chain entry by entry and names the first that is wrong. Holds the last place and the
/// checkpoints that are not reached yet, nothing else. After a finding it is of no further use.
public final class ChainCheck {
  private final TreeMap<Long, AuditCheckpoint> ahead = new TreeMap<>();
  private long position;
  private long id;
  private Octets hash;
  private boolean beforeTheChain;
  private long proven;

  private final Optional<AuditCheckpoint> newest;
  private boolean newestIsStored;

  private ChainCheck(
      long position,
      long id,
      Octets hash,
      boolean beforeTheChain,
      Optional<AuditCheckpoint> newest) {
    this.position = position;
    this.id = id;
    this.hash = hash;
    this.proven = position;
    this.beforeTheChain = beforeTheChain;
    this.newest = newest;
    newest.filter(it -> it.position() > position).ifPresent(it -> ahead.put(it.position(), it));
  }

  /// A chain from its beginning, which is where the newest checkpoint says.
  ///
  /// @param newest signature and all, empty before the first was signed
  public static ChainCheck from(Optional<AuditCheckpoint> newest) {
    // What is older than the chain may be pruned away in the middle.
    return new ChainCheck(
        newest.map(AuditCheckpoint::beginsAfter).orElse(0L),
        newest.map(AuditCheckpoint::beginsAfterId).orElse(0L),
        newest.map(AuditCheckpoint::beginHash).orElse(ChainEntry.NOTHING_BEFORE),
        true,
        newest);
  }

  /// A chain from its very first entry, wherever a later checkpoint says that it begins by then.
  public static ChainCheck fromTheFirst(AuditCheckpoint newest) {
    return new ChainCheck(0, 0, ChainEntry.NOTHING_BEFORE, true, Optional.of(newest));
  }

  /// A chain after an entry that was checked.
  public static ChainCheck after(ChainEntry entry, Optional<AuditCheckpoint> newest) {
    return new ChainCheck(
        entry.position(), entry.id(), entry.hash(), entry.kind() == Kind.BEFORE, newest);
  }

  public long position() {
    return position;
  }

  public long id() {
    return id;
  }

  public Octets hash() {
    return hash;
  }

  /// A checkpoint that is stored with the chain and has to hold when the chain gets there. Its
  /// signature is the caller's to judge; one about what is already behind is not looked at.
  public Optional<Finding> expect(AuditCheckpoint checkpoint) {
    newestIsStored |= newest.filter(it -> it.number() <= checkpoint.number()).isPresent();
    if (checkpoint.position() < position) {
      return Optional.empty();
    }
    if (checkpoint.position() == position) {
      return compared(checkpoint);
    }
    AuditCheckpoint other = ahead.putIfAbsent(checkpoint.position(), checkpoint);
    if (other != null && !other.agreesWith(checkpoint)) {
      return Optional.of(rewritten(checkpoint));
    }
    return Optional.empty();
  }

  /// The next entry, with the record that is there for it.
  public Optional<Finding> entry(ChainEntry entry, Optional<AuditRecord> found) {
    return follow(entry, found, false);
  }

  /// [#entry] for a foreign one that was told of: the chain is followed beyond it.
  public Optional<Finding> foreign(ChainEntry entry, Optional<AuditRecord> found) {
    return follow(entry, found, true);
  }

  private Optional<Finding> follow(
      ChainEntry entry, Optional<AuditRecord> found, boolean foreignIsTold) {
    long next = position + 1;
    if (entry.position() > next) {
      return finding(What.DELETED, next, 0, "its entry in the chain is gone");
    }
    if (entry.position() < next || entry.id() <= id) {
      return finding(What.REORDERED, entry.position(), entry.id(), "it stands behind a later one");
    }
    if (found.isEmpty()) {
      return finding(What.DELETED, next, entry.id(), "its entry is there, the record is not");
    }
    boolean late = entry.kind() == Kind.BEFORE && !beforeTheChain;
    if ((entry.kind() == Kind.FOREIGN && !foreignIsTold) || late) {
      return finding(
          What.INSERTED, next, entry.id(), "the broker did not write it, or not like that");
    }
    ChainEntry right = ChainEntry.of(hash, next, entry.id(), entry.kind(), found.get().digest());
    if (!right.hash().equals(entry.hash())) {
      return finding(What.CHANGED, next, entry.id(), "it is not what was sealed in this place");
    }
    position = next;
    id = entry.id();
    hash = entry.hash();
    beforeTheChain = entry.kind() == Kind.BEFORE;
    Map.Entry<Long, AuditCheckpoint> due = ahead.firstEntry();
    if (due == null || due.getKey() > position) {
      return Optional.empty();
    }
    ahead.remove(due.getKey());
    return compared(due.getValue());
  }

  /// A record that should have an entry and has none.
  public Optional<Finding> unchained(long recordId) {
    return finding(
        What.INSERTED, position, recordId, "it stands between sealed records and has no place");
  }

  /// Nothing follows.
  public Optional<Finding> end() {
    Map.Entry<Long, AuditCheckpoint> missing = ahead.firstEntry();
    if (missing == null) {
      return Optional.empty();
    }
    return finding(
        cut(missing.getValue()),
        position + 1,
        0,
        "the chain ends at position "
            + position
            + ", checkpoint "
            + missing.getValue().number()
            + " was signed at position "
            + missing.getKey());
  }

  private Optional<Finding> compared(AuditCheckpoint checkpoint) {
    if (!checkpoint.hash().equals(hash) || checkpoint.lastId() != id) {
      return Optional.of(rewritten(checkpoint));
    }
    proven = position;
    return Optional.empty();
  }

  private Finding rewritten(AuditCheckpoint checkpoint) {
    return new Finding(
        isUnknownToTheStore(checkpoint) ? What.RESTORED : What.REWRITTEN,
        proven + 1,
        0,
        "what stands at positions "
            + (proven + 1)
            + " to "
            + checkpoint.position()
            + " is not what checkpoint "
            + checkpoint.number()
            + " was signed over");
  }

  private What cut(AuditCheckpoint missing) {
    return isUnknownToTheStore(missing) ? What.RESTORED : What.CUT;
  }

  /// The newest that was signed is not stored with the chain: whoever went back in the chain went
  /// back in the checkpoints, too.
  private boolean isUnknownToTheStore(AuditCheckpoint checkpoint) {
    return !newestIsStored && newest.filter(it -> it.number() == checkpoint.number()).isPresent();
  }

  private static Optional<Finding> finding(What what, long position, long id, String detail) {
    return Optional.of(new Finding(what, position, id, detail));
  }
}
