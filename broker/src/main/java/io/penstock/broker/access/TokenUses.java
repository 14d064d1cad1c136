package io.penstock.broker.access;

import io.penstock.broker.store.Database;
import io.penstock.broker.store.ServiceAccountTable;
import java.time.Instant;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/// When service tokens were used last, for whoever reviews what nobody needs any more. Noted with
/// each look-up, which a token that is in use has every few seconds, and written by [#flush]: a
/// busy caller does not write a row per call. Thread-safe.
///
/// At most 10,000 tokens are noted at a time; beyond, one is noted by a look-up after the next
/// flush.
final class TokenUses {
  private static final int MAX_TOKENS = 10_000;

  private final Database database;
  private final ServiceAccountTable table;
  private final ConcurrentHashMap<UUID, Instant> noted = new ConcurrentHashMap<>();

  TokenUses(Database database, ServiceAccountTable table) {
    this.database = database;
    this.table = table;
  }

  void note(UUID token, Instant at) {
    if (noted.size() < MAX_TOKENS || noted.containsKey(token)) {
      noted.merge(token, at, TokenUses::later);
    }
  }

  private static Instant later(Instant one, Instant other) {
    return one.isAfter(other) ? one : other;
  }

  /// Blocks. What finds no database stays noted.
  void flush() {
    Map<UUID, Instant> written = Map.copyOf(noted);
    if (written.isEmpty()) {
      return;
    }
    database.repeatable(tx -> table.used(tx, written));
    written.forEach(noted::remove);
  }
}
