package io.penstock.broker.alarms;

import io.penstock.broker.alarms.Rule.Look;
import io.penstock.broker.config.AlarmSettings;
import io.penstock.broker.store.AlarmKind;
import io.penstock.broker.store.AlarmTable.Cause;
import io.penstock.broker.store.LatencyTable;
import io.penstock.broker.store.LatencyTable.Windows;
import java.time.Duration;
import java.util.List;
import java.util.Locale;

/// Systems that use up their allowance of slow answers too fast, of all nodes together.
final class LatencyCauses {
  static final Duration SHORT = Duration.ofMinutes(5);
  static final Duration LONG = Duration.ofHours(1);

  private final LatencyTable table = new LatencyTable();
  private final AlarmSettings.Latency settings;
  private final BurnRate rate;

  LatencyCauses(AlarmSettings.Latency settings) {
    this.settings = settings;
    this.rate = new BurnRate(settings.target());
  }

  Rule rule() {
    return new Rule(AlarmKind.LATENCY_OBJECTIVE, this::causes);
  }

  private List<Cause> causes(Look look) {
    return table
        .windows(look.tx(), look.now().minus(SHORT), look.now().minus(LONG), Rule.MOST)
        .stream()
        .filter(it -> burns(it, look.isRaised(it.subject())))
        .map(this::cause)
        .toList();
  }

  boolean burns(Windows of, boolean raised) {
    double fast = rate.of(of.shortGood(), of.shortSlow());
    if (raised) {
      return fast >= settings.burnRate() / 2;
    }
    return of.shortGood() + of.shortSlow() >= settings.least()
        && fast >= settings.burnRate()
        && rate.of(of.longGood(), of.longSlow()) >= settings.burnRate();
  }

  private Cause cause(Windows of) {
    return Cause.of(
        AlarmKind.LATENCY_OBJECTIVE,
        of.subject(),
        String.format(
            Locale.ROOT,
            "%d of %d invocations within 5 min took longer than %d ms; burn rate %.1f over 5 min,"
                + " %.1f over 1 h",
            of.shortSlow(),
            of.shortGood() + of.shortSlow(),
            settings.objective().toMillis(),
            rate.of(of.shortGood(), of.shortSlow()),
            rate.of(of.longGood(), of.longSlow())));
  }
}
