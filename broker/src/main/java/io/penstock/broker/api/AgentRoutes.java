package io.penstock.broker.api;

import io.penstock.broker.access.Permission;
import io.penstock.broker.access.Scope;
import io.penstock.broker.agents.AgentOperations;
import io.penstock.broker.agents.AgentOperations.AgentView;
import io.penstock.broker.agents.AgentOperations.Latency;
import io.penstock.broker.agents.AgentOperations.Outcome;
import io.penstock.broker.changes.Operation;
import io.penstock.broker.measure.Hop;
import io.penstock.broker.measure.HopArchive;
import io.penstock.broker.measure.HopTimes;
import io.penstock.broker.measure.MeasureJson;
import io.penstock.broker.measure.Times;
import io.penstock.broker.systems.SystemOperations;
import io.penstock.broker.systems.SystemOperations.Progress;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// `/api/v1/agents`.
final class AgentRoutes {
  private static final Pattern LABEL = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._/-]{0,62}");
  private static final Pattern LABEL_VALUE = Pattern.compile("\\P{C}{0,256}");

  private static final Progress NOTHING_DEPLOYED = new Progress(0, 0);

  private final AgentOperations agents;
  private final SystemOperations systems;
  private final ChangeRoutes changes;
  private final HopArchive times;

  AgentRoutes(
      AgentOperations agents, SystemOperations systems, ChangeRoutes changes, HopArchive times) {
    this.agents = agents;
    this.systems = systems;
    this.changes = changes;
    this.times = times;
  }

  void addTo(Routes routes) {
    Permission read = Permission.AGENTS_READ;
    Permission manage = Permission.AGENTS_MANAGE;
    String one = "/api/v1/agents/:id";
    routes.needs(read, HttpMethod.GET, "/api/v1/agents", this::list);
    routes.needs(read, HttpMethod.GET, one, this::show);
    routes.needs(manage, HttpMethod.PATCH, one, this::change);
    routes.needs(manage, HttpMethod.POST, one + "/approve", this::approve);
    routes.needs(
        manage,
        HttpMethod.POST,
        one + "/reject",
        request -> done(request, agents.reject(id(request), request.actor())));
    routes.needs(manage, HttpMethod.POST, one + "/revoke", this::revoke);
    routes.needs(manage, HttpMethod.POST, Operation.Revoke.PATH, this::revokeMany);
    routes.needs(
        manage,
        HttpMethod.POST,
        one + "/disconnect",
        request -> done(request, agents.disconnect(id(request), request.actor())));
    routes.needs(
        manage,
        HttpMethod.POST,
        one + "/release",
        request ->
            done(request, agents.release(id(request), fingerprint(request), request.actor())));
  }

  private static String id(Request request) {
    return request.path("id");
  }

  private static String fingerprint(Request request) {
    return Request.text(request.json("fingerprint"), "fingerprint");
  }

  Answer approve(Request request) {
    JsonObject body = request.json("fingerprint", "plain_bearer");
    return done(
        request,
        agents.approve(
            id(request),
            Request.text(body, "fingerprint"),
            Request.flag(body, "plain_bearer"),
            request.actor()));
  }

  private Answer list(Request request) {
    var all = new JsonArray();
    Map<String, Progress> progress = systems.progress();
    Map<String, HopTimes> calls = times.lastMinutesOfAgents();
    Scope scope = request.actor().scope();
    agents.list().stream()
        .filter(agent -> scope.holds(agent.id(), agent.site(), agent.labels()))
        .filter(agent -> request.query("state").map(agent.state()::equals).orElse(true))
        .filter(agent -> request.query("site").map(agent.site()::equals).orElse(true))
        .forEach(agent -> all.add(json(agent, progress, calls)));
    return Answer.ok(all);
  }

  private Answer show(Request request) {
    return agents
        .find(id(request))
        .map(agent -> Answer.ok(json(agent, systems.progress(), times.lastMinutesOfAgents())))
        .orElseThrow(() -> Problem.notFound("agent"));
  }

  private Answer revoke(Request request) {
    List<String> one = List.of(id(request));
    if (agents.find(id(request)).isPresent() && !changes.mayRevokeAlone(one, request)) {
      return changes.waiting(new Operation.Revoke(one), request);
    }
    return done(request, agents.revoke(id(request), request.actor()));
  }

  /// Each by itself: what cannot be done of one does not keep the others from it.
  private Answer revokeMany(Request request) {
    Operation.Revoke all = revocation(request);
    if (!all.agents().stream().allMatch(agent -> changes.isThere(agent, request))) {
      throw Problem.notFound("agent");
    }
    if (!changes.mayRevokeAlone(all.agents(), request)) {
      return changes.waiting(all, request);
    }
    var results = new JsonObject();
    all.agents().forEach(agent -> results.put(agent, revoked(agent, request)));
    return Answer.ok(new JsonObject().put("agents", results));
  }

  private String revoked(String agent, Request request) {
    return switch (agents.revoke(agent, request.actor())) {
      case Outcome.Done() -> "revoked";
      case Outcome.WrongState(String state) -> state;
      case Outcome.UnknownAgent() -> "unknown";
      case Outcome.FingerprintMismatch(),
          Outcome.ProofMissing(),
          Outcome.PlainBearer(),
          Outcome.TooManyLabels() ->
          throw new IllegalStateException("no answer to a revocation");
    };
  }

  static Operation.Revoke revocation(Request request) {
    List<String> named =
        Request.texts(request.json("agents"), "agents").stream().distinct().toList();
    if (named.isEmpty() || named.size() > Operation.Revoke.MAX_AGENTS) {
      throw Request.expected(
          "agents", "a list of 1 to " + Operation.Revoke.MAX_AGENTS + " names of agents");
    }
    return new Operation.Revoke(named);
  }

  /// Labels alone: site, networks and keys are what the approval was about.
  private Answer change(Request request) {
    JsonObject body = request.json("labels");
    if (!body.containsKey("labels")) {
      throw expectedLabels();
    }
    return done(request, agents.label(id(request), labels(body), request.actor()));
  }

  private static Map<String, Optional<String>> labels(JsonObject body) {
    Map<String, Optional<String>> labels = Request.textChanges(body, "labels");
    boolean wellFormed =
        labels.size() <= AgentOperations.MAX_LABELS
            && labels.keySet().stream().allMatch(key -> LABEL.matcher(key).matches())
            && labels.values().stream()
                .flatMap(Optional::stream)
                .allMatch(value -> LABEL_VALUE.matcher(value).matches());
    if (!wellFormed) {
      throw expectedLabels();
    }
    return labels;
  }

  private static Problem expectedLabels() {
    return Request.expected(
        "labels",
        "an object of at most "
            + AgentOperations.MAX_LABELS
            + " labels: names of 1 to 63 letters, digits, dots, hyphens, slashes or underscores,"
            + " values of at most 256 printable characters, null to take one away");
  }

  private Answer done(Request request, Outcome outcome) {
    return switch (outcome) {
      case Outcome.Done() ->
          agents
              .find(id(request))
              .map(agent -> Answer.ok(json(agent, systems.progress(), times.lastMinutesOfAgents())))
              .orElseGet(Answer::nothing);
      case Outcome.UnknownAgent() -> throw Problem.notFound("agent");
      case Outcome.FingerprintMismatch() ->
          throw Problem.conflict(
              "fingerprint-mismatch",
              "expected the fingerprint that the agent shows, found another");
      case Outcome.ProofMissing() ->
          throw Problem.conflict(
              "proof-missing",
              "the agent has not yet shown that it holds its keys; it has to be connected");
      case Outcome.PlainBearer() ->
          throw Problem.conflict(
              "plain-bearer",
              "whoever holds this gateway's tokens may use them: expected \"plain_bearer\": true");
      case Outcome.TooManyLabels() ->
          throw Problem.conflict(
              "too-many-labels", "an agent has at most " + AgentOperations.MAX_LABELS + " labels");
      case Outcome.WrongState(String state) ->
          throw Problem.conflict("wrong-state", "the agent is " + state);
    };
  }

  private static JsonObject json(
      AgentView agent, Map<String, Progress> all, Map<String, HopTimes> calls) {
    var enrollment = agent.enrollment();
    Progress progress = all.getOrDefault(agent.id(), NOTHING_DEPLOYED);
    return new JsonObject()
        .put("id", agent.id())
        .put("site", agent.site())
        .put("labels", new JsonObject(Map.copyOf(agent.labels())))
        .put("state", agent.state())
        .put("online", agent.online())
        .put("remote_ip", agent.remoteIp().orElse(null))
        .put("connected_at", agent.connectedAt().map(Instant::toString).orElse(null))
        .put("availability_24h", agent.availability24h())
        .put("latency_ms", json(agent.latency()))
        .put("invocations_5m", json(calls.get(agent.id())))
        .put(
            "enrollment",
            new JsonObject()
                .put("method", enrollment.method())
                .put("token_id", enrollment.tokenId().orElse(null))
                .put("at", enrollment.at().toString())
                .put("approved_by", enrollment.approvedBy().orElse(null))
                .put("approved_at", enrollment.approvedAt().map(Instant::toString).orElse(null)))
        .put("fingerprint", agent.fingerprint())
        .put("pending_fingerprint", agent.pendingFingerprint().orElse(null))
        .put("generation", agent.generation())
        .put("tunnels", agent.tunnels())
        .put("systems", new JsonArray(agent.systems()))
        .put("config_version", progress.configVersion())
        .put("applied_version", progress.appliedVersion())
        .put("undelivered", agent.undelivered());
  }

  /// What its systems were asked in the last five minutes; null = nothing.
  private static @Nullable JsonObject json(@Nullable HopTimes calls) {
    if (calls == null) {
      return null;
    }
    Times total = calls.of(Hop.TOTAL);
    return new JsonObject()
        .put("count", calls.calls())
        .put("failed", calls.failed())
        .put("p50_ms", MeasureJson.percentile(total, 50))
        .put("p95_ms", MeasureJson.percentile(total, 95))
        .put("p99_ms", MeasureJson.percentile(total, 99));
  }

  private static JsonObject json(Latency latency) {
    return new JsonObject()
        .put("p50", latency.p50().orElse(null))
        .put("p95", latency.p95().orElse(null))
        .put("p99", latency.p99().orElse(null));
  }
}
