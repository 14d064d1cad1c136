package io.penstock.broker.measure;

import io.penstock.broker.measure.HopHistory.Stored;
import io.penstock.broker.store.HopTimesTable.Range;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;

/// Answers questions about times that have passed: from Postgres, of all nodes, and of this node's
/// running interval from memory. Blocks.
public final class HopArchive {
  private static final Duration SUMMARY = Duration.ofMinutes(5);
  private static final Duration SUMMARY_AGE = Duration.ofSeconds(10);

  private final HopHistory history;
  private final Measuring measuring;
  private final String node;
  private final Clock clock;

  /// The last summary, for everybody: it costs as much as there are series.
  private Summary summary = new Summary(Instant.EPOCH, new TreeMap<>(), Map.of());

  /// Nobody changes what is in it.
  private record Summary(
      Instant at, SortedMap<SeriesKey, HopTimes> series, Map<String, HopTimes> agents) {}

  /// Whose times, and when.
  ///
  /// @param visible empty = everything may be seen
  public record Question(
      Optional<String> agent,
      Optional<String> system,
      Optional<Predicate<SeriesKey>> visible,
      Instant from,
      Instant to) {

    /// What sums up whole nodes is an answer to it.
    private boolean isAboutAll() {
      return agent.isEmpty() && system.isEmpty() && visible.isEmpty();
    }

    private boolean isAbout(SeriesKey series) {
      return agent.map(series.agent()::equals).orElse(true)
          && system.map(series.system()::equals).orElse(true)
          && visible.map(see -> see.test(series)).orElse(true);
    }
  }

  /// @param points by the first second of each; those without calls are not in it
  /// @param nodes whose rows are in it
  public record Points(
      long stepSeconds, SortedMap<Long, HopTimes> points, SortedSet<String> nodes) {}

  HopArchive(HopHistory history, Measuring measuring, String node, Clock clock) {
    this.history = history;
    this.measuring = measuring;
    this.node = node;
    this.clock = clock;
  }

  /// The finest step that there is for a time.
  public Resolution resolution(Instant from) {
    return Resolution.reaching(Duration.between(from, clock.instant()));
  }

  /// @param hops whose times are wanted
  /// @param stepSeconds a multiple of the resolution's
  public Points points(Question question, Set<Hop> hops, long stepSeconds) {
    var points = new TreeMap<Long, HopTimes>();
    var nodes = new TreeSet<String>();
    for (Stored stored : rows(question, question.isAboutAll(), hops)) {
      long start = stored.epochSecond() - Math.floorMod(stored.epochSecond(), stepSeconds);
      points.computeIfAbsent(start, _ -> new HopTimes()).add(stored.row(), hops);
      nodes.add(stored.node());
    }
    return new Points(stepSeconds, points, nodes);
  }

  /// All of the time in one.
  public HopTimes total(Question question, Set<Hop> hops) {
    var sum = new HopTimes();
    rows(question, question.isAboutAll(), hops).forEach(stored -> sum.add(stored.row(), hops));
    return sum;
  }

  /// By series; a question without limits is answered by series too.
  public SortedMap<SeriesKey, HopTimes> bySeries(Question question, Set<Hop> hops) {
    var sums = new TreeMap<SeriesKey, HopTimes>();
    rows(question, false, hops)
        .forEach(
            stored ->
                sums.computeIfAbsent(stored.row().series(), _ -> new HopTimes())
                    .add(stored.row(), hops));
    return sums;
  }

  /// The totals of the last five minutes by series, at most some seconds old.
  public SortedMap<SeriesKey, HopTimes> lastMinutes() {
    return summary().series;
  }

  /// The same by agent.
  public Map<String, HopTimes> lastMinutesOfAgents() {
    return summary().agents;
  }

  private synchronized Summary summary() {
    Instant now = clock.instant();
    if (summary.at.plus(SUMMARY_AGE).isBefore(now)) {
      var question =
          new Question(
              Optional.empty(), Optional.empty(), Optional.empty(), now.minus(SUMMARY), now);
      SortedMap<SeriesKey, HopTimes> series = bySeries(question, Set.of(Hop.TOTAL, Hop.FAILED));
      var agents = new HashMap<String, HopTimes>();
      series.forEach(
          (key, times) -> agents.computeIfAbsent(key.agent(), _ -> new HopTimes()).add(times));
      summary = new Summary(now, series, agents);
    }
    return summary;
  }

  private List<Stored> rows(Question question, boolean allOfNode, Set<Hop> hops) {
    Resolution resolution = resolution(question.from());
    var range =
        new Range(
            resolution.seconds(),
            Instant.ofEpochSecond(resolution.floor(question.from().getEpochSecond())),
            question.to(),
            question.agent(),
            question.system(),
            Optional.empty());
    var rows = new ArrayList<Stored>();
    for (Stored stored : history.read(range, resolution, allOfNode, hops)) {
      if (allOfNode || question.isAbout(stored.row().series())) {
        rows.add(stored);
      }
    }
    Measuring.Interval unfinished = measuring.unfinished(question::isAbout);
    if (unfinished.epochSecond() < question.to().getEpochSecond()) {
      for (HopRow row : unfinished.rows()) {
        rows.add(new Stored(unfinished.epochSecond(), node, row));
      }
    }
    return rows;
  }
}
