package io.penstock.loadtest.fault;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// One token, and more agents that hold it than there should be.
@Tag("slow")
@Timeout(900)
class EnrollmentRaceIT {
  private static final int AGENTS = 50;
  private static final int AT_ONCE = 10;
  private static final int REFUSED_FOR_GOOD = 4;

  @TempDir Path directory;

  @Test
  void ofFiftyAgentsWithOneTokenOneWaitsForApprovalAndTheOthersAreRefused() throws Exception {
    try (Plant plant = Plant.open(directory)) {
      Path token = plant.tokenFile(plant.createToken());
      // Nobody is served before all are there.
      plant.broker().freeze();
      List<PenstockProcess> agents = startInBatches(plant, token);
      long start = System.nanoTime();
      plant.broker().thaw();

      plant.await("all but one have ended", () -> running(agents).size() <= 1);
      long raceMs = (System.nanoTime() - start) / 1_000_000;

      assertThat(running(agents)).hasSize(1);
      PenstockProcess winner = running(agents).getFirst();
      for (PenstockProcess agent : agents) {
        if (agent != winner) {
          assertThat(agent.awaitExit(Plant.PATIENCE))
              .as("%s: %s", agent.name(), agent.logTail(5))
              .isEqualTo(REFUSED_FOR_GOOD);
        }
      }
      JsonNode all = plant.api().get("/agents");
      assertThat(all.findValuesAsText("id")).containsExactly(Plant.AGENT);
      assertThat(plant.state()).isEqualTo("pending");
      JsonNode alarms = plant.api().get("/alarms");
      System.out.printf(
          "%d agents, one token: %d refused within %d ms; alarms %s%n",
          AGENTS, AGENTS - 1, raceMs, alarms);
      assertThat(plant.alarms()).containsExactly("token-reused");

      plant.approve(winner);
      plant.grant();
      plant.awaitServing();
    }
  }

  /// The machine has fewer processors than there are agents.
  private static List<PenstockProcess> startInBatches(Plant plant, Path token) throws IOException {
    List<PenstockProcess> agents = new ArrayList<>();
    for (int i = 0; i < AGENTS; i++) {
      Launch launch =
          plant
              .newcomer("racer-" + i, token)
              .heap("48m")
              .option("-XX:TieredStopAtLevel=1")
              .option("-XX:+UseSerialGC");
      agents.add(plant.start(launch));
      if (agents.size() % AT_ONCE == 0) {
        plant.await("a batch is up", () -> agents.stream().allMatch(EnrollmentRaceIT::hasLogged));
      }
    }
    return agents;
  }

  private static boolean hasLogged(PenstockProcess agent) {
    try {
      return Files.size(agent.log()) > 0;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<PenstockProcess> running(List<PenstockProcess> agents) {
    return agents.stream().filter(PenstockProcess::isAlive).toList();
  }
}
