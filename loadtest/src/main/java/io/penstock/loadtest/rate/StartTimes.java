package io.penstock.loadtest.rate;

/// Intended start times in nanoseconds from the start of the load, never decreasing. They are a
/// sequence of numbers: how the last request went changes none of them.
@FunctionalInterface
public interface StartTimes {
  /// After the last one.
  long NEVER = Long.MAX_VALUE;

  /// The next start; [#NEVER] for ever after the last.
  long nextNanos();
}
