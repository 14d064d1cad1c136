package io.penstock.broker.store;

import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Things to act on. The same kind about the same subject is one alarm with a count until somebody
/// acknowledges it or its cause is gone.
///
/// Whatever changes here is announced on [#CHANNEL] at the commit, and what is news for people
/// waits in a table of changes until it is in the audit trail and on its way to them
/// ([AlarmNoticeTable]).
public final class AlarmTable {
  /// `raised 17`, `changed 17`, `cleared 17`.
  public static final String CHANNEL = "penstock_alarms";

  private static final String LOCK = "penstock alarms";
  private static final int MAX_STANDING = 50_000;
  private static final int MAX_MESSAGE = 1_000;
  private static final String COLUMNS =
      """
      id, kind, severity, subject, message, address, occurrences, raised_at, last_at, acknowledged_at,
      acknowledged_by, comment, cleared_at, withheld\
      """;

  private static final String OPEN = "acknowledged_at is null and cleared_at is null";

  public enum Severity {
    CRITICAL,
    HIGH,
    MEDIUM,
    LOW
  }

  /// What has become of it.
  public enum State {
    OPEN,
    ACKNOWLEDGED,
    CLEARED
  }

  public record Acknowledgement(Instant at, String by, String note) {}

  /// @param address where its cause came from
  /// @param withheld nobody was told of it, because a silence held
  public record Alarm(
      long id,
      String kind,
      Severity severity,
      String subject,
      String message,
      Optional<String> address,
      long occurrences,
      Instant raisedAt,
      Instant lastAt,
      Optional<Acknowledgement> acknowledgement,
      Optional<Instant> clearedAt,
      boolean withheld) {

    /// The agent that it is about, if it is about one: `agent` or `agent/system`.
    public String agentIfAny() {
      return agentOf(subject);
    }

    public State state() {
      if (clearedAt.isPresent()) {
        return State.CLEARED;
      }
      return acknowledgement.isPresent() ? State.ACKNOWLEDGED : State.OPEN;
    }
  }

  /// A cause that is there.
  public record Cause(AlarmKind kind, String subject, String message, Optional<String> address) {
    public Cause {
      // Others chose a part of it.
      message = message.length() <= MAX_MESSAGE ? message : message.substring(0, MAX_MESSAGE);
    }

    public static Cause of(AlarmKind kind, String subject, String message) {
      return new Cause(kind, subject, message, Optional.empty());
    }

    public Cause from(Optional<String> where) {
      return new Cause(kind, subject, message, where);
    }
  }

  /// An alarm whose cause may be there still, acknowledged or not.
  ///
  /// @param calmSince the cause is gone since then
  public record Standing(
      long id,
      AlarmKind kind,
      String subject,
      String message,
      Instant lastAt,
      Optional<Instant> calmSince) {}

  /// Empty fields do not filter; `beforeId` pages backwards.
  ///
  /// @param subject itself, and what is of it: `press-1` finds `press-1/erp` too
  /// @param agents only about these; empty = all, also what is about no agent
  public record Filter(
      Optional<State> state,
      Optional<Severity> severity,
      Optional<String> kind,
      Optional<String> subject,
      Optional<List<String>> agents,
      Optional<Long> beforeId,
      int limit) {}

  /// The agent that a subject names, if it names one.
  public static String agentOf(String subject) {
    int slash = subject.indexOf('/');
    return slash < 0 ? subject : subject.substring(0, slash);
  }

  /// True when this is a new alarm, false when it is one more occurrence of an open one.
  public boolean raise(Tx tx, AlarmKind kind, String subject, String message, Instant at) {
    return raise(tx, Cause.of(kind, subject, message), at);
  }

  /// [#raise] with where it came from.
  public boolean raise(Tx tx, Cause cause, Instant at) {
    Row row = raiseAll(tx, List.of(cause), at).iterator().next();
    return Values.number(row, "occurrences") == 1;
  }

  /// @param causes no kind and subject twice
  RowSet<Row> raiseAll(Tx tx, List<Cause> causes, Instant at) {
    return tx.query(
        """
        with raised as (
          insert into alarms (kind, severity, subject, message, address, raised_at, last_at)
          select kind, severity, subject, message, address, $6, $6
          from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
            as c (kind, severity, subject, message, address)
          order by kind, subject
          on conflict (kind, subject) where acknowledged_at is null and cleared_at is null
          do update set occurrences = alarms.occurrences + 1, last_at = excluded.last_at, message = excluded.message,
            address = coalesce(excluded.address, alarms.address), calm_since = null
          returning id, occurrences),
        changed as (
          insert into alarm_changes (alarm_id, change, at) select id, 'raised', $6 from raised where occurrences = 1)
        select occurrences, pg_notify($7, case when occurrences = 1 then 'raised ' else 'changed ' end || id)::text as told
        from raised\
        """,
        causes.stream().map(it -> it.kind().code()).toArray(String[]::new),
        causes.stream().map(it -> Stored.text(it.kind().severity())).toArray(String[]::new),
        causes.stream().map(Cause::subject).toArray(String[]::new),
        causes.stream().map(Cause::message).toArray(String[]::new),
        Values.texts(causes, Cause::address),
        at,
        CHANNEL);
  }

