package io.penstock.broker.alarms;

import io.penstock.broker.alarms.Rule.Look;
import io.penstock.broker.config.AlarmSettings;
import io.penstock.broker.store.AlarmCauseTable;
import io.penstock.broker.store.AlarmKind;
import io.penstock.broker.store.AlarmTable.Cause;
import java.time.Duration;
import java.util.List;

/// What goes wrong with agents.
final class AgentCauses {
  /// Longer than a few heartbeats of a node.
  private static final Duration ALIVE = Duration.ofSeconds(60);

  private final AlarmCauseTable table = new AlarmCauseTable();
  private final AlarmSettings settings;

  AgentCauses(AlarmSettings settings) {
    this.settings = settings;
  }

  List<Rule> rules() {
    return List.of(
        new Rule(AlarmKind.AGENT_FLAPPING, this::flapping),
        new Rule(AlarmKind.DELIVERY_BACKLOG, this::backlogs),
        new Rule(AlarmKind.HEAD_STALE, this::staleHeads));
  }

  /// One that is back is not away any more; until then a short visit ends nothing.
  Rule offline() {
    return new Rule(
        AlarmKind.AGENT_OFFLINE,
        look ->
            table.absentAgents(look.tx(), look.now().minus(ALIVE), Rule.MOST).stream()
                .filter(
                    it ->
                        look.isRaised(it.agent())
                            || !it.since().isAfter(look.now().minus(settings.offlineAfter())))
                .map(
                    it ->
                        Cause.of(
                                AlarmKind.AGENT_OFFLINE,
                                it.agent(),
                                "no tunnel since " + it.since())
                            .from(it.address()))
                .toList());
  }

  private List<Cause> flapping(Look look) {
    int enough = settings.flapping().connections();
    Duration window = settings.flapping().window();
    return table.flapping(look.tx(), look.now().minus(window), half(enough), Rule.MOST).stream()
        .filter(it -> it.count() >= enough || look.isRaised(it.name()))
        .map(
            it ->
                Cause.of(
                        AlarmKind.AGENT_FLAPPING,
                        it.name(),
                        it.count() + " new tunnels within " + text(window))
                    .from(it.address()))
        .toList();
  }

  private List<Cause> backlogs(Look look) {
    int enough = settings.backlog().messages();
    var old = look.now().minus(settings.backlog().age());
    return table.backlogs(look.tx(), half(enough), old, Rule.MOST).stream()
        .filter(
            it -> it.messages() >= enough || it.oldest().isBefore(old) || look.isRaised(it.agent()))
        .map(
            it ->
                Cause.of(
                    AlarmKind.DELIVERY_BACKLOG,
                    it.agent(),
                    it.messages() + " messages wait, the oldest since " + it.oldest()))
        .toList();
  }

  private List<Cause> staleHeads(Look look) {
    return table.staleHeads(look.tx(), look.now(), Rule.MOST).stream()
        .map(
            it ->
                Cause.of(
                    AlarmKind.HEAD_STALE,
                    it.agent(),
                    "the newest head manifest expired at " + it.expiredAt()))
        .toList();
  }

  static int half(int enough) {
    return Math.max(1, enough / 2);
  }

  /// `10 min`
  static String text(Duration time) {
    return time.toSecondsPart() == 0 && time.toMinutes() > 0
        ? time.toMinutes() + " min"
        : time.toSeconds() + " s";
  }
}
