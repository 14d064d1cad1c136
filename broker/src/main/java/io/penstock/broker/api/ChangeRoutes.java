package io.penstock.broker.api;

import io.penstock.broker.access.Accounts;
import io.penstock.broker.access.Permission;
import io.penstock.broker.access.Role;
import io.penstock.broker.changes.ChangeOutcome;
import io.penstock.broker.changes.Changes;
import io.penstock.broker.changes.Changes.Detail;
import io.penstock.broker.changes.Operation;
import io.penstock.broker.store.ChangeTable.Change;
import io.penstock.broker.store.ChangeTable.Decision;
import io.penstock.broker.store.ChangeTable.State;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/// `/api/v1/changes`: what waits for a second person, and the direct calls that become such a
/// change.
final class ChangeRoutes {
  private static final String ALL = "/api/v1/changes";
  private static final int MAX_LISTED = 200;
  private static final int MAX_WORDS = 1_000;

  private final Changes changes;
  private final Accounts accounts;

  ChangeRoutes(Changes changes, Accounts accounts) {
    this.changes = changes;
    this.accounts = accounts;
  }

  void addTo(Routes routes) {
    Permission create = Permission.CHANGES_CREATE;
    Permission approve = Permission.CHANGES_APPROVE;
    String one = ALL + "/:id";
    routes.needs(create, HttpMethod.GET, ALL, this::list);
    routes.needs(create, HttpMethod.POST, ALL, this::propose);
    routes.needs(create, HttpMethod.GET, one, this::show);
    routes.needs(
        approve,
        HttpMethod.POST,
        one + "/approve",
        request ->
            decided(
                changes.approve(
                    id(request), comment(request), request.actor(), ProposedRequest::read)));
    routes.needs(
        approve,
        HttpMethod.POST,
        one + "/reject",
        request -> decided(changes.reject(id(request), comment(request), request.actor())));
    routes.needs(
        create,
        HttpMethod.POST,
        one + "/withdraw",
        request -> decided(changes.withdraw(id(request), comment(request), request.actor())));
  }

  // For the routes of what can be proposed.

  boolean deploymentsWait() {
    return changes.deploymentsWait();
  }

  boolean mayRevokeAlone(List<String> agents, Request request) {
    return changes.mayRevokeAlone(agents, request.actor());
  }

  /// For whoever asks.
  boolean isThere(String agent, Request request) {
    return accounts.sees(request.actor(), agent);
  }

  /// Instead of being done, it waits.
  Answer waiting(Operation operation, Request request) {
    Change change = proposed(changes.propose(operation, "", Optional.empty(), request.actor()));
    return Answer.accepted(json(change)).at(place(change));
  }

  private Answer propose(Request request) {
    JsonObject body =
        request.unambiguousJson("method", "path", "body", "reason", "expires_in_seconds");
    String method = Request.text(body, "method");
    String path = Request.text(body, "path");
    byte[] asked =
        switch (body.getValue("body")) {
          case null -> new byte[0];
          case JsonObject object -> object.toBuffer().getBytes();
          default -> throw Request.expected("body", "an object");
        };
    Optional<Duration> expiresIn =
        body.containsKey("expires_in_seconds")
            ? Optional.of(
                Duration.ofSeconds(
                    Request.number(body, "expires_in_seconds", 1, changes.expiry().toSeconds())))
            : Optional.empty();
    Operation operation = ProposedRequest.read(method, path, asked);
    Change change =
        proposed(changes.propose(operation, words(body, "reason"), expiresIn, request.actor()));
    return Answer.created(json(change)).at(place(change));
  }

  private static Change proposed(ChangeOutcome outcome) {
    return done(outcome);
  }

  private Answer decided(ChangeOutcome outcome) {
    return Answer.ok(json(done(outcome)));
  }

  private static Change done(ChangeOutcome outcome) {
    return switch (outcome) {
      case ChangeOutcome.Done(Change change) -> change;
      case ChangeOutcome.UnknownChange() -> throw Problem.notFound("change");
      case ChangeOutcome.UnknownAgent() -> throw Problem.notFound("agent");
      case ChangeOutcome.WrongState(String state) ->
          throw Problem.conflict("wrong-state", "the change is " + state);
      case ChangeOutcome.WrongAgentState(String agent, String state) ->
          throw Problem.conflict("wrong-state", "the agent " + agent + " is " + state);
      case ChangeOutcome.OwnChange() ->
          throw Problem.of(
              403,
              "second-person-needed",
              "expected another account than the change's author; an author withdraws it");
      case ChangeOutcome.NotTheAuthor() ->
          throw Problem.of(
              403, "not-the-author", "a change is withdrawn by its author; reject it instead");
      case ChangeOutcome.Lacks(Permission permission) -> throw Problem.forbidden(permission.text());
      case ChangeOutcome.AuthorMayNot() ->
          throw Problem.conflict(
              "author-may-not",
              "the author's account is disabled, gone, or may not propose this any more; reject"
                  + " it");
      case ChangeOutcome.TargetChanged(String what) ->
          throw Problem.conflict(
              "target-changed", "since it was proposed something else was done: " + what);
      case ChangeOutcome.Refused(var refusal) -> throw SystemRoutes.problem(refusal);
      case ChangeOutcome.TooMany(String whose, long limit, long found) ->
          throw Problem.conflict(
              "too-many-changes",
              "expected at most " + limit + " waiting changes (" + whose + "), found " + found);
      case ChangeOutcome.Tampered() ->
          throw Problem.conflict(
              "row-tampered", "the database holds something that this broker did not write");
    };
  }

