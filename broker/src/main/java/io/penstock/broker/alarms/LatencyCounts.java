package io.penstock.broker.alarms;

import io.penstock.broker.edge.InvocationObserver;
import io.penstock.broker.edge.InvocationRecord;
import io.penstock.broker.edge.InvocationRecord.HopMicros;
import io.penstock.broker.store.AlarmKind.About;
import io.penstock.broker.store.LatencyTable.Answered;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;

/// Counts, per system of a site, invocations within the objective and beyond it. What counts is the
/// time until the answer's head: how long a body takes is its reader's affair. Calls that never
/// reached an agent and were not the broker's failure say nothing.
///
/// Called on event loops; at most [#MAX_SYSTEMS] at a time, invocations of more are not counted.
final class LatencyCounts implements InvocationObserver {
  static final int MAX_SYSTEMS = 2_000;

  private final long objectiveMicros;
  private final ConcurrentHashMap<String, Counts> counts = new ConcurrentHashMap<>();

  private record Counts(long good, long slow) {
    Counts plus(Counts more) {
      return new Counts(good + more.good, slow + more.slow);
    }
  }

  /// @param objective zero = none, nothing is counted
  LatencyCounts(Duration objective) {
    this.objectiveMicros = objective.toNanos() / 1_000;
  }

  @Override
  public void ended(InvocationRecord it) {
    if (objectiveMicros == 0 || it.site().isEmpty() || it.system().isEmpty()) {
      return;
    }
    HopMicros hops = it.hops();
    long beyond = hops.tunnel() + hops.agent() + hops.system();
    boolean failed = it.status() >= 500;
    if (beyond == 0 && !failed) {
      return;
    }
    long micros = beyond == 0 ? hops.total() : hops.broker() + beyond;
    boolean slow = micros > objectiveMicros;
    add(About.ROUTE.subject(it.site() + "/" + it.system()), new Counts(slow ? 0 : 1, slow ? 1 : 0));
  }

  private void add(String subject, Counts more) {
    if (counts.mappingCount() < MAX_SYSTEMS || counts.containsKey(subject)) {
      counts.merge(subject, more, Counts::plus);
    }
  }

  /// What was counted since the last time.
  List<Answered> take() {
    var taken = new ArrayList<Answered>();
    for (String subject : counts.keySet()) {
      Counts of = counts.remove(subject);
      if (of != null) {
        taken.add(new Answered(subject, of.good(), of.slow()));
      }
    }
    return taken;
  }

  /// It could not be written.
  void putBack(List<Answered> taken) {
    taken.forEach(it -> add(it.subject(), new Counts(it.good(), it.slow())));
  }
}
