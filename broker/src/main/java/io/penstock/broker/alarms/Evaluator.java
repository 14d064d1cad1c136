package io.penstock.broker.alarms;

import io.penstock.broker.store.AlarmCauseTable;
import io.penstock.broker.store.AlarmKind;
import io.penstock.broker.store.AlarmNoticeTable;
import io.penstock.broker.store.AlarmTable;
import io.penstock.broker.store.AlarmTable.Alarm;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.LatencyTable;
import io.penstock.broker.store.LatencyTable.Answered;
import io.penstock.broker.store.SilenceTable;
import io.penstock.broker.store.SilenceTable.Silence;
import io.penstock.broker.store.StoreUnavailableException;
import io.penstock.broker.store.Tx;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/// Looks for the causes of alarms, once every few seconds. Every node looks at itself; what is of
/// all of them is looked at by one at a time, whichever has the lock in that moment. Of one thread.
final class Evaluator {
  /// Alarms that are over are kept for so long.
  private static final Duration KEPT = Duration.ofDays(365);

  private static final Duration TIDY_EVERY = Duration.ofHours(1);
  private static final int WITHHELD_AT_ONCE = 1_000;

  private final Parts parts;
  private final AlarmTable table = new AlarmTable();
  private final AlarmCauseTable causes = new AlarmCauseTable();
  private final SilenceTable silences = new SilenceTable();
  private final LatencyTable latencies = new LatencyTable();
  private final AlarmBook book;
  private final List<Rule> ofNode;
  private final List<Rule> ofAll;
  private boolean broken;
  private long steadySince;
  private long tidiedAt;
  private volatile Optional<Instant> lookedAt = Optional.empty();

  /// @param channels that are configured
  /// @param offlineAfter agents are found missing only when this node and Postgres have been there
  ///     for so long: they need a while to come back, and to be seen
  /// @param databaseAway gets how long it has been away, once in an outage
  record Parts(
      Database database,
      String node,
      String nodeSubject,
      NodeCauses nodeCauses,
      DatabaseWatch watch,
      AgentCauses agents,
      SignInCauses signIns,
      LatencyCauses latency,
      LatencyCounts counts,
      List<String> channels,
      Duration offlineAfter,
      Duration clearAfter,
      Consumer<Duration> databaseAway,
      Clock clock,
      LongSupplier nanoClock) {}

  Evaluator(Parts parts) {
    this.parts = parts;
    this.book = new AlarmBook(table, parts.clearAfter());
    this.ofNode = parts.nodeCauses().rules();
    var all = new ArrayList<Rule>();
    all.addAll(parts.agents().rules());
    all.addAll(parts.signIns().rules());
    all.add(parts.latency().rule());
    all.add(new Rule(AlarmKind.NOTICES_UNDELIVERED, this::stuckChannels));
    this.ofAll = List.copyOf(all);
    this.steadySince = parts.nanoClock().getAsLong();
    this.tidiedAt = steadySince - TIDY_EVERY.toNanos();
  }

  /// When causes were looked for last; empty = not yet.
  Optional<Instant> lookedAt() {
    return lookedAt;
  }

  /// One look; throws what the database throws.
  void look() {
    Instant now = parts.clock().instant();
    try {
      lookAtNode(now);
      if (broken) {
        broken = false;
        steadySince = parts.nanoClock().getAsLong();
      }
      parts.watch().answered(now);
      if (parts.watch().ended().isPresent()) {
        lookAtNode(now);
        parts.watch().written();
      }
      lookAtAll(now);
    } catch (StoreUnavailableException away) {
      broken = true;
      parts.watch().failed().ifPresent(parts.databaseAway());
      throw away;
    }
    lookedAt = Optional.of(now);
  }

  private void lookAtNode(Instant now) {
    List<Answered> counted = parts.counts().take();
    try {
      parts
          .database()
          .run(
              tx -> {
                if (!counted.isEmpty()) {
                  latencies.add(tx, parts.node(), counted, now);
                }
                table.looked(tx, parts.node(), now);
                book.settle(tx, ofNode, parts.nodeSubject()::equals, now);
              });
    } catch (RuntimeException failed) {
      parts.counts().putBack(counted);
      throw failed;
    }
  }

  private void lookAtAll(Instant now) {
    parts
        .database()
        .run(
            tx -> {
              if (table.lock(tx)) {
                lookAtAll(tx, now);
              }
            });
  }

  private void lookAtAll(Tx tx, Instant now) {
    book.settle(tx, ofAll, _ -> true, now);
    if (isSteady()) {
      book.settle(tx, List.of(parts.agents().offline()), _ -> true, now);
    }
    parts.signIns().entered(tx, now).forEach(cause -> table.raise(tx, cause, now));
    List<String> decided = causes.decidedClones(tx, AlarmKind.AGENT_CLONED);
    if (!decided.isEmpty()) {
      var _ = table.clear(tx, List.of(AlarmKind.AGENT_CLONED), decided, now);
    }
    tellWhatWasSilenced(tx, now);
    tidyUp(tx, now);
  }

  private boolean isSteady() {
    long steady = parts.nanoClock().getAsLong() - steadySince;
    return steady >= parts.offlineAfter().toNanos();
  }

  /// A silence that ended leaves what it hid, if that is there still.
  private void tellWhatWasSilenced(Tx tx, Instant now) {
    List<Alarm> withheld = table.withheld(tx, WITHHELD_AT_ONCE);
    if (withheld.isEmpty()) {
      return;
    }
    List<Silence> holding = silences.list(tx, now);
    List<Long> free =
        withheld.stream()
            .filter(
                alarm ->
                    holding.stream().noneMatch(it -> it.holds(alarm.kind(), alarm.subject(), now)))
            .map(Alarm::id)
            .toList();
    if (!free.isEmpty()) {
      table.unsilence(tx, free, now);
    }
  }

  private void tidyUp(Tx tx, Instant now) {
    long nanos = parts.nanoClock().getAsLong();
    if (nanos - tidiedAt < TIDY_EVERY.toNanos()) {
      return;
    }
    var _ = silences.dropExpired(tx, now);
    var _ = latencies.dropOlderThan(tx, now.minus(LatencyCauses.LONG.multipliedBy(2)));
    var _ = new AlarmNoticeTable().dropOthers(tx, parts.channels());
    List<AlarmKind> lasting =
        Arrays.stream(AlarmKind.values()).filter(kind -> !kind.clearsItself()).toList();
    var _ = table.dropOld(tx, now.minus(KEPT), lasting);
    tx.afterCommit(() -> tidiedAt = nanos);
  }

  private List<AlarmTable.Cause> stuckChannels(Rule.Look look) {
    return causes.stuckChannels(look.tx(), Courier.STUCK_ATTEMPTS).stream()
        .map(
            it ->
                AlarmTable.Cause.of(
                    AlarmKind.NOTICES_UNDELIVERED,
                    AlarmKind.About.CHANNEL.subject(it.channel()),
                    it.attempts() + " attempts since " + it.since() + ", the last: " + it.error()))
        .toList();
  }
}
