package io.penstock.loadtest.scenario;

import io.penstock.loadtest.engine.Endpoint;
import io.penstock.loadtest.engine.Engine;
import io.penstock.loadtest.engine.FlowResult;
import io.penstock.loadtest.engine.Progress;
import io.penstock.loadtest.fault.Home;
import io.penstock.loadtest.fault.Processes;
import io.penstock.loadtest.installation.Installation;
import io.penstock.loadtest.installation.OwnersFiles;
import io.penstock.loadtest.network.Network;
import io.penstock.loadtest.report.RunResult;
import io.penstock.loadtest.scenario.Scenario.TargetName;
import io.penstock.loadtest.watch.GeneratorUse;
import io.penstock.loadtest.watch.GeneratorWatch;
import io.penstock.loadtest.watch.Growth;
import io.penstock.loadtest.watch.ProcessSamples;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Carries one scenario out, from starting what it needs to the result. Targets take turns, so that
/// what the machine does meanwhile hits them alike.
public final class ScenarioRun implements AutoCloseable {
  private static final String OWN_ORIGIN = "origin";
  private static final String GENERATOR = "generator";
  private static final String ERP = "erp";

  /// Of one process; a run of many hours is looked at less often than each second.
  private static final int MAX_SAMPLES = 20_000;

  private final Scenario scenario;
  private final Home home;
  private final String commit;
  private final Map<String, String> fields;
  private final Map<String, Long> watched;
  private final Consumer<String> say;
  private final Engine engine;
  private final long startNanos = System.nanoTime();
  private final ProcessSamples samples = new ProcessSamples(startNanos);
  private final ScheduledExecutorService every =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("watch").factory());
  private volatile @Nullable Watched turn;
  private @Nullable Path directory;
  private @Nullable Processes processes;
  private @Nullable Installation installation;
  private @Nullable StormRun storm;
  private @Nullable FleetRun fleet;
  private boolean closed;

  /// A turn's storm of which the figures are not read yet.
  private @Nullable StormTurn happened;

  /// Of the watching thread.
  private long ticks;

  /// A target that can be loaded.
  ///
  /// @param line to its agents; empty = they are not this run's
  private record Place(Endpoint endpoint, Optional<Network> line) {
    String name() {
      return endpoint.name();
    }
  }

  /// What the ticking line shows.
  private record Watched(String what, Progress progress, long[] last) {}

  /// @param fields of each request to a URL; may hold secrets
  /// @param watched further processes, by name
  /// @param say progress, line by line
  public ScenarioRun(
      Scenario scenario,
      Home home,
      String commit,
      Map<String, String> fields,
      Map<String, Long> watched,
      Consumer<String> say) {
    this.scenario = scenario;
    this.home = home;
    this.commit = commit;
    this.fields = Map.copyOf(fields);
    this.watched = new LinkedHashMap<>(watched);
    this.say = say;
    engine = Engine.of(scenario.threads());
  }

  public RunResult run() throws IOException, InterruptedException, ScenarioException {
    Instant started = Instant.now();
    prepare();
    List<Place> places = places();
    var _ = every.scheduleAtFixedRate(this::tick, 1, 1, TimeUnit.SECONDS);
    if (scenario.warmup().isPositive() && !scenario.flows().isEmpty()) {
      for (Place place : places) {
        load(place, place.name() + " warm-up", scenario.warmup());
        fleetOver(place.name() + ", before the first turn");
      }
    }
    List<RunResult.Segment> segments = new ArrayList<>();
    for (int repeat = 1; repeat <= scenario.turns(); repeat++) {
      for (Place place : places) {
        segments.add(segment(place, repeat));
      }
    }
    return new RunResult(
        scenario.name(),
        scenario.description(),
        started,
        commit,
        segments,
        samples.samples(),
        growth(segments),
        Optional.ofNullable(fleet).map(FleetRun::use),
        storm == null ? List.of() : storm.failures(),
        remarks(places));
  }

  /// Of what is under load: not of the generator and the ERP, which are the harness's own. Further
  /// processes need not have all that has a limit.
  private List<Growth> growth(List<RunResult.Segment> segments) {
    return scenario
        .growth()
        .map(limits -> Growth.of(samples.samples(), segments.getFirst().startNanos(), limits))
        .orElse(List.of())
        .stream()
        .filter(growth -> !growth.process().equals(GENERATOR) && !growth.process().equals(ERP))
        .filter(
            growth ->
                growth.verdict() != Growth.Verdict.NOT_KNOWN
                    || !watched.containsKey(growth.process()))
        .toList();
  }

  private List<String> remarks(List<Place> places) {
    List<String> remarks = new ArrayList<>();
    if (scenario.hasLines()) {
      places.forEach(
          place ->
              place
                  .line()
                  .ifPresent(
                      line ->
                          remarks.add(
                              place.name() + ": between agents and broker: " + line.text())));
      remarks.add("a TCP proxy makes these conditions; it loses no packets and costs some CPU");
    }
    if (storm != null) {
      remarks.addAll(storm.remarks());
    }
    return remarks;
  }

  private void prepare() throws IOException, InterruptedException {
    samples.watch(GENERATOR, ProcessHandle.current().pid());
    watched.forEach(samples::watch);
    if (!scenario.needsInstallation()) {
      return;
    }
    Installation started = Installation.start(processes(), made(), scenario.hasLines(), say);
    synchronized (this) {
      installation = started;
    }
    watchInstallation(started);
    if (scenario.storm().isPresent()) {
      storm = StormRun.prepare(scenario.storm().get(), started, say);
    }
    if (scenario.fleet().isPresent()) {
      fleet = FleetRun.start(scenario.fleet().get(), started, say);
    }
  }

  private synchronized Path made() throws IOException {
    if (directory == null) {
      directory = Files.createTempDirectory("penstock-loadtest-");
    }
    return directory;
  }

  private synchronized Processes processes() throws IOException {
    if (closed) {
      throw new IOException("the run was ended");
    }
    processes = new Processes(home, made());
    return processes;
  }

  private void watchInstallation(Installation own) {
    samples.watch("broker", own.broker().pid());
    samples.watch("agent", own.agent().pid());
    samples.watch(ERP, own.erp().pid());
  }

  private List<Place> places() throws IOException, ScenarioException {
    List<Place> places = new ArrayList<>();
    for (TargetName target : scenario.targets()) {
      try {
        places.add(new Place(endpoint(target), Scenario.line(target)));
      } catch (IllegalArgumentException e) {
        throw new ScenarioException(String.valueOf(e.getMessage()), e);
      }
    }
    if (places.stream().map(Place::name).distinct().count() < places.size()) {
      throw new ScenarioException("targets: expected different names, found one twice");
    }
    return places;
  }

  private Endpoint endpoint(TargetName target) throws IOException {
    return switch (target) {
      case TargetName.OwnTunnel tunnel ->
          Endpoint.of(
              tunnel.name(),
              own().invokeUrl(),
              new Endpoint.Trust.CaFile(own().caFile()),
              Map.of("Authorization", "Bearer " + own().serviceToken()));
      case TargetName.OwnFleet _ ->
          Endpoint.of(
              TargetName.OwnFleet.NAME,
              ownFleet().invokeUrl(),
              new Endpoint.Trust.CaFile(own().caFile()),
              Map.of("Authorization", "Bearer " + ownFleet().serviceToken()));
      case TargetName.OwnOrigin _ ->
          Endpoint.of(OWN_ORIGIN, own().erpUrl(), new Endpoint.Trust.Usual(), Map.of());
      case TargetName.Url url -> Endpoint.of(url.name(), URI.create(url.url()), trust(url), fields);
    };
  }

  private static Endpoint.Trust trust(TargetName.Url url) {
    if (url.insecure()) {
      return new Endpoint.Trust.Anybody();
    }
    return url.caFile().isEmpty()
        ? new Endpoint.Trust.Usual()
        : new Endpoint.Trust.CaFile(Path.of(url.caFile()));
  }

  private Installation own() {
    Installation own = installation;
    if (own == null) {
      throw new IllegalStateException("nothing of its own was started");
    }
    return own;
  }

  private FleetRun ownFleet() {
    FleetRun own = fleet;
    if (own == null) {
      throw new IllegalStateException("no fleet was connected");
    }
    return own;
  }

  private void fleetOver(String what) {
    if (fleet != null) {
      fleet.over(what);
    }
  }

  private RunResult.Segment segment(Place place, int repeat)
      throws IOException, InterruptedException {
    if (storm != null) {
      storm.beforeTurn();
    }
    long start = System.nanoTime();
    samples.sample();
    Map<String, Long> before = samples.cpuNanos();
    GeneratorWatch watch = GeneratorWatch.start(engine.threadIds(), beside());
    List<FlowResult> flows =
        load(place, place.name() + " " + repeat + "/" + scenario.turns(), scenario.duration());
    GeneratorUse use = watch.stop();
    samples.sample();
    long took = System.nanoTime() - start;
    Map<String, Long> cpu = difference(before, samples.cpuNanos());
    fleetOver(place.name() + ", turn " + repeat);
    StormTurn agents = happened;
    if (storm != null && agents != null) {
      flows.add(storm.settle(agents));
      happened = null;
    }
    return new RunResult.Segment(place.name(), repeat, start - startNanos, took, flows, use, cpu);
  }

  /// The harness's own loops, other than those of the generator.
  private Map<String, List<Long>> beside() {
    Map<String, List<Long>> beside = new LinkedHashMap<>();
    if (installation != null) {
      beside.put("the line's proxy", installation.lineThreadIds());
    }
    if (storm != null) {
      beside.put("the simulated agents", storm.threadIds());
    }
    if (fleet != null) {
      beside.put("the simulated agents", fleet.threadIds());
    }
    return beside;
  }

  private static Map<String, Long> difference(Map<String, Long> before, Map<String, Long> after) {
    Map<String, Long> result = new LinkedHashMap<>();
    after.forEach(
        (name, nanos) -> result.put(name, Math.max(0, nanos - before.getOrDefault(name, 0L))));
    return result;
  }

  /// All flows, and outside the warm-up the storm beside them.
  private List<FlowResult> load(Place place, String what, java.time.Duration duration)
      throws IOException, InterruptedException {
    place.line().ifPresent(line -> own().line(line));
    var progress = new Progress();
    turn = new Watched(what, progress, new long[3]);
    CompletableFuture<List<FlowResult>> running =
        engine.run(place.endpoint(), scenario.flows(), duration, progress);
    List<FlowResult> results = new ArrayList<>();
    StormRun agents = storm;
    if (agents != null && !what.endsWith("warm-up")) {
      // A load that fails before it begins is told of below.
      Object _ = CompletableFuture.anyOf(progress.begun(), running.handle((_, _) -> true)).join();
      happened = agents.storm();
      // It may have started another broker.
      watchInstallation(own());
    }
    try {
      results.addAll(0, running.get());
    } catch (ExecutionException e) {
      throw new IOException("the generator failed", e.getCause());
    } finally {
      turn = null;
    }
    return results;
  }

  /// Once a second: looks at the processes, and says how far the load is.
  private void tick() {
    if (ticks++ % ticksPerSample() == 0) {
      samples.sample();
    }
    Watched now = turn;
    if (now == null) {
      return;
    }
    long started = now.progress().started();
    long answered = now.progress().answered();
    long failed = now.progress().failed();
    say.accept(
        String.format(
            java.util.Locale.ROOT,
            "%6.0f s  %-24s %7d/s started  %7d/s answered  %d failed  %d under way",
            (System.nanoTime() - startNanos) / 1e9,
            now.what(),
            started - now.last()[0],
            answered - now.last()[1],
            failed,
            started - answered - failed));
    now.last()[0] = started;
    now.last()[1] = answered;
  }

  private long ticksPerSample() {
    long seconds =
        scenario.duration().plus(scenario.warmup()).toSeconds()
            * scenario.turns()
            * scenario.targets().size();
    return 1 + seconds / MAX_SAMPLES;
  }

  /// Ends everything that was started and removes its data. May be called from another thread, and
  /// again.
  @Override
  public synchronized void close() throws IOException {
    if (closed) {
      return;
    }
    closed = true;
    every.shutdownNow();
    engine.close();
    if (storm != null) {
      storm.close();
    }
    if (fleet != null) {
      fleet.close();
    }
    if (installation != null) {
      installation.close();
    }
    if (processes != null) {
      processes.close();
    }
    if (directory != null) {
      OwnersFiles.delete(directory);
    }
  }
}
