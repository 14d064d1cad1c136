package io.penstock.loadtest.fault;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A token is for one use, and a use that a crash cut short goes on where it was.
@Timeout(900)
class EnrollmentCrashIT {
  @TempDir Path directory;

  @Test
  void anAgentThatDiesAfterItsProofEnrollsWithTheSameToken() throws Exception {
    try (Plant plant = Plant.open(directory)) {
      Launch newcomer = plant.newcomer(plant.createToken());
      PenstockProcess dying =
          plant.start(newcomer.property("penstock.failpoint", "enroll-after-message-3"));
      assertThat(dying.awaitExit(Plant.PATIENCE)).isEqualTo(Plant.KILLED);

      PenstockProcess again = plant.start(newcomer);

      finishes(plant, again);
    }
  }

  @Test
  void aBrokerThatDiesBetweenCommitAndAnswerTakesTheRetry() throws Exception {
    try (Plant plant = Plant.withBrokerDyingAt(directory, "enroll-after-commit")) {
      PenstockProcess agent = plant.start(plant.newcomer(plant.createToken()));
      assertThat(plant.broker().awaitExit(Plant.PATIENCE)).isEqualTo(Plant.KILLED);
      assertThat(agent.isAlive()).isTrue();

      plant.restartBroker();
      plant.await("the broker is ready again", plant.api()::isReady);

      finishes(plant, agent);
    }
  }

  private static void finishes(Plant plant, PenstockProcess agent) throws Exception {
    plant.await("pending", () -> plant.api().get("/agents").findValuesAsText("id").size() == 1);
    assertThat(plant.state()).isEqualTo("pending");
    plant.approve(agent);
    plant.grant();
    plant.awaitServing();
    assertThat(plant.alarms()).isEmpty();
  }
}
