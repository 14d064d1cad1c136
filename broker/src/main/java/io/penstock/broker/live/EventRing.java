package io.penstock.broker.live;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The last events of a feed, from which every stream reads at its own pace: nothing waits for a
/// reader, and a slow one costs no memory of its own. At most [#MAX_EVENTS], at most so many bytes,
/// at most so old. Thread-safe.
final class EventRing {
  static final int MAX_EVENTS = 1 << 14;
  static final long MAX_AGE_MS = 120_000;

  private final @Nullable Event[] ring = new @Nullable Event[MAX_EVENTS];
  private final int maxBytes;
  private long oldest = 1;
  private long next = 1;
  private long bytes;

  EventRing(int maxBytes) {
    this.maxBytes = maxBytes;
  }

  /// What a reader gets next.
  ///
  /// @param position the last event looked at, wanted or not
  /// @param missed events that were gone before they were read
  record Batch(List<Event> events, long position, long missed) {}

  synchronized long nextId() {
    return next;
  }

  /// Its id is [#nextId].
  synchronized void add(Event event) {
    if (event.id() != next) {
      throw new IllegalStateException("expected event " + next + ", found " + event.id());
    }
    if (next - oldest == MAX_EVENTS) {
      dropOldest();
    }
    ring[index(next)] = event;
    next++;
    bytes += event.size();
    while (bytes > maxBytes || isOld(event.epochMs())) {
      dropOldest();
    }
  }

  private boolean isOld(long nowMs) {
    Event first = ring[index(oldest)];
    return first != null && first.epochMs() < nowMs - MAX_AGE_MS;
  }

  private void dropOldest() {
    Event gone = ring[index(oldest)];
    ring[index(oldest)] = null;
    oldest++;
    if (gone != null) {
      bytes -= gone.size();
    }
  }

  /// Whether everything after event `id` is still here.
  synchronized boolean reaches(long id) {
    return id >= oldest - 1 && id < next;
  }

  synchronized long newest() {
    return next - 1;
  }

  synchronized Batch after(long position, Interest interest, int limit) {
    long missed = Math.max(0, oldest - 1 - position);
    long at = Math.max(position, oldest - 1);
    var events = new ArrayList<Event>();
    while (at + 1 < next && events.size() < limit) {
      at++;
      Event event = ring[index(at)];
      if (event != null && interest.isIn(event)) {
        events.add(event);
      }
    }
    return new Batch(events, at, missed);
  }

  /// Leaves out what is older than `epochMs`; [Batch#missed] counts those that were wanted.
  synchronized Batch skipTo(long epochMs, long position, Interest interest) {
    long missed = Math.max(0, oldest - 1 - position);
    long at = Math.max(position, oldest - 1);
    while (at + 1 < next) {
      Event event = ring[index(at + 1)];
      if (event != null && event.epochMs() >= epochMs) {
        break;
      }
      at++;
      if (event != null && interest.isIn(event)) {
        missed++;
      }
    }
    return new Batch(List.of(), at, missed);
  }

  private static int index(long id) {
    return (int) (id & (MAX_EVENTS - 1));
  }
}
