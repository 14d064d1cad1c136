package io.penstock.broker.api;

import io.penstock.broker.access.Permission;
import io.penstock.broker.changes.Operation;
import io.penstock.broker.problem.ProblemDocument;
import io.penstock.broker.systems.Refusal;
import io.penstock.broker.systems.SettingsDiff;
import io.penstock.broker.systems.SystemOperations;
import io.penstock.broker.systems.SystemOperations.Detailed;
import io.penstock.broker.systems.SystemOperations.Edit;
import io.penstock.broker.systems.SystemOperations.Made;
import io.penstock.broker.systems.SystemOperations.Outcome;
import io.penstock.broker.systems.SystemOperations.Proof;
import io.penstock.broker.systems.SystemOperations.Queued;
import io.penstock.broker.systems.SystemOperations.ReceiptView;
import io.penstock.broker.systems.SystemOperations.Recipient;
import io.penstock.broker.systems.SystemOperations.SealedView;
import io.penstock.broker.systems.SystemOperations.SealingKeyView;
import io.penstock.broker.systems.SystemOperations.Secrets;
import io.penstock.broker.systems.SystemOperations.SystemView;
import io.penstock.broker.systems.SystemOperations.VersionView;
import io.penstock.codec.message.ControlMessage.TestReport;
import io.penstock.codec.message.ControlMessage.TestStage;
import io.penstock.codec.schema.PluginSchema;
import io.penstock.codec.seal.AgentRecord;
import io.penstock.codec.seal.Octets;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.Json;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.OptionalLong;

/// `/api/v1/plugins` and `/api/v1/agents/{id}/systems`.
final class SystemRoutes {
  private static final int MAX_LISTED = 200;
  private static final int OFFLINE_RETRY_SECONDS = 5;
  private static final double MICROS_PER_MILLI = 1_000.0;

  private final SystemOperations systems;
  private final ChangeRoutes changes;

  SystemRoutes(SystemOperations systems, ChangeRoutes changes) {
    this.systems = systems;
    this.changes = changes;
  }

  void addTo(Routes routes) {
    Permission read = Permission.SYSTEMS_READ;
    Permission update = Permission.SYSTEMS_UPDATE;
    String agent = "/api/v1/agents/:id";
    String all = agent + "/systems";
    String one = all + "/:system";
    routes.needs(read, HttpMethod.GET, "/api/v1/plugins", _ -> plugins());
    routes.needs(read, HttpMethod.GET, agent + "/sealing-key", this::sealingKey);
    routes.needs(read, HttpMethod.GET, all, this::list);
    routes.needs(read, HttpMethod.GET, one, this::show);
    routes.needs(update, HttpMethod.PUT, one, this::put);
    routes.needs(Permission.SYSTEMS_DELETE, HttpMethod.DELETE, one, this::delete);
    routes.needs(read, HttpMethod.GET, one + "/versions", this::versions);
    routes.needs(read, HttpMethod.GET, one + "/versions/:version", this::version);
    routes.needs(
        Permission.SYSTEMS_READ_SEALED,
        HttpMethod.GET,
        one + "/versions/:version/sealed",
        this::sealed);
    routes.needs(read, HttpMethod.GET, one + "/diff", this::diff);
    routes.needs(update, HttpMethod.POST, one + "/rollback", this::rollback);
    routes.needs(Permission.SYSTEMS_DEPLOY, HttpMethod.POST, one + "/deploy", this::deploy);
    routes.needs(Permission.SYSTEMS_TEST, HttpMethod.POST, one + "/test", this::test);
  }

  private static String agent(Request request) {
    return request.path("id");
  }

  private static String system(Request request) {
    return request.path("system");
  }

  private static Answer plugins() {
    var plugins = new JsonArray();
    PluginSchema.plugins().stream()
        .flatMap(name -> PluginSchema.of(name).stream())
        .forEach(
            schema ->
                plugins.add(
                    new JsonObject()
                        .put("name", schema.plugin())
                        .put("schema_sha256", schema.id().base64Url())
                        .put("schema", new JsonObject(schema.text()))));
    return Answer.ok(new JsonObject().put("plugins", plugins));
  }

