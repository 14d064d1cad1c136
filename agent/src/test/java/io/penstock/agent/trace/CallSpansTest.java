package io.penstock.agent.trace;

import static org.assertj.core.api.Assertions.assertThat;

import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.data.StatusData;
import io.penstock.agent.plugin.CallMeters;
import io.penstock.agent.plugin.http.RawSystem;
import io.penstock.agent.plugin.http.Tunnel;
import java.io.IOException;
import java.time.Clock;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Real calls of a real socket, and what a collector would get. The broker's span is number 5 of
/// trace 3-4, as [Tunnel] says in OPEN.
@Timeout(30)
class CallSpansTest {
  private static final Pattern TRACEPARENT =
      Pattern.compile("Traceparent: 00-([0-9a-f]{32})-([0-9a-f]{16})-01\r\n");

  private final InMemorySpanExporter collector = InMemorySpanExporter.create();
  private final CallMeters meters = new CallMeters();
  private RawSystem system;
  private CallSpans spans;
  private Tunnel tunnel;

  @BeforeEach
  void start() throws IOException {
    system = new RawSystem();
    spans = new CallSpans(collector, "agent-1", Clock.systemUTC());
    tunnel = Tunnel.observed(system, spans, meters);
  }

  @AfterEach
  void stop() throws IOException {
    tunnel.close();
    spans.close();
    system.close();
  }

  private List<SpanData> spans(int count) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (collector.getFinishedSpanItems().size() < count && System.nanoTime() < end) {
      spans.flush();
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
    }
    assertThat(collector.getFinishedSpanItems()).hasSize(count);
    return collector.getFinishedSpanItems();
  }

  private SpanData named(String name, List<SpanData> all) {
    return all.stream().filter(span -> span.getName().equals(name)).findFirst().orElseThrow();
  }

  @Test
  void agentAndSystemHangBelowTheBrokersSpanAndTheSystemHearsItsOwn() throws IOException {
    tunnel.call("GET", "/orders?secret=1", true);
    Matcher heard = TRACEPARENT.matcher(system.answered("hello"));

    List<SpanData> all = spans(2);

    SpanData ofAgent = named("agent", all);
    SpanData ofSystem = named("system", all);
    assertThat(heard.find()).isTrue();
    assertThat(heard.group(1)).isEqualTo("00000000000000030000000000000004");
    assertThat(heard.group(2)).isEqualTo(ofSystem.getSpanId());
    assertThat(ofSystem.getParentSpanId()).isEqualTo(ofAgent.getSpanId());
    assertThat(ofAgent.getParentSpanId()).isEqualTo("0000000000000005");
    assertThat(all)
        .allMatch(span -> span.getTraceId().equals(heard.group(1)))
        .allMatch(span -> span.getStatus().equals(StatusData.unset()))
        .noneMatch(span -> span.toString().contains("secret"));
    assertThat(ofSystem.getKind()).isEqualTo(SpanKind.CLIENT);
    assertThat(ofSystem.getStartEpochNanos())
        .isBetween(ofAgent.getStartEpochNanos(), ofAgent.getEndEpochNanos());
    assertThat(meters.all().get("erp")).isNotNull();
    assertThat(Objects.requireNonNull(meters.all().get("erp")).answered()).isEqualTo(1);
  }

  @Test
  void aCallWithoutAConnectionHasNoSpanOfTheSystem() throws IOException {
    system.close();

    tunnel.call("GET", "/orders", true);

    SpanData only = spans(1).getFirst();
    assertThat(only.getName()).isEqualTo("agent");
    assertThat(only.getStatus()).isEqualTo(StatusData.error());
  }
}
