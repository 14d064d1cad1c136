package io.penstock.broker.alarms;

import io.penstock.broker.access.Actor;
import io.penstock.broker.store.AlarmTable.Alarm;
import io.penstock.broker.store.AlarmTable.Severity;
import io.penstock.broker.store.AlarmTable.State;
import io.penstock.broker.store.SilenceTable.Silence;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// What operators see of alarms and do about them. What is about an agent out of somebody's scope,
/// or about no agent, is not there for somebody with a scope. Blocks.
public interface AlarmOperations {
  int MAX_SILENCES = 1_000;
  Duration LONGEST_SILENCE = Duration.ofDays(30);

  /// An alarm as one actor sees it.
  ///
  /// @param silenced a silence holds for it now
  record Seen(Alarm alarm, boolean silenced, List<AlarmAction> actions) {}

  /// Empty fields do not filter.
  ///
  /// @param subject itself and what is of it
  /// @param before a page ends before this id
  record Query(
      Optional<State> state,
      Optional<Severity> severity,
      Optional<String> kind,
      Optional<String> subject,
      Optional<Long> before,
      int limit) {}

  /// Newest first.
  List<Seen> list(Query query, Actor by);

  Optional<Seen> find(long id, Actor by);

  /// How an acknowledgement ended.
  sealed interface Acknowledged {
    record Done(Seen alarm) implements Acknowledged {}

    record Unknown() implements Acknowledged {}

    record Already() implements Acknowledged {}
  }

  Acknowledged acknowledge(long id, String note, Actor by);

  /// Those that hold, the newest first.
  List<Silence> silences(Actor by);

  /// How an attempt to silence ended.
  sealed interface Silenced {
    record Done(Silence silence) implements Silenced {}

    record UnknownKind() implements Silenced {}

    /// Neither kind nor subject.
    record Everything() implements Silenced {}

    /// Past, or further away than [#LONGEST_SILENCE].
    record WrongTime() implements Silenced {}

    /// Somebody with a scope has to name an agent of it.
    record OutOfScope() implements Silenced {}

    record Full() implements Silenced {}
  }

  Silenced silence(
      Optional<String> kind, Optional<String> subject, Instant until, String reason, Actor by);

  /// False when there is none.
  boolean unsilence(long id, Actor by);

  /// When causes were looked for last; empty = not yet.
  Optional<Instant> lookedAt();
}
