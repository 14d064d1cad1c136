package io.penstock.agent.config;

import io.penstock.codec.message.ControlMessage.State;
import io.penstock.codec.seal.HeldVersion;
import java.util.Optional;

/// How one deployed system fares, for health, metrics and the broker.
///
/// @param held the version that runs, or that failed or waits where none runs
/// @param problem the last refusal, of this version or of a newer one; no secret is in it
public record SystemStatus(String system, HeldVersion held, State state, Optional<String> problem) {

  SystemStatus withProblem(String text) {
    return new SystemStatus(system, held, state, Optional.of(text));
  }
}
