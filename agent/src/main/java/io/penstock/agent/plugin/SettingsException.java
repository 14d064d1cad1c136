package io.penstock.agent.plugin;

import java.util.List;

/// Definitions of systems that cannot be used, with every problem found, each naming its key.
public final class SettingsException extends RuntimeException {
  private final List<String> problems;

  public SettingsException(List<String> problems) {
    super("systems invalid: " + String.join("; ", problems));
    this.problems = List.copyOf(problems);
  }

  public List<String> problems() {
    return problems;
  }
}
