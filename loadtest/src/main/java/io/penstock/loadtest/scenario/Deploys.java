package io.penstock.loadtest.scenario;

import com.fasterxml.jackson.databind.JsonNode;
import io.penstock.loadtest.client.AppliedEvent;
import io.penstock.loadtest.client.Configurations;
import io.penstock.loadtest.client.PublicApi;
import io.penstock.loadtest.fleet.SimulatedAgent;
import io.penstock.loadtest.installation.Installation;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentMap;
import java.util.stream.Collectors;

/// A change for each agent: a version that was written before is deployed, and the agent's signed
/// receipt for it is recorded by the broker, whose audit trail dates that.
final class Deploys implements StormEvent {
  private static final String SYSTEM = "storm";

  /// Simulated agents call nobody.
  private static final String ERP = "http://erp.example:8080";

  private static final Duration LOOK_AGAIN = Duration.ofMillis(250);
  private static final Duration PATIENCE = Duration.ofMinutes(1);

  private final Storm storm;
  private final PublicApi api;
  private final StormFleet fleet;
  private final ConcurrentMap<SimulatedAgent, Long> versions = new ConcurrentHashMap<>();
  private List<Deploy> happened = List.of();
  private long early;

  /// One that the API has answered.
  private record Deploy(SimulatedAgent agent, long version, long intended, long answered) {}

  Deploys(Storm storm, Installation installation, StormFleet fleet) {
    this.storm = storm;
    api = installation.api();
    this.fleet = fleet;
  }

  /// All are connected, and each has a new version that is not deployed.
  @Override
  public void beforeTurn() throws IOException {
    fleet.connect();
    for (SimulatedAgent agent : fleet.agents()) {
      versions.put(
          agent, api.put(path(agent), Configurations.readable(ERP)).path("version").asLong());
    }
  }

  private static String path(SimulatedAgent agent) {
    return "/agents/" + agent.name() + "/systems/" + SYSTEM;
  }

  @Override
  public void happen(StormTurn turn) throws IOException, InterruptedException {
    long before = fleet.receipts();
    Queue<Deploy> deploys = new ConcurrentLinkedQueue<>();
    try (var calls = new StormCalls(turn, storm)) {
      calls.each((agent, intended) -> deploys.add(deploy(turn, agent, intended)));
      turn.await();
    }
    awaitReceipts(before + deploys.size(), deploys);
    happened = List.copyOf(deploys);
  }

  /// The audit trail is read where it is no load on what is measured.
  @Override
  public void settle(StormTurn turn) throws IOException, InterruptedException {
    awaitNothingWaits(happened);
    for (Deploy deploy : happened) {
      Optional<Instant> recorded = recorded(deploy);
      if (recorded.isPresent()) {
        recorded(turn, deploy.intended(), deploy.answered(), turn.at(recorded.get()));
      } else {
        turn.failed("no receipt was recorded", deploy.intended());
      }
    }
  }

  /// A receipt may be there before the API's answer: then there was no service time.
  void recorded(StormTurn turn, long intended, long answered, long recorded) {
    if (recorded < answered) {
      early++;
    }
    turn.answered(intended, Math.min(answered, recorded), recorded);
  }

  /// The clock is read after the answer.
  private Deploy deploy(StormTurn turn, SimulatedAgent agent, long intended) throws IOException {
    api.post(path(agent) + "/deploy", PublicApi.object());
    return new Deploy(agent, versions.getOrDefault(agent, 0L), intended, turn.now());
  }

  /// Until all agents have sent theirs, which asks nobody, and the broker has the one of the last
  /// deploy; or it is too late for one.
  private void awaitReceipts(long all, Queue<Deploy> deploys)
      throws IOException, InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (fleet.receipts() < all && System.nanoTime() < end) {
      Thread.sleep(LOOK_AGAIN);
    }
    Optional<Deploy> last = deploys.stream().max(Comparator.comparingLong(Deploy::answered));
    while (last.isPresent() && waits(last.get()) && System.nanoTime() < end) {
      Thread.sleep(LOOK_AGAIN);
    }
  }

  private boolean waits(Deploy deploy) throws IOException {
    return api.get("/agents/" + deploy.agent().name()).path("undelivered").asInt(-1) != 0;
  }

  private void awaitNothingWaits(List<Deploy> deploys) throws IOException, InterruptedException {
    Set<String> names =
        deploys.stream().map(deploy -> deploy.agent().name()).collect(Collectors.toSet());
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (anythingWaits(names) && System.nanoTime() < end) {
      Thread.sleep(LOOK_AGAIN);
    }
  }

  private boolean anythingWaits(Set<String> names) throws IOException {
    for (JsonNode agent : api.get("/agents")) {
      if (names.contains(agent.path("id").asText()) && agent.path("undelivered").asInt(-1) != 0) {
        return true;
      }
    }
    return false;
  }

  private Optional<Instant> recorded(Deploy deploy) throws IOException {
    String query =
        "/audit?event_type=system.applied&limit=10&resource_id="
            + deploy.agent().name()
            + "/"
            + SYSTEM;
    for (JsonNode event : api.get(query)) {
      if (AppliedEvent.versions(event, SYSTEM).anyMatch(it -> it == deploy.version())) {
        return Optional.of(Instant.parse(event.path("timestamp").asText()));
      }
    }
    return Optional.empty();
  }

  @Override
  public String remark() {
    return "agents: response time counts from the intended deploy to its signed receipt in the"
        + " broker's database, written, not yet committed, by the broker's clock, which shows"
        + " milliseconds; service time from the API's answer, none for the "
        + early
        + " receipts that were written before it";
  }
}
