package io.penstock.loadtest.watch;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.HdrHistogram.Histogram;

/// Whether it was the generator that limited a run. If so the run is INVALID: its figures say more
/// about the generator than about the target.
///
/// @param latenessFloorNanos a p99 of lateness below this never matters
/// @param latenessLimitNanos one above this always matters: a generator that late is also late to
///     read answers, and its own queue hides in the response times
/// @param latenessShare of the p99 response time that lateness may make up
/// @param busy share of a processor from which on an event loop has no room
/// @param collecting share of the time that garbage collection may take
public record Bottleneck(
    long latenessFloorNanos,
    long latenessLimitNanos,
    double latenessShare,
    double busy,
    double collecting) {
  public static final Bottleneck USUAL = new Bottleneck(1_000_000, 10_000_000, 0.25, 0.9, 0.02);

  private static final double P99 = 99;

  /// Reasons why a flow's figures cannot be believed; none if they can.
  ///
  /// @param lateness how long after its intended time each request was turned to
  /// @param response from the intended times on, so that lateness is part of it
  public List<String> ofFlow(String flow, Histogram lateness, Histogram response) {
    if (lateness.getTotalCount() == 0) {
      return List.of();
    }
    long late = lateness.getValueAtPercentile(P99);
    long slow = response.getTotalCount() == 0 ? 0 : response.getValueAtPercentile(P99);
    boolean small = late <= latenessFloorNanos || late <= slow * latenessShare;
    if (small && late <= latenessLimitNanos) {
      return List.of();
    }
    return List.of(
        String.format(
            Locale.ROOT,
            "flow %s: the generator was late: p99 of actual minus intended start is %.1f ms,"
                + " expected at most %.0f %% of the p99 response time of %.1f ms, and never more"
                + " than %.0f ms",
            flow,
            late / 1e6,
            latenessShare * 100,
            slow / 1e6,
            latenessLimitNanos / 1e6));
  }

  /// Reasons that hold for all flows.
  public List<String> ofGenerator(GeneratorUse use) {
    List<String> reasons = new ArrayList<>();
    if (use.busiest() > busy) {
      reasons.add(
          String.format(
              Locale.ROOT,
              "an event loop of the generator was busy for %.0f %% of the time, expected at most"
                  + " %.0f %%: give it more threads or less load",
              use.busiest() * 100,
              busy * 100));
    }
    use.beside().forEach((what, share) -> beside(what, share).ifPresent(reasons::add));
    if (use.collecting() > collecting) {
      reasons.add(
          String.format(
              Locale.ROOT,
              "the generator collected garbage for %.1f %% of the time, expected at most %.1f %%",
              use.collecting() * 100,
              collecting * 100));
    }
    return reasons;
  }

  private Optional<String> beside(String what, double share) {
    if (share <= busy) {
      return Optional.empty();
    }
    return Optional.of(
        String.format(
            Locale.ROOT,
            "an event loop of %s was busy for %.0f %% of the time, expected at most %.0f %%",
            what,
            share * 100,
            busy * 100));
  }
}
