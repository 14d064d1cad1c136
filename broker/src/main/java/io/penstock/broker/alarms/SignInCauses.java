package io.penstock.broker.alarms;

import io.penstock.broker.alarms.Rule.Look;
import io.penstock.broker.config.AlarmSettings;
import io.penstock.broker.store.AlarmCauseTable;
import io.penstock.broker.store.AlarmCauseTable.Counted;
import io.penstock.broker.store.AlarmKind;
import io.penstock.broker.store.AlarmKind.About;
import io.penstock.broker.store.AlarmTable.Cause;
import io.penstock.broker.store.Tx;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/// Guesses at passwords, as the audit trail tells them, graded as the second seed grades them.
final class SignInCauses {
  /// An address from which somebody has signed in within this time is a known one.
  private static final Duration KNOWN = Duration.ofDays(90);

  private final AlarmCauseTable table = new AlarmCauseTable();
  private final AlarmSettings.SignIns settings;

  SignInCauses(AlarmSettings.SignIns settings) {
    this.settings = settings;
  }

  List<Rule> rules() {
    return List.of(
        new Rule(AlarmKind.SIGN_IN_FAILURES_OF_ACCOUNT, this::ofAccounts),
        new Rule(AlarmKind.SIGN_IN_FAILURES_OF_ADDRESS, look -> ofAddresses(look, false)),
        new Rule(AlarmKind.SIGN_IN_FAILURES_OF_KNOWN_ADDRESS, look -> ofAddresses(look, true)));
  }

  private List<Cause> ofAccounts(Look look) {
    int enough = settings.ofAccount();
    return table
        .failedAccounts(look.tx(), since(look.now()), AgentCauses.half(enough), Rule.MOST)
        .stream()
        .map(it -> cause(AlarmKind.SIGN_IN_FAILURES_OF_ACCOUNT, About.USER, it))
        .filter(it -> it.count() >= enough || look.isRaised(it.cause().subject()))
        .map(Weighed::cause)
        .toList();
  }

  private List<Cause> ofAddresses(Look look, boolean known) {
    int enough = settings.ofAddress();
    AlarmKind kind =
        known ? AlarmKind.SIGN_IN_FAILURES_OF_KNOWN_ADDRESS : AlarmKind.SIGN_IN_FAILURES_OF_ADDRESS;
    return table
        .failedAddresses(
            look.tx(),
            since(look.now()),
            AgentCauses.half(enough),
            known,
            look.now().minus(KNOWN),
            Rule.MOST)
        .stream()
        .map(it -> cause(kind, About.ADDRESS, it))
        .filter(it -> it.count() >= enough || look.isRaised(it.cause().subject()))
        .map(Weighed::cause)
        .toList();
  }

  private record Weighed(long count, Cause cause) {}

  private Weighed cause(AlarmKind kind, About about, Counted found) {
    String message =
        found.count() + " failed sign-ins within " + AgentCauses.text(settings.window());
    return new Weighed(
        found.count(), Cause.of(kind, about.subject(found.name()), message).from(found.address()));
  }

  /// Each is an event of its own: what was told once is not told again.
  List<Cause> entered(Tx tx, Instant now) {
    return table
        .enteredAfterFailures(
            tx,
            since(now),
            settings.ofAccount(),
            now.minus(KNOWN),
            AlarmKind.SIGN_IN_AFTER_FAILURES,
            Rule.MOST)
        .stream()
        .map(
            it ->
                Cause.of(
                        AlarmKind.SIGN_IN_AFTER_FAILURES,
                        About.USER.subject(it.user()),
                        "signed in from a new address after "
                            + it.failures()
                            + " failed sign-ins within "
                            + AgentCauses.text(settings.window()))
                    .from(it.address()))
        .toList();
  }

  private Instant since(Instant now) {
    return now.minus(settings.window());
  }
}
