package io.penstock.loadtest.record;

import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import org.HdrHistogram.Histogram;

/// What became of the requests that were meant to start in one interval.
///
/// Response time counts from the intended start, service time from the moment the request was sent;
/// the difference is what the caller had to wait before its turn, which a load generator that only
/// looks at its sends leaves out. A request that timed out counts in both histograms with the time
/// that was waited for it, and as an error: leaving it out would make the slowest answers vanish.
/// Requests that failed otherwise are errors only.
public final class Outcomes {
  /// Of values from 1 ns to as long as it takes; the histograms grow.
  private static final int DIGITS = 3;

  private static final int MAX_KINDS = 32;
  private static final String OTHER = "other";

  private final Histogram response = new Histogram(DIGITS);
  private final Histogram service = new Histogram(DIGITS);
  private final Map<String, Long> errors = new TreeMap<>();
  private long answered;

  void answered(long responseNanos, long serviceNanos) {
    answered++;
    response.recordValue(Math.max(0, responseNanos));
    service.recordValue(Math.max(0, serviceNanos));
  }

  void timedOut(String kind, long responseNanos, long serviceNanos) {
    response.recordValue(Math.max(0, responseNanos));
    service.recordValue(Math.max(0, serviceNanos));
    failed(kind, 1);
  }

  void neverSent(String kind, long responseNanos) {
    response.recordValue(Math.max(0, responseNanos));
    failed(kind, 1);
  }

  void failed(String kind, long times) {
    String known = errors.containsKey(kind) || errors.size() < MAX_KINDS ? kind : OTHER;
    errors.merge(known, times, Long::sum);
  }

  void add(Outcomes other) {
    response.add(other.response);
    service.add(other.service);
    other.errors.forEach(this::failed);
    answered += other.answered;
  }

  /// From the intended start to the last byte, in nanoseconds.
  public Histogram response() {
    return response;
  }

  /// From sending to the last byte, in nanoseconds.
  public Histogram service() {
    return service;
  }

  /// How often what went wrong.
  public Map<String, Long> errors() {
    return Collections.unmodifiableMap(errors);
  }

  public long failures() {
    return errors.values().stream().mapToLong(Long::longValue).sum();
  }

  /// Requests with the answer that was wanted.
  public long answered() {
    return answered;
  }
}
