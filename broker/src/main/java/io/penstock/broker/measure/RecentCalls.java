package io.penstock.broker.measure;

import io.penstock.broker.edge.InvocationRecord;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Predicate;

/// The last calls that were kept as examples, newest last: what they were, how they ended and where
/// their time went; never a path, a field or a body. At most [#CAPACITY]. Thread-safe.
public final class RecentCalls {
  static final int CAPACITY = 10_000;
  private static final int SLOWEST_PER_SECOND = 100;
  private static final int SHOWN_PER_SECOND = 50;

  /// Why a call is one of them.
  public enum Kind {
    SLOWEST,
    FAILED,
    SAMPLED
  }

  /// @param sequence rises by one with each
  /// @param at when it ended
  public record Recent(long sequence, Instant at, Kind kind, InvocationRecord call) {}

  private final Recent[] ring = new Recent[CAPACITY];
  private long next = 1;

  /// What one second brought, chosen and put into the ring.
  ///
  /// @return those to show to somebody who watches
  List<Recent> take(Collection<LoopRecorder.Example> examples) {
    List<Chosen> chosen = choose(examples);
    var added = new ArrayList<Recent>();
    synchronized (this) {
      for (Chosen one : chosen) {
        var recent =
            new Recent(
                next, Instant.ofEpochMilli(one.example.endedAtMs()), one.kind, one.example.call());
        ring[(int) (next % CAPACITY)] = recent;
        next++;
        added.add(recent);
      }
    }
    return added.size() <= SHOWN_PER_SECOND ? added : shown(added);
  }

  private record Chosen(LoopRecorder.Example example, Kind kind) {
    long micros() {
      return example.call().hops().total();
    }
  }

  private static List<Chosen> choose(Collection<LoopRecorder.Example> examples) {
    List<Chosen> chosen = slowest(examples);
    Set<LoopRecorder.Example> taken = Collections.newSetFromMap(new IdentityHashMap<>());
    chosen.forEach(one -> taken.add(one.example));
    int failures = 0;
    var sampled = new ArrayList<LoopRecorder.Example>();
    for (LoopRecorder.Example example : examples) {
      if (taken.contains(example)) {
        continue;
      }
      if (!example.call().isAnswered() && failures < LoopRecorder.FAILURES_PER_SECOND) {
        failures++;
        chosen.add(new Chosen(example, Kind.FAILED));
      } else if (example.sampled()) {
        sampled.add(example);
      }
    }
    sample(sampled).forEach(example -> chosen.add(new Chosen(example, Kind.SAMPLED)));
    chosen.sort(Comparator.comparingLong(one -> one.example.endedAtMs()));
    return chosen;
  }

  private static List<Chosen> slowest(Collection<LoopRecorder.Example> examples) {
    Map<SeriesKey, LoopRecorder.Example> slowest = new HashMap<>();
    for (LoopRecorder.Example example : examples) {
      if (example.slowest()) {
        slowest.merge(
            new SeriesKey(example.call().agent(), example.call().system()),
            example,
            (a, b) -> b.call().hops().total() > a.call().hops().total() ? b : a);
      }
    }
    var chosen = new ArrayList<Chosen>();
    slowest.values().stream()
        .map(example -> new Chosen(example, Kind.SLOWEST))
        .sorted(Comparator.comparingLong(Chosen::micros).reversed())
        .limit(SLOWEST_PER_SECOND)
        .forEach(chosen::add);
    return chosen;
  }

  /// Recorders let later calls through ever more rarely, so each of them takes the place of an
  /// earlier one: what is left is from all over the second.
  private static List<LoopRecorder.Example> sample(List<LoopRecorder.Example> offered) {
    offered.sort(Comparator.comparingLong(LoopRecorder.Example::endedAtMs));
    var sample = new ArrayList<LoopRecorder.Example>();
    for (LoopRecorder.Example example : offered) {
      if (sample.size() < LoopRecorder.SAMPLES_PER_SECOND) {
        sample.add(example);
      } else {
        sample.set(ThreadLocalRandom.current().nextInt(sample.size()), example);
      }
    }
    return sample;
  }

  /// The slowest and failed ones first, then of the others as many as there is room for.
  private static List<Recent> shown(List<Recent> added) {
    return added.stream()
        .sorted(Comparator.comparing(Recent::kind))
        .limit(SHOWN_PER_SECOND)
        .sorted(Comparator.comparingLong(Recent::sequence))
        .toList();
  }

  /// Newest first.
  ///
  /// @param before only those with a smaller sequence
  public synchronized List<Recent> list(Predicate<Recent> wanted, long before, int limit) {
    var found = new ArrayList<Recent>();
    for (long i = Math.min(next, before) - 1; i >= oldest() && found.size() < limit; i--) {
      Recent recent = ring[(int) (i % CAPACITY)];
      if (wanted.test(recent)) {
        found.add(recent);
      }
    }
    return found;
  }

  public synchronized Optional<Recent> find(String requestId) {
    return list(recent -> recent.call().ids().requestId().equals(requestId), Long.MAX_VALUE, 1)
        .stream()
        .findFirst();
  }

  public synchronized int kept() {
    return (int) (next - oldest());
  }

  private long oldest() {
    return Math.max(1, next - CAPACITY);
  }
}
