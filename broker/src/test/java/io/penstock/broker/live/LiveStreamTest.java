package io.penstock.broker.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.access.Scope;
import io.penstock.broker.live.Event.Audience;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.Test;

/// A feed's ring and its readers, with time passed in.
class LiveStreamTest {
  private static final Interest ALARMS = new Interest(Set.of(Topic.ALARMS), Optional.empty());

  private final Feed feed = new Feed("boot-1", Scope.EVERYTHING, 1 << 20, _ -> new JsonObject());
  private final LongAdder dropped = new LongAdder();
  private long nowMs = 1_000_000;

  /// A connection that takes as much as it is told to.
  private static final class Connection implements Outlet {
    final List<String> written = new ArrayList<>();
    int room = Integer.MAX_VALUE;
    boolean ended;

    @Override
    public boolean writeQueueFull() {
      return written.size() >= room;
    }

    @Override
    public void write(String text) {
      assertThat(ended).isFalse();
      written.add(text);
    }

    @Override
    public void end() {
      ended = true;
    }

    List<String> ids() {
      return written.stream()
          .filter(text -> text.contains("event: alarm\n"))
          .map(text -> text.substring("id: ".length(), text.indexOf('\n')))
          .toList();
    }

    List<String> names() {
      return written.stream()
          .map(text -> text.substring(text.indexOf("event: ") + 7))
          .map(text -> text.substring(0, text.indexOf('\n')))
          .toList();
    }
  }

  private void happen(Topic topic, String agent, Audience audience) {
    long id = feed.ring().nextId();
    String name = topic == Topic.ALARMS ? "alarm" : topic.text();
    feed.ring()
        .add(
            new Event(
                id,
                topic,
                audience,
                agent,
                nowMs,
                Event.text(feed.id(id), name, new JsonObject().put("n", id))));
  }

  private void alarms(int count) {
    for (int i = 0; i < count; i++) {
      happen(Topic.ALARMS, "", Audience.EVERYBODY);
    }
  }

  private LiveStream stream(Connection connection, Interest interest, long position) {
    return new LiveStream(feed, interest, connection, dropped, position);
  }

  private LiveStream begun(Connection connection, Interest interest) {
    LiveStream stream = stream(connection, interest, feed.ring().newest());
    stream.begin("node", "boot", false, null, nowMs);
    return stream;
  }

  @Test
  void whoComesBackGetsWhatHeMissedEachEventOnce() {
    var first = new Connection();
    LiveStream stream = begun(first, ALARMS);
    alarms(7);
    happen(Topic.LATENCY, "", Audience.OF_ALL);
    stream.pump(nowMs);
    stream.gone();
    String last = first.ids().getLast();
    alarms(5);
    nowMs += 60_000;
    alarms(1);

    long position = feed.number(last).orElseThrow();
    assertThat(feed.ring().reaches(position)).isTrue();
    var second = new Connection();
    stream(second, ALARMS, position).begin("node", "boot", true, null, nowMs);

    var all = new ArrayList<>(first.ids());
    all.addAll(second.ids());
    assertThat(all).hasSize(13).doesNotHaveDuplicates();
    assertThat(second.names()).startsWith("hello").doesNotContain("dropped", "reset");
  }

  @Test
  void theFirstEventTellsWhereTheStreamBegins() {
    alarms(3);
    var connection = new Connection();

    begun(connection, ALARMS);

    assertThat(connection.written.getFirst())
        .startsWith("id: boot-1-3\nevent: hello\ndata: {")
        .endsWith("}\n\n");
  }

  @Test
  void aGapThatIsTooOldIsNoticed() {
    alarms(1);
    nowMs += EventRing.MAX_AGE_MS + 1;
    alarms(1);

    assertThat(feed.ring().reaches(0)).isFalse();
    assertThat(feed.ring().reaches(1)).isTrue();
    assertThat(feed.number("other-1-3")).isEmpty();
    assertThat(feed.number("boot-1-nonsense")).isEmpty();
  }