  /// Newest first.
  public List<Alarm> list(Tx tx, boolean openOnly, int limit) {
    return list(
        tx,
        new Filter(
            openOnly ? Optional.of(State.OPEN) : Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            limit));
  }

  /// Newest first.
  public List<Alarm> list(Tx tx, Filter filter) {
    var alarms = new ArrayList<Alarm>();
    tx.query(
            "select "
                + COLUMNS
                + """
                 from alarms
                where ($1::text is null or case when cleared_at is not null then 'cleared'
                    when acknowledged_at is not null then 'acknowledged' else 'open' end = $1)
                  and ($2::text is null or severity = $2)
                  and ($3::text is null or kind = $3)
                  and ($4::text is null or subject = $4 or starts_with(subject, $4 || '/'))
                  and ($5::text[] is null or split_part(subject, '/', 1) = any($5::text[]))
                  and ($6::bigint is null or id < $6)
                order by id desc limit $7\
                """,
            filter.state(),
            filter.severity(),
            filter.kind(),
            filter.subject(),
            filter.agents(),
            filter.beforeId(),
            filter.limit())
        .forEach(row -> alarms.add(read(row)));
    return alarms;
  }

  /// Raised, repeated, acknowledged or cleared since `since`; the oldest change first.
  public List<Alarm> changedSince(Tx tx, Instant since, int limit) {
    var alarms = new ArrayList<Alarm>();
    tx.query(
            "select "
                + COLUMNS
                + " from alarms where greatest(last_at, acknowledged_at, cleared_at) >= $1"
                + " order by greatest(last_at, acknowledged_at, cleared_at), id limit $2",
            since,
            limit)
        .forEach(row -> alarms.add(read(row)));
    return alarms;
  }

  /// Severities without an open alarm are not in it.
  public Map<Severity, Long> countOpen(Tx tx) {
    var counts = new EnumMap<Severity, Long>(Severity.class);
    tx.query("select severity, count(*) as alarms from alarms where " + OPEN + " group by severity")
        .forEach(
            row ->
                counts.put(
                    Values.constant(row, "severity", Severity.class),
                    Values.number(row, "alarms")));
    return counts;
  }

  public Optional<Alarm> find(Tx tx, long id) {
    return tx.one("select " + COLUMNS + " from alarms where id = $1", id).map(AlarmTable::read);
  }

  public boolean acknowledge(Tx tx, long id, String by, String note, Instant at) {
    return tx.query(
                """
                with done as (
                  update alarms set acknowledged_at = $4, acknowledged_by = $2, comment = $3
                  where id = $1 and acknowledged_at is null returning id)
                select pg_notify($5, 'changed ' || id)::text as told from done\
                """,
                id,
                by,
                note,
                at,
                CHANNEL)
            .size()
        == 1;
  }

  /// The cause is gone, for who has acknowledged it too.
  public boolean clear(Tx tx, AlarmKind kind, String subject, Instant at) {
    return clear(tx, List.of(kind), List.of(subject), at) > 0;
  }

  /// The causes are gone.
  ///
  /// @return how many alarms ended by that
  public int clear(Tx tx, List<AlarmKind> kinds, List<String> subjects, Instant at) {
    return tx.query(
            cleared(
                """
                select id from alarms where kind = any($3::text[]) and subject = any($4::text[])
                  and cleared_at is null order by id for update\
                """),
            at,
            CHANNEL,
            kinds.stream().map(AlarmKind::code).toList(),
            subjects)
        .size();
  }

  /// [#clear] of alarms that are known.
  public void clear(Tx tx, Collection<Long> ids, Instant at) {
    if (ids.isEmpty()) {
      return;
    }
    tx.query(
        cleared(
            """
            select id from alarms where id = any($3::bigint[]) and cleared_at is null
            order by id for update\
            """),
        at,
        CHANNEL,
        ids.toArray(Long[]::new));
  }

  private static String cleared(String which) {
    return """
    with gone as (
      update alarms set cleared_at = $1, calm_since = null where id in (%s) returning id),
    changed as (
      insert into alarm_changes (alarm_id, change, at) select id, 'cleared', $1 from gone)
    select pg_notify($2, 'cleared ' || id)::text as told from gone\
    """
        .formatted(which);
  }

  // What the evaluation of causes needs.

  /// Until the end of the transaction; false = another node evaluates.
  public boolean lock(Tx tx) {
    return tx.one("select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as mine", LOCK)
        .map(row -> Values.flag(row, "mine"))
        .orElseThrow();
  }

