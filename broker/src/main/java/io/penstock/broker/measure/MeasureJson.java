package io.penstock.broker.measure;

import io.penstock.broker.edge.InvocationRecord;
import io.penstock.broker.measure.RecentCalls.Recent;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// What was measured, in the words and units of the API: the same in answers and in the live feed.
public final class MeasureJson {
  private MeasureJson() {}

  /// Milliseconds with three decimals.
  public static double ms(double value) {
    return Math.round(value * 1_000) / 1_000.0;
  }

  private static double microsAsMs(long micros) {
    return micros / 1_000.0;
  }

  /// Null = there are none.
  public static @Nullable Double percentile(Times times, double percentile) {
    return times.isEmpty() ? null : Double.valueOf(ms(times.percentileMs(percentile)));
  }

  /// Every figure of one hop; null where there are no times.
  public static JsonObject figures(Times times) {
    boolean none = times.isEmpty();
    return new JsonObject()
        .put("count", times.count())
        .put("mean_ms", none ? null : ms(times.meanMs()))
        .put("min_ms", none ? null : ms(times.minMs()))
        .put("p50_ms", percentile(times, 50))
        .put("p90_ms", percentile(times, 90))
        .put("p95_ms", percentile(times, 95))
        .put("p99_ms", percentile(times, 99))
        .put("p999_ms", percentile(times, 99.9))
        .put("max_ms", none ? null : ms(times.maxMs()));
  }

  /// `[[cell, count], …]` over [Times#boundsMs].
  public static JsonArray cells(Times times) {
    var cells = new JsonArray();
    times.cells().forEach(cell -> cells.add(new JsonArray().add(cell.index()).add(cell.count())));
    return cells;
  }

  public static JsonArray boundsMs() {
    var bounds = new JsonArray();
    for (double bound : Times.boundsMs()) {
      bounds.add(bound);
    }
    return bounds;
  }

  /// Every hop, the total included.
  public static JsonObject hops(HopTimes times) {
    var hops = new JsonObject();
    for (Hop hop : Hop.PARTS) {
      hops.put(hop.text(), figures(times.of(hop)));
    }
    return hops.put(Hop.TOTAL.text(), figures(times.of(Hop.TOTAL)));
  }

  /// How much a recent call shows of itself.
  public static JsonObject call(Recent recent) {
    InvocationRecord call = recent.call();
    InvocationRecord.HopMicros hops = call.hops();
    return new JsonObject()
        .put("sequence", recent.sequence())
        .put("id", call.ids().requestId())
        .put("trace_id", call.ids().traceparent().substring(3, 35))
        .put("at", recent.at().toString())
        .put("agent", call.agent().isEmpty() ? null : call.agent())
        .put("site", call.site())
        .put("system", call.system())
        .put("caller", call.caller())
        .put("method", call.method())
        .put("status", call.status())
        .put("verdict", call.verdict())
        .put("cut", call.cut())
        .put("bytes_in", call.bytesIn())
        .put("bytes_out", call.bytesOut())
        .put("total_ms", microsAsMs(hops.total()))
        .put("hops", call.isAnswered() ? parts(hops) : null)
        .put("error_ms", ms(HopTimes.ROUNDING_MS + microsAsMs(hops.excess())))
        .put("kept_as", recent.kind().name().toLowerCase(Locale.ROOT));
  }

  private static JsonObject parts(InvocationRecord.HopMicros hops) {
    return new JsonObject()
        .put("broker_ms", microsAsMs(hops.broker()))
        .put("tunnel_ms", microsAsMs(hops.tunnel()))
        .put("agent_ms", microsAsMs(hops.agent()))
        .put("system_ms", microsAsMs(hops.system()))
        .put("body_ms", microsAsMs(hops.body()));
  }
}
