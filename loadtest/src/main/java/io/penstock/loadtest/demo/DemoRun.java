package io.penstock.loadtest.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.codec.seal.EnrollmentToken;
import io.penstock.codec.seal.Octets;
import io.penstock.loadtest.client.ApiException;
import io.penstock.loadtest.client.Configurations;
import io.penstock.loadtest.client.PublicApi;
import io.penstock.loadtest.fault.Home;
import io.penstock.loadtest.fault.Launch;
import io.penstock.loadtest.fault.PenstockProcess;
import io.penstock.loadtest.fault.Processes;
import io.penstock.loadtest.fleet.BrokerEndpoint;
import io.penstock.loadtest.fleet.Fleet;
import io.penstock.loadtest.fleet.FleetEnrollment;
import io.penstock.loadtest.installation.BrokerStart;
import io.penstock.loadtest.installation.Credentials;
import io.penstock.loadtest.installation.Enrollment;
import io.penstock.loadtest.target.ExampleErp;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// One run: starts the three parties, enrolls, approves, invokes. Holds what was started until it
/// is closed.
final class DemoRun implements AutoCloseable {
  private static final String AGENT = "demo-agent";
  private static final String SITE = "demo";
  private static final String SYSTEM = "erp";
  private static final String LEDGER = "ledger";
  private static final String LEDGER_USER = "cloud";
  private static final String SERVICE = "demo-service";
  private static final Duration APPLIED_WITHIN = Duration.ofSeconds(30);
  private static final long SERVICE_TOKEN_SECONDS = 86_400;
  private static final int CONFLICT = 409;

  private final DemoDirectory directory;
  private final int port;
  private final Steps steps;
  private final Processes processes;
  private final UnaryOperator<Launch> starts;
  private final URI url;
  private @Nullable ExampleErp erp;
  private @Nullable PenstockProcess broker;
  private @Nullable PenstockProcess agent;
  private @Nullable PublicApi api;
  private @Nullable Credentials credentials;
  private String serviceToken = "";
  private boolean closed;

  /// The on-premise system's own; the cloud learns it only sealed.
  private final String ledgerPassword = UUID.randomUUID().toString();

  DemoRun(Home home, DemoDirectory directory, int port, Steps steps) {
    this(home, directory, port, steps, UnaryOperator.identity());
  }

  /// @param starts how broker and agent are started
  DemoRun(Home home, DemoDirectory directory, int port, Steps steps, UnaryOperator<Launch> starts) {
    this.starts = starts;
    this.directory = directory;
    this.port = port;
    this.steps = steps;
    this.processes = new Processes(home, directory.path());
    this.url = URI.create("https://localhost:" + port);
  }

  void run() throws Steps.StepFailed {
    prepare();
    invoke(new Invocations(need(api), serviceToken, SITE, SYSTEM));
  }

  /// Everything up to the first call.
  void prepare() throws Steps.StepFailed {
    steps.run("erp", this::startErp);
    steps.run("broker", this::startBroker);
    steps.run("login", this::login);
    enroll();
    steps.run("online", this::awaitOnline);
    steps.run("service-account", this::createServiceAccount);
    steps.run("configure", this::configureLedger);
    steps.run("deploy", this::deployLedger);
  }

  /// The small calls, again and again.
  void rehearse(int times) throws Steps.StepFailed {
    Invocations calls = new Invocations(need(api), serviceToken, SITE, SYSTEM);
    for (int i = 0; i < times; i++) {
      steps.run("json", calls::readsOrders);
      steps.run("post", calls::createsOrder);
      steps.run("secret", () -> calls.readsLedger(SITE, LEDGER));
    }
    steps.run("error", calls::passesErrorThrough);
    steps.run("not-exposed", calls::refusesWhatIsNotExposed);
  }

  /// Some agents more, which come again and again: what a broker does most when it has just
  /// started.
  void rehearseComingBack(int agents, int times) throws Steps.StepFailed {
    steps.run(
        "coming back",
        () -> {
          var broker = BrokerEndpoint.of(url, need(credentials).caFile(), root());
          try (Fleet fleet = Fleet.of(broker, 1)) {
            for (int i = 0; i < agents; i++) {
              fleet.create("rehearsal-" + i);
            }
            var enrollment = new FleetEnrollment(need(api), "rehearsal", agents);
            enrollment.enroll(fleet.agents());
            for (int i = 0; i < times; i++) {
              enrollment.connect(fleet.agents());
            }
          }
          return agents + " agents, " + times + " times";
        });
  }

