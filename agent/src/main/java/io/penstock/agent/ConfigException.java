package io.penstock.agent;

import java.util.List;

/// A configuration that cannot be used, with every problem found, each naming its key.
final class ConfigException extends RuntimeException {
  private final List<String> problems;

  ConfigException(List<String> problems) {
    super("configuration invalid: " + String.join("; ", problems));
    this.problems = List.copyOf(problems);
  }

  List<String> problems() {
    return problems;
  }
}
