package io.penstock.agent.trace;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import io.penstock.agent.plugin.CallObserver;
import io.penstock.codec.OpenHead;
import io.penstock.codec.RequestIds;
import java.net.URI;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.SplittableRandom;

/// Two spans for each sampled call, below the broker's: the agent's part, and within it the call of
/// the system, whose id the system hears as its parent. On the tunnels' event loop.
public final class CallSpans implements CallObserver, AutoCloseable {
  private static final AttributeKey<String> METHOD = AttributeKey.stringKey("http.request.method");
  private static final AttributeKey<Long> STATUS =
      AttributeKey.longKey("http.response.status_code");
  private static final AttributeKey<String> SYSTEM = AttributeKey.stringKey("penstock.system");
  private static final AttributeKey<String> REQUEST = AttributeKey.stringKey("penstock.request_id");
  private static final int SAMPLED = 1;

  private final SpanWriter writer;
  private final Clock clock;
  private final SplittableRandom random = new SplittableRandom(new SecureRandom().nextLong());

  CallSpans(SpanExporter exporter, String instance, Clock clock) {
    writer = new SpanWriter(exporter, "penstock-agent", instance);
    this.clock = clock;
  }

  public static CallSpans exportingTo(URI endpoint, String instance) {
    return new CallSpans(SpanWriter.toCollector(endpoint), instance, Clock.systemUTC());
  }

  @Override
  public OpenHead begin(OpenHead received) {
    RequestIds ids = received.ids();
    if (!isSampled(ids)) {
      return received;
    }
    var told =
        new RequestIds(
            ids.requestHigh(),
            ids.requestLow(),
            ids.traceHigh(),
            ids.traceLow(),
            newSpan(),
            ids.traceFlags());
    return new OpenHead(
        received.kind(), received.deadlines(), told, received.system(), received.caller());
  }

  private static boolean isSampled(RequestIds ids) {
    return (ids.traceFlags() & SAMPLED) != 0;
  }

  private long newSpan() {
    return random.nextLong() | 1;
  }

  @Override
  public void ended(OpenHead received, OpenHead told, Ended how) {
    RequestIds ids = received.ids();
    if (!isSampled(ids)) {
      return;
    }
    long endNanos = SpanWriter.epochNanos(clock.instant());
    long agentSpan = newSpan();
    Attributes attributes = attributes(received, how);
    writer.write(
        new SpanWriter.Ids(ids.traceHigh(), ids.traceLow(), agentSpan, ids.span()),
        new SpanWriter.Content(
            "agent",
            SpanKind.INTERNAL,
            endNanos - (how.endedNanos() - how.openedNanos()),
            endNanos,
            !how.complete(),
            attributes));
    if (how.connectedNanos() == 0) {
      return;
    }
    writer.write(
        new SpanWriter.Ids(ids.traceHigh(), ids.traceLow(), told.ids().span(), agentSpan),
        new SpanWriter.Content(
            "system",
            SpanKind.CLIENT,
            endNanos - (how.endedNanos() - how.connectedNanos()),
            endNanos,
            !how.complete(),
            attributes));
  }

  private static Attributes attributes(OpenHead received, Ended how) {
    AttributesBuilder all = Attributes.builder();
    all.put(SYSTEM, received.system().toString());
    all.put(REQUEST, received.ids().requestId());
    all.put(METHOD, how.method());
    if (how.status() > 0) {
      all.put(STATUS, (long) how.status());
    }
    return all.build();
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
