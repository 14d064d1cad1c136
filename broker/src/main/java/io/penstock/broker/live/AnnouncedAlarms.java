package io.penstock.broker.live;

import io.penstock.broker.alarms.AlarmNews;
import io.penstock.broker.alarms.AlarmNews.News;
import io.penstock.broker.store.AlarmTable;
import io.penstock.broker.store.AlarmTable.Alarm;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.StoreUnavailableException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/// Looks up the alarms that some node has announced to have changed. At most [#MAX_WAITING] wait to
/// be looked up; of more, or when an announcement may have been missed, those that changed in the
/// last minute are.
public final class AnnouncedAlarms implements AlarmSource {
  static final int MAX_WAITING = 500;
  private static final Duration MISSED = Duration.ofMinutes(1);

  private final Database database;
  private final Clock clock;
  private final AlarmTable table = new AlarmTable();
  private final Set<Long> waiting = new LinkedHashSet<>();
  private boolean missed;

  private record Due(Set<Long> ids, boolean missed) {
    boolean isNothing() {
      return ids.isEmpty() && !missed;
    }
  }

  public AnnouncedAlarms(Database database, AlarmNews news, Clock clock) {
    this.database = database;
    this.clock = clock;
    news.listen(this::heard);
  }

  /// On an event loop.
  private void heard(News news) {
    switch (news) {
      case News.Raised(long id) -> add(id);
      case News.Changed(long id) -> add(id);
      case News.Cleared(long id) -> add(id);
      case News.Anything() -> miss();
    }
  }

  private synchronized void add(long id) {
    if (waiting.size() < MAX_WAITING) {
      waiting.add(id);
    } else {
      missed = true;
    }
  }

  private synchronized void miss() {
    missed = true;
  }

  private synchronized Due take() {
    var due = new Due(new LinkedHashSet<>(waiting), missed);
    waiting.clear();
    missed = false;
    return due;
  }

  @Override
  public void skip() {
    take();
  }

  @Override
  public List<Alarm> changes() {
    Due due = take();
    if (due.isNothing()) {
      return List.of();
    }
    try {
      return database.transaction(
          tx -> {
            var changed = new ArrayList<Alarm>();
            if (due.missed()) {
              Instant since = clock.instant().minus(MISSED);
              changed.addAll(table.changedSince(tx, since, MAX_WAITING));
            }
            for (long id : due.ids()) {
              table.find(tx, id).filter(alarm -> !changed.contains(alarm)).ifPresent(changed::add);
            }
            return changed;
          });
    } catch (StoreUnavailableException away) {
      // What these became is not known: whatever changed around now is told.
      miss();
      throw away;
    }
  }
}
