package io.penstock.broker.telemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.util.concurrent.DefaultEventExecutorGroup;
import io.penstock.broker.audit.ChainState;
import io.penstock.broker.audit.ShippingState;
import io.penstock.broker.delivery.DeliveryCounters;
import io.penstock.broker.edge.InvocationRecord;
import io.penstock.broker.edge.InvocationRecord.HopMicros;
import io.penstock.broker.front.FrontCounters;
import io.penstock.broker.measure.Calls;
import io.penstock.broker.measure.Instruments;
import io.penstock.broker.measure.NodeStatus;
import io.penstock.broker.store.AlarmKind;
import io.penstock.broker.store.AlarmTable;
import io.penstock.broker.store.BreakableDatabase;
import io.penstock.broker.store.StoreUnavailableException;
import io.penstock.broker.store.TestDatabase;
import io.penstock.broker.tunnel.TunnelCounters;
import io.penstock.codec.RequestIds;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class MetricsTest {
  private static final ChainState AUDIT = new ChainState(41, 7, 40, 1_800_000_000, 2, 1, true);
  private static final ShippingState KAFKA = new ShippingState(true, true, 40, 2, 1.5);
  private static final DeliveryCounters.Snapshot DELIVERY =
      new DeliveryCounters.Snapshot(1, 2, 3, 4, 5, 6, 7);

  private static final Map<String, Long> UNDELIVERED = Map.of("a", 3L, "b", 4L);

  private TestDatabase database;
  private Instruments instruments;
  private volatile TunnelCounters.Snapshot tunnels = tunnels(0);
  private Metrics metrics;

  @BeforeAll
  void startDatabase() {
    database = TestDatabase.create();
    instruments =
        new Instruments(
            new Instruments.Surroundings(
                database.database(),
                "broker-1",
                "test",
                10,
                new DefaultEventExecutorGroup(1),
                () -> new NodeStatus.Traffic(0, 0, 0),
                () -> new NodeStatus.LiveUse(0, 0),
                Clock.systemUTC()));
    instruments.start();
  }

  @AfterAll
  void stopDatabase() {
    instruments.close();
    database.close();
  }

  @BeforeEach
  void start() {
    metrics =
        new Metrics(
            new Metrics.Sources(
                () -> tunnels,
                MetricsTest::front,
                List::of,
                () -> DELIVERY,
                () -> UNDELIVERED,
                () -> AUDIT,
                () -> KAFKA,
                instruments,
                () -> new NodeStatus.LiveUse(2, 9),
                () -> new Metrics.SpanCounts(5, 6)),
            database.database());
  }

  @AfterEach
  void stop() {
    metrics.close();
  }

  @Test
  void messagesAreCountedByWhatBecameOfThem() {
    assertThat(lines())
        .contains(
            "penstock_messages_sent_total 1.0",
            "penstock_messages_over_total{outcome=\"acknowledged\"} 2.0",
            "penstock_messages_over_total{outcome=\"superseded\"} 3.0",
            "penstock_messages_over_total{outcome=\"expired\"} 4.0",
            "penstock_receipts_ignored_total{reason=\"late\"} 5.0",
            "penstock_receipts_ignored_total{reason=\"overtaken-session\"} 6.0",
            "penstock_receipts_ignored_total{reason=\"invalid\"} 7.0");
  }

  @Test
  void theWayToKafkaIsCounted() {
    assertThat(lines())
        .contains(
            "penstock_audit_kafka_shipping 1.0",
            "penstock_audit_kafka_position 40.0",
            "penstock_audit_kafka_lag 2.0",
            "penstock_audit_kafka_behind_seconds 1.5");
  }

  @Test
  void invocationsAreCountedByVerdictAndClassOfStatus() {
    end("ok", 200, true);
    end("ok", 204, true);
    end("ok", 404, true);
    end("unauthorized", 401, false);
    end("cancelled", 0, true);
    for (int i = 0; i < 4; i++) {
      metrics.invocations().began();
    }

    assertThat(lines())
        .contains(
            "penstock_invocations_total{status=\"2xx\",verdict=\"ok\"} 2.0",
            "penstock_invocations_total{status=\"4xx\",verdict=\"ok\"} 1.0",
            "penstock_invocations_total{status=\"4xx\",verdict=\"unauthorized\"} 1.0",
            "penstock_invocations_total{status=\"none\",verdict=\"cancelled\"} 1.0",
            "penstock_invocations_running 0.0",
            "penstock_invocation_body_bytes_total{direction=\"in\"} 50.0",
            "penstock_invocation_body_bytes_total{direction=\"out\"} 500.0");
  }

  @Test
  void runningInvocationsAreThoseThatBeganAndDidNotEnd() {
    metrics.invocations().began();
    metrics.invocations().began();
    end("ok", 200, true);
    end("forbidden", 403, false);

    assertThat(lines()).contains("penstock_invocations_running 1.0");
  }

  @Test
  void timesAreHistogramsByHopAndARefusedCallSaysNothingOfTheOthers() {
    end("ok", 200, true, new HopMicros(300, 2_000, 400, 40_000, 43_000));
    end("forbidden", 403, false, new HopMicros(200, 0, 0, 0, 200));

    assertThat(lines())
        .contains(
            "penstock_invocation_seconds_bucket{le=\"5.0E-4\"} 1",
            "penstock_invocation_seconds_bucket{le=\"0.05\"} 2",
            "penstock_invocation_seconds_bucket{le=\"+Inf\"} 2",
            "penstock_invocation_hop_seconds_count{hop=\"broker\"} 2",
            "penstock_invocation_hop_seconds_bucket{hop=\"tunnel\",le=\"0.001\"} 0",
            "penstock_invocation_hop_seconds_bucket{hop=\"tunnel\",le=\"0.0025\"} 1",
            "penstock_invocation_hop_seconds_count{hop=\"agent\"} 1",
            "penstock_invocation_hop_seconds_bucket{hop=\"system\",le=\"0.025\"} 0",
            "penstock_invocation_hop_seconds_bucket{hop=\"system\",le=\"0.05\"} 1");
  }

  @Test
  void verdictsWithoutEndDoNotMakeThePageGrowWithoutEnd() {
    for (int i = 0; i < 1000; i++) {
      end("made-up-" + i, 500, false);
    }

    List<String> counted =
        lines().stream().filter(line -> line.startsWith("penstock_invocations_total{")).toList();
    assertThat(counted).hasSize(InvocationMeters.MAX_VERDICTS + 1);
    assertThat(counted)
        .contains(
            "penstock_invocations_total{status=\"5xx\",verdict=\"other\"} "
                + (1000.0 - InvocationMeters.MAX_VERDICTS));
  }

  @Test
  void whatOthersCountIsReadAtTheScrape() {
    tunnels = tunnels(7);

    assertThat(lines())
        .contains(
            "penstock_tunnels_up 0.0",
            "penstock_streams_open 0.0",
            "penstock_tunnel_connections_open 7.0",
            "penstock_tunnel_handshakes_total 7.0",
            "penstock_tunnel_handshakes_failed_total{reason=\"timeout\"} 7.0",
            "penstock_tunnel_bytes_total{direction=\"in\"} 7.0",
            "penstock_connections_total 3.0",
            "penstock_connections_closed_total{reason=\"tls\"} 3.0",
            "penstock_live_streams 2.0",
            "penstock_live_events_dropped_total 9.0",
            "penstock_spans_total{outcome=\"exported\"} 5.0");
  }

  @Test
  void openAlarmsAreCountedBySeverityAndUnknownIsNotNone() {
    assertThat(lines()).contains("penstock_alarms_open{severity=\"critical\"} NaN");
    database
        .database()
        .run(
            tx -> {
              var alarms = new AlarmTable();
              alarms.raise(tx, AlarmKind.AGENT_CLONED, "a", "x", Instant.now());
              alarms.raise(tx, AlarmKind.AGENT_CLONED, "b", "x", Instant.now());
              alarms.raise(tx, AlarmKind.TOKEN_REUSED, "c", "x", Instant.now());
              alarms.clear(tx, AlarmKind.TOKEN_REUSED, "c", Instant.now());
            });

    metrics.refresh();

    assertThat(lines())
        .contains(
            "penstock_alarms_open{severity=\"critical\"} 2.0",
            "penstock_alarms_open{severity=\"high\"} 0.0",
            "penstock_messages_waiting 7.0");
  }

  @Test
  void whileTheDatabaseIsAwayTheAlarmsAreUnknownAgain() {
    try (var breakable = new BreakableDatabase(database);
        var ofIt =
            new Metrics(
                new Metrics.Sources(
                    () -> tunnels,
                    MetricsTest::front,
                    List::of,
                    () -> DELIVERY,
                    () -> UNDELIVERED,
                    () -> AUDIT,
                    () -> KAFKA,
                    instruments,
                    () -> new NodeStatus.LiveUse(2, 9),
                    () -> new Metrics.SpanCounts(5, 6)),
                breakable.database())) {
      ofIt.refresh();
      assertThat(ofIt.text()).contains("penstock_alarms_open{severity=\"low\"} 0.0");
      breakable.cut();

      assertThatThrownBy(ofIt::refresh).isInstanceOf(StoreUnavailableException.class);

      assertThat(ofIt.text()).contains("penstock_alarms_open{severity=\"low\"} NaN");
    }
  }

  @Test
  void theServerKnowsTwoPagesAndListensOnLoopbackOnly() throws Exception {
    var loopback = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    try (MetricsServer server = MetricsServer.start(loopback, metrics).orElseThrow();
        HttpClient client = HttpClient.newHttpClient()) {
      String base = "http://127.0.0.1:" + server.port();

      HttpResponse<String> page = send(client, "GET", base + "/metrics");
      assertThat(page.statusCode()).isEqualTo(200);
      assertThat(page.headers().firstValue("Content-Type"))
          .contains("text/plain; version=0.0.4; charset=utf-8");
      assertThat(page.body())
          .contains("jvm_memory_used_bytes{", "process_files_open_files", "process_uptime_seconds");
      assertThat(send(client, "GET", base + "/health/live").body()).isEqualTo("ok\n");
      assertThat(send(client, "GET", base + "/").statusCode()).isEqualTo(404);
      assertThat(send(client, "GET", base + "/metrics/x").statusCode()).isEqualTo(404);
      assertThat(send(client, "POST", base + "/metrics").statusCode()).isEqualTo(405);
    }
  }

  @Test
  void callsAreCountedBySystemOnceTheSecondIsOver() {
    instruments.observer().ended(Calls.answered("press-1", "erp"));
    instruments.observer().ended(Calls.failed("press-1", "erp", 7));

    await(
        () ->
            assertThat(lines())
                .contains(
                    "penstock_system_invocations_total{agent=\"press-1\",system=\"erp\","
                        + "answered=\"true\",status=\"2xx\"} 1",
                    "penstock_system_invocations_total{agent=\"press-1\",system=\"erp\","
                        + "answered=\"false\",status=\"5xx\"} 1",
                    "penstock_system_hop_seconds_total{agent=\"press-1\",system=\"erp\","
                        + "hop=\"system\"} 0.004000",
                    "penstock_measuring_series 1.0"));
  }

  /// What the page of documentation lists is what is exposed, no more and no less.
  @Test
  void theDocumentationListsEveryMetric() throws IOException {
    metrics.refresh();
    end("ok", 200, true);
    instruments.observer().ended(Calls.answered("press-1", "erp"));
    await(() -> assertThat(metrics.text()).contains("penstock_system_invocations_total{"));
    String page = Files.readString(TestDatabase.repositoryRoot().resolve("docs/telemetry.md"));
    String ofBroker =
        page.substring(page.indexOf("### Broker"), page.indexOf("The broker tells people"));
    var listed = new TreeSet<String>();
    for (String line : ofBroker.lines().filter(line -> line.startsWith("| `penstock_")).toList()) {
      Matcher name = Pattern.compile("`(penstock_[a-z_]+)`").matcher(line.split("\\|", -1)[1]);
      while (name.find()) {
        listed.add(name.group(1));
      }
    }

    var exposed = new TreeSet<String>();
    for (String line : lines()) {
      if (line.startsWith("# TYPE penstock_")) {
        String[] words = line.split(" ", -1);
        exposed.add(words[2]);
        assertThat(words[2].endsWith("_total"))
            .as("%s: counters end in _total, and nothing else does", line)
            .isEqualTo(words[3].equals("counter"));
      }
    }
    // The largest so far, which a summary or histogram of Micrometer adds by itself.
    exposed.removeIf(name -> name.endsWith("_seconds_max") && !name.contains("lag"));
    assertThat(listed).isEqualTo(exposed);
  }

  private static void await(Runnable assertion) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (true) {
      try {
        assertion.run();
        return;
      } catch (AssertionError notYet) {
        if (System.nanoTime() > end) {
          throw notYet;
        }
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
      }
    }
  }

  @Test
  void aTakenPortIsNoEnd() {
    var loopback = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    try (MetricsServer first = MetricsServer.start(loopback, metrics).orElseThrow()) {
      var taken = new InetSocketAddress(InetAddress.getLoopbackAddress(), first.port());

      assertThat(MetricsServer.start(taken, metrics)).isEmpty();
    }
  }

  private static HttpResponse<String> send(HttpClient client, String method, String url)
      throws Exception {
    return client.send(
        HttpRequest.newBuilder(URI.create(url)).method(method, BodyPublishers.noBody()).build(),
        BodyHandlers.ofString());
  }

  private List<String> lines() {
    return metrics.text().lines().toList();
  }

  private void end(String verdict, int status, boolean began) {
    end(verdict, status, began, new HopMicros(100, 100, 100, 100, 400));
  }

  private void end(String verdict, int status, boolean began, HopMicros hops) {
    var ids = new RequestIds(1, 2, 3, 4, 5, 0);
    metrics
        .invocations()
        .ended(
            new InvocationRecord(
                ids, began, "caller", "site", "system", "agent", "GET", status, verdict, false, 10,
                100, hops, 0));
  }

  private static TunnelCounters.Snapshot tunnels(long n) {
    return new TunnelCounters.Snapshot(n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n);
  }

  private static FrontCounters.Snapshot front() {
    return new FrontCounters.Snapshot(3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3);
  }
}
