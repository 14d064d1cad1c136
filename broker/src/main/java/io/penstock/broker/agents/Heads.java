package io.penstock.broker.agents;

import java.util.Optional;

/// The newest head manifests, for WELCOME: a process that starts with nothing learns from it what
/// to fetch. Blocks like every transaction.
public interface Heads {
  /// Compact JWS; empty = the agent has no system.
  Optional<String> newest(String agent);
}
