package io.penstock.loadtest.fault;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.codec.seal.AgentRecord;
import io.penstock.loadtest.client.Configurations;
import io.penstock.loadtest.client.PublicApi;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// An agent gets new sealing and signing keys while it serves: no call is cut, what was sealed to
/// the old key goes on, and a process without memory comes back with the new ones.
@Timeout(300)
class IdentityRotationIT {
  private static final Duration DECIDED_WITHIN = Duration.ofSeconds(60);
  private static final String USER = "cloud";
  private static final String PASSWORD = "password-that-outlives-its-keys";

  @TempDir Path directory;

  @Test
  void anAgentGetsNewKeysWhileItServes() throws Exception {
    try (Plant plant = Plant.open(directory)) {
      PenstockProcess agent = plant.enroll();
      plant.erp().logins().set(USER, PASSWORD);
      deploy(plant, "ledger", "/ledger");
      AgentRecord before = plant.configurations().recordOf(Plant.AGENT);
      HttpResponse<InputStream> running = invoke(plant, "erp", "/slow-body?ms=100&chunks=60");
      assertThat(running.body().read()).isPositive();
      CompletableFuture<Integer> rest = CompletableFuture.supplyAsync(() -> lines(running.body()));

      rotateKeys(plant);
      plant.await(
          "the record names new keys",
          () -> !recordOf(plant).signingPublic().equals(before.signingPublic()));

      AgentRecord after = recordOf(plant);
      assertThat(after.sealingPublic()).isNotEqualTo(before.sealingPublic());
      assertThat(after.fingerprint()).isEqualTo(before.fingerprint());
      assertThat(rest.get(60, TimeUnit.SECONDS)).isEqualTo(60);
      assertThat(status(plant, "ledger")).isEqualTo(200);
      plant.await(
          "what runs is wrapped to the new key", () -> audited(plant, "system.rewrapped") == 1);
      deploy(plant, "after", "/ledger");
      assertThat(status(plant, "after")).isEqualTo(200);

      agent.kill();
      agent.awaitExit(Plant.PATIENCE);
      plant.start(plant.known(plant.agentData()).named("agent-again"));
      plant.await(
          "both systems serve again",
          () -> status(plant, "ledger") == 200 && status(plant, "after") == 200);
      assertThat(recordOf(plant)).isEqualTo(after);
      assertThat(plant.alarms()).isEmpty();
    }
  }

  private static void rotateKeys(Plant plant) throws IOException {
    plant
        .api()
        .post(
            "/agents/" + Plant.AGENT + "/instructions",
            PublicApi.object().put("kind", "rotate-keys"));
  }

  private static AgentRecord recordOf(Plant plant) throws IOException {
    return plant.configurations().recordOf(Plant.AGENT);
  }

  private static long audited(Plant plant, String type) throws IOException {
    return plant.api().get("/audit?event_type=" + type + "&limit=10").size();
  }

  private static void deploy(Plant plant, String system, String path)
      throws IOException, InterruptedException {
    ObjectNode settings = PublicApi.object().put("base_url", plant.erp().url()).put("user", USER);
    ObjectNode rule = settings.putArray("allow").addObject();
    rule.putArray("methods").add("GET");
    rule.putArray("paths").add(path);
    Configurations configurations = plant.configurations();
    configurations.put(
        configurations.recordOf(Plant.AGENT),
        system,
        "http",
        settings,
        Map.of("password", PASSWORD));
    configurations.deploy(Plant.AGENT, system);
    JsonNode decided = configurations.awaitDecision(Plant.AGENT, system, DECIDED_WITHIN);
    assertThat(decided.path("state").asText()).as("%s", decided).isEqualTo("applied");
  }

  private static HttpResponse<InputStream> invoke(Plant plant, String system, String path)
      throws IOException {
    return plant
        .api()
        .invoke(plant.serviceToken(), "GET", "/berlin/" + system + path, BodyPublishers.noBody());
  }

  private static int status(Plant plant, String system) throws IOException {
    HttpResponse<InputStream> answer = invoke(plant, system, "/ledger");
    answer.body().close();
    return answer.statusCode();
  }

  private static int lines(InputStream body) {
    try (body) {
      return (int) new String(body.readAllBytes(), StandardCharsets.UTF_8).lines().count();
    } catch (IOException cut) {
      return -1;
    }
  }
}
