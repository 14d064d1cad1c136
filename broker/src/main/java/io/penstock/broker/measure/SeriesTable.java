package io.penstock.broker.measure;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/// The pairs of agent and system whose times are kept apart: at most so many; who comes beyond is
/// counted with the others. The number of a series that is gone rests until the next ones go, so
/// that what an event loop is just writing under it is not taken for another's. Thread-safe.
final class SeriesTable {
  static final int OTHER = 0;
  static final int NO_AGENT = 1;

  private final int limit;
  private final ConcurrentHashMap<SeriesKey, Integer> numbers = new ConcurrentHashMap<>();
  private final Map<Integer, SeriesKey> keys = new ConcurrentHashMap<>();
  private final Deque<Integer> free = new ArrayDeque<>();
  private List<Integer> resting = List.of();
  private int next = NO_AGENT + 1;
  private final LongAdder overflowed = new LongAdder();
  private final AtomicInteger generation = new AtomicInteger();

  SeriesTable(int limit) {
    this.limit = limit;
  }

  /// Event loops keep what they have looked up until this changes.
  int generation() {
    return generation.get();
  }

  /// @param agent empty = none was reached
  int number(String agent, String system) {
    if (agent.isEmpty()) {
      return NO_AGENT;
    }
    var key = new SeriesKey(agent, system);
    Integer known = numbers.get(key);
    if (known != null) {
      return known;
    }
    synchronized (this) {
      Integer meanwhile = numbers.get(key);
      if (meanwhile != null) {
        return meanwhile;
      }
      if (numbers.size() >= limit) {
        return OTHER;
      }
      Integer reused = free.poll();
      int number = reused == null ? next++ : reused;
      keys.put(number, key);
      numbers.put(key, number);
      return number;
    }
  }

  /// A call went to the others because there was no room.
  void countOverflow() {
    overflowed.increment();
  }

  SeriesKey key(int number) {
    return switch (number) {
      case OTHER -> SeriesKey.OTHER;
      case NO_AGENT -> SeriesKey.NO_AGENT;
      default -> keys.getOrDefault(number, SeriesKey.OTHER);
    };
  }

  /// Gives the places of series without calls to others.
  synchronized void forget(List<SeriesKey> idle) {
    free.addAll(resting);
    var gone = new ArrayList<Integer>();
    for (SeriesKey key : idle) {
      Integer number = numbers.remove(key);
      if (number != null) {
        keys.remove(number);
        gone.add(number);
      }
    }
    resting = gone;
    if (!gone.isEmpty()) {
      generation.incrementAndGet();
    }
  }

  int size() {
    return numbers.size();
  }

  int limit() {
    return limit;
  }

  long overflowed() {
    return overflowed.sum();
  }
}
