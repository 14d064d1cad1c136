package io.penstock.loadtest.fault;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.codec.seal.EnrollmentToken;
import io.penstock.codec.seal.Octets;
import io.penstock.loadtest.client.ApiException;
import io.penstock.loadtest.client.Configurations;
import io.penstock.loadtest.client.PublicApi;
import io.penstock.loadtest.target.ExampleErp;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// A broker and an agent from the built jars and an example ERP in this process, for a test to
/// break.
final class Plant implements AutoCloseable {
  static final String AGENT = "plant-1";
  static final String SYSTEM_PATH = "/berlin/erp";
  static final Duration PATIENCE = Duration.ofMinutes(4);
  static final int KILLED = 137;

  private static final Pattern FINGERPRINT =
      Pattern.compile("fingerprint ([0-9A-Z]{4}-[0-9A-Z]{4})");
  private static final Pattern FIRST_START = Pattern.compile("^\\{.*\"password\".*}$");
  private static final Duration LOOK_AGAIN = Duration.ofMillis(50);

  private final Path directory;
  private final Processes processes;
  private final ExampleErp erp = ExampleErp.start(0);
  private final int port = Processes.freePort();
  private final int metricsPort = Processes.freePort();
  private final UnaryOperator<Launch> brokerLaunch;
  private PenstockProcess broker;
  private final PublicApi api;
  private final String password;
  private String serviceToken = "";
  private @Nullable Octets rootSha256;

  @FunctionalInterface
  interface Condition {
    boolean holds() throws IOException;
  }

  private Plant(Path directory, UnaryOperator<Launch> brokerLaunch, UnaryOperator<Launch> first)
      throws IOException {
    this.directory = directory;
    this.brokerLaunch = brokerLaunch;
    processes = new Processes(Home.find(), Files.createDirectory(logs()));
    PostgresPrograms.layInto(brokerData());
    broker = processes.start(first.apply(launchBroker()));
    try {
      JsonNode line =
          JsonMapper.builder().build().readTree(broker.awaitLine(FIRST_START, PATIENCE).group());
      password = line.path("password").asText();
      api = PublicApi.of(url(), Path.of(line.path("ca_file").asText()));
      await("the broker is ready", api::isReady);
      api.login(line.path("user").asText(), password);
    } catch (IOException | RuntimeException e) {
      processes.close();
      erp.close();
      throw e;
    }
  }

  /// A broker with nothing enrolled.
  static Plant open(Path directory) throws IOException {
    return open(directory, UnaryOperator.identity());
  }

  /// `launch` sets every start of the broker.
  static Plant open(Path directory, UnaryOperator<Launch> launch) throws IOException {
    return new Plant(directory, launch, UnaryOperator.identity());
  }

  /// The broker's first start, and only that, dies at the named place.
  static Plant withBrokerDyingAt(Path directory, String failpoint) throws IOException {
    return new Plant(
        directory,
        UnaryOperator.identity(),
        launch -> launch.property("penstock.failpoint", failpoint));
  }

  private Launch launchBroker() {
    // What a test breaks on purpose, and this machine's disk, are no alarms here.
    Launch launch =
        Launch.broker("--data", brokerData().toString(), "--port", String.valueOf(port))
            .variable("PENSTOCK_ALARMS_OFFLINE_AFTER", "7d")
            .variable("PENSTOCK_ALARMS_FLAPPING_CONNECTIONS", "100000")
            .variable("PENSTOCK_ALARMS_DATABASE_AFTER", "1h")
            .variable("PENSTOCK_ALARMS_DISK_FREE", "0");
    return brokerLaunch
        .apply(launch)
        .variable("PENSTOCK_METRICS_PORT", String.valueOf(metricsPort));
  }

  URI url() {
    return URI.create("https://localhost:" + port);
  }

  int port() {
    return port;
  }

  Metrics metrics() {
    return new Metrics(metricsPort);
  }

  PublicApi api() {
    return api;
  }

  ExampleErp erp() {
    return erp;
  }

  PenstockProcess broker() {
    return broker;
  }

  String password() {
    return password;
  }

  String serviceToken() {
    return serviceToken;
  }

  Path caFile() {
    return brokerData().resolve("ca.pem");
  }

  Path brokerData() {
    return directory.resolve("broker");
  }

  Path agentData() {
    return directory.resolve("agent");
  }

  Path logs() {
    return directory.resolve("logs");
  }

  /// Again on the same data and port; returns at once.
  void restartBroker() {
    broker = processes.start(launchBroker());
  }

  String createToken() throws IOException {
    return createToken(AGENT, "berlin");
  }

  String createToken(String agent, String site) throws IOException {
    ObjectNode wanted = PublicApi.object().put("agent", agent).put("site", site);
    String token =
        api.post("/enrollment-tokens", wanted.put("ttl_seconds", 600)).path("token").asText();
    rootSha256 = EnrollmentToken.parse(token).rootSha256();
    return token;
  }

  /// Starts an agent on the usual directory, enrolls it, and gets a service token for its system.
  PenstockProcess enroll() throws IOException {
    return enroll(UnaryOperator.identity());
  }

  PenstockProcess enroll(UnaryOperator<Launch> more) throws IOException {
    PenstockProcess agent = processes.start(more.apply(newcomer(createToken())));
    approve(agent);
    grant();
    awaitServing();
    return agent;
  }

