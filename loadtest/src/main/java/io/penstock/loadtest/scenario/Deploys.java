package io.penstock.loadtest.scenario;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.loadtest.client.PublicApi;
import io.penstock.loadtest.fleet.SimulatedAgent;
import io.penstock.loadtest.installation.Installation;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
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
  private static final Duration LOOK_AGAIN = Duration.ofMillis(250);
  private static final Duration PATIENCE = Duration.ofMinutes(1);

  private final Storm storm;
  private final PublicApi api;
  private final StormFleet fleet;
  private final ConcurrentMap<SimulatedAgent, Long> versions = new ConcurrentHashMap<>();

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
      versions.put(agent, api.put(path(agent), version()).path("version").asLong());
    }
  }

  private static ObjectNode version() {
    ObjectNode settings = PublicApi.object().put("base_url", "http://erp.example:8080");
    ObjectNode rule = settings.putArray("allow").addObject();
    rule.putArray("methods").add("GET");
    rule.putArray("paths").add("/**");
    ObjectNode body = PublicApi.object().put("plugin", "http");
    body.set("settings", settings);
    body.putArray("secret_names");
    body.putNull("sealed");
    return body;
  }

  private static String path(SimulatedAgent agent) {
    return "/agents/" + agent.name() + "/systems/" + SYSTEM;
  }

  @Override
  public void happen(StormTurn turn) throws IOException, InterruptedException {
    Queue<Deploy> deploys = new ConcurrentLinkedQueue<>();
    try (var calls = new StormCalls(turn, storm)) {
      calls.each((agent, intended) -> deploys.add(deploy(turn, agent, intended)));
      turn.await();
    }
    awaitReceipts(deploys);
    for (Deploy deploy : deploys) {
      Optional<Instant> recorded = recorded(deploy);
      if (recorded.isPresent()) {
        long end = Math.max(deploy.answered(), turn.at(recorded.get()));
        turn.answered(deploy.intended(), deploy.answered(), end);
      } else {
        turn.failed("no receipt was recorded", deploy.intended());
      }
    }
  }

  /// The clock is read after the answer.
  private Deploy deploy(StormTurn turn, SimulatedAgent agent, long intended) throws IOException {
    api.post(path(agent) + "/deploy", PublicApi.object());
    return new Deploy(agent, versions.getOrDefault(agent, 0L), intended, turn.now());
  }

  /// Until nothing waits for a receipt, or it is too late for one.
  private void awaitReceipts(Queue<Deploy> deploys) throws IOException, InterruptedException {
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
      if (event.path("changes").path("version").asLong() == deploy.version()) {
        return Optional.of(Instant.parse(event.path("timestamp").asText()));
      }
    }
    return Optional.empty();
  }

  @Override
  public String remark() {
    return "agents: response time counts from the intended deploy to its signed receipt in the"
        + " broker's database, by the broker's clock, which shows milliseconds; service time from"
        + " the API's answer";
  }
}
