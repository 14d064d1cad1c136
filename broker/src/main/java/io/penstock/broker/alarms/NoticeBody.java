package io.penstock.broker.alarms;

import io.penstock.broker.store.AlarmKind;
import io.penstock.broker.store.AlarmNoticeTable.Change;
import io.penstock.broker.store.AlarmNoticeTable.What;
import io.penstock.broker.store.AlarmTable.Alarm;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// What a notice says, as webhooks get it and mails spell it out.
final class NoticeBody {
  private NoticeBody() {}

  static JsonObject of(String broker, List<Change> changes) {
    var all = new JsonArray();
    changes.forEach(change -> all.add(json(change)));
    return new JsonObject().put("broker", broker).put("changes", all);
  }

  /// Of an alarm that no table holds, because there is no table.
  static JsonObject urgent(
      String broker, AlarmKind kind, String subject, String message, Instant at) {
    JsonObject alarm =
        new JsonObject()
            .put("id", null)
            .put("kind", kind.code())
            .put("title", kind.title())
            .put("severity", kind.severity().name().toLowerCase(Locale.ROOT))
            .put("subject", subject)
            .put("message", message)
            .put("address", null)
            .put("occurrences", 1)
            .put("raised_at", at.toString())
            .put("last_at", at.toString())
            .put("cleared_at", null)
            .put("next", kind.next());
    return new JsonObject()
        .put("broker", broker)
        .put(
            "changes",
            new JsonArray()
                .add(
                    new JsonObject()
                        .put("change", "raised")
                        .put("at", at.toString())
                        .put("alarm", alarm)));
  }

  private static JsonObject json(Change change) {
    Alarm alarm = change.alarm();
    Optional<AlarmKind> kind = AlarmKind.of(alarm.kind());
    return new JsonObject()
        .put("change", change.what() == What.CLEARED ? "cleared" : "raised")
        .put("at", change.at().toString())
        .put(
            "alarm",
            new JsonObject()
                .put("id", alarm.id())
                .put("kind", alarm.kind())
                .put("title", kind.map(AlarmKind::title).orElse(alarm.kind()))
                .put("severity", alarm.severity().name().toLowerCase(Locale.ROOT))
                .put("subject", alarm.subject())
                .put("message", alarm.message())
                .put("address", alarm.address().orElse(null))
                .put("occurrences", alarm.occurrences())
                .put("raised_at", alarm.raisedAt().toString())
                .put("last_at", alarm.lastAt().toString())
                .put("cleared_at", alarm.clearedAt().map(Instant::toString).orElse(null))
                .put("next", kind.map(AlarmKind::next).orElse("")));
  }

  /// One line: what happened, at most one alarm of it by name.
  static String headline(JsonObject body) {
    JsonArray changes = body.getJsonArray("changes");
    if (changes.size() != 1) {
      return "Penstock: " + changes.size() + " changes of alarms";
    }
    JsonObject change = changes.getJsonObject(0);
    JsonObject alarm = change.getJsonObject("alarm");
    return oneLine(
        "Penstock: "
            + change.getString("change")
            + ", "
            + alarm.getString("severity")
            + ": "
            + alarm.getString("title")
            + " ("
            + alarm.getString("subject")
            + ")");
  }

  static String text(JsonObject body) {
    var text = new StringBuilder();
    for (Object each : body.getJsonArray("changes")) {
      JsonObject change = (JsonObject) each;
      JsonObject alarm = change.getJsonObject("alarm");
      line(text, change.getString("change").toUpperCase(Locale.ROOT), alarm.getString("title"));
      line(text, "severity", alarm.getString("severity"));
      line(text, "about", alarm.getString("subject"));
      line(text, "message", alarm.getString("message"));
      line(text, "since", alarm.getString("raised_at"));
      if (change.getString("change").equals("raised")) {
        line(text, "next", alarm.getString("next"));
      } else {
        line(text, "cleared", change.getString("at"));
      }
      line(text, "kind", alarm.getString("kind"));
      text.append('\n');
    }
    return text.append("Broker: ").append(body.getString("broker")).append('\n').toString();
  }

  private static void line(StringBuilder text, String word, String value) {
    text.append(word).append(": ").append(oneLine(value)).append('\n');
  }

  /// Parts of it were chosen by strangers.
  private static String oneLine(String text) {
    return text.replaceAll("\\p{Cntrl}+", " ").strip();
  }
}
