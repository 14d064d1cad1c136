package io.penstock.broker.store;

import io.vertx.sqlclient.Row;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Alarms that wake nobody for a while.
public final class SilenceTable {
  private static final String COLUMNS = "id, kind, subject, until, reason, created_at, created_by";

  /// @param kind empty = every kind
  /// @param subject itself and what is of it, as `press-1` and `press-1/erp`; empty = every one
  public record Silence(
      long id,
      Optional<String> kind,
      Optional<String> subject,
      Instant until,
      String reason,
      Instant createdAt,
      String createdBy) {
    public boolean holds(String ofKind, String about, Instant now) {
      return now.isBefore(until)
          && kind.map(ofKind::equals).orElse(true)
          && subject.map(of -> about.equals(of) || about.startsWith(of + "/")).orElse(true);
    }
  }

  public Silence insert(
      Tx tx,
      Optional<String> kind,
      Optional<String> subject,
      Instant until,
      String reason,
      Instant at,
      String by) {
    return tx.one(
            """
            insert into alarm_silences (kind, subject, until, reason, created_at, created_by)
            values ($1, $2, $3, $4, $5, $6) returning\
            """
                + " "
                + COLUMNS,
            kind,
            subject,
            until,
            reason,
            at,
            by)
        .map(SilenceTable::read)
        .orElseThrow();
  }

  public Optional<Silence> find(Tx tx, long id) {
    return tx.one("select " + COLUMNS + " from alarm_silences where id = $1", id)
        .map(SilenceTable::read);
  }

  public boolean delete(Tx tx, long id) {
    return tx.update("delete from alarm_silences where id = $1", id) == 1;
  }

  /// Those that hold, the newest first.
  public List<Silence> list(Tx tx, Instant now) {
    var silences = new ArrayList<Silence>();
    tx.query("select " + COLUMNS + " from alarm_silences where until > $1 order by id desc", now)
        .forEach(row -> silences.add(read(row)));
    return silences;
  }

  public int dropExpired(Tx tx, Instant now) {
    return tx.update("delete from alarm_silences where until <= $1", now);
  }

  public long count(Tx tx) {
    return tx.one("select count(*) as n from alarm_silences")
        .map(row -> Values.number(row, "n"))
        .orElse(0L);
  }

  private static Silence read(Row row) {
    return new Silence(
        Values.number(row, "id"),
        Values.optionalText(row, "kind"),
        Values.optionalText(row, "subject"),
        Values.instant(row, "until"),
        Values.text(row, "reason"),
        Values.instant(row, "created_at"),
        Values.text(row, "created_by"));
  }
}