  private Answer sealingKey(Request request) {
    SealingKeyView view = done(systems.sealingKey(agent(request)));
    AgentRecord signed = view.agentRecord();
    return Answer.ok(
        proven(
            new JsonObject()
                .put("agent", signed.agent())
                .put("generation", signed.generation())
                .put("sealing_public", signed.sealingPublic().base64Url())
                .put(
                    "sealing_key_sha256", Octets.sha256(signed.sealingPublic().bytes()).base64Url())
                .put("record", view.recordJws()),
            view.proof()));
  }

  static JsonObject proven(JsonObject answer, Proof proof) {
    answer
        .put("keyset", proof.keysetJws())
        .put("root_public", proof.rootPublic().base64Url())
        .put("root_sha256", Octets.sha256(proof.rootPublic().bytes()).base64Url());
    if (!proof.rootLinks().isEmpty()) {
      var links = new JsonArray();
      proof
          .rootLinks()
          .forEach(
              link ->
                  links.add(
                      new JsonObject()
                          .put("root_public", link.root().octets().base64Url())
                          .put("jws", link.jws())));
      answer.put("cross_signatures", links);
    }
    return answer;
  }

  private Answer list(Request request) {
    var all = new JsonArray();
    done(systems.list(agent(request))).forEach(system -> all.add(json(system)));
    return Answer.ok(new JsonObject().put("systems", all));
  }

  private Answer show(Request request) {
    Detailed detailed = done(systems.show(agent(request), system(request)));
    return Answer.ok(
        json(detailed.system())
            .put("settings", new JsonObject(detailed.settingsJson()))
            .put("secret_names", new JsonArray(detailed.secretNames()))
            .put("recipients", json(detailed.recipients())));
  }

  private Answer put(Request request) {
    return Answer.ok(
        json(done(systems.put(agent(request), system(request), edit(request), request.actor()))));
  }

  static Edit edit(Request request) {
    JsonObject body =
        request.unambiguousJson(
            "plugin", "settings", "sealed", "secret_names", "carry_secrets", "expected_version");
    if (!(body.getValue("settings") instanceof JsonObject settings)) {
      throw Request.expected("settings", "an object");
    }
    OptionalLong expected =
        body.containsKey("expected_version")
            ? OptionalLong.of(Request.number(body, "expected_version", 0, 1_000_000_000_000L))
            : OptionalLong.empty();
    return new Edit(
        Request.text(body, "plugin"),
        settings.encode().getBytes(StandardCharsets.UTF_8),
        secrets(body),
        expected);
  }

  /// Exactly one of: sealed with names; carried; none.
  private static Secrets secrets(JsonObject body) {
    List<String> names = Request.texts(body, "secret_names");
    boolean carried = Request.flag(body, "carry_secrets");
    return switch (body.getValue("sealed")) {
      case JsonObject sealed when !carried ->
          new Secrets.Sealed(sealed.encode().getBytes(StandardCharsets.UTF_8), names);
      case JsonObject _ -> throw Request.expected("carry_secrets", "it to be left out with sealed");
      case null -> withoutSealed(body, names, carried);
      default -> throw Request.expected("sealed", "an object or null");
    };
  }

  private static Secrets withoutSealed(JsonObject body, List<String> names, boolean carried) {
    if (carried) {
      return new Secrets.Carried(names);
    }
    if (!names.isEmpty()) {
      throw Request.expected("secret_names", "none without sealed");
    }
    return new Secrets.None(body.containsKey("sealed") && body.containsKey("secret_names"));
  }

  private Answer delete(Request request) {
    if (changes.deploymentsWait()) {
      return changes.waiting(new Operation.Delete(agent(request), system(request)), request);
    }
    return Answer.ok(json(done(systems.delete(agent(request), system(request), request.actor()))));
  }

