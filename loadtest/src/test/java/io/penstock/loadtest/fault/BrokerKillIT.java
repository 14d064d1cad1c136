package io.penstock.loadtest.fault;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(900)
class BrokerKillIT {
  @TempDir Path directory;

  /// The embedded Postgres outlives its broker; the next one must not stumble over it.
  @Test
  void aKilledBrokerStartsAtOnceOnTheSameDataAndTheAgentComesBackByItself() throws Exception {
    try (Plant plant = Plant.open(directory)) {
      PenstockProcess agent = plant.enroll();
      plant.broker().kill();
      assertThat(plant.broker().awaitExit(Plant.PATIENCE)).isEqualTo(Plant.KILLED);

      plant.restartBroker();

      System.out.println("served " + plant.awaitServing() + " ms after the kill");
      assertThat(agent.isAlive()).isTrue();
      assertThat(plant.alarms()).isEmpty();
    }
  }
}
