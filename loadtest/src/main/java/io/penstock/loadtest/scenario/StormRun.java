package io.penstock.loadtest.scenario;

import io.penstock.loadtest.engine.FlowResult;
import io.penstock.loadtest.fleet.BrokerEndpoint;
import io.penstock.loadtest.fleet.Fleet;
import io.penstock.loadtest.fleet.FleetEnrollment;
import io.penstock.loadtest.fleet.SimulatedAgent;
import io.penstock.loadtest.installation.Installation;
import io.penstock.loadtest.rate.Rate;
import io.penstock.loadtest.rate.StartTimes;
import io.penstock.loadtest.record.Recording;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.HdrHistogram.Histogram;

/// The agents of a [Storm]: enrolled once, then one storm in each turn. A dial counts as answered
/// when the broker has admitted the agent.
final class StormRun implements AutoCloseable {
  static final String FLOW = "agents";

  private static final Duration PATIENCE = Duration.ofMinutes(3);
  private static final long DIAL_TIMEOUT_MS = 15_000;
  private static final long FIRST_BACKOFF_MS = 200;
  private static final long LONGEST_BACKOFF_MS = 1_000;
  private static final int ENROLL_AT_ONCE = 16;
  private static final int DIGITS = 3;

  private final Storm storm;
  private final Installation installation;
  private final Fleet fleet;
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("storm").factory());

  private StormRun(Storm storm, Installation installation, Fleet fleet) {
    this.storm = storm;
    this.installation = installation;
    this.fleet = fleet;
  }

  /// Enrolls and approves the agents, which takes a while; afterwards they are offline.
  static StormRun prepare(Storm storm, Installation installation, Consumer<String> say)
      throws IOException {
    var endpoint =
        BrokerEndpoint.of(installation.url(), installation.caFile(), installation.rootSha256());
    Fleet fleet = Fleet.of(endpoint, 1);
    try {
      for (int i = 0; i < storm.agents(); i++) {
        fleet.create("sim-" + i);
      }
      say.accept("enrolling " + storm.agents() + " simulated agents");
      new FleetEnrollment(installation.api(), ENROLL_AT_ONCE).enroll(fleet.agents());
      return new StormRun(storm, installation, fleet);
    } catch (IOException | RuntimeException e) {
      fleet.close();
      throw e;
    }
  }

  /// Returns what [#storm] has to find: nobody connected, or everybody.
  void beforeTurn() throws IOException {
    if (storm.event() == Storm.Event.RECONNECT) {
      new FleetEnrollment(installation.api(), ENROLL_AT_ONCE).connect(fleet.agents());
    }
  }

  /// One turn's storm, on this thread, to its end.
  FlowResult storm() throws IOException, InterruptedException {
    Turn turn = new Turn();
    switch (storm.event()) {
      case CONNECT -> {
        turn.connectAll();
        fleet.agents().forEach(SimulatedAgent::cut);
      }
      case RECONNECT -> turn.reconnectAll();
    }
    return turn.result();
  }

  @Override
  public void close() {
    timer.shutdownNow();
    fleet.close();
  }

  /// Times are nanoseconds since its beginning. The recording is written by several threads.
  private final class Turn {
    private final long startNanos = System.nanoTime();
    private final Recording recording = Recording.of(PATIENCE.toNanos());
    private final Histogram lateness = new Histogram(DIGITS);
    private final CompletableFuture<Void> over = new CompletableFuture<>();
    private final AtomicInteger left = new AtomicInteger(storm.agents());
    private final AtomicInteger next = new AtomicInteger();
    private volatile long endNanos;

    private long now() {
      return System.nanoTime() - startNanos;
    }

    void connectAll() throws IOException, InterruptedException {
      if (storm.rate().isPresent()) {
        Rate rate = storm.rate().get();
        StartTimes times = rate.startTimes();
        for (SimulatedAgent agent : fleet.agents()) {
          long intended = times.nextNanos();
          var _ =
              timer.schedule(
                  () -> {
                    late(now() - intended);
                    dial(agent, intended, 0, () -> {});
                  },
                  intended - now(),
                  TimeUnit.NANOSECONDS);
        }
      } else {
        for (int i = 0; i < Math.min(storm.atOnce(), storm.agents()); i++) {
          dialNext();
        }
      }
      await();
    }

    private synchronized void late(long nanos) {
      lateness.recordValue(Math.max(0, nanos));
    }

    /// In closed loop: the next agent's turn comes when this one is admitted.
    private void dialNext() {
      int index = next.getAndIncrement();
      List<SimulatedAgent> agents = fleet.agents();
      if (index < agents.size()) {
        dial(agents.get(index), now(), 0, this::dialNext);
      }
    }

    /// All are hit at the moment of the kill; that is when their response time begins.
    void reconnectAll() throws IOException, InterruptedException {
      long killed = now();
      installation.killAndRestartBroker();
      for (SimulatedAgent agent : fleet.agents()) {
        again(agent, killed, 0);
      }
      await();
    }

    private void dial(SimulatedAgent agent, long intended, int tries, Runnable then) {
      long sent = now();
      var _ =
          agent
              .connect()
              .orTimeout(DIAL_TIMEOUT_MS, TimeUnit.MILLISECONDS)
              .whenComplete(
                  (_, failure) -> {
                    if (failure == null) {
                      answered(intended, sent);
                      then.run();
                    } else {
                      failed(failure, intended);
                      later(() -> dial(agent, intended, tries + 1, then), tries);
                    }
                  });
    }

    private void again(SimulatedAgent agent, long intended, int tries) {
      later(() -> dial(agent, intended, tries + 1, () -> {}), tries);
    }

    /// As agents back off that lost a session: a random time up to a ceiling that doubles from
    /// 0.2 s to 1 s.
    private void later(Runnable dial, int tries) {
      long ceiling = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS << Math.min(tries, 4));
      long wait = ThreadLocalRandom.current().nextLong(ceiling + 1);
      if (!timer.isShutdown()) {
        var _ = timer.schedule(dial, wait, TimeUnit.MILLISECONDS);
      }
    }

    private void answered(long intended, long sent) {
      long now = now();
      synchronized (this) {
        recording.answered(intended, sent, now);
      }
      if (left.decrementAndGet() == 0) {
        endNanos = now;
        over.complete(null);
      }
    }

    /// A dial that failed is an error; the agent goes on trying.
    private synchronized void failed(Throwable failure, long intended) {
      Throwable cause = failure.getCause() == null ? failure : failure.getCause();
      String kind =
          failure instanceof TimeoutException || cause instanceof TimeoutException
              ? "dial timed out"
              : "dial failed: " + cause.getMessage();
      recording.failed(kind.substring(0, Math.min(60, kind.length())), intended);
    }

    private void await() throws IOException, InterruptedException {
      try {
        over.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
      } catch (TimeoutException e) {
        throw new IOException(
            left.get() + " of " + storm.agents() + " agents are not admitted after " + PATIENCE, e);
      } catch (ExecutionException e) {
        throw new IOException(e.getCause());
      }
    }

    private synchronized FlowResult result() {
      return new FlowResult(
          FLOW, storm.rate().isPresent(), Math.max(1, endNanos), recording, lateness);
    }
  }

  /// What readers have to know about the figures.
  List<String> remarks() {
    List<String> remarks = new ArrayList<>();
    remarks.add(
        storm.event() == Storm.Event.CONNECT
            ? "agents: response time counts from the dial to ADMITTED, retries included"
            : "agents: response time counts from the SIGKILL of the broker to ADMITTED; service"
                + " time is the last dial alone");
    return remarks;
  }
}
