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

/// Writes refusals to the audit trail one by one while they are few: ten at once of one source, and
/// fifty in all, each filling up by as many a second. Beyond, they are counted by source, and the
/// counts are written by [#flush]: whoever floods us does not flood the database. Thread-safe.
final class RefusalLog {
  private static final Logger LOG = LoggerFactory.getLogger(RefusalLog.class);
  private static final int PER_SOURCE = 1;
  private static final int IN_ALL = 5;
  private static final int MAX_SOURCES = 100;
  private static final String OTHERS = "others";

  private final Audit audit;
  private final TokenBuckets ofSource;
  private final TokenBuckets ofAll;
  private final ConcurrentHashMap<String, Long> counted = new ConcurrentHashMap<>();

  RefusalLog(Audit audit, LongSupplier nanoTime) {
    this.audit = audit;
    // A bucket holds ten seconds' worth.
    ofSource = new TokenBuckets(PER_SOURCE, nanoTime);
    ofAll = new TokenBuckets(IN_ALL, nanoTime);
  }

  void record(AuditEvent event) {
    String source = event.ip().orElse("");
    if (ofSource.secondsToWait(source) == 0 && ofAll.secondsToWait(OTHERS) == 0) {
      audit.record(event);
    } else {
      boolean room = counted.mappingCount() < MAX_SOURCES || counted.containsKey(source);
      counted.merge(room ? source : OTHERS, 1L, Long::sum);
    }
  }

  /// Called every ten seconds, off the event loops.
  void flush() {
    for (String source : counted.keySet()) {
      Long count = counted.remove(source);
      if (count != null) {
        write(source, count);
      }
    }
  }

  private void write(String source, long count) {
    Optional<String> address =
        source.equals(OTHERS) || source.isEmpty() ? Optional.empty() : Optional.of(source);
    try {
      audit.record(
          AuditEvent.of("authentication.failure", "blocked")
              .because("counted")
              .changing(Map.of("count", count))
              .from(address, Optional.empty(), Optional.empty()));
    } catch (StoreUnavailableException away) {
      counted.merge(source, count, Long::sum);
      LOG.warn("{} refusals are not in the audit trail yet: {}", count, away.getMessage());
    }
  }
}
