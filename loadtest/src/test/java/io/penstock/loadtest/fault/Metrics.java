package io.penstock.loadtest.fault;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

/// A broker's own figures.
final class Metrics {
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private final HttpClient client = HttpClient.newHttpClient();
  private final URI uri;

  Metrics(int port) {
    uri = URI.create("http://127.0.0.1:" + port + "/metrics");
  }

  /// One sample.
  ///
  /// @param series name and labels as they are printed
  double value(String series) throws IOException, InterruptedException {
    String text =
        client
            .send(
                HttpRequest.newBuilder(uri).timeout(PATIENCE).build(),
                HttpResponse.BodyHandlers.ofString())
            .body();
    return text.lines()
        .filter(line -> line.startsWith(series + " "))
        .mapToDouble(line -> Double.parseDouble(line.substring(series.length() + 1)))
        .findFirst()
        .orElseThrow(() -> new IOException("expected a series " + series + ", found none"));
  }
}
