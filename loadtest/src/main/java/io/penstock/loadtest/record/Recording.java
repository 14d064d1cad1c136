package io.penstock.loadtest.record;

import java.util.ArrayList;
import java.util.List;

/// Outcomes by the interval in which a request was meant to start, however late it ended: a stall
/// shows in the seconds whose callers it hit.
///
/// Not thread-safe: one thread writes, and others read once it is done.
public final class Recording {
  private static final long SECOND = 1_000_000_000;

  /// Each costs up to 400 KB, so that an hour is kept in intervals of more than a second.
  private static final int MAX_INTERVALS = 300;

  private final long intervalNanos;
  private final List<Outcomes> intervals = new ArrayList<>();
  private final List<Long> endings = new ArrayList<>();
  private final List<Long> received = new ArrayList<>();
  private final Hops hops = new Hops();

  private Recording(long intervalNanos) {
    this.intervalNanos = intervalNanos;
  }

  /// In seconds, or in as many whole seconds as keep the number of intervals at 300.
  public static Recording of(long durationNanos) {
    long seconds = Math.max(1, Math.ceilDiv(durationNanos, SECOND));
    return new Recording(Math.ceilDiv(seconds, MAX_INTERVALS) * SECOND);
  }

  /// Times are nanoseconds since the start of the load.
  public void answered(long intendedNanos, long sentNanos, long endNanos) {
    at(intendedNanos).answered(endNanos - intendedNanos, endNanos - sentNanos);
    increase(endings, endNanos, 1);
  }

  /// A piece of a body came.
  public void received(long nanos, long bytes) {
    increase(received, nanos, bytes);
  }

  private void increase(List<Long> counts, long nanos, long by) {
    int index = index(nanos);
    while (counts.size() <= index) {
      counts.add(0L);
    }
    counts.set(index, counts.get(index) + by);
  }

  /// It had not ended when the caller gave up.
  public void timedOut(String kind, long intendedNanos, long sentNanos, long endNanos) {
    at(intendedNanos).timedOut(kind, endNanos - intendedNanos, endNanos - sentNanos);
  }

  /// The caller gave up while it waited for a connection.
  public void neverSent(String kind, long intendedNanos, long endNanos) {
    at(intendedNanos).neverSent(kind, endNanos - intendedNanos);
  }

  public void failed(String kind, long intendedNanos) {
    at(intendedNanos).failed(kind, 1);
  }

  private Outcomes at(long nanos) {
    int index = index(nanos);
    while (intervals.size() <= index) {
      intervals.add(new Outcomes());
    }
    return intervals.get(index);
  }

  private int index(long nanos) {
    return (int) (Math.max(0, nanos) / intervalNanos);
  }

  public long intervalNanos() {
    return intervalNanos;
  }

  /// By intended start.
  public List<Outcomes> intervals() {
    return List.copyOf(intervals);
  }

  /// Answers by the interval in which they ended: what a throughput chart shows.
  public List<Long> endings() {
    return List.copyOf(endings);
  }

  /// Bytes of bodies by the interval in which they came.
  public List<Long> received() {
    return List.copyOf(received);
  }

  /// Where answers that said so spent their time.
  public Hops hops() {
    return hops;
  }

  /// All intervals in one.
  public Outcomes total() {
    return sum(intervals);
  }

  public static Outcomes sum(List<Outcomes> several) {
    Outcomes sum = new Outcomes();
    several.forEach(sum::add);
    return sum;
  }
}
