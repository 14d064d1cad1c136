package io.penstock.broker.api;

import io.penstock.broker.access.Permission;
import io.penstock.broker.alarms.AlarmOperations;
import io.penstock.broker.alarms.AlarmOperations.Silenced;
import io.penstock.broker.store.SilenceTable.Silence;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.DateTimeException;
import java.time.Instant;

/// `/api/v1/silences`: alarms that wake nobody for a while.
final class SilenceRoutes {
  private static final int MAX_TEXT = 500;

  private final AlarmOperations alarms;

  SilenceRoutes(AlarmOperations alarms) {
    this.alarms = alarms;
  }

  void addTo(Routes routes) {
    String path = "/api/v1/silences";
    routes.needs(Permission.ALARMS_READ, HttpMethod.GET, path, this::list);
    routes.needs(Permission.ALARMS_ACKNOWLEDGE, HttpMethod.POST, path, this::add);
    routes.needs(Permission.ALARMS_ACKNOWLEDGE, HttpMethod.DELETE, path + "/:id", this::remove);
  }

  private Answer list(Request request) {
    var all = new JsonArray();
    alarms.silences(request.actor()).forEach(silence -> all.add(json(silence)));
    return Answer.ok(all);
  }

  private Answer add(Request request) {
    JsonObject body = request.json("kind", "subject", "until", "reason");
    String reason = bounded(body, "reason");
    var kind = Request.optionalText(body, "kind");
    var subject = Request.optionalText(body, "subject").map(_ -> bounded(body, "subject"));
    return switch (alarms.silence(kind, subject, until(body), reason, request.actor())) {
      case Silenced.Done(Silence silence) -> Answer.created(json(silence));
      case Silenced.Everything() ->
          throw Problem.badRequest("kind, subject: expected at least one of them");
      case Silenced.UnknownKind() ->
          throw Request.expected("kind", "one of those that GET /api/v1/alarms/kinds lists");
      case Silenced.WrongTime() ->
          throw Request.expected(
              "until",
              "a time to come, at most "
                  + AlarmOperations.LONGEST_SILENCE.toDays()
                  + " days from now");
      case Silenced.OutOfScope() ->
          throw Request.expected("subject", "an agent that you may see, or what is of it");
      case Silenced.Full() ->
          throw Problem.conflict(
              "too-many-silences",
              "expected at most " + AlarmOperations.MAX_SILENCES + " silences");
    };
  }

  private static String bounded(JsonObject body, String field) {
    String text = Request.text(body, field);
    if (text.length() > MAX_TEXT) {
      throw Request.expected(field, "at most " + MAX_TEXT + " characters");
    }
    return text;
  }

  private static Instant until(JsonObject body) {
    try {
      return Instant.parse(Request.text(body, "until"));
    } catch (DateTimeException _) {
      throw Request.expected("until", "a time such as 2026-01-31T12:00:00Z");
    }
  }

  private Answer remove(Request request) {
    long id;
    try {
      id = Long.parseLong(request.path("id"));
    } catch (NumberFormatException _) {
      throw Problem.notFound("silence");
    }
    if (!alarms.unsilence(id, request.actor())) {
      throw Problem.notFound("silence");
    }
    return Answer.nothing();
  }

  private static JsonObject json(Silence silence) {
    return new JsonObject()
        .put("id", silence.id())
        .put("kind", silence.kind().orElse(null))
        .put("subject", silence.subject().orElse(null))
        .put("until", silence.until().toString())
        .put("reason", silence.reason())
        .put("created_at", silence.createdAt().toString())
        .put("created_by", silence.createdBy());
  }
}
