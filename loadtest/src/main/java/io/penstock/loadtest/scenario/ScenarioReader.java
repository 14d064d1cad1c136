package io.penstock.loadtest.scenario;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.penstock.loadtest.engine.Flow;
import io.penstock.loadtest.engine.Pace;
import io.penstock.loadtest.engine.Request;
import io.penstock.loadtest.network.Network;
import io.penstock.loadtest.rate.Rate;
import io.penstock.loadtest.scenario.Scenario.TargetName;
import io.penstock.loadtest.watch.GrowthLimits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// Reads `loadtest/scenarios/*.yaml`. Whatever it does not know is an error.
public final class ScenarioReader {
  private static final String SUFFIX = ".yaml";
  private static final int MAX_TURNS = 100;
  private static final int MAX_THREADS = 64;
  private static final ObjectMapper YAML =
      new ObjectMapper(
          YAMLFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build());

  private final Path directory;

  /// @param directory of the scenarios that have a name
  public ScenarioReader(Path directory) {
    this.directory = directory;
  }

  public List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(file -> file.endsWith(SUFFIX))
          .map(file -> file.substring(0, file.length() - SUFFIX.length()))
          .sorted()
          .toList();
    }
  }

  /// @param nameOrFile a name of [#names], or a file that ends in .yaml
  public Scenario read(String nameOrFile) throws IOException, ScenarioException {
    Path file =
        nameOrFile.endsWith(SUFFIX) ? Path.of(nameOrFile) : directory.resolve(nameOrFile + SUFFIX);
    if (!nameOrFile.endsWith(SUFFIX) && !names().contains(nameOrFile)) {
      throw new ScenarioException(
          "scenario: expected one of "
              + String.join(", ", names())
              + ", or a file that ends in .yaml, found '"
              + nameOrFile
              + "'");
    }
    String fileName = file.getFileName().toString();
    String name = fileName.substring(0, fileName.length() - SUFFIX.length());
    if (!name.matches("[a-z0-9-]{1,48}")) {
      throw new ScenarioException(
          "scenario: expected a file name of lower-case letters, digits and hyphens, found "
              + fileName);
    }
    if (!Files.isReadable(file)) {
      throw new ScenarioException(file + ": expected a scenario file, found none to read");
    }
    return parse(name, Files.readString(file));
  }

  static Scenario parse(String name, String text) throws ScenarioException {
    String where = name + SUFFIX + ":";
    try {
      JsonNode root = YAML.readTree(text);
      return scenario(name, YamlKeys.of(where, root));
    } catch (JsonProcessingException e) {
      throw new ScenarioException(
          where
              + " expected YAML, found a mistake in line "
              + (e.getLocation() == null ? "?" : e.getLocation().getLineNr())
              + ": "
              + e.getOriginalMessage(),
          e);
    }
  }

  private static Scenario scenario(String name, YamlKeys keys) throws ScenarioException {
    String description = keys.text("description");
    List<TargetName> targets = targets(keys);
    Duration warmup = seconds(keys, "warmup_s", 5, 0);
    Duration duration = seconds(keys, "duration_s", 20, 0.1);
    int turns = keys.whole("turns", 3, 1, MAX_TURNS);
    int threads = keys.whole("threads", 1, 1, MAX_THREADS);
    List<Flow> flows = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (YamlKeys.Element element : keys.list("flows")) {
      Flow flow = flow(element.keys(), duration);
      if (!names.add(flow.name())) {
        throw new ScenarioException(
            element.where() + ".name: expected another name than the other flows', found it twice");
      }
      flows.add(flow);
    }
    Optional<YamlKeys> network = keys.inner("network");
    Optional<Network> line =
        network.isPresent() ? Optional.of(network(network.get())) : Optional.empty();
    Optional<YamlKeys> storm = keys.inner("storm");
    Optional<Storm> read = storm.isPresent() ? Optional.of(storm(storm.get())) : Optional.empty();
    Optional<YamlKeys> standing = keys.inner("fleet");
    Optional<StandingFleet> fleet =
        standing.isPresent() ? Optional.of(fleet(standing.get())) : Optional.empty();
    Optional<YamlKeys> limits = keys.inner("growth");
    Optional<GrowthLimits> growth =
        limits.isPresent() ? Optional.of(growth(limits.get())) : Optional.empty();
    keys.end();
    if (flows.isEmpty() && read.isEmpty()) {
      throw new ScenarioException(keys.where() + " expected flows or a storm, found neither");
    }
    if (read.isPresent()
        && !(targets.size() == 1 && targets.getFirst() instanceof TargetName.OwnTunnel)) {
      throw new ScenarioException(
          keys.where() + " expected targets [penstock] beside a storm, found others");
    }
    if (read.isPresent() && fleet.isPresent()) {
      throw new ScenarioException(
          keys.where() + " expected a storm or a fleet, which would not survive one, found both");
    }
    if (fleet.isEmpty() && targets.stream().anyMatch(it -> it instanceof TargetName.OwnFleet)) {
      throw new ScenarioException(
          keys.where() + " expected a fleet for the target fleet, found none");
    }
    Scenario scenario =
        new Scenario(
            name,
            description,
            targets,
            warmup,
            duration,
            turns,
            threads,
            flows,
            read,
            fleet,
            growth);
    return line.map(scenario::over).orElse(scenario);
  }

  private static Duration seconds(YamlKeys keys, String key, double otherwise, double least)
      throws ScenarioException {
    double seconds = keys.number(key, otherwise);
    if (!(seconds >= least) || seconds > 86_400) {
      throw new ScenarioException(
          keys.place(key) + ": expected " + least + " to 86400, found " + seconds);
    }
    return Duration.ofNanos(Math.round(seconds * 1e9));
  }

  private static List<TargetName> targets(YamlKeys keys) throws ScenarioException {
    List<TargetName> targets = new ArrayList<>();
    for (YamlKeys.Element element : keys.list("targets")) {
      targets.add(
          element.node().isTextual()
              ? ownTarget(element.where(), element.node().asText())
              : target(element.keys()));
    }
    return targets.isEmpty() ? List.of(TargetName.OwnTunnel.usual()) : targets;
  }

  private static TargetName ownTarget(String where, String name) throws ScenarioException {
    return switch (name) {
      case TargetName.OwnTunnel.USUAL_NAME -> TargetName.OwnTunnel.usual();
      case "origin" -> new TargetName.OwnOrigin();
      case TargetName.OwnFleet.NAME -> new TargetName.OwnFleet(Optional.empty());
      default ->
          throw new ScenarioException(
              where
                  + ": expected penstock, origin, fleet, {name, url} or {name, network}, found '"
                  + name
                  + "'");
    };
  }

  private static TargetName target(YamlKeys keys) throws ScenarioException {
    String name = keys.text("name");
    Optional<YamlKeys> network = keys.inner("network");
    if (network.isEmpty() && !keys.has("url")) {
      throw new ScenarioException(keys.where() + ": expected url or network, found neither");
    }
    TargetName target =
        network.isPresent()
            ? new TargetName.OwnTunnel(name, Optional.of(network(network.get())))
            : new TargetName.Url(
                name, keys.text("url"), keys.text("ca_file", ""), keys.flag("insecure"));
    keys.end();
    return target;
  }

  private static Network network(YamlKeys keys) throws ScenarioException {
    double delay = keys.number("delay_ms", 0);
    double jitter = keys.number("jitter_ms", 0);
    int bytesPerSecond = keys.whole("bytes_per_second", 0, 0, Integer.MAX_VALUE);
    double stallEvery = keys.number("stall_every_s", 0);
    double stall = keys.number("stall_ms", 0);
    double resetEvery = keys.number("reset_every_s", 0);
    keys.end();
    return checked(
        keys,
        () ->
            new Network(
                nanos(delay * 1e6),
                nanos(jitter * 1e6),
                bytesPerSecond,
                nanos(stallEvery * 1e9),
                nanos(stall * 1e6),
                nanos(resetEvery * 1e9)));
  }

  private static Duration nanos(double nanos) {
    return Duration.ofNanos(Math.round(nanos));
  }

  private static Flow flow(YamlKeys keys, Duration duration) throws ScenarioException {
    String name = keys.text("name");
    Optional<YamlKeys> rate = keys.inner("rate");
    Pace pace = rate.isPresent() ? new Pace.Open(rate(rate.get(), duration)) : new Pace.Closed();
    int connections = keys.whole("connections", 64, 1, 20_000);
    double timeout = keys.number("timeout_s", 10);
    int slow = keys.whole("read_bytes_per_second", 0, 0, Integer.MAX_VALUE);
    List<Request> mix = new ArrayList<>();
    for (YamlKeys.Element element : keys.list("requests")) {
      mix.add(request(element.keys()));
    }
    keys.end();
    return checked(
        keys,
        () ->
            new Flow(
                name, pace, connections, mix, Duration.ofNanos(Math.round(timeout * 1e9)), slow));
  }

  private static Request request(YamlKeys keys) throws ScenarioException {
    String method = keys.text("method", "GET");
    String path = keys.text("path");
    int body = keys.whole("body_bytes", 0, 0, Request.MAX_BODY_BYTES);
    double weight = keys.number("weight", 1);
    keys.end();
    return checked(keys, () -> new Request(method, path, body, weight));
  }

  private static Rate rate(YamlKeys keys, Duration duration) throws ScenarioException {
    Rate rate;
    if (keys.has("constant")) {
      double perSecond = keys.number("constant");
      rate = checked(keys, () -> new Rate.Constant(perSecond));
    } else if (keys.has("poisson")) {
      double perSecond = keys.number("poisson");
      int seed = keys.whole("seed", 1, 0, Integer.MAX_VALUE);
      rate = checked(keys, () -> new Rate.Poisson(perSecond, seed));
    } else if (keys.has("ramp_from")) {
      double from = keys.number("ramp_from");
      double to = keys.number("ramp_to");
      double over = keys.number("over_s", duration.toNanos() / 1e9);
      rate = checked(keys, () -> new Rate.Ramp(from, to, Math.round(over * 1e9)));
    } else {
      throw new ScenarioException(
          keys.where() + ": expected constant, poisson or ramp_from, found none of them");
    }
    keys.end();
    return rate;
  }

  private static Storm storm(YamlKeys keys) throws ScenarioException {
    String word = keys.text("event");
    Storm.Event event =
        Storm.Event.of(word)
            .orElseThrow(
                () ->
                    new ScenarioException(
                        keys.where()
                            + ".event: expected one of "
                            + Storm.Event.words()
                            + ", found '"
                            + word
                            + "'"));
    int agents = keys.whole("agents", 100, 1, Storm.MAX_AGENTS);
    Optional<YamlKeys> inner = keys.inner("rate");
    Optional<Rate> rate =
        inner.isPresent()
            ? Optional.of(rate(inner.get(), Duration.ofMinutes(1)))
            : Optional.empty();
    boolean hasAtOnce = keys.has("at_once");
    int atOnce = keys.whole("at_once", 32, 1, Storm.MAX_AT_ONCE);
    Duration after = seconds(keys, "after_s", 0, 0);
    keys.end();
    if (rate.isPresent() && !event.isOneByOne()) {
      throw new ScenarioException(
          keys.where()
              + ".rate: expected none for "
              + word
              + ", which hits all agents at one moment, found one");
    }
    if (hasAtOnce && (!event.isOneByOne() || (event == Storm.Event.CONNECT && rate.isPresent()))) {
      throw new ScenarioException(
          keys.where()
              + ".at_once: expected none for "
              + word
              + (event.isOneByOne()
                  ? " with a rate, which alone says when agents dial"
                  : ", which hits all agents at one moment")
              + ", found one");
    }
    return new Storm(event, agents, rate, atOnce, after);
  }

  private static StandingFleet fleet(YamlKeys keys) throws ScenarioException {
    int agents = keys.whole("agents", 100, 1, Storm.MAX_AGENTS);
    String site = keys.text("site", "scale");
    int answerBytes = keys.whole("answer_bytes", 1_024, 0, StandingFleet.MAX_ANSWER_BYTES);
    keys.end();
    if (!site.matches(StandingFleet.SITE)) {
      throw new ScenarioException(
          keys.where()
              + ".site: expected 1 to 32 lower-case letters, digits and hyphens, found '"
              + site
              + "'");
    }
    return new StandingFleet(agents, site, answerBytes);
  }

  /// Each limit per minute.
  private static GrowthLimits growth(YamlKeys keys) throws ScenarioException {
    Map<GrowthLimits.Quantity, Double> limits = new LinkedHashMap<>();
    for (GrowthLimits.Quantity quantity : GrowthLimits.Quantity.values()) {
      String key = quantity.text().replace(' ', '_').toLowerCase(Locale.ROOT);
      if (keys.has(key)) {
        limits.put(quantity, keys.number(key));
      }
    }
    keys.end();
    return checked(keys, () -> new GrowthLimits(limits));
  }

  private interface Made<T> {
    T make();
  }

  /// The values' own checks, with the place they stand in.
  private static <T> T checked(YamlKeys keys, Made<T> made) throws ScenarioException {
    try {
      return made.make();
    } catch (IllegalArgumentException e) {
      throw new ScenarioException(keys.where() + ": " + e.getMessage(), e);
    }
  }
}
