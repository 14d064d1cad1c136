package io.penstock.loadtest.scenario;

import io.penstock.loadtest.engine.FlowResult;
import io.penstock.loadtest.fleet.SimulatedAgent;
import io.penstock.loadtest.rate.Rate;
import io.penstock.loadtest.rate.StartTimes;
import io.penstock.loadtest.record.Recording;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/// One turn of a storm: gives each agent its time, remembers what came of it, and knows when all
/// are over. Times are nanoseconds since the turn began. Thread-safe.
final class StormTurn {
  private static final String FLOW = "agents";
  private static final Duration PATIENCE = Duration.ofMinutes(3);
  private static final Duration LOOK_AGAIN = Duration.ofSeconds(1);

  private static final int DIGITS = 3;
  private static final int MAX_KIND = 60;

  private final List<SimulatedAgent> agents;
  private final int atOnce;
  private final ScheduledExecutorService timer;
  private final Instant start = Instant.now();
  private final long startNanos = System.nanoTime();
  private final Recording recording = Recording.of(PATIENCE.toNanos());
  private final Histogram lateness = new Histogram(DIGITS);
  private final CompletableFuture<Void> allOver = new CompletableFuture<>();
  private final AtomicInteger left;
  private final AtomicInteger next = new AtomicInteger();
  private volatile @Nullable Step closedLoop;
  private volatile boolean open;
  private long firstIntended = Long.MAX_VALUE;
  private long lastEnd;
  private long progressNanos;
  private int underWay;
  private int mostAtOnce;

  /// What is done with one agent. Calls [#over] in the end.
  @FunctionalInterface
  interface Step {
    void begin(SimulatedAgent agent, long intended);
  }

  StormTurn(List<SimulatedAgent> agents, int atOnce, ScheduledExecutorService timer) {
    this.agents = List.copyOf(agents);
    this.atOnce = atOnce;
    this.timer = timer;
    left = new AtomicInteger(agents.size());
  }

  long now() {
    return System.nanoTime() - startNanos;
  }

  /// Of an event that somebody else's clock dates; on this machine they are one.
  long at(Instant instant) {
    return Duration.between(start, instant).toNanos();
  }

  /// All at this moment, which is when their response time begins.
  void all(long hit, Step step) {
    agents.forEach(agent -> begin(step, agent, hit));
  }

  /// In open loop: each agent at its intended time, whatever became of the ones before.
  void each(Rate rate, Step step) {
    open = true;
    long begin = now();
    StartTimes times = rate.startTimes();
    for (SimulatedAgent agent : agents) {
      long intended = begin + times.nextNanos();
      var _ =
          timer.schedule(
              () -> {
                late(now() - intended);
                begin(step, agent, intended);
              },
              intended - now(),
              TimeUnit.NANOSECONDS);
    }
  }

  /// In closed loop: an agent's turn comes when one of those before is over.
  void each(Step step) {
    closedLoop = step;
    for (int i = 0; i < Math.min(atOnce, agents.size()); i++) {
      beginNext(step);
    }
  }

  private void beginNext(Step step) {
    int index = next.getAndIncrement();
    if (index < agents.size()) {
      begin(step, agents.get(index), now());
    }
  }

  private void begin(Step step, SimulatedAgent agent, long intended) {
    begun(intended);
    step.begin(agent, intended);
  }

  /// An agent's time, of which the first is where the storm's begins.
  synchronized void meant(long intended) {
    firstIntended = Math.min(firstIntended, intended);
  }

  private synchronized void begun(long intended) {
    meant(intended);
    underWay++;
    mostAtOnce = Math.max(mostAtOnce, underWay);
    progressNanos = now();
  }

  private synchronized void ended() {
    underWay--;
    progressNanos = now();
  }

  private synchronized long sinceProgressNanos() {
    return now() - progressNanos;
  }

  private synchronized void late(long nanos) {
    lateness.recordValue(Math.max(0, nanos));
  }

  synchronized void answered(long intended, long sent, long end) {
    lastEnd = Math.max(lastEnd, end);
    recording.answered(intended, sent, end);
  }

  /// Answered, and later than may be.
  synchronized void tooLate(String kind, long intended, long sent, long end) {
    lastEnd = Math.max(lastEnd, end);
    recording.timedOut(kind, intended, sent, end);
  }

  synchronized void failed(String kind, long intended) {
    recording.failed(kind.substring(0, Math.min(MAX_KIND, kind.length())), intended);
  }

  /// One agent is done.
  void over() {
    ended();
    if (left.decrementAndGet() == 0) {
      allOver.complete(null);
      return;
    }
    Step step = closedLoop;
    if (step != null) {
      beginNext(step);
    }
  }

  /// Until all are. Gives up when nothing has happened for a long time.
  void await() throws IOException, InterruptedException {
    while (!isOverWithin(LOOK_AGAIN)) {
      if (sinceProgressNanos() > PATIENCE.toNanos()) {
        throw new IOException(
            left.get() + " of " + agents.size() + " agents are not done, none in " + PATIENCE);
      }
    }
  }

  private boolean isOverWithin(Duration time) throws IOException, InterruptedException {
    try {
      allOver.get(time.toMillis(), TimeUnit.MILLISECONDS);
      return true;
    } catch (TimeoutException notYet) {
      return false;
    } catch (ExecutionException e) {
      throw new IOException(e.getCause());
    }
  }

  /// Its time is that from the first agent's to the last end.
  synchronized FlowResult result() {
    long first = Math.min(firstIntended, lastEnd);
    long took = Math.max(1, lastEnd - first);
    return new FlowResult(FLOW, open, first, took, recording, lateness, mostAtOnce);
  }
}
