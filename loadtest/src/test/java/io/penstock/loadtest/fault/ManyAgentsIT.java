package io.penstock.loadtest.fault;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.penstock.loadtest.client.Configurations;
import io.penstock.loadtest.client.PublicApi;
import io.penstock.loadtest.fleet.BrokerEndpoint;
import io.penstock.loadtest.fleet.Fleet;
import io.penstock.loadtest.fleet.FleetEnrollment;
import io.penstock.loadtest.fleet.SimulatedAgent;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A fleet of simulated agents on a real broker with an external Postgres. What it prints are
/// measurements; what it asserts is that each deploy is recorded as applied, by a receipt that the
/// broker has verified, on the first try.
@Timeout(1800)
class ManyAgentsIT {
  private static final int ENROLL_AT_ONCE = 16;
  private static final int AUTHORS = 16;

  /// Messages that an agent is given before it answers one.
  private static final int WINDOW = 32;

  // Asking costs the broker some milliseconds, which is much while it has to do.
  private static final long MIN_POLL_MS = 20;
  private static final long MAX_POLL_MS = 1000;

  private static final String ACKNOWLEDGED =
      "penstock_messages_over_total{outcome=\"acknowledged\"}";

  @TempDir Path directory;

  /// @param agents in one process
  /// @param systems of each, deployed at once
  /// @param rounds of that; a process just started is slow
  /// @param lightDeploys one after the other
  /// @param pauseMs between those
  private record Scale(int agents, int systems, int rounds, int lightDeploys, int pauseMs) {}

  private record Deploy(SimulatedAgent agent, String system, long answeredAtMs) {}

  @Test
  void aFewAgentsOfTheFleetEnrollAndHaveTheirReceiptsRecorded() throws Exception {
    run(new Scale(20, 2, 1, 10, 1), ExternalPostgres.broughtAlong());
  }

  @Test
  @Tag("slow")
  void aThousandAgents() throws Exception {
    run(
        new Scale(
            Integer.getInteger("penstock.test.agents", 1_000),
            Integer.getInteger("penstock.test.systems", 40),
            Integer.getInteger("penstock.test.rounds", 2),
            500,
            50),
        ExternalPostgres.installed().orElse(ExternalPostgres.broughtAlong()));
  }

  private void run(Scale scale, Path programs) throws Exception {
    try (ExternalPostgres postgres = ExternalPostgres.tuned(programs);
        Plant plant =
            Plant.open(
                directory, launch -> launch.variable("PENSTOCK_DATABASE_URL", postgres.url()));
        Fleet fleet = Fleet.of(endpoint(plant), 1)) {
      var enrollment = new FleetEnrollment(plant.api(), ENROLL_AT_ONCE);
      for (int i = 0; i < scale.agents(); i++) {
        fleet.create("sim-" + i);
      }
      long start = System.nanoTime();
      enrollment.enroll(fleet.agents());
      System.out.printf("%d agents enrolled in %.1f s%n", scale.agents(), secondsSince(start));
      start = System.nanoTime();
      enrollment.connect(fleet.agents());
      long tries = fleet.counters().failures();
      System.out.printf(
          "connected in %.1f s; %d connections were tried again%n", secondsSince(start), tries);

      for (int round = 0; round < scale.rounds(); round++) {
        throughput(plant, fleet, scale);
      }
      latency(plant, fleet, scale);
      assertThat(fleet.counters().failures()).as("%s", fleet.counters()).isEqualTo(tries);
      assertThat(plant.alarms()).isEmpty();
    }
  }

  private static BrokerEndpoint endpoint(Plant plant) throws IOException {
    plant.createToken("spare", "fleet");
    return BrokerEndpoint.of(plant.url(), plant.caFile(), plant.rootSha256());
  }

