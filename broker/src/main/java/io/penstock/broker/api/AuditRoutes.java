package io.penstock.broker.api;

import io.penstock.broker.access.Permission;
import io.penstock.broker.audit.Audit;
import io.penstock.broker.store.AuditTable.Entry;
import io.penstock.broker.store.AuditTable.Filter;
import io.penstock.broker.store.AuditTable.Stored;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.Optional;

/// `/api/v1/audit`: Admins read all, Operators and Engineers what they did themselves.
final class AuditRoutes {
  private static final int DEFAULT_LIMIT = 100;
  private static final int MAX_LIMIT = 1_000;

  private final Audit audit;

  AuditRoutes(Audit audit) {
    this.audit = audit;
  }

  void addTo(Routes routes) {
    routes.needs(Permission.AUDIT_READ_OWN, HttpMethod.GET, "/api/v1/audit", this::list);
  }

  private Answer list(Request request) {
    boolean all = request.actor().may(Permission.AUDIT_READ);
    Optional<String> user = all ? request.query("user") : Optional.of(request.actor().name());
    long before = request.queryNumber("before", Long.MAX_VALUE, 1, Long.MAX_VALUE);
    var filter =
        new Filter(
            user,
            request.query("event_type"),
            request.query("resource_id"),
            request.query("result"),
            request.query("reason"),
            request.queryInstant("from"),
            request.queryInstant("to"),
            before == Long.MAX_VALUE ? Optional.empty() : Optional.of(before),
            (int) request.queryNumber("limit", DEFAULT_LIMIT, 1, MAX_LIMIT));
    var events = new JsonArray();
    audit.list(filter).forEach(stored -> events.add(json(stored)));
    return Answer.ok(events);
  }

  private static JsonObject json(Stored stored) {
    Entry entry = stored.entry();
    return new JsonObject()
        .put("id", stored.id())
        .put("timestamp", entry.timestamp().toString())
        .put("event_type", entry.eventType())
        .put("user", entry.user().orElse(null))
        .put("resource_id", entry.resourceId().orElse(null))
        .put("action", entry.action().orElse(null))
        .put("changes", new JsonObject(entry.changes()))
        .put("ip_address", entry.ipAddress().orElse(null))
        .put("user_agent", entry.userAgent().orElse(null))
        .put("resource", entry.resource().orElse(null))
        .put("result", entry.result().orElse(null))
        .put("reason", entry.reason().orElse(null))
        .put("approved_by", entry.approvedBy().orElse(null));
  }
}