  /// An agent with a token.
  Launch newcomer(String token) throws IOException {
    return newcomer("agent", tokenFile(token));
  }

  /// One of several agents that may share a token; its data directory and its log have its name.
  Launch newcomer(String name, Path tokenFile) throws IOException {
    return agent(name, directory.resolve(name), "token_file: " + tokenFile + "\n");
  }

  Path tokenFile(String token) throws IOException {
    return tokenFile("enrollment", token);
  }

  Path tokenFile(String name, String token) throws IOException {
    Path file = directory.resolve(name + ".token");
    writePrivate(file, token + "\n");
    return file;
  }

  /// An agent with nothing but a data directory.
  Launch known(Path data) throws IOException {
    return agent(data.getFileName().toString(), data, "");
  }

  private Launch agent(String name, Path data, String token) throws IOException {
    Path config = directory.resolve(name + ".yaml");
    writePrivate(
        config,
        """
        broker: {url: "%s", ca_file: "%s"}
        data: "%s"
        metrics: {port: 0}
        %ssystems:
          - name: erp
            plugin: http
            settings: {base_url: "%s", max_connections: 2048}
            allow: [{methods: ["*"], paths: ["/**"]}]
        """
            .formatted(url(), caFile(), data, token, erp.url()));
    return Launch.agent("--config", config.toString()).named(name);
  }

  static void writePrivate(Path file, String content) throws IOException {
    Files.deleteIfExists(file);
    Files.createFile(
        file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.writeString(file, content);
  }

  /// An agent of its own name and directory, without systems in its file.
  ///
  /// @param token empty for one that is enrolled
  Launch bare(String name, Optional<Path> token) throws IOException {
    return Launch.agent("--config", bareFile(name, token).toString()).named(name);
  }

  /// The configuration file of such an agent.
  Path bareFile(String name, Optional<Path> token) throws IOException {
    Path config = directory.resolve(name + ".yaml");
    writePrivate(
        config,
        """
        broker: {url: "%s", ca_file: "%s"}
        data: "%s"
        metrics: {port: 0}
        %s
        """
            .formatted(
                url(),
                caFile(),
                directory.resolve(name),
                token.map(file -> "token_file: " + file).orElse("")));
    return config;
  }

  void signIn() throws IOException {
    api.login("admin@penstock.local", password);
  }

  PenstockProcess start(Launch launch) {
    return processes.start(launch);
  }

  /// Approves what the agent says of itself; the proof may arrive a moment after the fingerprint.
  void approve(PenstockProcess agent) throws IOException {
    approve(AGENT, agent);
  }

  void approve(String name, PenstockProcess agent) throws IOException {
    approve(name, agent.awaitLine(FINGERPRINT, PATIENCE).group(1));
  }

  void approve(String name, String printed) throws IOException {
    await(
        "approved with " + printed,
        () -> {
          try {
            api.post(
                "/agents/" + name + "/approve", PublicApi.object().put("fingerprint", printed));
            return true;
          } catch (ApiException e) {
            if (e.isConflict("proof-missing") || e.status() == 404) {
              return false;
            }
            throw e;
          }
        });
  }

  void grant() throws IOException {
    grant("berlin/*");
  }

  void grant(String... systems) throws IOException {
    ObjectNode account = PublicApi.object().put("name", "billing");
    Arrays.stream(systems).forEach(account.putArray("systems")::add);
    api.post("/service-accounts", account);
    serviceToken =
        api.post("/service-accounts/billing/tokens", PublicApi.object().put("ttl_seconds", 86_400))
            .path("token")
            .asText();
  }

  /// For an engineer who knows the root from an enrollment token.
  Configurations configurations() {
    return new Configurations(api, rootSha256());
  }

  Octets rootSha256() {
    return Objects.requireNonNull(rootSha256, "no token was created yet");
  }

  String state() throws IOException {
    return api.get("/agents/" + AGENT).path("state").asText();
  }

  boolean isOnline() throws IOException {
    return api.get("/agents/" + AGENT).path("online").asBoolean();
  }

  List<String> alarms() throws IOException {
    return api.get("/alarms").findValuesAsText("kind");
  }

  HttpResponse<InputStream> get(String path) throws IOException {
    return api.invoke(serviceToken, "GET", SYSTEM_PATH + path, BodyPublishers.noBody());
  }

  /// Whether one request goes all the way and its answer is whole.
  boolean serves() {
    try {
      HttpResponse<InputStream> answer = get("/1k");
      try (InputStream body = answer.body()) {
        return answer.statusCode() == 200 && body.readAllBytes().length == 1024;
      }
    } catch (IOException notYet) {
      return false;
    }
  }

  /// Returns the milliseconds until then.
  long awaitServing() throws IOException {
    long start = System.nanoTime();
    await("the system answers through the tunnel", this::serves);
    return (System.nanoTime() - start) / 1_000_000;
  }

  void await(String what, Condition condition) throws IOException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.holds()) {
      if (System.nanoTime() > end) {
        throw new AssertionError("not after " + PATIENCE.toSeconds() + " s: " + what);
      }
      try {
        Thread.sleep(LOOK_AGAIN);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted", e);
      }
    }
  }

  @Override
  public void close() {
    processes.close();
    api.close();
    erp.close();
  }
}
