package io.penstock.broker.telemetry;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.penstock.broker.edge.InvocationObserver;
import io.penstock.broker.edge.InvocationRecord;
import io.penstock.broker.edge.InvocationRecord.HopMicros;
import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/// Counts and times invocations. Called on event loops: a meter is made the first time that its
/// verdict is seen, and found by one look-up from then on.
///
/// Verdicts are words of our own. Should that ever change, those beyond [#MAX_VERDICTS] are counted
/// as `other`: a page of metrics must not grow with what callers do.
final class InvocationMeters implements InvocationObserver {
  static final int MAX_VERDICTS = 64;
  static final String OTHER = "other";

  /// Half a millisecond to a minute: what a hop adds, and what a slow system takes.
  private static final Duration[] BUCKETS = {
    Duration.ofNanos(500_000),
    Duration.ofMillis(1),
    Duration.ofNanos(2_500_000),
    Duration.ofMillis(5),
    Duration.ofMillis(10),
    Duration.ofMillis(25),
    Duration.ofMillis(50),
    Duration.ofMillis(100),
    Duration.ofMillis(250),
    Duration.ofMillis(500),
    Duration.ofSeconds(1),
    Duration.ofMillis(2_500),
    Duration.ofSeconds(5),
    Duration.ofSeconds(10),
    Duration.ofSeconds(30),
    Duration.ofSeconds(60)
  };

  /// By the first digit of the status; 0 = the caller went away before an answer.
  private static final String[] CLASSES = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};

  private final MeterRegistry registry;
  private final ConcurrentHashMap<String, AtomicReferenceArray<@Nullable Counter>> verdicts =
      new ConcurrentHashMap<>();
  private final LongAdder running = new LongAdder();
  private final Counter cut;
  private final Counter bytesIn;
  private final Counter bytesOut;
  private final Timer total;
  private final Timer broker;
  private final Timer tunnel;
  private final Timer agent;
  private final Timer system;

  InvocationMeters(MeterRegistry registry) {
    this.registry = registry;
    Gauge.builder("penstock.invocations.running", running::sum)
        .description("Invocations under way.")
        .register(registry);
    cut =
        Counter.builder("penstock.invocations.cut")
            .description("Answers that had begun and were broken off.")
            .register(registry);
    bytesIn = bytes("in");
    bytesOut = bytes("out");
    total = timer("penstock.invocation").description("All of an invocation.").register(registry);
    broker = hop("broker");
    tunnel = hop("tunnel");
    agent = hop("agent");
    system = hop("system");
  }

  long running() {
    return running.sum();
  }

  private Counter bytes(String direction) {
    return Counter.builder("penstock.invocation.body.bytes")
        .description("Bodies of requests (in) and of answers (out).")
        .tag("direction", direction)
        .register(registry);
  }

  private Timer hop(String hop) {
    return timer("penstock.invocation.hop")
        .description("Where the time until the answer's head went.")
        .tag("hop", hop)
        .register(registry);
  }

  private static Timer.Builder timer(String name) {
    return Timer.builder(name).serviceLevelObjectives(BUCKETS);
  }

  @Override
  public void began() {
    running.increment();
  }

  @Override
  public void ended(InvocationRecord it) {
    if (it.began()) {
      running.decrement();
    }
    counter(it).increment();
    if (it.cut()) {
      cut.increment();
    }
    bytesIn.increment((double) it.bytesIn());
    bytesOut.increment((double) it.bytesOut());
    time(it.hops());
  }

  /// A call that was refused here has no other hops, and says nothing about them.
  private void time(HopMicros hops) {
    total.record(hops.total(), TimeUnit.MICROSECONDS);
    broker.record(hops.broker(), TimeUnit.MICROSECONDS);
    if (hops.tunnel() + hops.agent() + hops.system() > 0) {
      tunnel.record(hops.tunnel(), TimeUnit.MICROSECONDS);
      agent.record(hops.agent(), TimeUnit.MICROSECONDS);
      system.record(hops.system(), TimeUnit.MICROSECONDS);
    }
  }

  private Counter counter(InvocationRecord it) {
    int digit = it.status() / 100;
    int row = digit >= 1 && digit < CLASSES.length ? digit : 0;
    String verdict = bounded(it.verdict());
    AtomicReferenceArray<@Nullable Counter> classes =
        verdicts.computeIfAbsent(verdict, _ -> new AtomicReferenceArray<>(CLASSES.length));
    Counter known = classes.get(row);
    if (known != null) {
      return known;
    }
    // Two threads may come here at once: the registry gives both the same.
    Counter made =
        Counter.builder("penstock.invocations")
            .description("Invocations by outcome, and by the class of the status.")
            .tag("verdict", verdict)
            .tag("status", CLASSES[row])
            .register(registry);
    classes.set(row, made);
    return made;
  }

  private String bounded(String verdict) {
    boolean room = verdicts.containsKey(verdict) || verdicts.mappingCount() < MAX_VERDICTS;
    return room ? verdict : OTHER;
  }
}
