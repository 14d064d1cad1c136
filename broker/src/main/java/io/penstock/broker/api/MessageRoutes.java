package io.penstock.broker.api;

import io.penstock.broker.access.Permission;
import io.penstock.broker.delivery.DeliveryOperations;
import io.penstock.broker.delivery.DeliveryOperations.MessageView;
import io.penstock.broker.delivery.DeliveryOperations.Outcome;
import io.penstock.codec.message.DeliveryMessage.InstructionKind;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// `/api/v1/agents/{id}/messages` and `/instructions`: what waits for an agent, and things for it
/// to do once.
final class MessageRoutes {
  private static final Pattern SYSTEM = Pattern.compile("[A-Za-z0-9._-]{1,63}");
  private static final int MAX_MESSAGES = 1_000;

  private final DeliveryOperations delivery;

  MessageRoutes(DeliveryOperations delivery) {
    this.delivery = delivery;
  }

  void addTo(Routes routes) {
    String one = "/api/v1/agents/:id";
    routes.needs(Permission.AGENTS_READ, HttpMethod.GET, one + "/messages", this::messages);
    routes.needs(Permission.AGENTS_MANAGE, HttpMethod.POST, one + "/instructions", this::instruct);
  }

  private Answer messages(Request request) {
    long after = request.queryNumber("after", 0, 0, Long.MAX_VALUE);
    int limit = (int) request.queryNumber("limit", MAX_MESSAGES, 1, MAX_MESSAGES);
    List<MessageView> waiting =
        delivery
            .messages(request.path("id"), after, limit)
            .orElseThrow(() -> Problem.notFound("agent"));
    var all = new JsonArray();
    waiting.forEach(message -> all.add(json(message)));
    return Answer.ok(new JsonObject().put("messages", all));
  }

  private static JsonObject json(MessageView message) {
    return new JsonObject()
        .put("sequence", message.sequence())
        .put("kind", message.kind())
        .put("system", message.system().orElse(null))
        .put("version", message.version().orElse(null))
        .put("author", message.author())
        .put("created_at", message.createdAt().toString())
        .put("state", message.sent().isPresent() ? "sent" : "queued")
        .put("sent_at", message.sent().map(Instant::toString).orElse(null))
        .put("attempts", message.attempts())
        .put("expires_at", message.expiresAt().map(Instant::toString).orElse(null))
        .put("why", message.why());
  }

  private Answer instruct(Request request) {
    JsonObject body = request.json("kind", "system", "expires_in_seconds");
    Optional<String> system = Request.optionalText(body, "system");
    if (system.filter(name -> !SYSTEM.matcher(name).matches()).isPresent()) {
      throw Request.expected(
          "system", "a name of 1 to 63 letters, digits, dots, hyphens or underscores");
    }
    InstructionKind kind = kind(Request.text(body, "kind"));
    if (kind == InstructionKind.RESTART_PLUGIN && system.isEmpty()) {
      throw Request.expected("system", "the one whose plugin to restart");
    }
    return answer(
        delivery.instruct(request.path("id"), kind, system, expiresIn(body), request.actor()));
  }

  private static InstructionKind kind(String text) {
    return known()
        .filter(kind -> kind.text().equals(text))
        .findFirst()
        .orElseThrow(
            () ->
                Request.expected(
                    "kind",
                    known()
                        .map(InstructionKind::text)
                        .collect(Collectors.joining(", ", "one of ", ""))));
  }

  private static Stream<InstructionKind> known() {
    return Arrays.stream(InstructionKind.values()).filter(kind -> kind != InstructionKind.UNKNOWN);
  }

  private static Optional<Duration> expiresIn(JsonObject body) {
    return body.containsKey("expires_in_seconds")
        ? Optional.of(
            Duration.ofSeconds(
                Request.number(
                    body, "expires_in_seconds", 1, DeliveryOperations.MAX_EXPIRY.toSeconds())))
        : Optional.empty();
  }

  private static Answer answer(Outcome outcome) {
    return switch (outcome) {
      case Outcome.Queued(long sequence, String id) ->
          Answer.created(new JsonObject().put("sequence", sequence).put("id", id));
      case Outcome.UnknownAgent() -> throw Problem.notFound("agent");
      case Outcome.WrongState(String state) ->
          throw Problem.conflict("wrong-state", "the agent is " + state);
      case Outcome.QueueFull(int limit, int found) ->
          throw Problem.conflict(
              "queue-full",
              "expected at most " + limit + " undelivered messages of the agent, found " + found);
    };
  }
}
