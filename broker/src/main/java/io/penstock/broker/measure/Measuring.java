package io.penstock.broker.measure;

import io.netty.util.concurrent.FastThreadLocal;
import io.penstock.broker.edge.InvocationObserver;
import io.penstock.broker.edge.InvocationRecord;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Measures every call: each event loop into a [LoopRecorder] of its own, and once a second one
/// thread brings them together, shows the second to whoever watches, and adds it to the interval
/// that becomes history.
///
/// A second is named by when the merger looks: a call belongs to the one in which it was read, at
/// most a second after its end.
public final class Measuring implements InvocationObserver, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Measuring.class);
  static final int INTERVAL_SECONDS = 10;

  /// How often a ring may be looked at, so that a fast one does not run over within a second.
  private static final long LOOK_MS = 100;

  /// A series without calls for this many intervals gives its place to others.
  private static final int IDLE_INTERVALS = 180;

  /// What one second brought.
  ///
  /// @param second good until this returns
  /// @param shown calls to show
  public record Tick(Second second, List<RecentCalls.Recent> shown) {}

  /// An interval that is over; without rows when there were no calls.
  record Interval(long epochSecond, List<HopRow> rows) {}

  private final Clock clock;
  private final SeriesTable table;
  private final LoopRecorder.Period period = new LoopRecorder.Period();
  private final List<LoopRecorder> loops = new CopyOnWriteArrayList<>();
  private final FastThreadLocal<LoopRecorder> recorder =
      new FastThreadLocal<>() {
        @Override
        protected LoopRecorder initialValue() {
          var made = new LoopRecorder(table, period, clock::millis);
          loops.add(made);
          return made;
        }
      };
  private final RecentCalls recent = new RecentCalls();
  private final Totals totals = new Totals();
  private final List<Consumer<Tick>> watchers = new CopyOnWriteArrayList<>();
  private final Consumer<Interval> history;
  private final Thread merger;
  private volatile boolean closing;

  // The merger's alone.
  private final Second second;
  private final List<LoopRecorder.Example> examples = new ArrayList<>();
  private long intervalSecond;
  private long seen;

  /// Of the interval that runs; guarded by itself, because questions about the newest times come
  /// from other threads. Event loops never come here.
  private final Map<SeriesKey, HopTimes> running = new HashMap<>();

  private final Map<SeriesKey, Integer> idle = new HashMap<>();

  /// @param maxSeries pairs of agent and system that are kept apart
  /// @param history gets each interval; must not block
  Measuring(int maxSeries, Clock clock, Consumer<Interval> history) {
    this.clock = clock;
    this.history = history;
    table = new SeriesTable(maxSeries);
    second = new Second(table);
    intervalSecond = interval(clock.instant().getEpochSecond());
    merger = Thread.ofPlatform().daemon().name("measuring").unstarted(this::work);
  }

  void start() {
    merger.start();
  }

  /// Before [#start] or later: called once a second on the merger's thread; must not block it.
  public void watch(Consumer<Tick> watcher) {
    watchers.add(watcher);
  }

  /// Calls that were refused before any system was chosen say nothing about hops.
  @Override
  public void ended(InvocationRecord call) {
    if (call.began()) {
      recorder.get().record(call);
    }
  }

  public RecentCalls recent() {
    return recent;
  }

  public Totals totals() {
    return totals;
  }

  /// Calls since the start.
  public long seen() {
    synchronized (running) {
      return seen;
    }
  }

  /// How much there is and was lost.
  ///
  /// @param missed calls whose times a full ring lost
  /// @param overflowed calls of series beyond the limit
  public record Counts(int series, int limit, long overflowed, long missed) {}

  public Counts counts() {
    return new Counts(
        table.size(),
        table.limit(),
        table.overflowed(),
        loops.stream().mapToLong(LoopRecorder::missed).sum());
  }

  private void work() {
    long secondNow = clock.instant().getEpochSecond();
    try {
      second.begin(secondNow);
      while (!closing) {
        TimeUnit.MILLISECONDS.sleep(untilLook());
        long now = clock.instant().getEpochSecond();
        boolean over = now != secondNow;
        if (over || loops.stream().anyMatch(LoopRecorder::isFillingUp)) {
          guarded(this::drain);
        }
        if (over) {
          long ended = secondNow;
          guarded(() -> tick(ended));
          secondNow = now;
          second.begin(now);
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private long untilLook() {
    return Math.clamp(1_000 - clock.millis() % 1_000, 1, LOOK_MS);
  }

  /// A bug in what watches does not end the watching.
  private static void guarded(Runnable step) {
    try {
      step.run();
    } catch (RuntimeException bug) {
      LOG.error("measuring fails", bug);
    }
  }

  private void drain() {
    for (LoopRecorder loop : loops) {
      loop.drain(second::add);
      loop.drainExamples(examples::add);
    }
  }

  /// The second is over: nothing more is added to it.
  void tick(long epochSecond) {
    period.next();
    synchronized (running) {
      seen += second.calls();
      endIntervalsBefore(epochSecond);
      for (int series : second.numbers()) {
        second.addTo(series, running.computeIfAbsent(table.key(series), _ -> new HopTimes()));
        second.addTo(series, totals);
      }
    }
    List<RecentCalls.Recent> shown = recent.take(examples);
    examples.clear();
    watchers.forEach(watcher -> guarded(() -> watcher.accept(new Tick(second, shown))));
    second.shrink();
  }

  private void endIntervalsBefore(long epochSecond) {
    long now = interval(epochSecond);
    if (now == intervalSecond) {
      return;
    }
    finishInterval();
    intervalSecond = now;
  }

  private static long interval(long epochSecond) {
    return epochSecond - Math.floorMod(epochSecond, (long) INTERVAL_SECONDS);
  }

  private void finishInterval() {
    var rows = new ArrayList<HopRow>();
    var all = new HopTimes();
    var gone = new ArrayList<SeriesKey>();
    running.forEach(
        (key, times) -> {
          if (times.isEmpty()) {
            if (idle.merge(key, 1, Integer::sum) >= IDLE_INTERVALS) {
              gone.add(key);
            }
            return;
          }
          idle.remove(key);
          rows.add(times.encoded(key));
          all.add(times);
          times.reset();
        });
    gone.forEach(running::remove);
    gone.forEach(idle::remove);
    gone.forEach(totals::forget);
    table.forget(gone);
    if (!rows.isEmpty()) {
      rows.add(all.encoded(SeriesKey.ALL));
    }
    history.accept(new Interval(intervalSecond, rows));
  }

  /// The interval that runs, as rows of the series that are wanted; [SeriesKey#ALL] is none.
  Interval unfinished(Predicate<SeriesKey> wanted) {
    synchronized (running) {
      var rows = new ArrayList<HopRow>();
      running.forEach(
          (key, times) -> {
            if (!times.isEmpty() && wanted.test(key)) {
              rows.add(times.encoded(key));
            }
          });
      return new Interval(intervalSecond, rows);
    }
  }

  /// Brings in what is still in the rings and hands the last interval on.
  @Override
  public void close() {
    closing = true;
    merger.interrupt();
    try {
      merger.join(TimeUnit.SECONDS.toMillis(2));
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
    guarded(this::drain);
    guarded(() -> tick(second.epochSecond()));
    synchronized (running) {
      guarded(this::finishInterval);
    }
  }
}
