package io.penstock.broker.api;

import io.penstock.broker.access.Accounts;
import io.penstock.broker.access.Permission;
import io.penstock.broker.audit.Audit;
import io.penstock.broker.store.AlarmTable;
import io.penstock.broker.store.AlarmTable.Acknowledgement;
import io.penstock.broker.store.AlarmTable.Alarm;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.Tx;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Clock;
import java.time.Instant;
import java.util.Locale;

/// `/api/v1/alarms`.
final class AlarmRoutes {
  private static final int MAX_LIMIT = 1_000;

  private final Database database;
  private final Accounts accounts;
  private final AlarmTable table = new AlarmTable();
  private final Audit audit;
  private final Clock clock;

  AlarmRoutes(Database database, Accounts accounts, Audit audit, Clock clock) {
    this.database = database;
    this.accounts = accounts;
    this.audit = audit;
    this.clock = clock;
  }

  void addTo(Routes routes) {
    routes.needs(Permission.ALARMS_READ, HttpMethod.GET, "/api/v1/alarms", this::list);
    routes.needs(
        Permission.ALARMS_ACKNOWLEDGE,
        HttpMethod.POST,
        "/api/v1/alarms/:id/acknowledge",
        this::acknowledge);
  }

  private Answer list(Request request) {
    boolean openOnly = request.query("open").map(Boolean::parseBoolean).orElse(false);
    int limit = (int) request.queryNumber("limit", MAX_LIMIT, 1, MAX_LIMIT);
    var alarms = new JsonArray();
    database
        .transaction(tx -> table.list(tx, openOnly, accounts.agentsOf(tx, request.actor()), limit))
        .forEach(alarm -> alarms.add(json(alarm)));
    return Answer.ok(alarms);
  }

  private Answer acknowledge(Request request) {
    long id;
    try {
      id = Long.parseLong(request.path("id"));
    } catch (NumberFormatException e) {
      throw Problem.notFound("alarm");
    }
    String comment =
        request.hasNoBody()
            ? ""
            : Request.optionalText(request.json("comment"), "comment").orElse("");
    Alarm alarm =
        database.transaction(
            tx -> {
              Alarm found =
                  table
                      .find(tx, id)
                      .filter(one -> mayKnow(tx, request, one))
                      .orElseThrow(() -> Problem.notFound("alarm"));
              if (!table.acknowledge(tx, id, request.actor().name(), comment, clock.instant())) {
                throw Problem.conflict("wrong-state", "the alarm is acknowledged already");
              }
              audit.record(
                  tx, Accounts.event("alarm.acknowledge", request.actor(), found.subject()));
              return table.find(tx, id).orElseThrow(() -> Problem.notFound("alarm"));
            });
    return Answer.ok(json(alarm));
  }

  private boolean mayKnow(Tx tx, Request request, Alarm alarm) {
    return accounts
        .agentsOf(tx, request.actor())
        .map(agents -> agents.contains(alarm.agentIfAny()))
        .orElse(true);
  }

  static JsonObject json(Alarm alarm) {
    return new JsonObject()
        .put("id", alarm.id())
        .put("kind", alarm.kind())
        .put("severity", alarm.severity().name().toLowerCase(Locale.ROOT))
        .put("subject", alarm.subject())
        .put("message", alarm.message())
        .put("occurrences", alarm.occurrences())
        .put("raised_at", alarm.raisedAt().toString())
        .put("last_at", alarm.lastAt().toString())
        .put(
            "acknowledged_at",
            alarm.acknowledgement().map(Acknowledgement::at).map(Instant::toString).orElse(null))
        .put("acknowledged_by", alarm.acknowledgement().map(Acknowledgement::by).orElse(null))
        .put("comment", alarm.acknowledgement().map(Acknowledgement::comment).orElse(null))
        .put("cleared_at", alarm.clearedAt().map(Instant::toString).orElse(null));
  }
}
