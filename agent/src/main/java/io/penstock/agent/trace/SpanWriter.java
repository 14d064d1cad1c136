package io.penstock.agent.trace;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.IdGenerator;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HexFormat;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/// Writes spans that are over, under ids that were given away long before: the tunnel and the
/// system have heard them. At most [#MAX_WAITING] wait for the collector; what comes beyond is
/// dropped and counted. Never blocks the caller. Thread-safe.
final class SpanWriter implements AutoCloseable {
  static final int MAX_WAITING = 4_096;
  private static final Duration EVERY = Duration.ofSeconds(2);
  private static final Duration TIMEOUT = Duration.ofSeconds(5);
  private static final int STOP_SECONDS = 2;

  private final GivenIds ids = new GivenIds();
  private final AtomicInteger waiting = new AtomicInteger();
  private final LongAdder exported = new LongAdder();
  private final LongAdder lost = new LongAdder();
  private final SdkTracerProvider provider;
  private final Tracer tracer;

  /// Who a span is.
  ///
  /// @param parent 0 = it is the root
  record Ids(long traceHigh, long traceLow, long span, long parent) {}

  /// What it says.
  ///
  /// @param startNanos since 1970, as the end
  record Content(
      String name,
      SpanKind kind,
      long startNanos,
      long endNanos,
      boolean failed,
      Attributes attributes) {}

  SpanWriter(SpanExporter exporter, String service, String instance) {
    provider =
        SdkTracerProvider.builder()
            .setIdGenerator(ids)
            .setSampler(Sampler.alwaysOn())
            .setResource(
                Resource.create(
                    Attributes.of(
                        AttributeKey.stringKey("service.name"),
                        service,
                        AttributeKey.stringKey("service.instance.id"),
                        instance)))
            .addSpanProcessor(
                BatchSpanProcessor.builder(new Counting(exporter))
                    .setMaxQueueSize(MAX_WAITING)
                    .setScheduleDelay(EVERY)
                    .setExporterTimeout(TIMEOUT)
                    .build())
            .build();
    tracer = provider.get("io.penstock");
  }

  /// @param endpoint of traces, such as `http://127.0.0.1:4318/v1/traces`
  static SpanExporter toCollector(URI endpoint) {
    return OtlpHttpSpanExporter.builder()
        .setEndpoint(endpoint.toString())
        .setCompression("gzip")
        .setTimeout(TIMEOUT)
        .build();
  }

  void write(Ids span, Content content) {
    if (waiting.incrementAndGet() > MAX_WAITING) {
      waiting.decrementAndGet();
      lost.increment();
      return;
    }
    SpanBuilder builder =
        tracer
            .spanBuilder(content.name())
            .setSpanKind(content.kind())
            .setAllAttributes(content.attributes())
            .setStartTimestamp(content.startNanos(), TimeUnit.NANOSECONDS);
    if (span.parent() == 0) {
      builder.setNoParent();
    } else {
      builder.setParent(Context.root().with(Span.wrap(parent(span))));
    }
    ids.give(span);
    Span written = builder.startSpan();
    if (content.failed()) {
      written.setStatus(StatusCode.ERROR);
    }
    written.end(content.endNanos(), TimeUnit.NANOSECONDS);
  }

  static long epochNanos(Instant at) {
    return TimeUnit.SECONDS.toNanos(at.getEpochSecond()) + at.getNano();
  }

  private static SpanContext parent(Ids span) {
    return SpanContext.createFromRemoteParent(
        trace(span), hex(span.parent()), TraceFlags.getSampled(), TraceState.getDefault());
  }

  private static String trace(Ids span) {
    return hex(span.traceHigh()) + hex(span.traceLow());
  }

  private static String hex(long value) {
    return HexFormat.of().toHexDigits(value);
  }

  long exported() {
    return exported.sum();
  }

  /// Dropped here, or refused by the collector.
  long lost() {
    return lost.sum();
  }

  void flush() {
    var _ = provider.forceFlush().join(STOP_SECONDS, TimeUnit.SECONDS);
  }

  @Override
  public void close() {
    var _ = provider.shutdown().join(STOP_SECONDS, TimeUnit.SECONDS);
  }

  /// Hands out the ids of the span that this very thread is about to start.
  private static final class GivenIds implements IdGenerator {
    private static final ThreadLocal<Ids> GIVEN = new ThreadLocal<>();

    void give(Ids span) {
      GIVEN.set(span);
    }

    @Override
    public String generateSpanId() {
      return hex(GIVEN.get().span());
    }

    @Override
    public String generateTraceId() {
      return trace(GIVEN.get());
    }
  }

  private final class Counting implements SpanExporter {
    private final SpanExporter to;

    Counting(SpanExporter to) {
      this.to = to;
    }

    @Override
    public CompletableResultCode export(Collection<SpanData> spans) {
      CompletableResultCode result = to.export(spans);
      return result.whenComplete(
          () -> {
            waiting.addAndGet(-spans.size());
            (result.isSuccess() ? exported : lost).add(spans.size());
          });
    }

    @Override
    public CompletableResultCode flush() {
      return to.flush();
    }

    @Override
    public CompletableResultCode shutdown() {
      return to.shutdown();
    }
  }
}
