package io.penstock.broker.telemetry;

import io.penstock.broker.measure.Hop;
import io.penstock.broker.measure.Measuring;
import io.penstock.broker.measure.Totals;
import java.util.Locale;
import java.util.Map;

/// Counters by agent and system, for as many of them as are kept apart: an operator's names, never
/// a caller's. Written as text, because meters of a registry are for ever and series come and go.
final class SystemMeters {
  private static final String INVOCATIONS = "penstock_system_invocations_total";
  private static final String SECONDS = "penstock_system_hop_seconds_total";

  /// By the first digit of the status; 0 = none.
  private static final String[] CLASSES = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};

  private final Measuring measuring;

  SystemMeters(Measuring measuring) {
    this.measuring = measuring;
  }

  /// Prometheus text format 0.0.4, after what a registry wrote.
  String text() {
    Map<String, Totals.Sums> all = measuring.totals().byLabels();
    var text = new StringBuilder(256 + all.size() * 512);
    head(text, INVOCATIONS, "Invocations by system; answered = by the system, not by us.");
    all.forEach((labels, sums) -> invocations(text, labels, sums));
    head(text, SECONDS, "Time of answered invocations by hop.");
    all.forEach((labels, sums) -> seconds(text, labels, sums));
    return text.toString();
  }

  private static void head(StringBuilder text, String name, String help) {
    text.append("# HELP ").append(name).append(' ').append(help).append('\n');
    text.append("# TYPE ").append(name).append(" counter\n");
  }

  private static void invocations(StringBuilder text, String labels, Totals.Sums sums) {
    for (int i = 0; i < CLASSES.length; i++) {
      invocations(text, labels, "true", CLASSES[i], sums.answered(i));
      invocations(text, labels, "false", CLASSES[i], sums.failed(i));
    }
  }

  private static void invocations(
      StringBuilder text, String labels, String answered, String status, long count) {
    if (count > 0) {
      text.append(INVOCATIONS)
          .append('{')
          .append(labels)
          .append(",answered=\"")
          .append(answered)
          .append("\",status=\"")
          .append(status)
          .append("\"} ")
          .append(count)
          .append('\n');
    }
  }

  private static void seconds(StringBuilder text, String labels, Totals.Sums sums) {
    for (Hop hop : Hop.PARTS) {
      text.append(SECONDS)
          .append('{')
          .append(labels)
          .append(",hop=\"")
          .append(hop.text())
          .append("\"} ")
          .append(String.format(Locale.ROOT, "%.6f", sums.micros(hop) / 1e6))
          .append('\n');
    }
  }
}
