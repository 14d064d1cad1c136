package io.penstock.loadtest.scenario;

import io.penstock.loadtest.engine.Flow;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// What to measure.
///
/// @param targets take turns; the first is what the others are compared with
/// @param warmup of each target before its first turn, not recorded
/// @param duration of one turn
/// @param turns of each target
/// @param threads event loops of the generator
/// @param flows all at once
/// @param storm of simulated agents, beside the flows
public record Scenario(
    String name,
    String description,
    List<TargetName> targets,
    Duration warmup,
    Duration duration,
    int turns,
    int threads,
    List<Flow> flows,
    Optional<Storm> storm) {
  public Scenario {
    targets = List.copyOf(targets);
    flows = List.copyOf(flows);
  }

  /// Where a scenario's requests go.
  public sealed interface TargetName {
    /// Through the broker and agent that are started for the run.
    record OwnTunnel() implements TargetName {}

    /// The example ERP of that installation, without Penstock.
    record OwnOrigin() implements TargetName {}

    /// Anything that speaks HTTP/1.1.
    ///
    /// @param caFile empty = what the JDK trusts
    record Url(String name, String url, String caFile, boolean insecure) implements TargetName {}
  }

  /// With what the command line says instead.
  public Scenario with(
      Optional<Duration> otherWarmup,
      Optional<Duration> otherDuration,
      Optional<Integer> otherTurns) {
    return new Scenario(
        name,
        description,
        targets,
        otherWarmup.orElse(warmup),
        otherDuration.orElse(duration),
        otherTurns.orElse(turns),
        threads,
        flows,
        storm);
  }

  public Scenario at(List<TargetName> others) {
    return new Scenario(name, description, others, warmup, duration, turns, threads, flows, storm);
  }

  /// Whether a broker of its own has to be started.
  boolean needsInstallation() {
    return storm.isPresent()
        || targets.stream().anyMatch(target -> !(target instanceof TargetName.Url));
  }
}
