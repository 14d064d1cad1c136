package io.penstock.loadtest.scenario;

import io.penstock.loadtest.fleet.SimulatedAgent;
import java.io.IOException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;

/// Calls of the API, one for each agent of a turn, each on a thread of its own; beyond the storm's
/// `at_once` they wait, and their time runs.
final class StormCalls implements AutoCloseable {
  private final StormTurn turn;
  private final Storm storm;
  private final Semaphore places;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

  /// What is called; fails if the API says no.
  @FunctionalInterface
  interface Call {
    void run(SimulatedAgent agent, long intended) throws IOException, InterruptedException;
  }

  StormCalls(StormTurn turn, Storm storm) {
    this.turn = turn;
    this.storm = storm;
    places = new Semaphore(storm.atOnce());
  }

  void each(Call call) {
    StormTurn.Step step =
        (agent, intended) -> threads.execute(() -> carryOut(call, agent, intended));
    if (storm.rate().isPresent()) {
      turn.each(storm.rate().get(), step);
    } else {
      turn.each(step);
    }
  }

  private void carryOut(Call call, SimulatedAgent agent, long intended) {
    try {
      places.acquire();
      try {
        call.run(agent, intended);
      } finally {
        places.release();
      }
    } catch (IOException refused) {
      turn.failed("the API: " + refused.getMessage(), intended);
    } catch (RuntimeException unexpected) {
      turn.failed("unexpected: " + unexpected, intended);
    } catch (InterruptedException ended) {
      Thread.currentThread().interrupt();
      turn.failed("ended", intended);
    } finally {
      turn.over();
    }
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }
}
