package io.penstock.loadtest;

import io.penstock.loadtest.network.Network;
import java.time.Duration;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// A line between agents and broker, as options.
final class NetworkOptions {
  private static final Pattern TIME = Pattern.compile("([0-9]{1,9}(?:\\.[0-9]{1,6})?)(ms|s|m)");
  private static final Pattern STALLS = Pattern.compile("([^/]+)/([^/]+)");

  @Option(
      names = "--delay",
      paramLabel = "TIME",
      description =
          "Between agents and broker, for example 20ms, 80ms, 200ms: added to each round trip.")
  @Nullable String delay;

  @Option(
      names = "--jitter",
      paramLabel = "TIME",
      description = "Up to this much more each way, at random.")
  @Nullable String jitter;

  @Option(
      names = "--bandwidth",
      paramLabel = "BYTES",
      description = "Bytes per second, each way, of each connection.")
  @Nullable Long bandwidth;

  @Option(
      names = "--stall",
      paramLabel = "TIME/EVERY",
      description =
          "In place of packet loss: nothing arrives for TIME, for example 300ms/10s; at random.")
  @Nullable String stall;

  @Option(
      names = "--reset-every",
      paramLabel = "TIME",
      description = "Connections are reset at random, after this time on the average.")
  @Nullable String resetEvery;

  /// Empty: none of them was given. Throws [IllegalArgumentException] for what makes no sense.
  Optional<Network> read() {
    if (delay == null
        && jitter == null
        && bandwidth == null
        && stall == null
        && resetEvery == null) {
      return Optional.empty();
    }
    Matcher stalls = STALLS.matcher(stall == null ? "0ms/0ms" : stall);
    if (!stalls.matches()) {
      throw new IllegalArgumentException(
          "--stall: expected TIME/EVERY, for example 300ms/10s, found '" + stall + "'");
    }
    return Optional.of(
        new Network(
            time("--delay", delay),
            time("--jitter", jitter),
            bandwidth == null ? 0 : bandwidth,
            time("--stall", stalls.group(2)),
            time("--stall", stalls.group(1)),
            time("--reset-every", resetEvery)));
  }

  private static Duration time(String option, @Nullable String text) {
    if (text == null) {
      return Duration.ZERO;
    }
    Matcher time = TIME.matcher(text);
    if (!time.matches()) {
      throw new IllegalArgumentException(
          option + ": expected a time such as 20ms, 1.5s or 2m, found '" + text + "'");
    }
    double nanos =
        Double.parseDouble(time.group(1))
            * switch (time.group(2)) {
              case "ms" -> 1e6;
              case "s" -> 1e9;
              default -> 60e9;
            };
    return Duration.ofNanos(Math.round(nanos));
  }
}
