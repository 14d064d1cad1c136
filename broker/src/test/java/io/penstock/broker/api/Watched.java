package io.penstock.broker.api;

import io.penstock.broker.alarms.AlarmNews;
import io.penstock.broker.live.AnnouncedAlarms;
import io.penstock.broker.live.LiveFeed;
import io.penstock.broker.measure.Instruments;
import io.penstock.broker.measure.NodeStatus;
import io.penstock.broker.store.Database;
import io.penstock.broker.systems.SystemOperations;
import java.time.Clock;
import java.util.List;

/// What measures and tells in a test's broker, by the real clock: its seconds have to pass.
final class Watched implements AutoCloseable {
  final Instruments instruments;
  final LiveFeed live;
  final AlarmNews alarmNews = new AlarmNews();

  Watched(Database database, SystemOperations systems) {
    instruments =
        new Instruments(
            new Instruments.Surroundings(
                database,
                "broker-1",
                "test",
                100,
                List.of(),
                () -> new NodeStatus.Traffic(0, 0, 0),
                () -> new NodeStatus.LiveUse(0, 0),
                Clock.systemUTC()));
    live =
        new LiveFeed(
            new LiveFeed.Sources(
                database,
                List::of,
                new NoMessages(),
                systems,
                instruments.measuring(),
                instruments.archive(),
                instruments.status(),
                new AnnouncedAlarms(database, alarmNews, Clock.systemUTC()),
                () -> 0,
                Api::alarmJson),
            new LiveFeed.Limits(1_000, 16),
            Clock.systemUTC());
  }

  void start() {
    instruments.start();
    live.start();
  }

  /// Before the database.
  @Override
  public void close() {
    live.close();
    instruments.close();
  }
}
