package io.penstock.loadtest.scenario;

import io.penstock.loadtest.engine.FlowResult;
import io.penstock.loadtest.fleet.SimulatedAgent;
import io.penstock.loadtest.installation.Installation;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Consumer;

/// Carries a [Storm] out: agents enrolled once, then one storm in each turn.
final class StormRun implements AutoCloseable {
  private final Storm storm;
  private final Installation installation;
  private final StormFleet fleet;
  private final StormEvent event;
  private final List<String> remarks = new ArrayList<>();
  private final List<String> failures = new ArrayList<>();
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("storm").factory());

  private StormRun(Storm storm, Installation installation, StormFleet fleet) {
    this.storm = storm;
    this.installation = installation;
    this.fleet = fleet;
    event =
        switch (storm.event()) {
          case CONNECT -> new Connect();
          case RECONNECT -> new Reconnect();
          case DRAIN -> new Drain();
          case DEPLOY -> new Deploys(storm, installation, fleet);
          case REVOKE -> new Revocations(storm, installation, fleet);
        };
  }

  /// Enrolls and approves the agents.
  static StormRun prepare(Storm storm, Installation installation, Consumer<String> say)
      throws IOException {
    StormFleet fleet = new StormFleet(installation, storm.agents(), say);
    try {
      fleet.enroll();
      return new StormRun(storm, installation, fleet);
    } catch (IOException | RuntimeException e) {
      fleet.close();
      throw e;
    }
  }

  /// Of the agents' event loops.
  List<Long> threadIds() {
    return fleet.threadIds();
  }

  void beforeTurn() throws IOException {
    event.beforeTurn();
  }

  /// One turn's storm, on this thread, to its end.
  StormTurn storm() throws IOException, InterruptedException {
    StormTurn turn = new StormTurn(fleet.agents(), storm.atOnce(), timer);
    Thread.sleep(storm.after());
    event.happen(turn);
    return turn;
  }

  /// What came of it. Asks the broker, so that nothing may be measured any more.
  FlowResult settle(StormTurn turn) throws IOException, InterruptedException {
    event.settle(turn);
    return turn.result();
  }

  /// What should not have happened.
  List<String> failures() {
    return List.copyOf(failures);
  }

  /// What readers have to know about the figures.
  List<String> remarks() {
    List<String> all = new ArrayList<>();
    all.add(event.remark());
    all.addAll(remarks);
    return all;
  }

  @Override
  public void close() {
    timer.shutdownNow();
    fleet.close();
  }

  /// Nobody is connected, and all dial.
  private final class Connect implements StormEvent {
    @Override
    public void beforeTurn() {
      // Nobody connects between turns.
    }

    @Override
    public void happen(StormTurn turn) throws IOException, InterruptedException {
      var dials = new Dials(turn, timer);
      if (storm.rate().isPresent()) {
        turn.each(storm.rate().get(), dials::dial);
      } else {
        turn.each(dials::dial);
      }
      turn.await();
      fleet.agents().forEach(SimulatedAgent::cut);
    }

    @Override
    public String remark() {
      return "agents: response time counts from the dial to ADMITTED, retries included";
    }
  }

  /// The broker goes away, and comes back. All are hit at that moment; that is when their response
  /// time begins.
  private abstract class Restart implements StormEvent {
    abstract void restartBroker();

    @Override
    public void beforeTurn() throws IOException {
      fleet.connect();
    }

    @Override
    public void happen(StormTurn turn) throws IOException, InterruptedException {
      long hit = turn.now();
      restartBroker();
      var dials = new Dials(turn, timer);
      turn.all(hit, dials::dialAgain);
      turn.await();
    }
  }

  private final class Reconnect extends Restart {
    @Override
    void restartBroker() {
      installation.killAndRestartBroker();
    }

    @Override
    public String remark() {
      return "agents: response time counts from the SIGKILL of the broker to ADMITTED; service"
          + " time is the last dial alone";
    }
  }

  private final class Drain extends Restart {
    @Override
    void restartBroker() {
      Installation.Drained drained = installation.drainAndRestartBroker();
      if (drained.exitCode() != 0) {
        failures.add("the drained broker's exit code: expected 0, found " + drained.exitCode());
      }
      remarks.add(
          String.format(
              Locale.ROOT,
              "the broker ended %.1f s after SIGTERM with exit code %d",
              drained.took().toNanos() / 1e9,
              drained.exitCode()));
    }

    @Override
    public String remark() {
      return "agents: response time counts from the SIGTERM of the broker to ADMITTED by the next"
          + " one; service time is the last dial alone. No request that was meant to start before"
          + " the SIGTERM may fail";
    }
  }
}