  /// Deploys everything while the agents answer nothing, so that a window of each is on its way and
  /// the rest waits in Postgres; what is timed is from their first answer to the last recorded one.
  private static void throughput(Plant plant, Fleet fleet, Scale scale) throws Exception {
    int expected = scale.agents() * scale.systems();
    Metrics metrics = plant.metrics();
    long heard = fleet.counters().messages();
    long answered = fleet.counters().receipts();
    fleet.holdAnswers();
    long start = System.nanoTime();
    deployAll(plant, fleet.agents(), scale.systems());
    System.out.printf("%d deploys answered in %.1f s%n", expected, secondsSince(start));
    int windows = scale.agents() * Math.min(scale.systems(), WINDOW);
    plant.await("every window is full", () -> fleet.counters().messages() == heard + windows);

    double recorded = metrics.value(ACKNOWLEDGED);
    start = System.nanoTime();
    fleet.releaseAnswers();
    awaitRecorded(metrics, recorded, expected, start);
    double seconds = secondsSince(start);
    System.out.printf(
        "%d messages acknowledged by signed receipts and recorded in %.2f s: %.0f/s; %d of them"
            + " delivered in that time, too: %.0f/s%n",
        expected, seconds, expected / seconds, expected - windows, (expected - windows) / seconds);
    assertThat(fleet.counters().receipts()).isEqualTo(answered + expected);
    assertThat(nothingWaits(plant, scale.agents())).isTrue();
  }

  /// Asks again when half of what is left should be done.
  private static void awaitRecorded(Metrics metrics, double before, int expected, long start)
      throws Exception {
    for (double done = 0; done < expected; done = metrics.value(ACKNOWLEDGED) - before) {
      double leftMs = 1000 * secondsSince(start) * (expected - done) / Math.max(1, done);
      TimeUnit.MILLISECONDS.sleep(Math.clamp((long) (leftMs / 2), MIN_POLL_MS, MAX_POLL_MS));
    }
  }

  private static void deployAll(Plant plant, List<SimulatedAgent> agents, int systems)
      throws Exception {
    var next = new AtomicInteger();
    List<Future<?>> authors = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < AUTHORS; i++) {
        authors.add(
            threads.submit(
                () -> {
                  for (int one = next.getAndIncrement();
                      one < agents.size() * systems;
                      one = next.getAndIncrement()) {
                    var _ =
                        deploy(plant, agents.get(one % agents.size()), "s" + one / agents.size());
                  }
                  return null;
                }));
      }
      for (Future<?> author : authors) {
        author.get();
      }
    }
  }

  /// Answered at the latest then: the clock is read after the answer.
  private static Deploy deploy(Plant plant, SimulatedAgent agent, String system)
      throws IOException {
    String path = "/agents/" + agent.name() + "/systems/" + system;
    plant.api().put(path, Configurations.readable("http://erp.example:8080"));
    plant.api().post(path + "/deploy", PublicApi.object());
    return new Deploy(agent, system, System.currentTimeMillis());
  }

  private static boolean nothingWaits(Plant plant, int agents) throws IOException {
    int done = 0;
    for (JsonNode agent : plant.api().get("/agents")) {
      if (agent.path("undelivered").asInt(-1) == 0) {
        done++;
      }
    }
    return done >= agents;
  }

  /// One deploy after the other, each of another agent, of which each has one; the broker's own
  /// clock says when it recorded the receipt, and the machine is the same.
  private static void latency(Plant plant, Fleet fleet, Scale scale) throws Exception {
    List<Deploy> deploys = new ArrayList<>();
    List<SimulatedAgent> agents = fleet.agents();
    for (int i = 0; i < Math.min(scale.lightDeploys(), agents.size()); i++) {
      deploys.add(deploy(plant, agents.get(i), "light"));
      TimeUnit.MILLISECONDS.sleep(scale.pauseMs());
    }
    plant.await("every deploy is recorded", () -> nothingWaits(plant, scale.agents()));
    List<Long> millis = new ArrayList<>();
    for (Deploy deploy : deploys) {
      JsonNode events =
          plant
              .api()
              .get(
                  "/audit?event_type=system.applied&limit=10&resource_id="
                      + deploy.agent().name()
                      + "/"
                      + deploy.system());
      assertThat(events).isNotEmpty();
      millis.add(
          Instant.parse(events.get(events.size() - 1).path("timestamp").asText()).toEpochMilli()
              - deploy.answeredAtMs());
    }
    millis.sort(null);
    System.out.printf(
        "from the deploy's answer to the recorded receipt, %d deploys: p50 %d ms, p90 %d ms, p99 %d"
            + " ms, most %d ms (below zero: recorded before the answer was read)%n",
        millis.size(), at(millis, 50), at(millis, 90), at(millis, 99), millis.getLast());
  }

  private static long at(List<Long> sorted, int percent) {
    return sorted.get(Math.min(sorted.size() - 1, sorted.size() * percent / 100));
  }

  private static double secondsSince(long start) {
    return (System.nanoTime() - start) / 1e9;
  }
}
