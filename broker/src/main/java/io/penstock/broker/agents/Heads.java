package io.penstock.broker.agents;

import io.penstock.broker.store.Tx;
import java.util.Optional;

/// The newest head manifests, for WELCOME: a process that starts with nothing learns from it what
/// to fetch.
public interface Heads {
  /// Compact JWS; empty = the agent has no system. Asked for generations that are approved.
  Optional<String> newest(Tx tx, String agent, long generation);
}