  private Answer list(Request request) {
    Optional<State> state =
        request
            .query("state")
            .map(
                text ->
                    State.of(text)
                        .orElseThrow(
                            () ->
                                Request.expected(
                                    "state",
                                    "waiting, approved, executed, rejected, withdrawn, expired or"
                                        + " failed")));
    Optional<UUID> before =
        request
            .query("before")
            .map(text -> uuid(text).orElseThrow(() -> Request.expected("before", "a change's id")));
    int limit = (int) request.queryNumber("limit", MAX_LISTED, 1, MAX_LISTED);
    var all = new JsonArray();
    changes
        .list(state, request.query("author"), before, limit, request.actor())
        .forEach(change -> all.add(json(change)));
    return Answer.ok(new JsonObject().put("changes", all));
  }

  private Answer show(Request request) {
    return changes
        .find(id(request), request.actor(), ProposedRequest::read)
        .map(detail -> Answer.ok(json(detail)))
        .orElseThrow(() -> Problem.notFound("change"));
  }

  private static UUID id(Request request) {
    return uuid(request.path("id")).orElseThrow(() -> Problem.notFound("change"));
  }

  /// In its one spelling.
  private static Optional<UUID> uuid(String text) {
    try {
      return Optional.of(UUID.fromString(text)).filter(id -> id.toString().equals(text));
    } catch (IllegalArgumentException _) {
      return Optional.empty();
    }
  }

  private static String comment(Request request) {
    return request.hasNoBody() ? "" : words(request.json("comment"), "comment");
  }

  private static String words(JsonObject body, String field) {
    String text = Request.optionalText(body, field).orElse("");
    if (text.length() > MAX_WORDS || text.indexOf('\0') >= 0) {
      throw Request.expected(field, "a text of at most " + MAX_WORDS + " characters");
    }
    return text;
  }

  private static String place(Change change) {
    return ALL + "/" + change.id();
  }

  private static JsonObject json(Detail detail) {
    JsonObject json = json(detail.change());
    detail
        .body()
        .filter(body -> body.length > 0)
        .ifPresent(
            body ->
                json.getJsonObject("request")
                    .put("body", withoutSecrets(new JsonObject(Buffer.buffer(body)))));
    var diff = new JsonObject();
    detail.diff().forEach((at, change) -> diff.put(at, SystemRoutes.json(change)));
    return json.put("diff", diff).put("approvers", detail.approvers());
  }

  /// The ciphertext tells nobody anything, and is long.
  private static JsonObject withoutSecrets(JsonObject body) {
    if (body.getValue("sealed") instanceof JsonObject) {
      body.put("sealed", "sealed to the agent");
    }
    return body;
  }

  private static JsonObject json(Change change) {
    Permission needed = Changes.needs(change);
    var target = new JsonObject();
    change.target().entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .forEach(entry -> target.put(entry.getKey(), entry.getValue()));
    return new JsonObject()
        .put("id", change.id().toString())
        .put("kind", change.kind())
        .put("state", change.state().text())
        .put("agents", new JsonArray(change.agents()))
        .put(
            "request",
            new JsonObject()
                .put("method", change.method())
                .put("path", change.path())
                .put("body_sha256", change.bodySha256().base64Url()))
        .put("target", target)
        .put("reason", change.reason())
        .put("author", change.author())
        .put("created_at", change.createdAt().toString())
        .put("expires_at", change.expiresAt().toString())
        .put("needs", needs(needed))
        .put("decided_by", change.decision().map(Decision::by).orElse(null))
        .put("decided_at", change.decision().map(Decision::at).map(Instant::toString).orElse(null))
        .put("comment", change.decision().map(Decision::comment).orElse(null))
        .put("outcome", change.outcomeJson().map(JsonObject::new).orElse(null))
        .put("intact", change.intact());
  }

  /// Whom it waits for.
  private static JsonObject needs(Permission needed) {
    List<String> roles =
        new Right.Needs(Permission.CHANGES_APPROVE)
            .roles().stream()
                .filter(role -> role.permissions().contains(needed))
                .map(Role::text)
                .toList();
    return new JsonObject()
        .put(
            "permissions",
            new JsonArray().add(Permission.CHANGES_APPROVE.text()).add(needed.text()))
        .put("roles", new JsonArray(roles));
  }
}
