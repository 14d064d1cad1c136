package io.penstock.broker.api;

import io.penstock.broker.access.Accounts;
import io.penstock.broker.access.Actor;
import io.penstock.broker.access.Permission;
import io.penstock.broker.agents.AgentOperations;
import io.penstock.broker.agents.AgentOperations.AgentView;
import io.penstock.broker.edge.InvocationRecord;
import io.penstock.broker.live.LiveFeed;
import io.penstock.broker.measure.Hop;
import io.penstock.broker.measure.HopArchive;
import io.penstock.broker.measure.HopArchive.Points;
import io.penstock.broker.measure.HopArchive.Question;
import io.penstock.broker.measure.HopTimes;
import io.penstock.broker.measure.Instruments;
import io.penstock.broker.measure.MeasureJson;
import io.penstock.broker.measure.Measuring;
import io.penstock.broker.measure.RecentCalls.Recent;
import io.penstock.broker.measure.SeriesKey;
import io.penstock.broker.measure.Times;
import io.penstock.broker.measure.TooMuchException;
import io.penstock.broker.store.Database;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.SortedMap;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// What was measured: `/api/v1/overview`, `/latency…`, `/requests…`, `/broker`.
final class MeasureRoutes {
  private static final Duration DEFAULT_RANGE = Duration.ofMinutes(15);
  private static final Duration DEFAULT_SERIES_RANGE = Duration.ofMinutes(5);
  private static final Duration LONGEST = Duration.ofDays(31);
  private static final int GOOD_POINTS = 360;
  private static final int MAX_POINTS = 2_000;
  private static final List<Integer> STEPS =
      List.of(10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600, 86_400);
  private static final int DEFAULT_LIMIT = 100;
  private static final int MAX_LIMIT = 1_000;
  private static final Pattern STATUS = Pattern.compile("[1-5](\\d\\d|xx)");
  private static final Set<Hop> EVERY_HOP = EnumSet.allOf(Hop.class);

  private final Instruments instruments;
  private final LiveFeed feed;
  private final Accounts accounts;
  private final AgentOperations agents;
  private final Database database;
  private final Clock clock;

  MeasureRoutes(
      Instruments instruments,
      LiveFeed feed,
      Accounts accounts,
      AgentOperations agents,
      Database database,
      Clock clock) {
    this.instruments = instruments;
    this.feed = feed;
    this.accounts = accounts;
    this.agents = agents;
    this.database = database;
    this.clock = clock;
  }

  void addTo(Routes routes) {
    Permission dashboards = Permission.DASHBOARDS_READ;
    routes.needs(dashboards, HttpMethod.GET, "/api/v1/overview", this::overview);
    routes.needs(dashboards, HttpMethod.GET, "/api/v1/latency", this::latency);
    routes.needs(dashboards, HttpMethod.GET, "/api/v1/latency/hops", this::hops);
    routes.needs(dashboards, HttpMethod.GET, "/api/v1/latency/series", this::series);
    Permission requests = Permission.REQUESTS_READ;
    routes.needs(requests, HttpMethod.GET, "/api/v1/requests", this::recent);
    routes.needs(requests, HttpMethod.GET, "/api/v1/requests/:id", this::one);
    routes.needs(Permission.LOGS_READ, HttpMethod.GET, "/api/v1/broker", this::broker);
  }

  // Overview.

  private Answer overview(Request request) {
    try {
      JsonObject overview =
          feed.overview(request.actor().scope())
              .orElseThrow(
                  () -> Problem.later(503, "overloaded", "nothing has been counted yet", 1));
      return Answer.ok(overview.put("availability_24h", availability(request.actor())));
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(stopped);
    }
  }

  /// Of the agents that should be here.
  private @Nullable Double availability(Actor actor) {
    return agents.list().stream()
        .filter(agent -> agent.state().equals("approved"))
        .filter(agent -> actor.scope().holds(agent.id(), agent.site(), agent.labels()))
        .mapToDouble(AgentView::availability24h)
        .average()
        .stream()
        .boxed()
        .findFirst()
        .orElse(null);
  }

  // Times.

  private record Range(Instant from, Instant to) {}

  private Range range(Request request, Duration otherwise) {
    Instant to = request.queryInstant("to").orElseGet(clock::instant);
    Instant from = request.queryInstant("from").orElseGet(() -> to.minus(otherwise));
    if (!from.isBefore(to) || Duration.between(from, to).compareTo(LONGEST) > 0) {
      throw Request.expected("from", "a time before `to`, by at most 31 days");
    }
    return new Range(from, to);
  }

  private Question question(Request request, Range range) {
    Optional<String> agent = request.query("agent");
    agent.ifPresent(
        name -> {
          boolean word =
              request.actor().scope().isEverything()
                  && (name.equals(SeriesKey.OTHER.agent())
                      || name.equals(SeriesKey.NO_AGENT.agent()));
          if (!word && !accounts.sees(request.actor(), name)) {
            throw Problem.notFound("agent");
          }
        });
    return new Question(
        agent, request.query("system"), visible(request.actor()), range.from(), range.to());
  }

