package io.penstock.loadtest.scenario;

import java.io.IOException;

/// What happens to the agents of a storm. On the run's thread.
interface StormEvent {
  /// Returns what [#happen] has to find. Not measured.
  void beforeTurn() throws IOException;

  /// To its end.
  void happen(StormTurn turn) throws IOException, InterruptedException;

  /// What has to be asked for the figures and was not while it was measured.
  default void settle(StormTurn turn) throws IOException, InterruptedException {
    // Most know all by then.
  }

  /// What readers have to know about the figures.
  String remark();
}
