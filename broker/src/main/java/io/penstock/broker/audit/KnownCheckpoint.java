package io.penstock.broker.audit;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.penstock.broker.config.DataDirectory;
import io.penstock.codec.audit.AuditCheckpoint;
import io.penstock.codec.seal.Keyset;
import io.penstock.codec.seal.SealException;
import java.util.Optional;
import java.util.function.Supplier;

/// The newest checkpoint that this broker has signed or seen, in `DATA/audit-checkpoint`: whoever
/// can write the database only cannot take it back. Thread-safe.
final class KnownCheckpoint {
  static final String FILE = "audit-checkpoint";

  private final DataDirectory data;
  private volatile Optional<Signed> newest;
  private volatile boolean kept = true;

  /// @param jws of the checkpoint
  record Signed(AuditCheckpoint checkpoint, String jws) {}

  private KnownCheckpoint(DataDirectory data, Optional<Signed> newest) {
    this.data = data;
    this.newest = newest;
  }

  /// @param keyset with retired keys, too: the file is older than their retirement perhaps
  static KnownCheckpoint open(DataDirectory data, Supplier<Keyset> keyset) {
    Optional<String> jws = data.read(FILE).map(bytes -> new String(bytes, US_ASCII).strip());
    try {
      return new KnownCheckpoint(
          data, jws.map(text -> new Signed(AuditCheckpoint.verify(text, keyset.get()), text)));
    } catch (SealException e) {
      throw new SealException(
          data.resolve(FILE)
              + " is not a checkpoint of this broker's; find out why before you move it away",
          e);
    }
  }

  Optional<Signed> newest() {
    return newest;
  }

  /// An older one changes nothing. Durable when it returns; when the file cannot be written it is
  /// known all the same, and the next call tries again.
  synchronized void remember(Signed signed) {
    if (newest.isEmpty() || newest.get().checkpoint().number() < signed.checkpoint().number()) {
      newest = Optional.of(signed);
      kept = false;
    }
    if (!kept) {
      data.write(FILE, newest.orElseThrow().jws().getBytes(US_ASCII));
      kept = true;
    }
  }

  /// The file says it too.
  boolean isKept() {
    return kept;
  }
}
