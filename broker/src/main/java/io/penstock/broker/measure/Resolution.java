package io.penstock.broker.measure;

import java.time.Duration;
import java.util.List;

/// How finely times are kept, and for how long.
public enum Resolution {
  TEN_SECONDS(10, Duration.ofHours(1)),
  MINUTE(60, Duration.ofHours(24)),
  TEN_MINUTES(600, Duration.ofDays(30));

  private final int seconds;
  private final Duration kept;

  Resolution(int seconds, Duration kept) {
    this.seconds = seconds;
    this.kept = kept;
  }

  public int seconds() {
    return seconds;
  }

  public Duration kept() {
    return kept;
  }

  /// The finest that reaches back so far.
  static Resolution reaching(Duration back) {
    for (Resolution one : values()) {
      if (back.compareTo(one.kept) <= 0) {
        return one;
      }
    }
    return TEN_MINUTES;
  }

  /// The next one; there is none below the first.
  Resolution finer() {
    return values()[ordinal() - 1];
  }

  /// The next one; there is none above the last.
  Resolution coarser() {
    return values()[ordinal() + 1];
  }

  /// From the finest to this one.
  List<Resolution> downToFinest() {
    return List.of(values()).subList(0, ordinal() + 1);
  }

  long floor(long epochSecond) {
    return epochSecond - Math.floorMod(epochSecond, (long) seconds);
  }
}
