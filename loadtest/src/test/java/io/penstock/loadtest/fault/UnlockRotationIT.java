package io.penstock.loadtest.fault;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The unlock secret changes at each login; a death at any moment of that must not lock the agent
/// out, and only a copy may look like a copy.
@Timeout(900)
class UnlockRotationIT {
  private static final List<String> PLACES =
      List.of(
          "unlock-before-next-written",
          "unlock-after-next-written",
          "unlock-after-next-sent",
          "unlock-after-stored",
          "unlock-after-switch",
          "unlock-after-commit");

  @TempDir Path directory;

  @Test
  void anAgentThatDiesAnywhereInTheRotationComesBackAndACopyOfItDoesNot() throws Exception {
    try (Plant plant = Plant.open(directory)) {
      PenstockProcess agent = plant.enroll();
      agent.kill();
      agent.awaitExit(Plant.PATIENCE);
      for (String place : PLACES) {
        diesAt(plant, place);
        servesAgain(plant, place);
      }
      aCopyIsFoundOut(plant);
    }
  }

  private static void diesAt(Plant plant, String place) throws IOException {
    PenstockProcess dying =
        plant.start(plant.known(plant.agentData()).property("penstock.failpoint", place));
    assertThat(dying.awaitExit(Plant.PATIENCE)).as(place).isEqualTo(Plant.KILLED);
  }

  /// Ended by SIGKILL too: an orderly end must not be what saves the next start.
  private static void servesAgain(Plant plant, String place) throws IOException {
    PenstockProcess again = plant.start(plant.known(plant.agentData()));
    plant.awaitServing();
    assertThat(plant.alarms()).as(place).isEmpty();
    assertThat(plant.state()).as(place).isEqualTo("approved");
    again.kill();
    again.awaitExit(Plant.PATIENCE);
  }

  private void aCopyIsFoundOut(Plant plant) throws IOException {
    Path copy = directory.resolve("copy");
    copy(plant.agentData(), copy);
    servesAgain(plant, "the original, after it was copied");

    PenstockProcess copied = plant.start(plant.known(copy));
    plant.await("the copy raises the alarm", () -> plant.alarms().contains("agent-cloned"));

    assertThat(plant.state()).isEqualTo("quarantined");
    assertThat(plant.serves()).isFalse();
    copied.kill();
  }

  static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(from.relativize(file)), StandardCopyOption.COPY_ATTRIBUTES);
      }
    }
  }
}