  /// That a node looks for causes now.
  public void looked(Tx tx, String node, Instant at) {
    tx.update(
        "insert into alarm_looks (node, at) values ($1, $2)"
            + " on conflict (node) do update set at = excluded.at",
        node,
        at);
  }

  /// @param kinds of the evaluated ones
  public List<Standing> standing(Tx tx, Collection<AlarmKind> kinds) {
    var standing = new ArrayList<Standing>();
    tx.query(
            """
            select id, kind, subject, message, last_at, calm_since from alarms
            where cleared_at is null and kind = any($1::text[]) order by id limit $2\
            """,
            kinds.stream().map(AlarmKind::code).toList(),
            MAX_STANDING)
        .forEach(row -> standing.add(readStanding(row)));
    return standing;
  }

  private static Standing readStanding(Row row) {
    return new Standing(
        Values.number(row, "id"),
        AlarmKind.of(Values.text(row, "kind")).orElseThrow(),
        Values.text(row, "subject"),
        Values.text(row, "message"),
        Values.instant(row, "last_at"),
        Values.optionalInstant(row, "calm_since"));
  }

  /// Their causes are still there, or there again.
  ///
  /// @param again they had been gone
  public void lasts(Tx tx, Map<Long, Cause> causes, boolean again, Instant at) {
    if (causes.isEmpty()) {
      return;
    }
    List<Map.Entry<Long, Cause>> all = List.copyOf(causes.entrySet());
    tx.query(
        """
        with lasting as (
          update alarms set last_at = $1, calm_since = null, message = l.message,
            occurrences = occurrences + case when $2 then 1 else 0 end
          from (select id, message from unnest($3::bigint[], $4::text[]) as u (id, message) order by id) as l
          where alarms.id = l.id returning alarms.id)
        select pg_notify($5, 'changed ' || id)::text as told from lasting where $2\
        """,
        at,
        again,
        all.stream().map(Map.Entry::getKey).toArray(Long[]::new),
        all.stream().map(it -> it.getValue().message()).toArray(String[]::new),
        CHANNEL);
  }

  /// Their causes are gone, which does not count yet.
  public void calm(Tx tx, Collection<Long> ids, Instant at) {
    if (!ids.isEmpty()) {
      tx.update(
          "update alarms set calm_since = $1 where id = any($2::bigint[]) and calm_since is null",
          at,
          ids.toArray(Long[]::new));
    }
  }

  /// Raises what is new.
  ///
  /// @param causes no kind and subject twice
  public void raise(Tx tx, List<Cause> causes, Instant at) {
    if (!causes.isEmpty()) {
      var _ = raiseAll(tx, causes, at);
    }
  }

  /// Open alarms of which nobody was told.
  public List<Alarm> withheld(Tx tx, int limit) {
    var alarms = new ArrayList<Alarm>();
    tx.query(
            "select "
                + COLUMNS
                + " from alarms where withheld and "
                + OPEN
                + " order by id limit $1",
            limit)
        .forEach(row -> alarms.add(read(row)));
    return alarms;
  }

  public void withhold(Tx tx, Collection<Long> ids) {
    tx.update(
        "update alarms set withheld = true where id = any($1::bigint[])",
        (Object) ids.toArray(Long[]::new));
  }

  /// People are to hear of them after all.
  public void unsilence(Tx tx, Collection<Long> ids, Instant at) {
    tx.update(
        """
        with told as (update alarms set withheld = false where id = any($1::bigint[]) returning id)
        insert into alarm_changes (alarm_id, change, at) select id, 'unsilenced', $2 from told\
        """,
        ids.toArray(Long[]::new),
        at);
  }

  /// Alarms that ended before, and acknowledged ones of `kinds`, which nothing else ends.
  public int dropOld(Tx tx, Instant before, Collection<AlarmKind> kinds) {
    return tx.update(
        "delete from alarms where cleared_at < $1 or (acknowledged_at < $1 and kind ="
            + " any($2::text[]))",
        before,
        kinds.stream().map(AlarmKind::code).toList());
  }

  static Alarm read(Row row) {
    return new Alarm(
        Values.number(row, "id"),
        Values.text(row, "kind"),
        Values.constant(row, "severity", Severity.class),
        Values.text(row, "subject"),
        Values.text(row, "message"),
        Values.optionalText(row, "address"),
        Values.number(row, "occurrences"),
        Values.instant(row, "raised_at"),
        Values.instant(row, "last_at"),
        Values.optionalInstant(row, "acknowledged_at").map(at -> readAcknowledgement(row, at)),
        Values.optionalInstant(row, "cleared_at"),
        Values.flag(row, "withheld"));
  }

  private static Acknowledgement readAcknowledgement(Row row, Instant at) {
    return new Acknowledgement(
        at, Values.text(row, "acknowledged_by"), Values.optionalText(row, "comment").orElse(""));
  }
}
