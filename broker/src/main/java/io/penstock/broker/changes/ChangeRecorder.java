package io.penstock.broker.changes;

import io.penstock.broker.access.AccessNews;
import io.penstock.broker.access.AccessNews.News;
import io.penstock.broker.access.Accounts;
import io.penstock.broker.access.Actor;
import io.penstock.broker.audit.Audit;
import io.penstock.broker.audit.AuditEvent;
import io.penstock.broker.store.AlarmKind;
import io.penstock.broker.store.AlarmTable;
import io.penstock.broker.store.ChangeTable.Change;
import io.penstock.broker.store.ChangeTable.Decision;
import io.penstock.broker.store.Tx;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/// What is proven and told about each step of a change, in the transaction of the step.
final class ChangeRecorder {
  private static final String BROKER = "penstock";

  private final Audit audit;
  private final AccessNews news;
  private final AlarmTable alarms = new AlarmTable();
  private final Clock clock;

  ChangeRecorder(Audit audit, AccessNews news, Clock clock) {
    this.audit = audit;
    this.news = news;
    this.clock = clock;
  }

  /// @param verb such as `approve`
  void done(Tx tx, String verb, Change change, Actor by) {
    audit.record(tx, Accounts.event("change." + verb, by, id(change)).changing(what(change)));
    news.tell(tx, new News.OfChange(change.id()));
  }

  /// What the broker did by itself.
  void done(Tx tx, String verb, Change change) {
    audit.record(
        tx,
        AuditEvent.of("change." + verb, "success")
            .by(BROKER)
            .on(id(change))
            .changing(what(change)));
    news.tell(tx, new News.OfChange(change.id()));
  }

  /// It was approved, and could not be carried out.
  void failed(Tx tx, Change change, Actor by, String why) {
    audit.record(
        tx,
        AuditEvent.of("change.fail", "failure")
            .by(by.name())
            .on(id(change))
            .changing(what(change))
            .because(why)
            .from(by.origin().ip(), by.origin().userAgent(), Optional.of(by.origin().resource())));
    news.tell(tx, new News.OfChange(change.id()));
  }

  /// Somebody may not do that. Belongs to no change of state.
  void denied(String verb, Change change, Actor by, String why) {
    audit.record(
        AuditEvent.of("change." + verb, "denied")
            .by(by.name())
            .on(id(change))
            .changing(what(change))
            .because(why)
            .from(by.origin().ip(), by.origin().userAgent(), Optional.of(by.origin().resource())));
  }

  /// The row was changed behind our back: said once, until somebody acknowledges it.
  void tampered(Tx tx, UUID id) {
    String what = "the change " + id + " is not as a broker wrote it";
    if (alarms.raise(tx, AlarmKind.DATABASE_TAMPERED, "change " + id, what, clock.instant())) {
      audit.record(tx, AuditEvent.of("change.tampered", "success").on(id.toString()).because(what));
    }
  }

  private static String id(Change change) {
    return change.id().toString();
  }

  /// What was asked for, and of whom; the body by its hash alone.
  private static Map<String, Object> what(Change change) {
    var what = new LinkedHashMap<String, Object>();
    what.put("kind", change.kind());
    what.put("request", change.method() + " " + change.path());
    what.put("body_sha256", change.bodySha256().base64Url());
    what.put("target", change.target());
    what.put("author", change.author());
    what.put("state", change.state().text());
    if (!change.reason().isEmpty()) {
      what.put("reason", change.reason());
    }
    change
        .decision()
        .map(Decision::comment)
        .filter(comment -> !comment.isEmpty())
        .ifPresent(comment -> what.put("comment", comment));
    return what;
  }
}
