package io.penstock.agent.plugin;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/// Counts the calls of each system, whichever instance of it took them. There are as many as there
/// are systems; a removed one's stay until the process ends. Thread-safe.
public final class CallMeters {
  private final ConcurrentHashMap<String, Meter> meters = new ConcurrentHashMap<>();

  /// The counters of one system.
  public static final class Meter {
    private final LongAdder answered = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private final LongAdder agentMicros = new LongAdder();
    private final LongAdder systemMicros = new LongAdder();

    /// The system answered, whatever it said.
    public void answered(long microsOfAgent, long microsOfSystem) {
      answered.increment();
      agentMicros.add(microsOfAgent);
      systemMicros.add(microsOfSystem);
    }

    /// There was no answer, or not all of it.
    public void failed() {
      failed.increment();
    }
  }

  /// @param agentMicros of answered calls, up to the answer's head, as `systemMicros`
  public record Calls(long answered, long failed, long agentMicros, long systemMicros) {}

  public Meter of(String system) {
    return meters.computeIfAbsent(system, _ -> new Meter());
  }

  /// By system.
  public Map<String, Calls> all() {
    var all = new TreeMap<String, Calls>();
    meters.forEach(
        (system, meter) ->
            all.put(
                system,
                new Calls(
                    meter.answered.sum(),
                    meter.failed.sum(),
                    meter.agentMicros.sum(),
                    meter.systemMicros.sum())));
    return all;
  }
}
