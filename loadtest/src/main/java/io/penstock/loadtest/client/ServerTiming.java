package io.penstock.loadtest.client;

import java.net.http.HttpHeaders;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// The hop times of an invocation, from its `Server-Timing` header or trailer.
public record ServerTiming(Map<String, Double> millis) {
  private static final Pattern METRIC =
      Pattern.compile("([a-z]+)\\s*;\\s*dur\\s*=\\s*([0-9]+(?:\\.[0-9]+)?)");

  public static ServerTiming of(HttpHeaders headers) {
    Map<String, Double> millis = new LinkedHashMap<>();
    for (String value : headers.allValues("Server-Timing")) {
      Matcher matcher = METRIC.matcher(value);
      while (matcher.find()) {
        millis.put(matcher.group(1), Double.parseDouble(matcher.group(2)));
      }
    }
    return new ServerTiming(millis);
  }

  /// `broker 0.2, tunnel 0.4, agent 0.1, system 1.5 ms`, or empty.
  public String text() {
    return millis.isEmpty()
        ? ""
        : millis.entrySet().stream()
                .map(hop -> String.format(Locale.ROOT, "%s %.1f", hop.getKey(), hop.getValue()))
                .collect(Collectors.joining(", "))
            + " ms";
  }
}
