package io.penstock.broker.agents;

import io.penstock.broker.agents.Ledger.Alarm;
import io.penstock.broker.store.Database;
import io.penstock.broker.tunnel.TunnelAuthority.ConnectionAttempt;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.Optional;

/// Writes down connections that were refused: the first few of a source and name one by one, then
/// none for some minutes, so that nobody fills the audit log from outside.
final class Refusals {
  private final Database database;
  private final Ledger ledger;
  private final Failures failures;

  Refusals(Database database, Ledger ledger, Clock clock) {
    this.database = database;
    this.ledger = ledger;
    this.failures = new Failures(clock);
  }

  void record(ConnectionAttempt attempt, String why) {
    String agent = attempt.request().agent();
    if (failures.failed(attempt.remote(), agent.getBytes(StandardCharsets.UTF_8))) {
      return;
    }
    database.run(tx -> ledger.audit(tx, entry(attempt, why)));
  }

  /// A refusal that somebody has to look at.
  void alarm(ConnectionAttempt attempt, Alarm alarm, String message) {
    database.run(
        tx -> {
          ledger.audit(tx, entry(attempt, message));
          ledger.alarm(
              tx,
              alarm,
              attempt.request().agent(),
              message,
              Optional.of(attempt.remote().getHostAddress()));
        });
  }

  /// A stranger's name is shown only if it could be one.
  private static Ledger.Entry entry(ConnectionAttempt attempt, String why) {
    String agent = attempt.request().agent();
    return Ledger.Entry.failure(
        Names.valid(agent) ? agent : "unnamed", attempt.remote().getHostAddress(), why);
  }
}
