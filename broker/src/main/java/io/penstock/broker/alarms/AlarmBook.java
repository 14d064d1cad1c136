package io.penstock.broker.alarms;

import io.penstock.broker.alarms.Rule.Look;
import io.penstock.broker.store.AlarmKind;
import io.penstock.broker.store.AlarmTable;
import io.penstock.broker.store.AlarmTable.Cause;
import io.penstock.broker.store.AlarmTable.Standing;
import io.penstock.broker.store.Tx;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/// Brings alarms in line with the causes that there are: raises what is new, notes what lasts, and
/// clears what has been gone for a while. What comes back before that is the same alarm, counted
/// once more. One that somebody has acknowledged is not raised again as long as its cause lasts.
final class AlarmBook {
  /// The time of a lasting cause is written so often.
  private static final Duration NOTED = Duration.ofMinutes(5);

  private final AlarmTable table;
  private final Duration clearAfter;

  AlarmBook(AlarmTable table, Duration clearAfter) {
    this.table = table;
    this.clearAfter = clearAfter;
  }

  /// @param mine subjects that this look speaks for
  void settle(Tx tx, List<Rule> rules, Predicate<String> mine, Instant now) {
    var standing = new EnumMap<AlarmKind, Map<String, List<Standing>>>(AlarmKind.class);
    rules.forEach(rule -> standing.put(rule.kind(), new HashMap<>()));
    for (Standing alarm : table.standing(tx, standing.keySet())) {
      if (mine.test(alarm.subject())) {
        standing
            .computeIfAbsent(alarm.kind(), _ -> new HashMap<>())
            .computeIfAbsent(alarm.subject(), _ -> new ArrayList<>())
            .add(alarm);
      }
    }
    var entries = new Entries();
    for (Rule rule : rules) {
      Map<String, List<Standing>> of = standing.getOrDefault(rule.kind(), Map.of());
      var causes = new LinkedHashMap<String, Cause>();
      rule.causes()
          .apply(new Look(tx, now, of.keySet()))
          .forEach(cause -> causes.putIfAbsent(cause.subject(), cause));
      compare(of, causes, now, entries);
    }
    entries.write(tx, now);
  }

  private void compare(
      Map<String, List<Standing>> standing,
      Map<String, Cause> causes,
      Instant now,
      Entries entries) {
    causes.forEach(
        (subject, cause) -> {
          List<Standing> alarms = standing.getOrDefault(subject, List.of());
          if (alarms.isEmpty()) {
            entries.raised.add(cause);
          }
          alarms.forEach(alarm -> lasts(alarm, cause, now, entries));
        });
    standing.forEach(
        (subject, alarms) -> {
          if (!causes.containsKey(subject)) {
            alarms.forEach(alarm -> isCalm(alarm, now, entries));
          }
        });
  }

  private static void lasts(Standing alarm, Cause cause, Instant now, Entries entries) {
    if (alarm.calmSince().isPresent()) {
      entries.again.put(alarm.id(), cause);
    } else if (alarm.lastAt().isBefore(now.minus(NOTED))) {
      entries.lasting.put(alarm.id(), cause);
    }
  }

  private void isCalm(Standing alarm, Instant now, Entries entries) {
    Instant since = alarm.calmSince().orElse(now);
    if (!since.plus(clearAfter).isAfter(now)) {
      entries.cleared.add(alarm.id());
    } else if (alarm.calmSince().isEmpty()) {
      entries.calm.add(alarm.id());
    }
  }

  /// What is to be written at the end of a look.
  private final class Entries {
    final List<Cause> raised = new ArrayList<>();
    final Map<Long, Cause> again = new LinkedHashMap<>();
    final Map<Long, Cause> lasting = new LinkedHashMap<>();
    final List<Long> calm = new ArrayList<>();
    final List<Long> cleared = new ArrayList<>();

    void write(Tx tx, Instant now) {
      table.raise(tx, raised, now);
      table.lasts(tx, again, true, now);
      table.lasts(tx, lasting, false, now);
      table.calm(tx, calm, now);
      table.clear(tx, cleared, now);
    }
  }
}
