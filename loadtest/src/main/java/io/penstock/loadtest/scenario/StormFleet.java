package io.penstock.loadtest.scenario;

import io.penstock.loadtest.fleet.BrokerEndpoint;
import io.penstock.loadtest.fleet.Fleet;
import io.penstock.loadtest.fleet.FleetEnrollment;
import io.penstock.loadtest.fleet.SimulatedAgent;
import io.penstock.loadtest.installation.Installation;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/// The simulated agents of a storm: those of now, as revoked ones are replaced.
final class StormFleet implements AutoCloseable {
  private static final int ENROLL_AT_ONCE = 16;

  private final Fleet fleet;
  private final FleetEnrollment enrollment;
  private final int size;
  private final Consumer<String> say;
  private List<SimulatedAgent> agents = List.of();
  private int created;

  StormFleet(Installation installation, int size, Consumer<String> say) throws IOException {
    var endpoint =
        BrokerEndpoint.of(
            installation.agentsUrl(), installation.caFile(), installation.rootSha256());
    fleet = Fleet.of(endpoint, 1);
    enrollment = new FleetEnrollment(installation.api(), ENROLL_AT_ONCE);
    this.size = size;
    this.say = say;
  }

  List<SimulatedAgent> agents() {
    return agents;
  }

  /// Enrolls and approves others in place of the ones of now, which takes a while; afterwards they
  /// are offline.
  void enroll() throws IOException {
    List<SimulatedAgent> others = new ArrayList<>();
    for (int i = 0; i < size; i++) {
      others.add(fleet.create("sim-" + created++));
    }
    say.accept("enrolling " + size + " simulated agents");
    enrollment.enroll(others);
    agents = List.copyOf(others);
  }

  void connect() throws IOException {
    enrollment.connect(agents);
  }

  List<Long> threadIds() {
    return fleet.threadIds();
  }

  /// Receipts that they gave to their sessions so far.
  long receipts() {
    return fleet.counters().receipts();
  }

  @Override
  public void close() {
    fleet.close();
  }
}
