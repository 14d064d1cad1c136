package io.penstock.loadtest.network;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// What a line does to a TCP connection. A proxy cannot lose packets; what their loss does to a
/// connection it can: nothing arrives for a while and then everything, or the connection is reset.
///
/// @param delay added to each round trip, one half each way
/// @param jitter up to this much more each way, at random; bytes never overtake each other
/// @param bytesPerSecond of each direction of each connection; 0 = no limit
/// @param stallEvery mean time between two stalls of one direction, at random; zero = none
/// @param stall how long nothing arrives then
/// @param resetEvery mean time until a connection is reset, at random; zero = never
public record Network(
    Duration delay,
    Duration jitter,
    long bytesPerSecond,
    Duration stallEvery,
    Duration stall,
    Duration resetEvery) {
  private static final Duration LONGEST = Duration.ofSeconds(10);
  private static final long SLOWEST = 1_000;
  private static final Duration OFTENEST = Duration.ofMillis(100);

  /// Nothing but the proxy itself.
  public static final Network NONE =
      new Network(Duration.ZERO, Duration.ZERO, 0, Duration.ZERO, Duration.ZERO, Duration.ZERO);

  public Network {
    requireAtMost("delay", delay, LONGEST);
    requireAtMost("jitter", jitter, LONGEST);
    requireAtMost("stall", stall, LONGEST);
    if (bytesPerSecond != 0 && bytesPerSecond < SLOWEST) {
      throw new IllegalArgumentException(
          "bandwidth: expected 0 or at least "
              + SLOWEST
              + " bytes per second, found "
              + bytesPerSecond);
    }
    requireSeldom("stall every", stallEvery);
    requireSeldom("reset every", resetEvery);
    if (stallEvery.isZero() != stall.isZero()) {
      throw new IllegalArgumentException(
          "stall: expected both how long and how often, found " + stall + " every " + stallEvery);
    }
  }

  private static void requireAtMost(String what, Duration value, Duration most) {
    if (value.isNegative() || value.compareTo(most) > 0) {
      throw new IllegalArgumentException(
          what + ": expected 0 to " + most.toMillis() + " ms, found " + value.toMillis() + " ms");
    }
  }

  private static void requireSeldom(String what, Duration value) {
    if (value.isNegative() || (!value.isZero() && value.compareTo(OFTENEST) < 0)) {
      throw new IllegalArgumentException(
          what
              + ": expected 0 or at least "
              + OFTENEST.toMillis()
              + " ms, found "
              + value.toMillis()
              + " ms");
    }
  }

  public boolean isNone() {
    return equals(NONE);
  }

  /// For reports: `delay 20 ms, jitter 2 ms`.
  public String text() {
    List<String> parts = new ArrayList<>();
    if (!delay.isZero()) {
      parts.add("delay " + millis(delay));
    }
    if (!jitter.isZero()) {
      parts.add("jitter " + millis(jitter));
    }
    if (bytesPerSecond > 0) {
      parts.add(String.format(Locale.ROOT, "%.3g MB/s", bytesPerSecond / 1e6));
    }
    if (!stall.isZero()) {
      parts.add("stalls of " + millis(stall) + " every " + millis(stallEvery));
    }
    if (!resetEvery.isZero()) {
      parts.add("resets every " + millis(resetEvery));
    }
    return parts.isEmpty() ? "no delay" : String.join(", ", parts);
  }

  private static String millis(Duration time) {
    return String.format(Locale.ROOT, "%.1f ms", time.toNanos() / 1e6).replace(".0 ", " ");
  }
}
