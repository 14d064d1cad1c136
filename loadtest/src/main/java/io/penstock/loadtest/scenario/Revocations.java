package io.penstock.loadtest.scenario;

import io.penstock.loadtest.client.PublicApi;
import io.penstock.loadtest.fleet.FleetException;
import io.penstock.loadtest.fleet.SimulatedAgent;
import io.penstock.loadtest.installation.Installation;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Each agent is revoked, and sees its tunnel end.
final class Revocations implements StormEvent {
  /// From the API's answer.
  static final Duration LIMIT = Duration.ofSeconds(1);

  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private final Storm storm;
  private final PublicApi api;
  private final StormFleet fleet;
  private boolean spent;

  /// @param reason empty = there was no tunnel
  record End(Optional<FleetException> reason, long nanos) {}

  Revocations(Storm storm, Installation installation, StormFleet fleet) {
    this.storm = storm;
    api = installation.api();
    this.fleet = fleet;
  }

  /// A revoked agent is so for good: others take their place.
  @Override
  public void beforeTurn() throws IOException {
    if (spent) {
      fleet.enroll();
    }
    fleet.connect();
    spent = true;
  }

  @Override
  public void happen(StormTurn turn) throws IOException, InterruptedException {
    try (var calls = new StormCalls(turn, storm)) {
      calls.each((agent, intended) -> revoke(turn, agent, intended));
      turn.await();
    }
  }

  private void revoke(StormTurn turn, SimulatedAgent agent, long intended)
      throws IOException, InterruptedException {
    CompletableFuture<End> tunnelEnd =
        agent.tunnelEnd().thenApply(reason -> new End(reason, turn.now()));
    api.post("/agents/" + agent.name() + "/revoke", PublicApi.object());
    long answered = turn.now();
    End end;
    try {
      end = tunnelEnd.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    } catch (TimeoutException | ExecutionException stands) {
      turn.tooLate("the tunnel stands after " + PATIENCE, intended, answered, turn.now());
      return;
    }
    judge(turn, end, intended, answered);
  }

  static void judge(StormTurn turn, End end, long intended, long answered) {
    long ended = Math.max(answered, end.nanos());
    if (end.reason().isEmpty()) {
      turn.failed("had no tunnel before", intended);
    } else if (!end.reason().get().isRevocation()) {
      turn.failed("ended otherwise: " + end.reason().get().getMessage(), intended);
    } else if (ended - answered > LIMIT.toNanos()) {
      turn.tooLate("the tunnel stood for more than 1 s", intended, answered, ended);
    } else {
      turn.answered(intended, answered, ended);
    }
  }

  @Override
  public String remark() {
    return "agents: response time counts from the intended revocation to the end of the agent's"
        + " tunnel, service time from the API's answer; more than "
        + LIMIT.toSeconds()
        + " s of that is an error";
  }
}
