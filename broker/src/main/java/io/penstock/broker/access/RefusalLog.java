package io.penstock.broker.access;

import io.penstock.broker.audit.Audit;
import io.penstock.broker.audit.AuditEvent;
import io.penstock.broker.store.StoreUnavailableException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Writes refusals to the audit trail one by one while they are few: up to ten a second of one
/// source, and fifty a second in all, sign-ins and tokens each by themselves, so that a flood of
/// bad tokens does not hide guesses at a password. Beyond, they are counted by source, and the
/// counts are written by [#flush]: whoever floods us does not flood the database. Thread-safe.
final class RefusalLog {
  private static final Logger LOG = LoggerFactory.getLogger(RefusalLog.class);
  private static final int PER_SOURCE = 10;
  private static final int IN_ALL = 50;
  private static final int MAX_SOURCES = 100;
  private static final String OTHERS = "others";

  private final Audit audit;
  private final Lane signIns;
  private final Lane tokens;
  private final ConcurrentHashMap<String, Counted> counted = new ConcurrentHashMap<>();

  /// What may be written one by one.
  private static final class Lane {
    private final TokenBuckets ofSource;
    private final TokenBuckets ofAll;

    Lane(LongSupplier nanoTime) {
      ofSource = new TokenBuckets(PER_SOURCE, PER_SOURCE, nanoTime);
      ofAll = new TokenBuckets(IN_ALL, IN_ALL, nanoTime);
    }

    boolean hasRoom(String source) {
      return ofSource.secondsToWait(source) == 0 && ofAll.secondsToWait(OTHERS) == 0;
    }
  }

  /// @param address one of that source
  private record Counted(long count, Optional<String> address) {
    Counted and(Counted more) {
      return new Counted(count + more.count, address);
    }
  }

  RefusalLog(Audit audit, LongSupplier nanoTime) {
    this.audit = audit;
    signIns = new Lane(nanoTime);
    tokens = new Lane(nanoTime);
  }

  /// A password that let nobody in.
  void ofSignIn(AuditEvent event) {
    record(event, signIns);
  }

  /// A token that let nobody in.
  void ofToken(AuditEvent event) {
    record(event, tokens);
  }

  private void record(AuditEvent event, Lane lane) {
    String source = Sources.of(event.ip());
    if (lane.hasRoom(source)) {
      audit.record(event);
      return;
    }
    boolean room = counted.mappingCount() < MAX_SOURCES || counted.containsKey(source);
    count(room ? source : OTHERS, new Counted(1, room ? event.ip() : Optional.empty()));
  }

  private void count(String source, Counted more) {
    counted.merge(source, more, Counted::and);
  }

  /// Called every ten seconds, off the event loops.
  void flush() {
    for (String source : counted.keySet()) {
      Counted found = counted.remove(source);
      if (found != null) {
        write(source, found);
      }
    }
  }

  private void write(String source, Counted found) {
    try {
      audit.record(
          AuditEvent.of("authentication.failure", "blocked")
              .because("counted")
              .changing(Map.of("count", found.count(), "source", source))
              .from(found.address(), Optional.empty(), Optional.empty()));
    } catch (StoreUnavailableException away) {
      count(source, found);
      LOG.warn("{} refusals are not in the audit trail yet: {}", found.count(), away.getMessage());
    }
  }
}
