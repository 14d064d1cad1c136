package io.penstock.loadtest.report;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.loadtest.engine.FlowResult;
import io.penstock.loadtest.record.Outcomes;
import io.penstock.loadtest.watch.Growth;
import io.penstock.loadtest.watch.JvmMemory;
import io.penstock.loadtest.watch.ProcessSamples;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.HdrHistogram.Histogram;

/// The run as JSON (`docs/performance.md` says what is what). Latencies are in milliseconds.
public final class JsonReport {
  public static final int FORMAT = 1;
  static final double[] PERCENTILES = {50, 90, 99, 99.9, 100};
  private static final String[] NAMES = {"p50", "p90", "p99", "p99_9", "max"};

  private final RunResult run;
  private final ObjectNode root = JsonNodeFactory.instance.objectNode();

  private JsonReport(RunResult run) {
    this.run = run;
  }

  public static ObjectNode of(RunResult run) {
    return new JsonReport(run).write();
  }

  private ObjectNode write() {
    List<String> invalid = run.invalid();
    root.put("format", FORMAT);
    root.put("scenario", run.scenario()).put("description", run.description());
    root.put("started", run.started().toString()).put("commit", run.commit());
    root.putObject("machine")
        .put("processors", Runtime.getRuntime().availableProcessors())
        .put("os", System.getProperty("os.name") + " " + System.getProperty("os.version"))
        .put("jdk", System.getProperty("java.vm.version"));
    root.put("valid", invalid.isEmpty());
    invalid.forEach(root.putArray("invalid_because")::add);
    run.remarks().forEach(root.putArray("remarks")::add);
    ArrayNode targets = root.putArray("targets");
    run.targets().forEach(name -> target(targets.addObject(), name));
    ArrayNode segments = root.putArray("segments");
    run.segments().forEach(segment -> segment(segments.addObject(), segment));
    ArrayNode growth = root.putArray("growth");
    run.growth().forEach(one -> growth(growth.addObject(), one));
    run.fleet().ifPresent(fleet -> fleet(root.putObject("fleet"), fleet));
    processes(root.putObject("processes"));
    return root;
  }

  private void target(ObjectNode target, String name) {
    target.put("name", name);
    cpu(target, run.segmentsOf(name));
    ArrayNode flows = target.putArray("flows");
    for (Figures figures : Figures.of(run, name).values()) {
      ObjectNode flow = flows.addObject();
      flow.put("name", figures.flow()).put("loop", figures.open() ? "open" : "closed");
      flow.put("answered", figures.outcomes().answered());
      flow.put("most_at_once", figures.mostAtOnce());
      flow.put("failed", figures.outcomes().failures());
      figures.outcomes().errors().forEach(flow.putObject("errors")::put);
      flow.put("answers_per_second", figures.ended().answersPerSecond());
      flow.put("bytes_per_second", figures.ended().bytesPerSecond());
      percentiles(flow.putObject("response_ms"), figures.outcomes().response());
      percentiles(flow.putObject("service_ms"), figures.outcomes().service());
      percentiles(flow.putObject("lateness_ms"), figures.lateness());
      ObjectNode hops = flow.putObject("hops_ms");
      figures.hops().byName().forEach((hop, times) -> percentiles(hops.putObject(hop), times));
    }
  }

  private void segment(ObjectNode json, RunResult.Segment segment) {
    json.put("target", segment.target()).put("turn", segment.repeat());
    json.put("start_s", segment.startNanos() / 1e9);
    json.put("duration_s", segment.durationNanos() / 1e9);
    cpu(json, List.of(segment));
    ObjectNode resident = json.putObject("resident_mb");
    run.residentBytes(segment).forEach((name, bytes) -> resident.put(name, bytes / 1e6));
    ObjectNode generator = json.putObject("generator");
    segment.generator().busy().forEach(generator.putArray("busy")::add);
    generator.put("collecting", segment.generator().collecting());
    ArrayNode flows = json.putArray("flows");
    for (FlowResult flow : segment.flows()) {
      ObjectNode one = flows.addObject().put("name", flow.flow());
      double interval = flow.recording().intervalNanos() / 1e9;
      one.put("interval_s", interval).put("duration_s", flow.durationNanos() / 1e9);
      intervals(one.putArray("intervals"), flow, segment.startNanos() / 1e9, interval);
    }
  }

