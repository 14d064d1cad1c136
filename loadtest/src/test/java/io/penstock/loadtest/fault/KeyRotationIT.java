package io.penstock.loadtest.fault;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.loadtest.client.Configurations;
import io.penstock.loadtest.client.PublicApi;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Every key of the owner is rotated under a plant that runs: one agent is connected all the time,
/// one is away, and one has only a token from before.
@Timeout(300)
class KeyRotationIT {
  private static final Duration DECIDED_WITHIN = Duration.ofSeconds(60);
  private static final String AWAY = "plant-2";
  private static final String NEWCOMER = "plant-3";
  private static final String PASSWORD = "password-of-the-ledger-41220";
  private static final String USER = "cloud";

  @TempDir Path directory;

  @Test
  void nobodyIsLeftBehindWhenEveryKeyIsRotatedAndTheBrokerIsKilledInBetween() throws Exception {
    try (Plant plant = Plant.withBrokerDyingAt(directory, "kek-after-agent")) {
      PenstockProcess connected = plant.start(plant.newcomer(plant.createToken()));
      plant.approve(connected);
      PenstockProcess away =
          plant.start(plant.bare(AWAY, Optional.of(tokenFile(plant, AWAY, "hamburg"))));
      plant.approve(AWAY, away);
      plant.grant("berlin/*", "hamburg/*");
      plant.awaitServing();
      plant.erp().logins().set(USER, PASSWORD);
      deploy(plant, Plant.AGENT);
      deploy(plant, AWAY);
      Path oldToken = tokenFile(plant, NEWCOMER, "lyon");
      away.kill();
      away.awaitExit(Plant.PATIENCE);

      killDuringKekRotation(plant);
      for (String use :
          List.of(
              "root",
              "node-issuer",
              "record",
              "configuration",
              "checkpoint",
              "jwt",
              "enroll-root",
              "root")) {
        rotate(plant, use);
      }

      // Of the agent that was there all the time.
      plant.await("the old keys are announced to it", () -> saysNewKeys(connected));
      plant.awaitServing();
      deploy(plant, Plant.AGENT);
      assertThat(status(plant, "/berlin/ledger/ledger")).isEqualTo(200);

      // Of the agent that was away during all of it.
      plant.start(plant.bare(AWAY, Optional.empty()).named("plant-2-again"));
      plant.await(
          "it serves its system again", () -> status(plant, "/hamburg/ledger/ledger") == 200);
      deploy(plant, AWAY);
      assertThat(status(plant, "/hamburg/ledger/ledger")).isEqualTo(200);

      // Of the agent that comes with a token from before.
      PenstockProcess newcomer = plant.start(plant.bare(NEWCOMER, Optional.of(oldToken)));
      plant.approve(NEWCOMER, newcomer);
      plant.await(
          "it is admitted",
          () -> plant.api().get("/agents/" + NEWCOMER).path("online").asBoolean());

      assertThat(plant.alarms()).isEmpty();
    }
  }

  /// The first agent's bundle is wrapped anew when the broker dies; its next start does the rest.
  private static void killDuringKekRotation(Plant plant) throws IOException {
    try {
      rotate(plant, "kek");
    } catch (IOException answerLost) {
      // It may die before it answers.
    }
    assertThat(plant.broker().awaitExit(Plant.PATIENCE)).isEqualTo(Plant.KILLED);
    plant.restartBroker();
    plant.await("the broker is ready", plant.api()::isReady);
    plant.signIn();
    assertThat(states(plant, "kek")).contains("signing").hasSize(2);
    plant.await("nothing is wrapped by the old kek", () -> !isBehind(plant));
  }

  private static boolean isBehind(Plant plant) throws IOException {
    for (JsonNode key : plant.api().get("/keys")) {
      for (JsonNode need : key.path("needed_by")) {
        if (key.path("use").asText().equals("kek")
            && (need.asText().contains("bundles") || need.asText().contains("settings"))) {
          return true;
        }
      }
    }
    return false;
  }

  private static List<String> states(Plant plant, String use) throws IOException {
    var states = new java.util.ArrayList<String>();
    for (JsonNode key : plant.api().get("/keys")) {
      if (key.path("use").asText().equals(use)) {
        states.add(key.path("state").asText());
      }
    }
    return states;
  }

  private static void rotate(Plant plant, String use) throws IOException {
    plant.api().post("/keys/rotate", PublicApi.object().put("use", use));
  }

  private static boolean saysNewKeys(PenstockProcess agent) {
    return agent.logTail(200).stream().anyMatch(line -> line.contains("the owner's keys are"));
  }

  private static Path tokenFile(Plant plant, String agent, String site) throws IOException {
    Path file = plant.logs().resolveSibling(agent + ".token");
    Plant.writePrivate(file, plant.createToken(agent, site) + "\n");
    return file;
  }

  private static void deploy(Plant plant, String agent) throws IOException, InterruptedException {
    ObjectNode settings = PublicApi.object().put("base_url", plant.erp().url()).put("user", USER);
    ObjectNode rule = settings.putArray("allow").addObject();
    rule.putArray("methods").add("GET");
    rule.putArray("paths").add("/ledger");
    Configurations configurations = plant.configurations();
    configurations.put(
        configurations.recordOf(agent), "ledger", "http", settings, Map.of("password", PASSWORD));
    configurations.deploy(agent, "ledger");
    JsonNode decided = configurations.awaitDecision(agent, "ledger", DECIDED_WITHIN);
    assertThat(decided.path("state").asText()).as("%s", decided).isEqualTo("applied");
  }

  private static int status(Plant plant, String path) throws IOException {
    HttpResponse<InputStream> answer =
        plant.api().invoke(plant.serviceToken(), "GET", path, BodyPublishers.noBody());
    answer.body().close();
    return answer.statusCode();
  }
}
