package io.penstock.broker.trace;

import static org.assertj.core.api.Assertions.assertThat;

import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.data.StatusData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import io.penstock.broker.edge.InvocationRecord;
import io.penstock.broker.edge.InvocationRecord.HopMicros;
import io.penstock.broker.measure.SetClock;
import io.penstock.codec.RequestIds;
import java.time.Instant;
import java.util.Collection;
import org.junit.jupiter.api.Test;

class InvocationSpansTest {
  private static final Instant NOW = Instant.parse("2026-01-02T03:04:05.678901Z");

  private final InMemorySpanExporter collector = InMemorySpanExporter.create();

  private static InvocationRecord call(int flags, long parent, String verdict) {
    return new InvocationRecord(
        new RequestIds(1, 2, 0xa, 0xb, 0xc, flags),
        true,
        "billing",
        "berlin",
        "erp",
        "press-1",
        "GET",
        verdict.equals("ok") ? 200 : 504,
        verdict,
        false,
        10,
        20,
        new HopMicros(100, 200, 300, 400, 1_500),
        parent);
  }

  private SpanData onlySpan(InvocationRecord call) {
    try (var spans = new InvocationSpans(collector, "broker-1", new SetClock(NOW))) {
      spans.ended(call);
      spans.flush();
      assertThat(spans.exported()).isEqualTo(1);
      return collector.getFinishedSpanItems().getFirst();
    }
  }

  @Test
  void aSpanHasTheIdsThatTheTunnelHeardAndTheCallersAsItsParent() {
    SpanData span = onlySpan(call(1, 0xd, "ok"));

    assertThat(span.getTraceId()).isEqualTo("000000000000000a000000000000000b");
    assertThat(span.getSpanId()).isEqualTo("000000000000000c");
    assertThat(span.getParentSpanId()).isEqualTo("000000000000000d");
    assertThat(span.getKind()).isEqualTo(SpanKind.SERVER);
    assertThat(span.getEndEpochNanos() - span.getStartEpochNanos()).isEqualTo(1_500_000);
    assertThat(span.getEndEpochNanos()).isEqualTo(SpanWriter.epochNanos(NOW));
    assertThat(span.getAttributes().asMap().toString())
        .contains("press-1", "berlin", "erp", "billing", "200");
    assertThat(span.getStatus()).isEqualTo(StatusData.unset());
  }

  @Test
  void aTraceThatBeginsHereHasARoot() {
    SpanData span = onlySpan(call(1, 0, "deadline"));

    assertThat(span.getParentSpanContext().isValid()).isFalse();
    assertThat(span.getTraceId()).isEqualTo("000000000000000a000000000000000b");
    assertThat(span.getStatus()).isEqualTo(StatusData.error());
  }

  @Test
  void whatIsNotSampledIsNotRecorded() {
    try (var spans = new InvocationSpans(collector, "broker-1", new SetClock(NOW))) {
      spans.ended(call(0, 0, "ok"));
      spans.flush();
    }

    assertThat(collector.getFinishedSpanItems()).isEmpty();
  }

  /// A collector that answers nothing: neither calls nor memory wait for it.
  @Test
  void whatTheCollectorDoesNotTakeIsLostAndCounted() {
    var spans = new InvocationSpans(new Silent(), "broker-1", new SetClock(NOW));
    for (int i = 0; i < SpanWriter.MAX_WAITING + 1_000; i++) {
      spans.ended(call(1, 0, "ok"));
    }

    assertThat(spans.lost()).isGreaterThanOrEqualTo(1_000);
    assertThat(spans.exported()).isZero();
  }

  private static final class Silent implements SpanExporter {
    @Override
    public CompletableResultCode export(Collection<SpanData> spans) {
      return new CompletableResultCode();
    }

    @Override
    public CompletableResultCode flush() {
      return CompletableResultCode.ofSuccess();
    }

    @Override
    public CompletableResultCode shutdown() {
      return CompletableResultCode.ofSuccess();
    }
  }
}
