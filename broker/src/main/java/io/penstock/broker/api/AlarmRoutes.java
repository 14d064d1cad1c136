package io.penstock.broker.api;

import io.penstock.broker.access.Permission;
import io.penstock.broker.alarms.AlarmAction;
import io.penstock.broker.alarms.AlarmOperations;
import io.penstock.broker.alarms.AlarmOperations.Acknowledged;
import io.penstock.broker.alarms.AlarmOperations.Query;
import io.penstock.broker.alarms.AlarmOperations.Seen;
import io.penstock.broker.store.AlarmKind;
import io.penstock.broker.store.AlarmTable.Acknowledgement;
import io.penstock.broker.store.AlarmTable.Alarm;
import io.penstock.broker.store.AlarmTable.Severity;
import io.penstock.broker.store.AlarmTable.State;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Instant;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/// `/api/v1/alarms`.
final class AlarmRoutes {
  private static final int MAX_LIMIT = 1_000;
  private static final int MAX_NOTE = 1_000;

  private final AlarmOperations alarms;

  AlarmRoutes(AlarmOperations alarms) {
    this.alarms = alarms;
  }

  void addTo(Routes routes) {
    routes.needs(Permission.ALARMS_READ, HttpMethod.GET, "/api/v1/alarms", this::list);
    routes.needs(Permission.ALARMS_READ, HttpMethod.GET, "/api/v1/alarms/kinds", _ -> kinds());
    routes.needs(Permission.ALARMS_READ, HttpMethod.GET, "/api/v1/alarms/:id", this::show);
    routes.needs(
        Permission.ALARMS_ACKNOWLEDGE,
        HttpMethod.POST,
        "/api/v1/alarms/:id/acknowledge",
        this::acknowledge);
  }

  private Answer list(Request request) {
    long before = request.queryNumber("before", Long.MAX_VALUE, 1, Long.MAX_VALUE);
    var query =
        new Query(
            request
                .query("state")
                .filter(text -> !text.equals("all"))
                .map(text -> constant("state", State.class, text, "all, ")),
            request.query("severity").map(text -> constant("severity", Severity.class, text, "")),
            request.query("kind"),
            request.query("subject"),
            before == Long.MAX_VALUE ? Optional.empty() : Optional.of(before),
            (int) request.queryNumber("limit", MAX_LIMIT, 1, MAX_LIMIT));
    var all = new JsonArray();
    alarms.list(query, request.actor()).forEach(alarm -> all.add(json(alarm)));
    return Answer.ok(all);
  }

  private static <E extends Enum<E>> E constant(
      String name, Class<E> type, String text, String more) {
    return Arrays.stream(type.getEnumConstants())
        .filter(constant -> word(constant).equals(text))
        .findFirst()
        .orElseThrow(
            () ->
                Request.expected(
                    name,
                    "one of "
                        + more
                        + Arrays.stream(type.getEnumConstants())
                            .map(AlarmRoutes::word)
                            .collect(Collectors.joining(", "))));
  }

  private static String word(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }

  private Answer kinds() {
    var kinds = new JsonArray();
    for (AlarmKind kind : AlarmKind.values()) {
      kinds.add(
          new JsonObject()
              .put("code", kind.code())
              .put("severity", word(kind.severity()))
              .put("about", kind.about().text())
              .put("clears_itself", kind.clearsItself())
              .put("title", kind.title())
              .put("next", kind.next()));
    }
    return Answer.ok(
        new JsonObject()
            .put("looked_at", alarms.lookedAt().map(Instant::toString).orElse(null))
            .put("kinds", kinds));
  }

  private Answer show(Request request) {
    return alarms
        .find(id(request), request.actor())
        .map(alarm -> Answer.ok(json(alarm)))
        .orElseThrow(() -> Problem.notFound("alarm"));
  }

  private Answer acknowledge(Request request) {
    String note =
        request.hasNoBody() ? "" : Request.optionalText(request.json("note"), "note").orElse("");
    if (note.length() > MAX_NOTE) {
      throw Request.expected("note", "at most " + MAX_NOTE + " characters");
    }
    return switch (alarms.acknowledge(id(request), note, request.actor())) {
      case Acknowledged.Done(Seen alarm) -> Answer.ok(json(alarm));
      case Acknowledged.Unknown() -> throw Problem.notFound("alarm");
      case Acknowledged.Already() ->
          throw Problem.conflict("wrong-state", "the alarm is acknowledged already");
    };
  }

  private static long id(Request request) {
    try {
      return Long.parseLong(request.path("id"));
    } catch (NumberFormatException _) {
      throw Problem.notFound("alarm");
    }
  }

  private static JsonObject json(Seen seen) {
    var actions = new JsonArray();
    seen.actions().forEach(action -> actions.add(json(action)));
    return json(seen.alarm()).put("silenced", seen.silenced()).put("actions", actions);
  }

  /// What everybody who may see it sees alike.
  static JsonObject json(Alarm alarm) {
    Optional<AlarmKind> kind = AlarmKind.of(alarm.kind());
    return new JsonObject()
        .put("id", alarm.id())
        .put("kind", alarm.kind())
        .put("title", kind.map(AlarmKind::title).orElse(alarm.kind()))
        .put("severity", word(alarm.severity()))
        .put("state", word(alarm.state()))
        .put("subject", alarm.subject())
        .put("message", alarm.message())
        .put("address", alarm.address().orElse(null))
        .put("next", kind.map(AlarmKind::next).orElse(""))
        .put("clears_itself", kind.map(AlarmKind::clearsItself).orElse(false))
        .put("occurrences", alarm.occurrences())
        .put("raised_at", alarm.raisedAt().toString())
        .put("last_at", alarm.lastAt().toString())
        .put(
            "acknowledged_at",
            alarm.acknowledgement().map(Acknowledgement::at).map(Instant::toString).orElse(null))
        .put("acknowledged_by", alarm.acknowledgement().map(Acknowledgement::by).orElse(null))
        .put("note", alarm.acknowledgement().map(Acknowledgement::note).orElse(null))
        .put("cleared_at", alarm.clearedAt().map(Instant::toString).orElse(null));
  }

  private static JsonObject json(AlarmAction action) {
    return new JsonObject()
        .put("name", action.name())
        .put("title", action.title())
        .put("method", action.method())
        .put("path", action.path())
        .put("body", action.body().isEmpty() ? null : new JsonObject(action.body()))
        .put("asks", new JsonArray(action.asks()))
        .put("permission", action.permission().text())
        .put("allowed", action.allowed());
  }
}
