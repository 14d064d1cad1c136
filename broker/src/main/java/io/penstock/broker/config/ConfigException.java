package io.penstock.broker.config;

import java.util.List;

/// A configuration that cannot be used, with every problem found, each naming its key. The process
/// ends with [#EXIT_CODE].
public final class ConfigException extends RuntimeException {
  public static final int EXIT_CODE = 3;

  private final List<String> problems;

  public ConfigException(List<String> problems) {
    super("configuration invalid: " + String.join("; ", problems));
    this.problems = List.copyOf(problems);
  }

  public List<String> problems() {
    return problems;
  }
}
