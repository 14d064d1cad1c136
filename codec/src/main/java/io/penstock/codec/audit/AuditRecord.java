package io.penstock.codec.audit;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SealException;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import java.util.UUID;

/// One event as it is proved (`docs/audit.md`, "What is hashed"): every field of the stored one but
/// the number that its place gives it.
///
/// @param timestamp in whole microseconds
/// @param changes a JSON object's text; how it is spelt does not count. Somebody else than the
///     broker may have stored numbers that no reader takes: then it is a text like others
/// @param ipAddress as the JDK writes addresses, so that it has one spelling
public record AuditRecord(
    UUID eventId,
    Instant timestamp,
    String eventType,
    Optional<String> user,
    Optional<String> resourceId,
    Optional<String> action,
    Optional<String> changes,
    Optional<String> ipAddress,
    Optional<String> userAgent,
    Optional<String> resource,
    Optional<String> result,
    Optional<String> reason,
    Optional<String> approvedBy) {

  private static final String ENCODING = "penstock audit record 1";

  public AuditRecord {
    timestamp = timestamp.truncatedTo(ChronoUnit.MICROS);
  }

  /// What the broker's MAC and the chain are over.
  public Octets digest() {
    var bytes =
        new RecordBytes(ENCODING)
            .number(eventId.getMostSignificantBits())
            .number(eventId.getLeastSignificantBits())
            .number(timestamp.getEpochSecond())
            .number(timestamp.getNano() / 1_000)
            .text(eventType)
            .optional(user)
            .optional(resourceId)
            .optional(action)
            .mark(changes.isPresent() ? '+' : '-');
    changes.ifPresent(
        text ->
            CanonicalJson.of(text)
                .ifPresentOrElse(
                    json -> CanonicalJson.append(bytes, json), () -> bytes.mark('?').text(text)));
    return bytes
        .optional(ipAddress)
        .optional(userAgent)
        .optional(resource)
        .optional(result)
        .optional(reason)
        .optional(approvedBy)
        .sha256();
  }

  ObjectNode json(long id) {
    ObjectNode json = CanonicalJson.JSON.createObjectNode();
    json.put("id", id)
        .put("event_id", eventId.toString())
        .put("timestamp", timestamp.toString())
        .put("event_type", eventType);
    put(json, "user", user);
    put(json, "resource_id", resourceId);
    put(json, "action", action);
    changes.ifPresent(
        text ->
            CanonicalJson.of(text)
                .ifPresentOrElse(
                    value -> json.set("changes", value), () -> json.put("changes_text", text)));
    put(json, "ip_address", ipAddress);
    put(json, "user_agent", userAgent);
    put(json, "resource", resource);
    put(json, "result", result);
    put(json, "reason", reason);
    put(json, "approved_by", approvedBy);
    return json;
  }

  private static void put(ObjectNode json, String name, Optional<String> value) {
    value.ifPresent(text -> json.put(name, text));
  }

  static AuditRecord of(JsonNode json) {
    try {
      return new AuditRecord(
          UUID.fromString(required(json, "event_id")),
          Instant.parse(required(json, "timestamp")),
          required(json, "event_type"),
          text(json, "user"),
          text(json, "resource_id"),
          text(json, "action"),
          json.has("changes_text") ? text(json, "changes_text") : changes(json.path("changes")),
          text(json, "ip_address"),
          text(json, "user_agent"),
          text(json, "resource"),
          text(json, "result"),
          text(json, "reason"),
          text(json, "approved_by"));
    } catch (DateTimeException | IllegalArgumentException _) {
      throw new SealException("a record with an event_id or timestamp that is none");
    }
  }

  private static Optional<String> changes(JsonNode json) {
    if (json.isMissingNode()) {
      return Optional.empty();
    }
    try {
      return Optional.of(CanonicalJson.JSON.writeValueAsString(json));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree is always writable", e);
    }
  }

  private static String required(JsonNode json, String name) {
    return text(json, name).orElseThrow(() -> new SealException("a record without " + name));
  }

  private static Optional<String> text(JsonNode json, String name) {
    JsonNode value = json.path(name);
    if (value.isMissingNode()) {
      return Optional.empty();
    }
    if (!value.isTextual()) {
      throw new SealException("a record whose " + name + " is no text");
    }
    return Optional.of(value.textValue());
  }
}
