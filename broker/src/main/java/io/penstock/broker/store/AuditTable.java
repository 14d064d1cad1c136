package io.penstock.broker.store;

import io.penstock.broker.keys.RowMac;
import io.penstock.codec.audit.AuditRecord;
import io.penstock.codec.seal.Octets;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.sqlclient.Row;
import java.net.InetAddress;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/// The audit trail: rows are added, read, and never changed (a trigger sees to it).
public final class AuditTable {
  private static final String TABLE = "audit_log";
  private static final String COLUMNS =
      """
      id, event_id, timestamp, event_type, user_email, resource_id, action, changes, host(ip_address) as ip_address, user_agent, resource,
      result, reason, approved_by\
      """;

  /// The fields every stored event may have; those that do not apply are empty.
  public record Entry(
      UUID eventId,
      Instant timestamp,
      String eventType,
      Optional<String> user,
      Optional<String> resourceId,
      Optional<String> action,
      Map<String, Object> changes,
      Optional<String> ipAddress,
      Optional<String> userAgent,
      Optional<String> resource,
      Optional<String> result,
      Optional<String> reason,
      Optional<String> approvedBy) {
    public Entry {
      // As Postgres keeps it.
      timestamp = timestamp.truncatedTo(ChronoUnit.MICROS);
      // Not copyOf: a change from or to nothing is a null inside.
      changes = Collections.unmodifiableMap(new LinkedHashMap<>(changes));
    }

    Optional<String> changesText() {
      return changes.isEmpty() ? Optional.empty() : Optional.of(new JsonObject(changes).encode());
    }

    /// What of it is proved.
    AuditRecord proved() {
      return new AuditRecord(
          eventId,
          timestamp,
          eventType,
          user,
          resourceId,
          action,
          changesText(),
          ipAddress.map(AuditTable::oneSpelling),
          userAgent,
          resource,
          result,
          reason,
          approvedBy);
    }
  }

  public record Stored(long id, Entry entry) {}

  /// Empty fields do not filter. `eventType` may end in `.*`; `beforeId` pages backwards. A
  /// `resourceId` of `agent/system` finds the records about several systems of the agent, too.
  public record Filter(
      Optional<String> user,
      Optional<String> eventType,
      Optional<String> resourceId,
      Optional<String> result,
      Optional<String> reason,
      Optional<Instant> from,
      Optional<Instant> to,
      Optional<Long> beforeId,
      int limit) {}

  /// Written before the commit, together with the other rows of the transaction and in their order,
  /// each under a MAC.
  public void insert(Tx tx, Entry entry, RowMac mac) {
    tx.audit().add(entry, mac.of(TABLE, proved(entry.proved().digest())));
  }

  /// Sends what waits to Postgres now.
  public void flush(Tx tx) {
    tx.audit().flush();
  }

  /// Is this what the broker wrote?
  ///
  /// @param digest of what was found
  static boolean isGenuine(RowMac mac, Octets digest, Octets foundMac) {
    return mac.holds(foundMac, TABLE, proved(digest));
  }

  private static List<String> proved(Octets digest) {
    return List.of(digest.hex());
  }

  /// As the JDK writes addresses: Postgres shortens, and may have been given, another form.
  private static String oneSpelling(String address) {
    int mask = address.indexOf('/');
    return InetAddress.ofLiteral(mask < 0 ? address : address.substring(0, mask)).getHostAddress();
  }

  /// What of a row is proved.
  ///
  /// @param row has `changes` as text in `changes_text`
  static AuditRecord proved(Row row) {
    return new AuditRecord(
        row.getUUID("event_id"),
        Values.instant(row, "timestamp"),
        Values.text(row, "event_type"),
        Values.optionalText(row, "user_email"),
        Values.optionalText(row, "resource_id"),
        Values.optionalText(row, "action"),
        Values.optionalText(row, "changes_text"),
        Values.optionalText(row, "ip_address").map(AuditTable::oneSpelling),
        Values.optionalText(row, "user_agent"),
        Values.optionalText(row, "resource"),
        Values.optionalText(row, "result"),
        Values.optionalText(row, "reason"),
        Values.optionalText(row, "approved_by"));
  }

  /// Newest first. Only what filters is asked for, so that Postgres may choose an index.
  public List<Stored> list(Tx tx, Filter filter) {
    tx.audit().flush();
    var where = new Where();
    filter.user().ifPresent(it -> where.and("user_email = ?", it));
    filter.eventType().ifPresent(it -> where.andType(it));
    filter.resourceId().ifPresent(it -> where.andResource(it));
    filter.result().ifPresent(it -> where.and("result = ?", it));
    filter.reason().ifPresent(it -> where.and("reason = ?", it));
    filter.from().ifPresent(it -> where.and("timestamp >= ?", it));
    filter.to().ifPresent(it -> where.and("timestamp < ?", it));
    filter.beforeId().ifPresent(it -> where.and("id < ?", it));
    var entries = new ArrayList<Stored>();
    tx.query(
            "select "
                + COLUMNS
                + " from audit_log"
                + where.text()
                + " order by id desc limit "
                + where.place(filter.limit()),
            where.arguments())
        .forEach(row -> entries.add(read(row)));
    return entries;
  }

  /// Conditions that hold together, and what their places stand for.
  private static final class Where {
    private final StringBuilder text = new StringBuilder();
    private final List<Object> arguments = new ArrayList<>();

    /// @param condition with a `?` for each value
    void and(String condition, Object... values) {
      text.append(text.isEmpty() ? " where " : " and ");
      String[] parts = condition.split("\\?", -1);
      text.append(parts[0]);
      for (int i = 1; i < parts.length; i++) {
        text.append(place(values[i - 1])).append(parts[i]);
      }
    }

    String place(Object value) {
      arguments.add(value);
      return "$" + arguments.size();
    }

    void andType(String type) {
      if (type.endsWith(".*")) {
        and("starts_with(event_type, ?)", type.substring(0, type.length() - 1));
      } else {
        and("event_type = ?", type);
      }
    }

    /// What an agent proves of several systems at once is about each of them.
    void andResource(String resource) {
      int slash = resource.indexOf('/');
      if (slash < 0) {
        and("resource_id = ?", resource);
        return;
      }
      JsonObject system = JsonObject.of("system", resource.substring(slash + 1));
      and(
          "(resource_id = ? or (event_type = 'system.applied' and resource_id = ? and changes @>"
              + " ?))",
          resource,
          resource.substring(0, slash),
          JsonObject.of("systems", JsonArray.of(system)));
    }

    String text() {
      return text.toString();
    }

    Object[] arguments() {
      return arguments.toArray();
    }
  }

  private static Stored read(Row row) {
    JsonObject changes = row.getJsonObject("changes");
    return new Stored(
        Values.number(row, "id"),
        new Entry(
            row.getUUID("event_id"),
            Values.instant(row, "timestamp"),
            Values.text(row, "event_type"),
            Values.optionalText(row, "user_email"),
            Values.optionalText(row, "resource_id"),
            Values.optionalText(row, "action"),
            changes == null ? Map.of() : changes.getMap(),
            Values.optionalText(row, "ip_address"),
            Values.optionalText(row, "user_agent"),
            Values.optionalText(row, "resource"),
            Values.optionalText(row, "result"),
            Values.optionalText(row, "reason"),
            Values.optionalText(row, "approved_by")));
  }
}