  private void invoke(Invocations calls) throws Steps.StepFailed {
    steps.run("json", calls::readsOrders);
    steps.run("post", calls::createsOrder);
    steps.run("download", calls::downloads);
    steps.run("upload", calls::uploads);
    steps.run("slow", calls::waitsForSlowSystem);
    steps.run("error", calls::passesErrorThrough);
    steps.run("not-exposed", calls::refusesWhatIsNotExposed);
    steps.run("secret", () -> calls.readsLedger(SITE, LEDGER));
  }

  private String startErp() {
    erp = ExampleErp.start(0);
    erp.logins().set(LEDGER_USER, ledgerPassword);
    return "an on-premise system at " + erp.url();
  }

  private String startBroker() throws IOException, InterruptedException {
    Optional<Credentials> known = directory.credentials();
    broker =
        processes.start(
            starts.apply(
                Launch.broker(
                    "--data", directory.broker().toString(), "--port", String.valueOf(port))));
    if (known.isPresent()) {
      credentials = known.get();
    } else {
      credentials = BrokerStart.firstCredentials(broker);
      directory.remember(credentials);
    }
    api = PublicApi.of(url, credentials.caFile());
    BrokerStart.awaitReady(broker, api);
    return url + ", embedded Postgres" + (known.isPresent() ? "" : ", first start");
  }

  private String login() throws IOException {
    Credentials first = need(credentials);
    need(api).login(first.user(), first.password());
    return first.user();
  }

  /// On a directory that was used before, the agent is known and only has to come back.
  private void enroll() throws Steps.StepFailed {
    Enrollment enrollment = new Enrollment(need(api), AGENT, SITE);
    try {
      if (enrollment.state().filter("approved"::equals).isPresent()) {
        steps.run("agent", () -> startAgent(false) + ", enrolled before");
        return;
      }
    } catch (IOException e) {
      throw new Steps.StepFailed("agent", e);
    }
    steps.run("token", () -> writeToken(enrollment));
    steps.run("agent", () -> startAgent(true));
    String[] fingerprint = new String[1];
    steps.run(
        "fingerprint",
        () -> {
          fingerprint[0] = enrollment.compareFingerprints(need(agent));
          return fingerprint[0] + ", the same on both sides";
        });
    steps.run("approve", () -> approve(enrollment, fingerprint[0]));
  }

  private String writeToken(Enrollment enrollment) throws IOException {
    String token = enrollment.createToken();
    directory.rememberRoot(EnrollmentToken.parse(token).rootSha256());
    directory.write(directory.enrollmentToken(), token + "\n");
    return "one use, ten minutes, for " + AGENT;
  }

  private String approve(Enrollment enrollment, String fingerprint)
      throws IOException, InterruptedException {
    enrollment.approve(fingerprint);
    Files.deleteIfExists(directory.enrollmentToken());
    return AGENT + " by " + need(credentials).user();
  }

  private String startAgent(boolean withToken) throws IOException {
    directory.write(directory.agentConfig(), agentConfig(withToken));
    agent =
        processes.start(
            starts.apply(
                Launch.agent(
                    "--config",
                    directory.agentConfig().toString(),
                    "--data",
                    directory.agent().toString())));
    return AGENT + ", dials out to " + url;
  }

  /// Everything the ERP has is exposed but for `/internal`: nothing is that is not listed.
  private String agentConfig(boolean withToken) {
    return """
    # Written by the demo at each start.
    broker:
      url: %s
      ca_file: %s
    agent:
      name: %s
    data: %s
    %ssystems:
      - name: %s
        plugin: http
        settings:
          base_url: %s
        allow:
          - methods: [GET, HEAD, POST, PUT]
            paths:
              - /
              - /api/**
              - /bytes/**
              - /chunked/**
              - /upload
              - /slow
              - /slow-body
              - /status/**
              - /error
              - /hang
              - /cut/**
              - /cut-chunked/**
              - /sse
              - /headers
              - /with-header
              - /echo
              - /echo/**
              - /reject
              - /trailers
              - /early-hints
              - /big-head/**
              - /bad/**
              - /touch/**
              - /count/**
              - /1k
              - /ws
    """
        .formatted(
            url,
            need(credentials).caFile(),
            AGENT,
            directory.agent(),
            withToken ? "token_file: " + directory.enrollmentToken() + "\n" : "",
            SYSTEM,
            need(erp).url());
  }

  private String awaitOnline() throws IOException, InterruptedException {
    JsonNode shown = new Enrollment(need(api), AGENT, SITE).awaitOnline();
    return "tunnel from " + shown.path("remote_ip").asText("?");
  }

