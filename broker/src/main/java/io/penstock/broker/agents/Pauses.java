package io.penstock.broker.agents;

import java.time.Duration;

/// Waiting, as refusals do it. A test gives one that only notes how long.
interface Pauses {
  void pause(Duration duration);

  Pauses REAL =
      duration -> {
        try {
          Thread.sleep(duration);
        } catch (InterruptedException _) {
          Thread.currentThread().interrupt();
        }
      };
}
