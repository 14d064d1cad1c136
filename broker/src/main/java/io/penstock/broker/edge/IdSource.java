package io.penstock.broker.edge;

import io.netty.handler.codec.http.HttpHeaders;
import io.penstock.codec.RequestIds;
import java.security.SecureRandom;
import java.util.Iterator;
import java.util.Optional;
import java.util.SplittableRandom;

/// Names invocations. Ids are unique, not secret: two cheap generators, seeded by a good one. One
/// per connection, on its event loop.
final class IdSource {
  private static final SecureRandom SEEDS = new SecureRandom();

  /// A system that samples as its caller does would record nothing of a trace that begins here
  /// unsampled.
  private static final int SAMPLED = 1;

  private final SplittableRandom high = new SplittableRandom(SEEDS.nextLong());
  private final SplittableRandom low = new SplittableRandom(SEEDS.nextLong());
  private final Tracing tracing;

  IdSource(Tracing tracing) {
    this.tracing = tracing;
  }

  /// Continues the caller's trace. Its span stays the parent as long as we record none of our own:
  /// a parent that nobody recorded would tear the trace.
  RequestIds next(HttpHeaders headers) {
    return trace(headers)
        .map(
            it ->
                new RequestIds(
                    high.nextLong(),
                    low.nextLong(),
                    it.traceHigh(),
                    it.traceLow(),
                    tracing.records(it.flags()) ? newSpan() : it.span(),
                    it.flags()))
        .orElseGet(this::withNewTrace);
  }

  RequestIds withNewTrace() {
    // Neither a trace nor a span id may be 0.
    long traceLow = low.nextLong() | 1;
    return new RequestIds(
        high.nextLong(),
        low.nextLong(),
        high.nextLong(),
        traceLow,
        newSpan(),
        tracing.samples(traceLow) ? SAMPLED : 0);
  }

  private long newSpan() {
    return high.nextLong() | 1;
  }

  static Optional<TraceContext> trace(HttpHeaders headers) {
    Iterator<? extends CharSequence> values =
        headers.valueCharSequenceIterator(OwnFields.TRACEPARENT);
    if (!values.hasNext()) {
      return Optional.empty();
    }
    CharSequence value = values.next();
    return values.hasNext() ? Optional.empty() : TraceContext.parse(value);
  }
}
