package io.penstock.broker.trace;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import io.penstock.broker.edge.InvocationObserver;
import io.penstock.broker.edge.InvocationRecord;
import io.penstock.codec.RequestIds;
import java.net.URI;
import java.time.Clock;
import java.util.concurrent.TimeUnit;

/// One span for each sampled invocation: the broker's part, below which agents record theirs. Made
/// when the call is over; says what metrics say, and never a path, a query or a field.
public final class InvocationSpans implements InvocationObserver, AutoCloseable {
  private static final AttributeKey<String> METHOD = AttributeKey.stringKey("http.request.method");
  private static final AttributeKey<Long> STATUS =
      AttributeKey.longKey("http.response.status_code");
  private static final AttributeKey<String> SITE = AttributeKey.stringKey("penstock.site");
  private static final AttributeKey<String> SYSTEM = AttributeKey.stringKey("penstock.system");
  private static final AttributeKey<String> AGENT = AttributeKey.stringKey("penstock.agent");
  private static final AttributeKey<String> CALLER = AttributeKey.stringKey("penstock.caller");
  private static final AttributeKey<String> VERDICT = AttributeKey.stringKey("penstock.verdict");
  private static final AttributeKey<String> REQUEST = AttributeKey.stringKey("penstock.request_id");
  private static final AttributeKey<Long> TUNNEL_MICROS =
      AttributeKey.longKey("penstock.tunnel_us");

  private static final int SAMPLED = 1;

  private final SpanWriter writer;
  private final Clock clock;

  InvocationSpans(SpanExporter exporter, String node, Clock clock) {
    writer = new SpanWriter(exporter, "penstock-broker", node);
    this.clock = clock;
  }

  public static InvocationSpans exportingTo(URI endpoint, String node, Clock clock) {
    return new InvocationSpans(SpanWriter.toCollector(endpoint), node, clock);
  }

  @Override
  public void ended(InvocationRecord call) {
    RequestIds ids = call.ids();
    if ((ids.traceFlags() & SAMPLED) == 0) {
      return;
    }
    long endNanos = SpanWriter.epochNanos(clock.instant());
    long startNanos = endNanos - TimeUnit.MICROSECONDS.toNanos(call.hops().total());
    writer.write(
        new SpanWriter.Ids(ids.traceHigh(), ids.traceLow(), ids.span(), call.parentSpan()),
        new SpanWriter.Content(
            "invoke",
            SpanKind.SERVER,
            startNanos,
            endNanos,
            !call.verdict().equals(InvocationRecord.OK),
            attributes(call)));
  }

  private static Attributes attributes(InvocationRecord call) {
    AttributesBuilder all = Attributes.builder();
    all.put(REQUEST, call.ids().requestId()).put(VERDICT, call.verdict());
    put(all, METHOD, call.method());
    put(all, SITE, call.site());
    put(all, SYSTEM, call.system());
    put(all, AGENT, call.agent());
    put(all, CALLER, call.caller());
    if (call.status() > 0) {
      all.put(STATUS, (long) call.status());
    }
    if (call.isAnswered()) {
      all.put(TUNNEL_MICROS, call.hops().tunnel());
    }
    return all.build();
  }

  private static void put(AttributesBuilder all, AttributeKey<String> key, String value) {
    if (!value.isEmpty()) {
      all.put(key, value);
    }
  }

  public long exported() {
    return writer.exported();
  }

  public long lost() {
    return writer.lost();
  }

  void flush() {
    writer.flush();
  }

  @Override
  public void close() {
    writer.close();
  }
}
