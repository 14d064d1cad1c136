package io.penstock.loadtest.fleet;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.codec.seal.EnrollmentToken;
import io.penstock.loadtest.client.ApiException;
import io.penstock.loadtest.client.PublicApi;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/// Brings a fleet through enrollment, approval and connecting as people do, by the public API, a
/// few agents at a time: a broker has limits for half-open connections of one address.
public final class FleetEnrollment {
  private static final Duration STEP = Duration.ofSeconds(60);
  private static final Duration LOOK_AGAIN = Duration.ofMillis(20);
  private static final int TOKEN_SECONDS = 3_600;

  /// As real agents do, whose connections may end in a broker that is busy.
  private static final int TRIES = 6;

  private static final Duration TRY_AGAIN = Duration.ofSeconds(1);

  private static final String USUAL_SITE = "fleet";

  private final PublicApi api;
  private final String site;
  private final int atOnce;

  /// @param api signed in as an Admin
  /// @param atOnce agents under way
  public FleetEnrollment(PublicApi api, int atOnce) {
    this(api, USUAL_SITE, atOnce);
  }

  /// @param site of all of them
  public FleetEnrollment(PublicApi api, String site, int atOnce) {
    this.api = api;
    this.site = site;
    this.atOnce = atOnce;
  }

  /// Enrolls and approves them; afterwards they are offline.
  public void enroll(List<SimulatedAgent> agents) throws IOException {
    each(agents, this::enroll);
  }

  public void connect(List<SimulatedAgent> agents) throws IOException {
    each(agents, agent -> trying(agent, agent::connect));
  }

  private void enroll(SimulatedAgent agent) throws IOException {
    ObjectNode wanted =
        PublicApi.object()
            .put("agent", agent.name())
            .put("site", site)
            .put("ttl_seconds", TOKEN_SECONDS);
    String token = api.post("/enrollment-tokens", wanted).path("token").asText();
    EnrollmentToken parsed = EnrollmentToken.parse(token);
    SimulatedAgent.Asking asking = trying(agent, () -> agent.enroll(parsed));
    approve(agent, asking);
    await(agent, asking.approved());
  }

  /// The proof may reach the broker's table a moment after PENDING.
  private void approve(SimulatedAgent agent, SimulatedAgent.Asking asking) throws IOException {
    ObjectNode compared = PublicApi.object().put("fingerprint", asking.fingerprint().text());
    long end = System.nanoTime() + STEP.toNanos();
    while (true) {
      try {
        api.post("/agents/" + agent.name() + "/approve", compared);
        return;
      } catch (ApiException e) {
        if (!e.isConflict("proof-missing") || System.nanoTime() > end) {
          throw e;
        }
        pause(LOOK_AGAIN);
      }
    }
  }

  private static void pause(Duration time) throws IOException {
    try {
      Thread.sleep(time);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  @FunctionalInterface
  private interface Step {
    void run(SimulatedAgent agent) throws IOException;
  }

  private void each(List<SimulatedAgent> agents, Step step) throws IOException {
    var places = new Semaphore(atOnce);
    List<Future<?>> running = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (SimulatedAgent agent : agents) {
        running.add(threads.submit(within(places, agent, step)));
      }
      for (Future<?> one : running) {
        one.get();
      }
    } catch (ExecutionException failed) {
      throw new IOException(failed.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  private static Callable<Void> within(Semaphore places, SimulatedAgent agent, Step step) {
    return () -> {
      places.acquire();
      try {
        step.run(agent);
      } finally {
        places.release();
      }
      return null;
    };
  }

  private static <T> T trying(SimulatedAgent agent, Supplier<CompletableFuture<T>> dial)
      throws IOException {
    for (int left = TRIES - 1; left > 0; left--) {
      try {
        return await(agent, dial.get());
      } catch (IOException broken) {
        pause(TRY_AGAIN);
      }
    }
    return await(agent, dial.get());
  }

  private static <T> T await(SimulatedAgent agent, CompletableFuture<T> outcome)
      throws IOException {
    try {
      return outcome.get(STEP.toSeconds(), TimeUnit.SECONDS);
    } catch (ExecutionException failed) {
      throw new IOException(agent + ": " + failed.getMessage(), failed);
    } catch (TimeoutException late) {
      throw new IOException(agent + ": not within " + STEP.toSeconds() + " s", late);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }
}
