package io.penstock.agent;

/// The version that `--version`, brokers and operators see.
final class AgentVersion {
  static final String TEXT = "0.1.0";

  private AgentVersion() {}
}
