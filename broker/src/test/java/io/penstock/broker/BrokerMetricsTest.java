package io.penstock.broker;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.store.DatabaseAddress;
import io.penstock.broker.store.TestDatabase;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A whole broker as a process of its own, scraped as Prometheus would.
class BrokerMetricsTest {
  @TempDir Path directory;
  private TestDatabase database;

  @BeforeEach
  void start() {
    database = TestDatabase.create();
  }

  @AfterEach
  void stop() {
    database.close();
  }

  @Test
  void aRunningBrokerIsScraped() throws Exception {
    try (var broker = new Running(0);
        HttpClient client = HttpClient.newBuilder().sslContext(broker.trust()).build()) {
      assertThat(get(client, broker.url() + "/invoke/site/system/").statusCode()).isEqualTo(401);

      HttpResponse<String> page = get(client, broker.metrics() + "/metrics");

      assertThat(page.statusCode()).isEqualTo(200);
      assertThat(page.body().lines())
          .contains(
              "penstock_invocations_total{status=\"4xx\",verdict=\"unauthorized\"} 1.0",
              "penstock_tunnels_up 0.0",
              "penstock_connections_total 1.0",
              "penstock_alarms_open{severity=\"critical\"} 0.0");
      assertThat(get(client, broker.metrics() + "/health/live").body()).isEqualTo("ok\n");
      assertThat(broker.stopped()).isZero();
    }
  }

  @Test
  void aTakenPortIsOneWarningAndTheBrokerRuns() throws Exception {
    try (var taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        var broker = new Running(taken.getLocalPort());
        HttpClient client = HttpClient.newBuilder().sslContext(broker.trust()).build()) {
      assertThat(get(client, broker.url() + "/health/ready").statusCode()).isEqualTo(200);

      assertThat(broker.stopped()).isZero();
      assertThat(broker.log())
          .filteredOn(line -> line.contains("metrics"))
          .singleElement()
          .asString()
          .contains("WARN", "metrics port " + taken.getLocalPort() + " is taken");
    }
  }

  private static HttpResponse<String> get(HttpClient client, String url) throws Exception {
    return client.send(HttpRequest.newBuilder(URI.create(url)).build(), BodyHandlers.ofString());
  }

  private final class Running implements AutoCloseable {
    private static final Pattern METRICS = Pattern.compile("metrics on (http://127.0.0.1:\\d+)");
    private static final Pattern PORT = Pattern.compile("listening on port (\\d+)");

    private final Process process;
    private final List<String> log = new CopyOnWriteArrayList<>();
    private final LinkedBlockingQueue<String> unread = new LinkedBlockingQueue<>();
    private final Thread reader;
    private final String metrics;
    private final String port;

    Running(int metricsPort) throws IOException, InterruptedException {
      var command =
          new ArrayList<>(
              List.of(
                  ProcessHandle.current().info().command().orElse("java"),
                  "--enable-native-access=ALL-UNNAMED",
                  "--sun-misc-unsafe-memory-access=allow",
                  "-XX:TieredStopAtLevel=1",
                  "-Xmx192m",
                  "-Dlogback.configurationFile=logback.xml",
                  "-cp",
                  System.getProperty("java.class.path"),
                  Broker.class.getName(),
                  "--data",
                  directory.resolve("data").toString(),
                  "--port",
                  "0"));
      DatabaseAddress at = database.address();
      var builder = new ProcessBuilder(command).redirectErrorStream(true);
      builder
          .environment()
          .put(
              "PENSTOCK_DATABASE_URL",
              "postgres://%s:%s@%s:%d/%s"
                  .formatted(at.user(), at.password(), at.host(), at.port(), at.database()));
      builder.environment().put("PENSTOCK_METRICS_PORT", Integer.toString(metricsPort));
      process = builder.start();
      reader = Thread.ofVirtual().start(() -> read(process.inputReader()));
      metrics = metricsPort == 0 ? await(METRICS) : "";
      port = await(PORT);
    }

    private void read(BufferedReader lines) {
      try (lines) {
        lines
            .lines()
            .forEach(
                line -> {
                  log.add(line);
                  unread.add(line);
                });
      } catch (IOException | UncheckedIOException ended) {
        log.add("(ended)");
      }
    }

    private String await(Pattern pattern) throws InterruptedException {
      while (true) {
        String line = unread.poll(60, TimeUnit.SECONDS);
        assertThat(line).as("a line like %s; so far %s", pattern, log).isNotNull();
        Matcher matcher = pattern.matcher(String.valueOf(line));
        if (matcher.find()) {
          return matcher.group(1);
        }
      }
    }

    String url() {
      return "https://localhost:" + port;
    }

    String metrics() {
      return metrics;
    }

    List<String> log() {
      return log;
    }

    int stopped() throws InterruptedException {
      process.destroy();
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
      reader.join();
      return process.exitValue();
    }

    SSLContext trust() throws Exception {
      KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
      store.load(null, null);
      try (InputStream pem = Files.newInputStream(directory.resolve("data/ca.pem"))) {
        store.setCertificateEntry(
            "ca", CertificateFactory.getInstance("X.509").generateCertificate(pem));
      }
      var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      trust.init(store);
      SSLContext context = SSLContext.getInstance("TLSv1.3");
      context.init(null, trust.getTrustManagers(), null);
      return context;
    }

    @Override
    public void close() {
      process.destroyForcibly();
    }
  }
}