  private Answer versions(Request request) {
    long before = request.queryNumber("before", Long.MAX_VALUE, 1, Long.MAX_VALUE);
    int limit = (int) request.queryNumber("limit", MAX_LISTED, 1, MAX_LISTED);
    var all = new JsonArray();
    done(systems.versions(agent(request), system(request), before, limit))
        .forEach(version -> all.add(json(version)));
    return Answer.ok(new JsonObject().put("versions", all));
  }

  private Answer version(Request request) {
    long version = number("version", request.path("version"));
    return Answer.ok(json(done(systems.version(agent(request), system(request), version))));
  }

  /// The settings as text: the header's hash is about these very bytes.
  private Answer sealed(Request request) {
    long version = number("version", request.path("version"));
    SealedView view =
        done(systems.sealed(agent(request), system(request), version, request.actor()));
    return Answer.ok(
        proven(
            new JsonObject()
                .put("header", view.headerJws())
                .put("settings_json", view.settingsJson())
                .put("sealed", new JsonObject(Buffer.buffer(view.sealedJson())))
                .put("secret_names", new JsonArray(view.secretNames())),
            view.proof()));
  }

  private static long number(String name, String text) {
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException e) {
      throw Request.expected(name, "a whole number");
    }
  }

  private Answer diff(Request request) {
    long from = requiredNumber(request, "from");
    long to = requiredNumber(request, "to");
    var changes = new JsonObject();
    done(systems.diff(agent(request), system(request), from, to))
        .forEach((path, change) -> changes.put(path, json(change)));
    return Answer.ok(new JsonObject().put("from", from).put("to", to).put("changes", changes));
  }

  private static long requiredNumber(Request request, String name) {
    return request
        .query(name)
        .map(text -> number(name, text))
        .orElseThrow(() -> Request.expected(name, "a version"));
  }

  private Answer rollback(Request request) {
    return Answer.ok(
        json(
            done(
                systems.rollback(
                    agent(request), system(request), versionOf(request), request.actor()))));
  }

  /// The one that a body names.
  static long versionOf(Request request) {
    return Request.number(request.json("version"), "version", 1, Long.MAX_VALUE);
  }

  private Answer deploy(Request request) {
    OptionalLong version = optionalVersion(request);
    if (changes.deploymentsWait()) {
      return changes.waiting(
          new Operation.Deploy(agent(request), system(request), version), request);
    }
    return Answer.ok(
        json(done(systems.deploy(agent(request), system(request), version, request.actor()))));
  }

  private Answer test(Request request) {
    return Answer.ok(
        json(
            done(
                systems.test(
                    agent(request), system(request), optionalVersion(request), request.actor()))));
  }

  static OptionalLong optionalVersion(Request request) {
    if (request.hasNoBody()) {
      return OptionalLong.empty();
    }
    JsonObject body = request.json("version");
    return body.containsKey("version")
        ? OptionalLong.of(Request.number(body, "version", 1, Long.MAX_VALUE))
        : OptionalLong.empty();
  }

  // Outcomes.

  private static <T> T done(Outcome<T> outcome) {
    return switch (outcome) {
      case Outcome.Done<T>(T value) -> value;
      case Outcome.Refused<T>(Refusal refusal) -> throw problem(refusal);
    };
  }

  static Problem problem(Refusal refusal) {
    String title = refusal.reason().text();
    String detail = refusal.detail();
    return switch (refusal.reason()) {
      case UNKNOWN_AGENT, UNKNOWN_SYSTEM, UNKNOWN_VERSION -> Problem.of(404, "not-found", detail);
      case BAD_NAME, UNKNOWN_PLUGIN, SCHEMA_INVALID, BAD_SECRETS, WRONG_RECIPIENT ->
          Problem.of(400, title, detail, errors(refusal));
      case TOO_LARGE -> Problem.of(413, title, detail);
      case VERSION_CONFLICT,
          DESTINATION_CHANGED,
          SECRETS_MISSING,
          NO_SECRETS_TO_CARRY,
          NO_SECRETS,
          AGENT_NOT_APPROVED,
          OLD_GENERATION,
          OLDER_VERSION,
          REMOVED,
          TOO_MANY_SYSTEMS,
          TOO_MANY_MESSAGES,
          ROW_TAMPERED ->
          Problem.conflict(title, detail);
      case AGENT_OFFLINE -> Problem.later(503, title, detail, OFFLINE_RETRY_SECONDS);
      case TEST_FAILED -> Problem.of(502, title, detail);
    };
  }

  private static List<ProblemDocument.Finding> errors(Refusal refusal) {
    return refusal.problems().stream()
        .map(it -> new ProblemDocument.Finding(it.path(), it.expected(), it.found()))
        .toList();
  }

  // JSON.

  private static JsonObject json(Made made) {
    return new JsonObject()
        .put("agent", made.agent())
        .put("system", made.system())
        .put("plugin", made.plugin())
        .put("version", made.version())
        .put("header_sha256", made.headerSha256().base64Url())
        .put("state", made.state())
        .put("recipients", json(made.recipients()));
  }

  private static JsonArray json(List<Recipient> recipients) {
    var all = new JsonArray();
    recipients.forEach(
        recipient ->
            all.add(
                new JsonObject()
                    .put("key_id", recipient.keyId().base64Url())
                    .put("of_agent", recipient.ofAgent())));
    return all;
  }

  private static JsonObject json(Queued queued) {
    return new JsonObject()
        .put("system", queued.system())
        .put("version", queued.version())
        .put("sequence", queued.sequence())
        .put("state", queued.state());
  }

  private static JsonObject json(SystemView system) {
    return new JsonObject()
        .put("system", system.system())
        .put("plugin", system.plugin())
        .put("version", system.version())
        .put("deployed_version", system.deployedVersion())
        .put("applied_version", system.appliedVersion())
        .put("state", system.state())
        .put("drift", system.drift())
        .put("last_receipt", system.lastReceipt().map(SystemRoutes::json).orElse(null))
        .put("updated_by", system.updatedBy())
        .put("updated_at", system.updatedAt().toString());
  }

  private static JsonObject json(ReceiptView receipt) {
    return new JsonObject()
        .put("version", receipt.version())
        .put("outcome", receipt.outcome())
        .put("reason", receipt.reason().orElse(null))
        .put("detail", receipt.detail().orElse(null))
        .put("at", receipt.at().toString());
  }

  private static JsonObject json(VersionView version) {
    var json =
        new JsonObject()
            .put("version", version.version())
            .put("generation", version.generation())
            .put("plugin", version.plugin())
            .put("state", version.state())
            .put("header", version.headerJws())
            .put("header_sha256", version.headerSha256().base64Url())
            .put("secret_names", new JsonArray(version.secretNames()))
            .put("author", version.author())
            .put("created_at", version.createdAt().toString())
            .put("receipt", version.receipt().map(SystemRoutes::json).orElse(null));
    version.settingsJson().ifPresent(text -> json.put("settings", new JsonObject(text)));
    version.recipients().ifPresent(recipients -> json.put("recipients", json(recipients)));
    return json;
  }

  /// What is not there is left out: `null` is a value.
  static JsonObject json(SettingsDiff.Change change) {
    var json = new JsonObject();
    change.oldJson().ifPresent(text -> json.put("old", Json.decodeValue(Buffer.buffer(text))));
    change.newJson().ifPresent(text -> json.put("new", Json.decodeValue(Buffer.buffer(text))));
    return json;
  }

  private static JsonObject json(TestReport report) {
    var stages = new JsonArray();
    for (TestStage stage : report.stages()) {
      stages.add(
          new JsonObject()
              .put("name", stage.name())
              .put("ok", stage.ok())
              .put("ms", stage.micros() / MICROS_PER_MILLI)
              .put("detail", stage.detail()));
    }
    return new JsonObject().put("ok", report.ok()).put("stages", stages);
  }
}
