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
    return switch (this) {
      case TEN_SECONDS -> throw new IllegalStateException("nothing is finer");
      case MINUTE -> TEN_SECONDS;
      case TEN_MINUTES -> MINUTE;
    };
  }

  /// The next one; there is none above the last.
  Resolution coarser() {
    return switch (this) {
      case TEN_SECONDS -> MINUTE;
      case MINUTE -> TEN_MINUTES;
      case TEN_MINUTES -> throw new IllegalStateException("nothing is coarser");
    };
  }

  /// This one, and whatever is finer, which comes last.
  List<Resolution> downToFinest() {
    return switch (this) {
      case TEN_SECONDS -> List.of(TEN_SECONDS);
      case MINUTE -> List.of(MINUTE, TEN_SECONDS);
      case TEN_MINUTES -> List.of(TEN_MINUTES, MINUTE, TEN_SECONDS);
    };
  }

  long floor(long epochSecond) {
    return epochSecond - Math.floorMod(epochSecond, (long) seconds);
  }
}