  /// Empty: everything may be seen.
  private Optional<Predicate<SeriesKey>> visible(Actor actor) {
    return agentsOf(actor).map(names -> series -> names.contains(series.agent()));
  }

  private Optional<Set<String>> agentsOf(Actor actor) {
    return database.transaction(tx -> accounts.agentsOf(tx, actor)).map(HashSet::new);
  }

  private static <T> T answerable(Supplier<T> question) {
    try {
      return question.get();
    } catch (TooMuchException much) {
      throw Problem.badRequest(much.getMessage() + ": name an agent, or ask for a shorter time");
    }
  }

  private Answer latency(Request request) {
    Hop hop =
        Hop.of(request.query("hop").orElse(Hop.TOTAL.text()))
            .orElseThrow(
                () ->
                    Request.expected(
                        "hop", "broker, tunnel, agent, system, body, total or failed"));
    Range range = range(request, DEFAULT_RANGE);
    Question question = question(request, range);
    long step = step(request, range);
    Points found = answerable(() -> archive().points(question, EnumSet.of(hop, Hop.FAILED), step));
    var points = new JsonArray();
    double errorMs = 0;
    for (Map.Entry<Long, HopTimes> point : found.points().entrySet()) {
      points.add(point(point.getKey(), point.getValue(), hop));
      errorMs = Math.max(errorMs, point.getValue().errorMs());
    }
    return Answer.ok(
        described(request, range)
            .put("step_s", step)
            .put("hop", hop.text())
            .put("error_ms", MeasureJson.ms(errorMs))
            .put("bounds_ms", MeasureJson.boundsMs())
            .put(
                "coverage",
                new JsonObject().put("nodes", new JsonArray(List.copyOf(found.nodes()))))
            .put("points", points));
  }

  private static JsonObject point(long second, HopTimes times, Hop hop) {
    return MeasureJson.figures(times.of(hop))
        .put("t", second)
        .put("count", times.calls())
        .put("failed", times.failed())
        .put("cells", MeasureJson.cells(times.of(hop)));
  }

  /// As fine as what is kept allows, and as was asked for.
  private long step(Request request, Range range) {
    int finest = archive().resolution(range.from()).seconds();
    long seconds = Duration.between(range.from(), range.to()).toSeconds();
    int good =
        STEPS.stream()
            .filter(step -> step >= finest && seconds / step <= GOOD_POINTS)
            .findFirst()
            .orElse(STEPS.getLast());
    long asked = request.queryNumber("step", good, 1, LONGEST.toSeconds());
    long step = (Math.max(asked, finest) + finest - 1) / finest * finest;
    if (seconds / step > MAX_POINTS) {
      throw Request.expected("step", "so many seconds that there are at most 2000 points");
    }
    return step;
  }

  private static JsonObject described(Request request, Range range) {
    return new JsonObject()
        .put("from", range.from().toString())
        .put("to", range.to().toString())
        .put("agent", request.query("agent").orElse(null))
        .put("system", request.query("system").orElse(null))
        .put("precision", Times.PRECISION);
  }

  private Answer hops(Request request) {
    Range range = range(request, DEFAULT_RANGE);
    Question question = question(request, range);
    HopTimes times = answerable(() -> archive().total(question, EVERY_HOP));
    var hops = new JsonArray();
    double sum = 0;
    for (Hop hop : Hop.PARTS) {
      hops.add(MeasureJson.figures(times.of(hop)).put("hop", hop.text()));
      sum += times.of(hop).meanMs();
    }
    boolean none = times.of(Hop.TOTAL).isEmpty();
    return Answer.ok(
        described(request, range)
            .put("count", times.calls())
            .put("failed", times.failed())
            .put("error_ms", MeasureJson.ms(times.errorMs()))
            .put("total", MeasureJson.figures(times.of(Hop.TOTAL)))
            .put("hops", hops)
            .put("hops_mean_sum_ms", none ? null : MeasureJson.ms(sum)));
  }

  private Answer series(Request request) {
    Range range = range(request, DEFAULT_SERIES_RANGE);
    Question question = question(request, range);
    SortedMap<SeriesKey, HopTimes> found =
        answerable(() -> archive().bySeries(question, EVERY_HOP));
    var series = new JsonArray();
    found.entrySet().stream()
        .sorted(
            Comparator.comparingDouble(
                    (Map.Entry<SeriesKey, HopTimes> one) ->
                        one.getValue().of(Hop.TOTAL).percentileMs(99))
                .reversed())
        .forEach(one -> series.add(series(one.getKey(), one.getValue())));
    Measuring.Counts counts = instruments.measuring().counts();
    return Answer.ok(
        described(request, range)
            .put("limit", counts.limit())
            .put("overflowed", counts.overflowed())
            .put("series", series));
  }