  private static void intervals(ArrayNode array, FlowResult flow, double start, double length) {
    List<Outcomes> intervals = flow.recording().intervals();
    List<Long> endings = flow.recording().endings();
    List<Long> received = flow.recording().received();
    int count = Math.max(intervals.size(), Math.max(endings.size(), received.size()));
    for (int i = 0; i < count; i++) {
      ObjectNode one = array.addObject();
      one.put("at_s", start + i * length);
      one.put("ended", i < endings.size() ? endings.get(i) : 0);
      one.put("bytes", i < received.size() ? received.get(i) : 0);
      one.put("failed", i < intervals.size() ? intervals.get(i).failures() : 0);
      if (i < intervals.size() && intervals.get(i).response().getTotalCount() > 0) {
        percentiles(one.putObject("response_ms"), intervals.get(i).response());
        percentiles(one.putObject("service_ms"), intervals.get(i).service());
      }
    }
  }

  private static void growth(ObjectNode json, Growth growth) {
    json.put("process", growth.process()).put("quantity", growth.quantity().text());
    if (growth.verdict() != Growth.Verdict.NOT_KNOWN) {
      json.put("first", growth.first()).put("last", growth.last());
    }
    if (!Double.isNaN(growth.perMinute())) {
      json.put("per_minute", growth.perMinute());
    }
    if (!Double.isInfinite(growth.limit())) {
      json.put("limit_per_minute", growth.limit());
    }
    json.put("verdict", growth.verdict().name());
  }

  private static void fleet(ObjectNode json, FleetUse fleet) {
    json.put("site", fleet.site()).put("tunnels", fleet.tunnels());
    json.putObject("kb_per_tunnel")
        .put("held", fleet.heldKb())
        .put("live_heap", fleet.heapKb())
        .put("outside_heap", fleet.outsideKb())
        .put("resident", fleet.residentKb())
        .put("proportional", fleet.proportionalKb());
    json.put("idle_cpu_ms_per_second", fleet.idleCpu() * 1_000);
    memory(json.putObject("before_mb"), fleet.before());
    memory(json.putObject("idle_mb"), fleet.idle());
    fleet.losses().forEach(json.putArray("losses")::add);
  }

  private static void memory(ObjectNode json, JvmMemory memory) {
    json.put("held", memory.heldBytes() / 1e6)
        .put("live_heap", memory.heapUsedBytes() / 1e6)
        .put("outside_heap", memory.outsideBytes() / 1e6)
        .put("resident", memory.residentBytes() / 1e6)
        .put("proportional", memory.proportionalBytes() / 1e6);
  }

  private static void cpu(ObjectNode json, List<RunResult.Segment> segments) {
    Figures.cpuMsPer1000(segments).forEach(json.putObject("cpu_ms_per_1000")::put);
  }

  static void percentiles(ObjectNode json, Histogram histogram) {
    if (histogram.getTotalCount() == 0) {
      return;
    }
    json.put("count", histogram.getTotalCount());
    json.put("mean", histogram.getMean() / 1e6);
    for (int i = 0; i < PERCENTILES.length; i++) {
      json.put(NAMES[i], histogram.getValueAtPercentile(PERCENTILES[i]) / 1e6);
    }
  }

  /// Of each process: seconds, processors in use since the sample before, resident MB, open files,
  /// threads, and MB that the last collection left in the heap, or null.
  private void processes(ObjectNode json) {
    Map<String, ProcessSamples.Sample> before = new LinkedHashMap<>();
    for (ProcessSamples.Sample sample : run.samples()) {
      ProcessSamples.Sample last = before.put(sample.process(), sample);
      if (last == null || sample.atNanos() - last.atNanos() < 200_000_000) {
        if (last != null) {
          before.put(sample.process(), last);
        }
        continue;
      }
      ArrayNode one = json.withArray(sample.process()).addArray();
      one.add(sample.atNanos() / 1e9);
      one.add((double) (sample.cpuNanos() - last.cpuNanos()) / (sample.atNanos() - last.atNanos()));
      one.add(sample.residentBytes() / 1e6);
      one.add(sample.openFiles()).add(sample.threads());
      if (sample.heapBytes().isPresent()) {
        one.add(sample.heapBytes().getAsLong() / 1e6);
      } else {
        one.addNull();
      }
    }
  }
}
