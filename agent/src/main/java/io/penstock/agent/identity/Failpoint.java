package io.penstock.agent.identity;

import java.util.Locale;
import java.util.function.Consumer;

/// Named places where a test lets the process die as if by `kill -9`: the one that the system
/// property `penstock.failpoint` names halts the JVM. Off by default.
public enum Failpoint {
  ENROLL_AFTER_KEYS_WRITTEN,
  ENROLL_AFTER_MESSAGE_3,
  UNLOCK_BEFORE_NEXT_WRITTEN,
  UNLOCK_AFTER_NEXT_WRITTEN,
  UNLOCK_AFTER_NEXT_SENT,
  UNLOCK_AFTER_STORED,
  UNLOCK_AFTER_SWITCH,
  UNLOCK_AFTER_COMMIT,
  CONFIGURATION_AFTER_SWAP,
  CONFIGURATION_AFTER_STATE;

  public static final String PROPERTY = "penstock.failpoint";

  /// As after SIGKILL.
  private static final int HALTED = 137;

  /// What happens when a process passes one of these places.
  @FunctionalInterface
  public interface Action extends Consumer<Failpoint> {}

  /// The action that the system property asks for.
  public static Action fromProperty() {
    String wanted = System.getProperty(PROPERTY, "");
    return reached -> {
      if (reached.text().equals(wanted)) {
        Runtime.getRuntime().halt(HALTED);
      }
    };
  }

  public String text() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
