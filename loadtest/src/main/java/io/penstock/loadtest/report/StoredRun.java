package io.penstock.loadtest.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.StreamSupport;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramLogReader;

/// A run's directory, read again: its JSON and its raw histograms.
public final class StoredRun {
  /// For sums of rounded seconds.
  private static final double SLACK = 0.01;

  private final Path directory;
  private final JsonNode json;

  private StoredRun(Path directory, JsonNode json) {
    this.directory = directory;
    this.json = json;
  }

  public static StoredRun read(Path directory) throws IOException {
    Path file = directory.resolve("result.json");
    if (!Files.isReadable(file)) {
      throw new IOException(directory + ": expected the directory of a run, found no result.json");
    }
    JsonNode json = JsonMapper.builder().build().readTree(Files.readAllBytes(file));
    if (json.path("format").asInt() != JsonReport.FORMAT) {
      throw new IOException(
          file + ": expected format " + JsonReport.FORMAT + ", found " + json.path("format"));
    }
    return new StoredRun(directory, json);
  }

  String name() {
    return directory.toString();
  }

  String scenario() {
    return json.path("scenario").asText();
  }

  String commit() {
    return json.path("commit").asText();
  }

  boolean isValid() {
    return json.path("valid").asBoolean();
  }

  List<String> targets() {
    return names(json.path("targets"));
  }

  List<String> flows(String target) {
    for (JsonNode one : json.path("targets")) {
      if (one.path("name").asText().equals(target)) {
        return names(one.path("flows"));
      }
    }
    return List.of();
  }

  private static List<String> names(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false)
        .map(one -> one.path("name").asText())
        .toList();
  }

  /// Response times of pieces of a few intervals each, in the order of time; a piece never spans
  /// two turns.
  List<Histogram> pieces(String target, String flow, int intervals) throws IOException {
    List<Histogram> all = responses(target, flow);
    List<Histogram> pieces = new ArrayList<>();
    for (JsonNode turn : turns(target)) {
      double start = turn.path("start_s").asDouble();
      JsonNode one = flowOf(turn, flow);
      double end = start + one.path("duration_s").asDouble();
      double length = one.path("interval_s").asDouble(1) * intervals;
      for (double at = start; at + length <= end + SLACK; at += length) {
        Histogram piece = between(all, at, at + length);
        if (piece.getTotalCount() > 0) {
          pieces.add(piece);
        }
      }
    }
    return pieces;
  }

  private List<Histogram> responses(String target, String flow) throws FileNotFoundException {
    List<Histogram> all = new ArrayList<>();
    Path file = directory.resolve(HdrLogs.fileName(target, flow, "response"));
    try (var reader = new HistogramLogReader(file.toFile())) {
      while (reader.hasNext()) {
        if (reader.nextIntervalHistogram() instanceof Histogram one) {
          all.add(one);
        }
      }
    }
    return all;
  }

  private static Histogram between(List<Histogram> all, double from, double to) {
    Histogram sum = new Histogram(3);
    for (Histogram one : all) {
      double middle = (one.getStartTimeStamp() + one.getEndTimeStamp()) / 2e3;
      if (middle >= from && middle < to) {
        sum.add(one);
      }
    }
    return sum;
  }

  /// Answers per second, and bytes per second, of the same pieces.
  List<Double> perSecond(String target, String flow, String key, int intervals) {
    List<Double> values = new ArrayList<>();
    for (JsonNode turn : turns(target)) {
      JsonNode one = flowOf(turn, flow);
      double length = one.path("interval_s").asDouble(1);
      int whole = (int) Math.floor(one.path("duration_s").asDouble() / length + SLACK);
      JsonNode all = one.path("intervals");
      for (int i = 0; i + intervals <= Math.min(whole, all.size()); i += intervals) {
        double sum = 0;
        for (int j = i; j < i + intervals; j++) {
          sum += all.path(j).path(key).asDouble();
        }
        values.add(sum / intervals / length);
      }
    }
    return values;
  }

  /// CPU time for 1,000 answers, one value of each turn.
  List<Double> cpu(String target, String process) {
    return turns(target).stream()
        .map(turn -> turn.path("cpu_ms_per_1000").path(process))
        .filter(JsonNode::isNumber)
        .map(JsonNode::asDouble)
        .toList();
  }

  private List<JsonNode> turns(String target) {
    return StreamSupport.stream(json.path("segments").spliterator(), false)
        .filter(segment -> segment.path("target").asText().equals(target))
        .toList();
  }

  private static JsonNode flowOf(JsonNode turn, String flow) {
    for (JsonNode one : turn.path("flows")) {
      if (one.path("name").asText().equals(flow)) {
        return one;
      }
    }
    return com.fasterxml.jackson.databind.node.MissingNode.getInstance();
  }
}
