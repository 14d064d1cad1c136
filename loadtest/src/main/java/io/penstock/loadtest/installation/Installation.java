package io.penstock.loadtest.installation;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.codec.seal.EnrollmentToken;
import io.penstock.codec.seal.Octets;
import io.penstock.loadtest.client.PublicApi;
import io.penstock.loadtest.fault.Launch;
import io.penstock.loadtest.fault.PenstockProcess;
import io.penstock.loadtest.fault.Processes;
import io.penstock.loadtest.network.Network;
import io.penstock.loadtest.network.NetworkProxy;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/// A broker, an agent and an example ERP, each a process of its own, enrolled and serving: what the
/// load harness drives when it is given no broker.
public final class Installation implements AutoCloseable {
  private static final String AGENT = "load-agent";
  private static final String SITE = "load";
  private static final String SYSTEM = "erp";
  private static final String SERVICE = "load-service";
  private static final Pattern LISTENING = Pattern.compile("^listening ([0-9]+)$");
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final long SERVICE_TOKEN_SECONDS = 86_400;

  private final Path directory;
  private final Processes processes;
  private final int port = Processes.freePort();
  private final Optional<NetworkProxy> line;
  private final PenstockProcess erp;
  private final URI erpUrl;
  private final PenstockProcess agent;
  private final PublicApi api;
  private final Path caFile;
  private final Octets rootSha256;
  private final String serviceToken;
  private PenstockProcess broker;

  private Installation(Path directory, Processes processes, boolean overALine, Consumer<String> say)
      throws IOException, InterruptedException {
    this.directory = directory;
    this.processes = processes;
    say.accept("starting an example ERP, a broker and an agent in " + directory);
    erp = processes.start(Launch.erp("--port", "0"));
    erpUrl = URI.create("http://127.0.0.1:" + erp.awaitLine(LISTENING, PATIENCE).group(1));
    broker = processes.start(launchBroker());
    Credentials first = BrokerStart.firstCredentials(broker);
    caFile = first.caFile();
    api = PublicApi.of(url(), caFile);
    line = overALine ? Optional.of(NetworkProxy.start(port, Network.NONE)) : Optional.empty();
    try {
      BrokerStart.awaitReady(broker, api);
      api.login(first.user(), first.password());
      Enrollment enrollment = new Enrollment(api, AGENT, SITE);
      String token = enrollment.createToken();
      rootSha256 = EnrollmentToken.parse(token).rootSha256();
      OwnersFiles.write(tokenFile(), token + "\n");
      OwnersFiles.write(agentConfig(), agentYaml());
      agent = processes.start(Launch.agent("--config", agentConfig().toString()));
      enrollment.approve(enrollment.compareFingerprints(agent));
      enrollment.awaitOnline();
      serviceToken = createServiceAccount(SERVICE, SITE + "/" + SYSTEM);
    } catch (IOException | InterruptedException | RuntimeException e) {
      close();
      throw e;
    }
    say.accept("the agent serves " + SITE + "/" + SYSTEM + " at " + url());
  }

  /// @param processes logs into `directory`; who made it closes it, also after a failure
  /// @param directory empty, for data and logs
  /// @param overALine whether agents reach the broker through a [NetworkProxy]
  /// @param say what happens
  public static Installation start(
      Processes processes, Path directory, boolean overALine, Consumer<String> say)
      throws IOException, InterruptedException {
    return new Installation(directory, processes, overALine, say);
  }

  private Launch launchBroker() {
    return Launch.broker(
            "--data", directory.resolve("broker").toString(), "--port", String.valueOf(port))
        .variable("PENSTOCK_METRICS_PORT", "0")
        // The largest fleet, its callers and the one real agent.
        .variable("PENSTOCK_EDGE_MAX_CONNECTIONS", "20000");
  }

  private Path tokenFile() {
    return directory.resolve("enrollment.token");
  }

  private Path agentConfig() {
    return directory.resolve("agent.yaml");
  }

  private String agentYaml() {
    return """
    broker: {url: "%s", ca_file: "%s"}
    agent: {name: "%s"}
    data: "%s"
    metrics: {port: 0}
    token_file: "%s"
    systems:
      - name: %s
        plugin: http
        settings: {base_url: "%s", max_connections: 2048}
        allow: [{methods: ["*"], paths: ["/**"]}]
    """
        .formatted(
            agentsUrl(), caFile, AGENT, directory.resolve("agent"), tokenFile(), SYSTEM, erpUrl);
  }

  /// Returns its token, a secret.
  ///
  /// @param system `SITE/SYSTEM` that it may invoke
  public final String createServiceAccount(String name, String system) throws IOException {
    ObjectNode account = PublicApi.object().put("name", name);
    account.putArray("systems").add(system);
    api.post("/service-accounts", account);
    return api.post(
            "/service-accounts/" + name + "/tokens",
            PublicApi.object().put("ttl_seconds", SERVICE_TOKEN_SECONDS))
        .path("token")
        .asText();
  }

  public URI url() {
    return URI.create("https://localhost:" + port);
  }

  /// The broker as agents dial it.
  public URI agentsUrl() {
    return line.map(proxy -> URI.create("https://localhost:" + proxy.port())).orElse(url());
  }

  /// From now on between agents and broker.
  public void line(Network network) {
    line.ifPresent(proxy -> proxy.line(network));
  }

  /// Of the event loop that makes the line; none without one.
  public List<Long> lineThreadIds() {
    return line.map(NetworkProxy::threadIds).orElse(List.of());
  }

  /// Where the ERP is invoked through the tunnel.
  public URI invokeUrl() {
    return URI.create(url() + "/invoke/" + SITE + "/" + SYSTEM);
  }

  /// The ERP itself.
  public URI erpUrl() {
    return erpUrl;
  }

  public Path caFile() {
    return caFile;
  }

  public Octets rootSha256() {
    return rootSha256;
  }

  /// A secret.
  public String serviceToken() {
    return serviceToken;
  }

  /// Signed in as an Admin.
  public PublicApi api() {
    return api;
  }

  public PenstockProcess broker() {
    return broker;
  }

  public PenstockProcess agent() {
    return agent;
  }

  public PenstockProcess erp() {
    return erp;
  }

  /// SIGKILL, and a new process on the same data and port; returns at once.
  public void killAndRestartBroker() {
    broker.kill();
    broker.onExit().join();
    broker = processes.start(launchBroker());
  }

  /// How a broker ended that was asked to.
  public record Drained(Duration took, int exitCode) {}

  /// SIGTERM, and once it has drained and ended a new process on the same data and port.
  public Drained drainAndRestartBroker() {
    long start = System.nanoTime();
    broker.terminate();
    int exitCode = broker.awaitExit(PATIENCE);
    Drained drained = new Drained(Duration.ofNanos(System.nanoTime() - start), exitCode);
    broker = processes.start(launchBroker());
    return drained;
  }

  /// The processes end with their [Processes].
  @Override
  public void close() {
    api.close();
    line.ifPresent(NetworkProxy::close);
  }
}
