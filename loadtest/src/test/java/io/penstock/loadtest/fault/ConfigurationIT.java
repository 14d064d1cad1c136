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
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Sealed configuration from end to end: written and sealed by an engineer's program, deployed,
/// applied by an agent, and used by calls.
@Timeout(600)
class ConfigurationIT {
  private static final Duration DECIDED_WITHIN = Duration.ofSeconds(60);
  private static final Duration SERVES_AGAIN_WITHIN = Duration.ofSeconds(3);
  private static final String PASSWORD = "canary-password-of-the-ledger-77130";
  private static final String USER = "cloud";
  private static final int SYSTEMS = 5;

  @TempDir static Path sharedDirectory;
  private static Plant plant;
  private static PenstockProcess agent;

  @BeforeAll
  static void openPlant() throws IOException {
    plant = Plant.open(sharedDirectory);
    agent = plant.enroll();
    plant.erp().logins().set(USER, PASSWORD);
  }

  @AfterAll
  static void closePlant() {
    plant.close();
  }

  /// With a plant of its own: what is searched is what it leaves behind.
  @Test
  void aSealedPasswordReachesTheSystemAndNobodyElseEverHasIt(@TempDir Path directory)
      throws Exception {
    Path brokerHeap = directory.resolve("broker.hprof");
    Path agentHeap = directory.resolve("agent.hprof");
    try (Plant plant = Plant.open(directory)) {
      PenstockProcess agent = plant.enroll();
      plant.erp().logins().set(USER, PASSWORD);
      deployLedger(plant, "ledger", settings(plant));

      assertThat(status(plant, "ledger", "/ledger")).isEqualTo(200);
      SecretSearch.dumpHeap(plant.broker(), brokerHeap);
      SecretSearch.dumpHeap(agent, agentHeap);
    }
    // The control: where it has to be, the search finds it.
    assertThat(SecretSearch.contains(agentHeap, PASSWORD)).isTrue();
    Files.delete(agentHeap);
    assertThat(SecretSearch.filesWith(directory, PASSWORD)).isEmpty();
  }

  @Test
  void anAgentWithAnEmptyMemoryServesEverySystemAgainAtOnce() throws Exception {
    for (int i = 0; i < SYSTEMS; i++) {
      deployLedger(plant, "ledger-" + i, settings(plant));
    }
    agent.kill();
    agent.awaitExit(Plant.PATIENCE);

    agent = plant.start(plant.known(plant.agentData()).named("agent-again"));
    PenstockProcess again = agent;
    plant.await("the agent is admitted", () -> hasLogged(again, "session epoch"));
    long admitted = System.nanoTime();
    plant.await("every system serves", () -> allServe(plant));
    Duration took = Duration.ofNanos(System.nanoTime() - admitted);

    System.out.println(SYSTEMS + " systems served " + took.toMillis() + " ms after ADMITTED");
    assertThat(took).isLessThan(SERVES_AGAIN_WITHIN);
    assertThat(plant.alarms()).isEmpty();
  }

  @Test
  void aBadDeployLeavesTheOldVersionAndTheOtherSystemsServing() throws Exception {
    deployLedger(plant, "ledger", settings(plant));
    deployLedger(plant, "other", settings(plant));
    Configurations configurations = plant.configurations();
    configurations.put(
        configurations.recordOf(Plant.AGENT),
        "ledger",
        "http",
        settings(plant),
        Map.of("password", "${secret:nobody-keeps-this}"));

    configurations.deploy(Plant.AGENT, "ledger");
    JsonNode decided = configurations.awaitDecision(Plant.AGENT, "ledger", DECIDED_WITHIN);

    assertThat(decided.path("state").asText()).isEqualTo("refused");
    assertThat(decided.at("/last_receipt/reason").asText()).isEqualTo("missing-secret-reference");
    assertThat(decided.at("/last_receipt/detail").asText()).contains("nobody-keeps-this");
    assertThat(status(plant, "ledger", "/ledger")).isEqualTo(200);
    assertThat(status(plant, "other", "/ledger")).isEqualTo(200);

    plant.api().post("/agents/" + Plant.AGENT + "/disconnect", PublicApi.object());
    plant.awaitServing();
    assertThat(status(plant, "ledger", "/ledger")).isEqualTo(200);
    assertThat(status(plant, "other", "/ledger")).isEqualTo(200);
  }

  @Test
  void aStreamThatRunsDuringADeployFinishesAndTheNextOneSeesTheNewConfiguration() throws Exception {
    deploy(plant, "reports", settings(plant, "/slow-body"));
    HttpResponse<InputStream> running =
        plant
            .api()
            .invoke(
                plant.serviceToken(),
                "GET",
                "/berlin/reports/slow-body?ms=100&chunks=60",
                BodyPublishers.noBody());
    assertThat(running.body().read()).isPositive();
    CompletableFuture<Integer> rest = CompletableFuture.supplyAsync(() -> lines(running.body()));

    deploy(plant, "reports", settings(plant, "/1k"));

    assertThat(rest).isNotDone();
    assertThat(status(plant, "reports", "/1k")).isEqualTo(200);
    assertThat(status(plant, "reports", "/slow-body?chunks=1")).isEqualTo(403);
    assertThat(rest.get(60, TimeUnit.SECONDS)).isEqualTo(60);
  }

  private static ObjectNode settings(Plant plant) {
    return settings(plant, "/ledger").put("user", USER);
  }

  private static ObjectNode settings(Plant plant, String path) {
    ObjectNode settings = PublicApi.object().put("base_url", plant.erp().url());
    ObjectNode rule = settings.putArray("allow").addObject();
    rule.putArray("methods").add("GET");
    rule.putArray("paths").add(path);
    return settings;
  }

  private static void deployLedger(Plant plant, String system, ObjectNode settings)
      throws IOException, InterruptedException {
    deploy(plant, system, settings, Map.of("password", PASSWORD));
  }

  private static void deploy(Plant plant, String system, ObjectNode settings)
      throws IOException, InterruptedException {
    deploy(plant, system, settings, Map.of());
  }

  private static void deploy(
      Plant plant, String system, ObjectNode settings, Map<String, String> secrets)
      throws IOException, InterruptedException {
    Configurations configurations = plant.configurations();
    AgentRecord to = configurations.recordOf(Plant.AGENT);
    configurations.put(to, system, "http", settings, secrets);
    configurations.deploy(Plant.AGENT, system);
    JsonNode decided = configurations.awaitDecision(Plant.AGENT, system, DECIDED_WITHIN);
    assertThat(decided.path("state").asText()).as("%s", decided).isEqualTo("applied");
  }

  private static int status(Plant plant, String system, String path) throws IOException {
    HttpResponse<InputStream> answer =
        plant
            .api()
            .invoke(
                plant.serviceToken(), "GET", "/berlin/" + system + path, BodyPublishers.noBody());
    answer.body().close();
    return answer.statusCode();
  }

  private static boolean allServe(Plant plant) throws IOException {
    for (int i = 0; i < SYSTEMS; i++) {
      if (status(plant, "ledger-" + i, "/ledger") != 200) {
        return false;
      }
    }
    return true;
  }

  private static boolean hasLogged(PenstockProcess process, String word) {
    return process.lines().stream().anyMatch(line -> line.contains(word))
        || process.logTail(200).stream().anyMatch(line -> line.contains(word));
  }

  private static int lines(InputStream body) {
    try (body) {
      return (int) new String(body.readAllBytes(), StandardCharsets.UTF_8).lines().count();
    } catch (IOException cut) {
      return -1;
    }
  }
}
