package io.penstock.loadtest.engine;

import io.penstock.loadtest.record.Hops;

/// Reads `Server-Timing: broker;dur=0.2, tunnel;dur=0.4` into hops, without a regular expression:
/// the generator's time is not the target's. What it does not understand it leaves out.
final class ServerTimings {
  private static final String DURATION = ";dur=";

  private ServerTimings() {}

  static void read(String value, Hops hops) {
    int from = 0;
    while (from < value.length()) {
      int comma = value.indexOf(',', from);
      int to = comma < 0 ? value.length() : comma;
      metric(value, from, to, hops);
      from = to + 1;
    }
  }

  private static void metric(String value, int from, int to, Hops hops) {
    int mark = value.indexOf(DURATION, from);
    if (mark < 0 || mark >= to) {
      return;
    }
    String name = value.substring(from, mark).strip();
    double millis = number(value, mark + DURATION.length(), to);
    if (!name.isEmpty() && millis >= 0) {
      hops.add(name, millis);
    }
  }

  /// Negative: none.
  private static double number(String value, int from, int to) {
    double number = 0;
    double unit = 0;
    int at = from;
    for (; at < to; at++) {
      char c = value.charAt(at);
      if (c == '.' && unit == 0) {
        unit = 1;
      } else if (c >= '0' && c <= '9') {
        number = number * 10 + (c - '0');
        unit *= 10;
      } else {
        break;
      }
    }
    return at == from ? -1 : number / Math.max(1, unit);
  }
}
