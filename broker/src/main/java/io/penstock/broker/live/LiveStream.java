package io.penstock.broker.live;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/// One reader of a feed. Reads from the feed's ring what its connection takes. When that has taken
/// nothing for [#BEHIND], what is old by then is left out and counted; after [#STUCK] the stream
/// ends. Everything happens on the connection's thread.
public final class LiveStream {
  static final Duration HEARTBEAT = Duration.ofSeconds(10);
  static final Duration BEHIND = Duration.ofSeconds(15);
  static final Duration STUCK = Duration.ofSeconds(25);
  private static final Duration FRESH = Duration.ofSeconds(5);
  private static final int BATCH = 64;

  /// Why a stream ends.
  public enum End {
    SESSION_OVER,
    RIGHTS_CHANGED,
    TOO_SLOW,
    SHUTDOWN;

    String text() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  private final Feed feed;
  private final Interest interest;
  private final Outlet outlet;
  private final LongAdder droppedInAll;
  private long position;
  private long dropped;
  private boolean saysDropped;
  private boolean over;
  private long heartbeatMs;
  private long fullSinceMs;

  LiveStream(Feed feed, Interest interest, Outlet outlet, LongAdder droppedInAll, long position) {
    this.feed = feed;
    this.interest = interest;
    this.outlet = outlet;
    this.droppedInAll = droppedInAll;
    this.position = position;
  }

  Feed feed() {
    return feed;
  }

  Interest interest() {
    return interest;
  }

  /// The first words.
  ///
  /// @param gap why nothing could be resumed; null = nothing was asked for, or all of it is here
  void begin(String node, String boot, boolean resumed, @Nullable String gap, long nowMs) {
    heartbeatMs = nowMs;
    var topics = new JsonArray();
    interest.topics().stream().sorted().map(Topic::text).forEach(topics::add);
    JsonObject hello =
        new JsonObject()
            .put("node", node)
            .put("boot", boot)
            .put("at", Instant.ofEpochMilli(nowMs).toString())
            .put("interval_ms", 1_000)
            .put("topics", topics)
            .put("resumed", resumed);
    outlet.write(Event.text(feed.id(position), "hello", hello));
    if (gap != null) {
      outlet.write(Event.text("reset", new JsonObject().put("reason", gap)));
    }
    pump(nowMs);
  }

  /// Once a second.
  void tick(long nowMs) {
    if (over) {
      return;
    }
    pump(nowMs);
    if (over || outlet.writeQueueFull()) {
      return;
    }
    if (nowMs - heartbeatMs >= HEARTBEAT.toMillis()) {
      heartbeatMs = nowMs;
      outlet.write(
          Event.text(
              "heartbeat", new JsonObject().put("at", Instant.ofEpochMilli(nowMs).toString())));
    }
  }

  /// Writes what there is and the connection takes.
  void pump(long nowMs) {
    if (over || isFull(nowMs)) {
      return;
    }
    if (fullSinceMs != 0 && nowMs - fullSinceMs >= BEHIND.toMillis()) {
      moveOn(feed.ring().skipTo(nowMs - FRESH.toMillis(), position, interest));
    }
    fullSinceMs = 0;
    boolean more = true;
    while (more) {
      EventRing.Batch batch = feed.ring().after(position, interest, BATCH);
      count(batch.missed());
      position += batch.missed();
      sayDropped();
      for (Event event : batch.events()) {
        if (isFull(nowMs)) {
          return;
        }
        outlet.write(event.text());
        position = event.id();
      }
      more = batch.position() > position || !batch.events().isEmpty();
      position = batch.position();
    }
  }

  private boolean isFull(long nowMs) {
    if (!outlet.writeQueueFull()) {
      return false;
    }
    if (fullSinceMs == 0) {
      fullSinceMs = nowMs;
    } else if (nowMs - fullSinceMs >= STUCK.toMillis()) {
      end(End.TOO_SLOW);
    }
    return true;
  }

  private void moveOn(EventRing.Batch skipped) {
    count(skipped.missed());
    position = skipped.position();
  }

  private void count(long missed) {
    if (missed > 0) {
      dropped += missed;
      droppedInAll.add(missed);
      saysDropped = true;
    }
  }

  private void sayDropped() {
    if (saysDropped && !outlet.writeQueueFull()) {
      saysDropped = false;
      outlet.write(Event.text("dropped", new JsonObject().put("count", dropped)));
    }
  }

  void end(End why) {
    if (over) {
      return;
    }
    over = true;
    outlet.write(Event.text("ended", new JsonObject().put("reason", why.text())));
    outlet.end();
  }

  /// The connection is gone.
  void gone() {
    over = true;
  }

  boolean isOver() {
    return over;
  }
}