  @Test
  void theRingIsBoundedByItsBytes() {
    var small = new EventRing(10_000);
    for (int i = 0; i < 1_000; i++) {
      small.add(
          new Event(small.nextId(), Topic.ALARMS, Audience.EVERYBODY, "", nowMs, "x".repeat(904)));
    }

    assertThat(small.after(0, ALARMS, 1_000).events()).hasSize(10);
    assertThat(small.after(0, ALARMS, 1_000).missed()).isEqualTo(990);
  }

  @Test
  void aSlowReaderMissesWhatIsOldAndHearsHowMuch() {
    var connection = new Connection();
    LiveStream stream = begun(connection, ALARMS);
    connection.room = 3;
    alarms(10);
    stream.tick(nowMs);
    assertThat(connection.ids()).hasSize(2);

    nowMs += LiveStream.BEHIND.toMillis() + 1_000;
    alarms(1);
    stream.tick(nowMs);
    assertThat(connection.written).hasSize(3);
    connection.room = Integer.MAX_VALUE;
    stream.pump(nowMs);

    assertThat(connection.names()).contains("dropped");
    assertThat(connection.written)
        .anyMatch(text -> text.equals("event: dropped\ndata: {\"count\":8}\n\n"));
    assertThat(connection.ids()).hasSize(3).last().isEqualTo("boot-1-11");
    assertThat(dropped.sum()).isEqualTo(8);
  }

  @Test
  void aReaderThatTakesNothingAtAllIsEnded() {
    var connection = new Connection();
    LiveStream stream = begun(connection, ALARMS);
    connection.room = 1;
    alarms(10);
    stream.tick(nowMs);
    nowMs += LiveStream.STUCK.toMillis();

    stream.tick(nowMs);

    assertThat(connection.ended).isTrue();
    assertThat(connection.written.getLast())
        .isEqualTo("event: ended\ndata: {\"reason\":\"too-slow\"}\n\n");
    assertThat(stream.isOver()).isTrue();
    stream.tick(nowMs + 60_000);
  }

  @Test
  void aReaderWhoIsOnlyBehindForAMomentMissesNothing() {
    var connection = new Connection();
    LiveStream stream = begun(connection, ALARMS);
    connection.room = 3;
    alarms(10);
    stream.tick(nowMs);
    nowMs += 5_000;
    connection.room = Integer.MAX_VALUE;

    stream.pump(nowMs);

    assertThat(connection.ids()).hasSize(10).doesNotHaveDuplicates();
    assertThat(dropped.sum()).isZero();
  }

  @Test
  void silenceIsBrokenByAHeartbeat() {
    var connection = new Connection();
    LiveStream stream = begun(connection, ALARMS);
    for (int i = 0; i < 25; i++) {
      nowMs += 1_000;
      stream.tick(nowMs);
    }

    assertThat(connection.names()).containsExactly("hello", "heartbeat", "heartbeat");
  }

  @Test
  void aStreamAboutOneAgentGetsItsDetailsAndNobodyElses() {
    var topics = Set.of(Topic.LATENCY, Topic.AGENTS);
    var ofAll = new Connection();
    var ofOne = new Connection();
    LiveStream all = begun(ofAll, new Interest(topics, Optional.empty()));
    LiveStream one = begun(ofOne, new Interest(topics, Optional.of("a")));
    happen(Topic.LATENCY, "", Audience.OF_ALL);
    happen(Topic.LATENCY, "a", Audience.OF_AGENT_ONLY);
    happen(Topic.LATENCY, "b", Audience.OF_AGENT_ONLY);
    happen(Topic.AGENTS, "a", Audience.OF_AGENT);
    happen(Topic.AGENTS, "b", Audience.OF_AGENT);

    all.pump(nowMs);
    one.pump(nowMs);

    assertThat(ofAll.names()).containsExactly("hello", "latency", "agents", "agents");
    assertThat(ofOne.names()).containsExactly("hello", "latency", "agents");
    assertThat(ofOne.written.get(1)).contains("{\"n\":2}");
  }
}
