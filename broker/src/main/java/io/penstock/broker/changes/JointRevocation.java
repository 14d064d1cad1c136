package io.penstock.broker.changes;

import io.penstock.broker.access.Actor;
import io.penstock.broker.agents.AgentOperations;
import io.penstock.broker.agents.AgentOperations.Outcome;
import io.penstock.broker.store.ChangeTable;
import io.penstock.broker.store.ChangeTable.Change;
import io.penstock.broker.store.ChangeTable.State;
import io.penstock.broker.store.Database;
import io.vertx.core.json.JsonObject;
import java.util.Optional;
import java.util.TreeMap;

/// Ends the agents of an approved change, one after the other. Doing it again does no harm, so what
/// a broker left half done the next one finishes.
final class JointRevocation {
  private static final String REVOKED = "revoked";

  private final Database database;
  private final ChangeTable table;
  private final AgentOperations agents;
  private final ChangeRecorder recorder;

  JointRevocation(
      Database database, ChangeTable table, AgentOperations agents, ChangeRecorder recorder) {
    this.database = database;
    this.table = table;
    this.agents = agents;
    this.recorder = recorder;
  }

  Change carryOut(Change approved, Actor acting) {
    var results = new TreeMap<String, Object>();
    approved.agents().forEach(agent -> results.put(agent, revoke(agent, acting)));
    boolean all = results.values().stream().allMatch(REVOKED::equals);
    String outcome = new JsonObject().put("agents", new JsonObject(results)).encode();
    return database.transaction(
        tx -> {
          Change locked = table.lock(tx, approved.id()).orElse(approved);
          if (!locked.intact()) {
            throw new TamperedChangeException(approved.id());
          }
          if (locked.state() != State.APPROVED) {
            return locked;
          }
          Change next =
              locked.decided(
                  all ? State.EXECUTED : State.FAILED,
                  locked.decision().orElseThrow(),
                  Optional.of(outcome));
          table.update(tx, next);
          if (all) {
            recorder.done(tx, "execute", next, acting);
          } else {
            recorder.failed(tx, next, acting, outcome);
          }
          return next;
        });
  }

  private String revoke(String agent, Actor acting) {
    return switch (agents.revoke(agent, acting)) {
      case Outcome.Done() -> REVOKED;
      // Somebody was faster, and that is what was wanted.
      case Outcome.WrongState(String state) -> state;
      case Outcome.UnknownAgent() -> "unknown";
      case Outcome.FingerprintMismatch(),
          Outcome.ProofMissing(),
          Outcome.PlainBearer(),
          Outcome.TooManyLabels() ->
          throw new IllegalStateException("no answer to a revocation");
    };
  }
}