  private static JsonObject series(SeriesKey key, HopTimes times) {
    var hops = new JsonObject();
    for (Hop hop : Hop.PARTS) {
      hops.put(
          hop.text(),
          new JsonObject()
              .put("p50_ms", MeasureJson.percentile(times.of(hop), 50))
              .put("p99_ms", MeasureJson.percentile(times.of(hop), 99)));
    }
    Times total = times.of(Hop.TOTAL);
    return new JsonObject()
        .put("agent", key.agent())
        .put("system", key.system())
        .put("count", times.calls())
        .put("failed", times.failed())
        .put("p50_ms", MeasureJson.percentile(total, 50))
        .put("p90_ms", MeasureJson.percentile(total, 90))
        .put("p99_ms", MeasureJson.percentile(total, 99))
        .put("max_ms", MeasureJson.percentile(total, 100))
        .put("hops", hops);
  }

  private HopArchive archive() {
    return instruments.archive();
  }

  // Recent calls.

  private Answer recent(Request request) {
    Predicate<Recent> wanted = wanted(request).and(mayBeSeenBy(request.actor()));
    List<Recent> found =
        instruments
            .measuring()
            .recent()
            .list(
                wanted,
                request.queryNumber("before", Long.MAX_VALUE, 1, Long.MAX_VALUE),
                (int) request.queryNumber("limit", DEFAULT_LIMIT, 1, MAX_LIMIT));
    var rows = new JsonArray();
    found.forEach(recent -> rows.add(MeasureJson.call(recent).put("node", node())));
    return Answer.ok(
        new JsonObject()
            .put("node", node())
            .put("kept", instruments.measuring().recent().kept())
            .put("seen", instruments.measuring().seen())
            .put("rows", rows));
  }

  private String node() {
    return instruments.status().node();
  }

  /// Calls that reached no agent belong to nobody's scope.
  private Predicate<Recent> mayBeSeenBy(Actor actor) {
    return agentsOf(actor)
        .<Predicate<Recent>>map(names -> recent -> names.contains(recent.call().agent()))
        .orElse(_ -> true);
  }

  private static Predicate<Recent> wanted(Request request) {
    Optional<String> agent = request.query("agent");
    Optional<String> system = request.query("system");
    Optional<String> verdict = request.query("verdict");
    Optional<String> status = request.query("status");
    if (status.filter(text -> !STATUS.matcher(text).matches()).isPresent()) {
      throw Request.expected("status", "a status such as 502, or a class such as 5xx");
    }
    OptionalDouble minMs = queryMs(request, "min_ms");
    OptionalDouble maxMs = queryMs(request, "max_ms");
    Instant from = request.queryInstant("from").orElse(Instant.MIN);
    Instant to = request.queryInstant("to").orElse(Instant.MAX);
    return recent -> {
      InvocationRecord call = recent.call();
      double ms = call.hops().total() / 1_000.0;
      return agent.map(call.agent()::equals).orElse(true)
          && system.map(call.system()::equals).orElse(true)
          && verdict.map(text -> isVerdict(call, text)).orElse(true)
          && status.map(text -> isStatus(call, text)).orElse(true)
          && ms >= minMs.orElse(0)
          && ms <= maxMs.orElse(Double.MAX_VALUE)
          && !recent.at().isBefore(from)
          && recent.at().isBefore(to);
    };
  }

  private static boolean isVerdict(InvocationRecord call, String text) {
    return text.equals("failed")
        ? !call.verdict().equals(InvocationRecord.OK)
        : call.verdict().equals(text);
  }

  private static boolean isStatus(InvocationRecord call, String text) {
    return text.endsWith("xx")
        ? call.status() / 100 == text.charAt(0) - '0'
        : Integer.toString(call.status()).equals(text);
  }

  private static OptionalDouble queryMs(Request request, String name) {
    Optional<String> text = request.query(name);
    if (text.isEmpty()) {
      return OptionalDouble.empty();
    }
    try {
      double value = Double.parseDouble(text.get());
      if (value >= 0 && value < Double.MAX_VALUE) {
        return OptionalDouble.of(value);
      }
    } catch (NumberFormatException _) {
      throw Request.expected(name, "milliseconds of 0 or more");
    }
    throw Request.expected(name, "milliseconds of 0 or more");
  }

  private Answer one(Request request) {
    return instruments
        .measuring()
        .recent()
        .find(request.path("id"))
        .filter(mayBeSeenBy(request.actor()))
        .map(recent -> Answer.ok(MeasureJson.call(recent).put("node", node())))
        .orElseThrow(() -> Problem.notFound("request"));
  }

  // The broker itself.

  /// It is about all agents together, so nobody with limits sees it.
  private Answer broker(Request request) {
    if (!request.actor().scope().isEverything()) {
      throw Problem.forbidden(Permission.LOGS_READ.text());
    }
    var nodes = new JsonArray();
    instruments.status().all().forEach(nodes::add);
    return Answer.ok(new JsonObject().put("nodes", nodes));
  }
}