  private String createServiceAccount() throws IOException {
    ObjectNode account = PublicApi.object().put("name", SERVICE);
    account.putArray("systems").add(SITE + "/" + SYSTEM).add(SITE + "/" + LEDGER);
    try {
      need(api).post("/service-accounts", account);
    } catch (ApiException e) {
      if (e.status() != CONFLICT) {
        throw e;
      }
    }
    JsonNode token =
        need(api)
            .post(
                "/service-accounts/" + SERVICE + "/tokens",
                PublicApi.object().put("ttl_seconds", SERVICE_TOKEN_SECONDS));
    serviceToken = token.path("token").asText();
    directory.write(
        directory.authorizationHeader(), "Authorization: Bearer " + serviceToken + "\n");
    return SERVICE + " may invoke " + SITE + "/" + SYSTEM + " and " + SITE + "/" + LEDGER;
  }

  private Configurations configurations() throws IOException {
    return new Configurations(need(api), root());
  }

  private Octets root() throws IOException {
    return directory
        .rootSha256()
        .orElseThrow(() -> new IOException("this demo does not know its broker's root"));
  }

  /// The same ERP's ledger, which wants a password.
  private String configureLedger() throws IOException {
    Configurations configurations = configurations();
    ObjectNode settings = PublicApi.object().put("base_url", need(erp).url());
    settings.put("user", LEDGER_USER);
    ObjectNode rule = settings.putArray("allow").addObject();
    rule.putArray("methods").add("GET");
    rule.putArray("paths").add("/ledger");
    long version =
        configurations.put(
            configurations.recordOf(AGENT),
            LEDGER,
            "http",
            settings,
            Map.of("password", ledgerPassword));
    return LEDGER + " version " + version + ", its password sealed to " + AGENT;
  }

  private String deployLedger() throws IOException, InterruptedException {
    Configurations configurations = configurations();
    configurations.deploy(AGENT, LEDGER);
    JsonNode shown = configurations.awaitDecision(AGENT, LEDGER, APPLIED_WITHIN);
    if (!shown.path("state").asText().equals("applied")) {
      throw new IOException("expected the agent to apply it, found " + shown.path("last_receipt"));
    }
    return "applied, by the agent's signed receipt";
  }

  ObjectNode asJson() {
    ObjectNode result = PublicApi.object().put("url", url.toString());
    Credentials first = credentials;
    if (first != null) {
      result.put("user", first.user());
      result.put("password", first.password());
      result.put("ca_file", first.caFile().toString());
    }
    result.put("agent", AGENT).put("site", SITE);
    result.putArray("systems").add(SYSTEM).add(LEDGER);
    result.put("service_token", serviceToken);
    result.set("steps", steps.results());
    return result;
  }

  /// What a person does next.
  List<String> nextSteps() {
    Credentials first = need(credentials);
    String curl =
        "curl --cacert %s -H @%s".formatted(first.caFile(), directory.authorizationHeader());
    String erpUrl = url + "/invoke/" + SITE + "/" + SYSTEM;
    return List.of(
        "console    " + url,
        "user       " + first.user(),
        "password   " + first.password(),
        "CA file    " + first.caFile(),
        "logs       " + directory.path().resolve("*.log"),
        "",
        "Try:",
        "  " + curl + " " + erpUrl + "/api/orders",
        "  " + curl + " -d '{\"item\":\"bolt\"}' " + erpUrl + "/api/orders",
        "  " + curl + " -o /dev/null " + erpUrl + "/bytes/1000000000",
        "  " + curl + " " + url + "/invoke/" + SITE + "/" + LEDGER + "/ledger",
        "  penstock ctl login --url %s --ca %s --user %s"
            .formatted(url, first.caFile(), first.user()),
        "",
        "A system of your own: sign in to the console, Systems, Add a system. Its page says how to"
            + " call it.");
  }

  /// Completes with the first child that ends by itself.
  CompletableFuture<PenstockProcess> firstDeath() {
    return CompletableFuture.anyOf(need(broker).onExit(), need(agent).onExit())
        .thenApply(PenstockProcess.class::cast);
  }

  /// Agent, broker, ERP, each by SIGTERM and awaited.
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    processes.close();
    if (api != null) {
      api.close();
    }
    if (erp != null) {
      erp.close();
    }
  }

  private static <T> T need(@Nullable T value) {
    if (value == null) {
      throw new IllegalStateException("the step that makes this has not run");
    }
    return value;
  }
}
