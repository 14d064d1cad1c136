package io.penstock.broker.alarms;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.alarms.AlarmNews.News;
import io.penstock.broker.store.AlarmKind;
import io.penstock.broker.store.AlarmTable;
import io.penstock.broker.store.Hints;
import io.penstock.broker.store.TestDatabase;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

class AlarmNewsTest {
  @Test
  void everyNodeHearsWhatHappensToAnAlarm() {
    var news = new AlarmNews();
    List<News> heard = new CopyOnWriteArrayList<>();
    news.listen(heard::add);
    try (TestDatabase postgres = TestDatabase.create();
        var hints =
            new Hints(
                postgres.vertx(),
                postgres::address,
                AlarmTable.CHANNEL,
                news::hint,
                news::listening)) {
      hints.start();
      World.await(() -> heard.contains(new News.Anything()));
      var table = new AlarmTable();
      Instant now = Instant.now();
      for (int i = 0; i < 2; i++) {
        postgres
            .database()
            .run(tx -> table.raise(tx, AlarmKind.TOKEN_REUSED, "00ff", "again", now));
      }
      postgres.database().run(tx -> table.acknowledge(tx, 1, "ada", "", now));
      postgres.database().run(tx -> table.clear(tx, AlarmKind.TOKEN_REUSED, "00ff", now));

      World.await(() -> heard.size() == 5);
    }
    assertThat(heard)
        .containsExactly(
            new News.Anything(),
            new News.Raised(1),
            new News.Changed(1),
            new News.Changed(1),
            new News.Cleared(1));
  }

  @Test
  void whatANewerBrokerSaysIsAReasonToLookAnew() {
    var news = new AlarmNews();
    List<News> heard = new CopyOnWriteArrayList<>();
    news.listen(heard::add);

    news.hint("escalated 17");
    news.hint("raised");
    news.hint("");

    assertThat(heard).containsOnly(new News.Anything()).hasSize(3);
  }
}
