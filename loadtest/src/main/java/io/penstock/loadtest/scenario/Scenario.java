package io.penstock.loadtest.scenario;

import io.penstock.loadtest.engine.Flow;
import io.penstock.loadtest.network.Network;
import io.penstock.loadtest.watch.GrowthLimits;
import java.time.Duration;
import java.util.ArrayList;
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
/// @param fleet of simulated agents that stay connected
/// @param growth of broker and agent that may be; empty = not looked at
public record Scenario(
    String name,
    String description,
    List<TargetName> targets,
    Duration warmup,
    Duration duration,
    int turns,
    int threads,
    List<Flow> flows,
    Optional<Storm> storm,
    Optional<StandingFleet> fleet,
    Optional<GrowthLimits> growth) {
  public Scenario {
    targets = List.copyOf(targets);
    flows = List.copyOf(flows);
  }

  /// Where a scenario's requests go.
  public sealed interface TargetName {
    /// Through the broker and agent that are started for the run.
    ///
    /// @param given line between the two; empty = the scenario's, or none
    record OwnTunnel(String name, Optional<Network> given) implements TargetName {
      static final String USUAL_NAME = "penstock";

      /// With nothing of its own between the two.
      static OwnTunnel usual() {
        return new OwnTunnel(USUAL_NAME, Optional.empty());
      }

      Network line() {
        return given.orElse(Network.NONE);
      }
    }

    /// Through the broker to the simulated agents that are connected during the whole run.
    ///
    /// @param given line between them and the broker; empty = the scenario's, or none
    record OwnFleet(Optional<Network> given) implements TargetName {
      static final String NAME = "fleet";

      Network line() {
        return given.orElse(Network.NONE);
      }
    }

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
        storm,
        fleet,
        growth);
  }

  public Scenario at(List<TargetName> others) {
    return new Scenario(
        name, description, others, warmup, duration, turns, threads, flows, storm, fleet, growth);
  }

  /// With this line between agents and broker, where targets have none of their own.
  public Scenario over(Network line) {
    List<TargetName> others = new ArrayList<>();
    for (TargetName target : targets) {
      others.add(
          switch (target) {
            case TargetName.OwnTunnel own when own.given().isEmpty() ->
                new TargetName.OwnTunnel(own.name(), Optional.of(line));
            case TargetName.OwnFleet own when own.given().isEmpty() ->
                new TargetName.OwnFleet(Optional.of(line));
            default -> target;
          });
    }
    return at(others);
  }

  /// Whether any of its targets is reached over a line that is not as short as it can be.
  public boolean hasLines() {
    return targets.stream().flatMap(target -> line(target).stream()).anyMatch(it -> !it.isNone());
  }

  /// Between agents and broker; empty = they are not this run's.
  static Optional<Network> line(TargetName target) {
    return switch (target) {
      case TargetName.OwnTunnel own -> Optional.of(own.line());
      case TargetName.OwnFleet own -> Optional.of(own.line());
      case TargetName.OwnOrigin _, TargetName.Url _ -> Optional.empty();
    };
  }

  /// With another number of simulated agents; empty if it has none.
  public Optional<Scenario> withAgents(int agents) {
    if (storm.isEmpty() && fleet.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        new Scenario(
            name,
            description,
            targets,
            warmup,
            duration,
            turns,
            threads,
            flows,
            storm.map(it -> it.of(agents)),
            fleet.map(it -> it.of(agents)),
            growth));
  }

  /// Whether simulated agents belong to it, which need a broker of the run's own.
  public boolean hasAgents() {
    return storm.isPresent() || fleet.isPresent();
  }

  /// Whether a broker of its own has to be started.
  public boolean needsInstallation() {
    return hasAgents() || targets.stream().anyMatch(target -> !(target instanceof TargetName.Url));
  }
}
