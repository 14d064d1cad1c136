package io.penstock.loadtest.scenario;

import io.penstock.loadtest.fleet.BrokerEndpoint;
import io.penstock.loadtest.fleet.Fleet;
import io.penstock.loadtest.fleet.FleetEnrollment;
import io.penstock.loadtest.fleet.FleetException;
import io.penstock.loadtest.fleet.SimulatedAgent;
import io.penstock.loadtest.installation.Installation;
import io.penstock.loadtest.report.FleetUse;
import io.penstock.loadtest.watch.JvmMemory;
import io.penstock.loadtest.watch.ProcessSamples;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;

/// Connects a [StandingFleet], looks at what that costs the broker, and notices tunnels that end.
final class FleetRun implements AutoCloseable {
  private static final int AT_ONCE = 16;
  private static final int LOOKS = 4;
  private static final Duration BETWEEN_LOOKS = Duration.ofSeconds(1);

  /// Until what connecting took is over and done with.
  private static final Duration IDLE = Duration.ofSeconds(5);

  /// A silent tunnel has one after five seconds (`docs/protocol.md`, section 8).
  private static final Duration HEARTBEATS = Duration.ofSeconds(10);

  private final StandingFleet settings;
  private final Fleet fleet;
  private final URI invokeUrl;
  private final String serviceToken;
  private final Queue<String> ended = new ConcurrentLinkedQueue<>();
  private final List<String> losses = new ArrayList<>();
  private final JvmMemory before;
  private final JvmMemory idle;
  private final double idleCpu;

  private FleetRun(
      StandingFleet settings, Fleet fleet, Installation installation, Consumer<String> say)
      throws IOException, InterruptedException {
    this.settings = settings;
    this.fleet = fleet;
    String system = settings.site() + "/" + Fleet.systemName();
    invokeUrl = URI.create(installation.url() + "/invoke/" + system);
    serviceToken = installation.createServiceAccount("fleet-service", system);
    List<SimulatedAgent> agents = new ArrayList<>();
    for (int i = 0; i < settings.agents(); i++) {
      agents.add(fleet.create("fleet-" + i));
    }
    var enrollment = new FleetEnrollment(installation.api(), settings.site(), AT_ONCE);
    say.accept("enrolling " + settings.agents() + " simulated agents of site " + settings.site());
    enrollment.enroll(agents);
    before = look(installation);
    say.accept("connecting them");
    enrollment.connect(agents);
    for (SimulatedAgent agent : agents) {
      var _ = agent.tunnelEnd().thenAccept(this::ended);
    }
    idle = look(installation);
    idleCpu = cpu(installation.broker().pid());
    say.accept("they are connected");
  }

  /// Returns once all are connected and idle.
  static FleetRun start(StandingFleet settings, Installation installation, Consumer<String> say)
      throws IOException, InterruptedException {
    Fleet fleet =
        Fleet.of(
            BrokerEndpoint.of(
                installation.agentsUrl(), installation.caFile(), installation.rootSha256()),
            1);
    try {
      fleet.answer(settings.answerBytes());
      return new FleetRun(settings, fleet, installation, say);
    } catch (IOException | InterruptedException | RuntimeException e) {
      fleet.close();
      throw e;
    }
  }

  private static JvmMemory look(Installation installation)
      throws IOException, InterruptedException {
    Thread.sleep(IDLE);
    return JvmMemory.least(installation.broker().pid(), LOOKS, BETWEEN_LOOKS);
  }

  /// Share of a processor over some heartbeats of each tunnel.
  private static double cpu(long pid) throws InterruptedException {
    long start = System.nanoTime();
    long before = ProcessSamples.cpuNanos(pid).orElse(0);
    Thread.sleep(HEARTBEATS);
    long used = ProcessSamples.cpuNanos(pid).orElse(0) - before;
    return (double) used / (System.nanoTime() - start);
  }

  private void ended(Optional<FleetException> reason) {
    ended.add(reason.map(FleetException::getMessage).orElse("it was over before the run"));
  }

  /// Where all of them are invoked, and by whom.
  URI invokeUrl() {
    return invokeUrl;
  }

  /// A secret.
  String serviceToken() {
    return serviceToken;
  }

  List<Long> threadIds() {
    return fleet.threadIds();
  }

  /// Tunnels that ended since the last call belong to what is named.
  void over(String what) {
    int count = 0;
    String last = "";
    for (String one = ended.poll(); one != null; one = ended.poll()) {
      count++;
      last = one;
    }
    if (count > 0) {
      losses.add(
          "%s: %d of the fleet's %d tunnels ended, expected none to; the last because: %s"
              .formatted(what, count, settings.agents(), last));
    }
  }

  FleetUse use() {
    return new FleetUse(settings.site(), settings.agents(), before, idle, idleCpu, losses);
  }

  @Override
  public void close() {
    fleet.close();
  }
}
