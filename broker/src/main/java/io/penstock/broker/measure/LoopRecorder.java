package io.penstock.broker.measure;

import io.penstock.broker.edge.InvocationRecord;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// What one event loop has measured since it was last asked: a ring of numbers that this loop alone
/// writes and the merger alone reads. Writing takes no lock, waits for nobody and makes no object,
/// except for the few calls that are kept as examples.
///
/// ```
///  entry: series | flags ── broker | tunnel ── agent | system ── body | total   (4 longs, µs)
/// ```
///
/// A ring that is full loses the call's times, and says how many were lost.
final class LoopRecorder {
  static final int CAPACITY = 1 << 16;
  static final int FAILED = 1;

  /// The status was 5xx, whoever said it.
  static final int ERROR = 2;

  private static final int STATUS_SHIFT = 2;

  static final int SAMPLES_PER_SECOND = 40;
  static final int FAILURES_PER_SECOND = 10;

  private static final int LONGS = 4;
  private static final int EXAMPLES = 512;
  private static final int CACHED = 1 << 12;

  /// Takes the numbers of one call.
  interface Sink {
    void call(
        int series, int flags, int broker, int tunnel, int agent, int system, int body, int total);
  }

  private final SeriesTable table;
  private final Period period;
  private final LongSupplier epochMs;

  private final long[] entries = new long[CAPACITY * LONGS];
  private final AtomicLong written = new AtomicLong();
  private final AtomicLong read = new AtomicLong();
  private final AtomicLong missed = new AtomicLong();

  private final AtomicReferenceArray<@Nullable Example> examples =
      new AtomicReferenceArray<>(EXAMPLES);
  private final AtomicLong examplesWritten = new AtomicLong();
  private final AtomicLong examplesRead = new AtomicLong();

  // The loop's alone.
  private long readSeen;
  private final @Nullable String[] agents = new @Nullable String[CACHED];
  private final @Nullable String[] systems = new @Nullable String[CACHED];
  private final int[] numbers = new int[CACHED];
  private final long[] slowestMicros = new long[CACHED];
  private final int[] slowestPeriod = new int[CACHED];
  private int generation;
  private int currentPeriod;
  private long callsOfPeriod;
  private int failuresOfPeriod;

  /// The second that the merger is in: what is chosen once a second begins anew with it.
  static final class Period {
    private final AtomicInteger number = new AtomicInteger(1);

    int number() {
      return number.get();
    }

    /// By the merger alone.
    void next() {
      number.incrementAndGet();
    }
  }

  /// A call that may be shown as one of many.
  ///
  /// @param slowest so far, of its series in this second
  /// @param sampled chosen by chance
  record Example(InvocationRecord call, long endedAtMs, boolean slowest, boolean sampled) {}

  LoopRecorder(SeriesTable table, Period period, LongSupplier epochMs) {
    this.table = table;
    this.period = period;
    this.epochMs = epochMs;
  }

  /// First digit of the status; 0 = the caller went away before an answer.
  static int statusClass(int flags) {
    return flags >>> STATUS_SHIFT;
  }

  /// On the event loop.
  void record(InvocationRecord call) {
    InvocationRecord.HopMicros hops = call.hops();
    int total = micros(hops.total());
    boolean answered = call.isAnswered();
    int flags =
        (answered ? 0 : FAILED)
            | (call.status() >= 500 ? ERROR : 0)
            | Math.clamp(call.status() / 100, 0, 5) << STATUS_SHIFT;
    // Without an agent, the system is only what a caller said.
    int slot = slot(call.agent(), call.agent().isEmpty() ? "" : call.system());
    int series = numbers[slot];
    if (series == SeriesTable.OTHER) {
      table.countOverflow();
    }
    write(
        (long) series << 32 | flags,
        pair(answered ? micros(hops.broker()) : 0, micros(hops.tunnel())),
        pair(micros(hops.agent()), micros(hops.system())),
        pair(answered ? micros(hops.body()) : 0, total));
    choose(call, slot, total, !answered);
  }

  private void write(long first, long second, long third, long fourth) {
    long position = written.getAcquire();
    if (position - readSeen >= CAPACITY) {
      readSeen = read.getAcquire();
      if (position - readSeen >= CAPACITY) {
        missed.setRelease(missed.getAcquire() + 1);
        return;
      }
    }
    int at = (int) (position & (CAPACITY - 1)) * LONGS;
    entries[at] = first;
    entries[at + 1] = second;
    entries[at + 2] = third;
    entries[at + 3] = fourth;
    written.setRelease(position + 1);
  }

  /// The place of a series in this loop's own look-up; open addressing, forgotten all at once.
  private int slot(String agent, String system) {
    if (generation != table.generation()) {
      generation = table.generation();
      Arrays.fill(agents, null);
      Arrays.fill(systems, null);
    }
    int hash = agent.hashCode() * 31 + system.hashCode();
    int slot = (hash ^ (hash >>> 15)) & (CACHED - 1);
    for (int probe = 0; probe < 8; probe++) {
      String known = agents[slot];
      if (known == null) {
        return enter(slot, agent, system);
      }
      if (known.equals(agent) && system.equals(systems[slot])) {
        return slot;
      }
      slot = (slot + 1) & (CACHED - 1);
    }
    return enter(slot, agent, system);
  }

  private int enter(int slot, String agent, String system) {
    int number = table.number(agent, system);
    agents[slot] = agent;
    systems[slot] = system;
    numbers[slot] = number;
    slowestPeriod[slot] = 0;
    return slot;
  }

  /// Failed ones, the slowest answered one so far of its series, and a fair sample of all.
  private void choose(InvocationRecord call, int slot, int total, boolean failed) {
    int now = period.number();
    if (now != currentPeriod) {
      currentPeriod = now;
      callsOfPeriod = 0;
      failuresOfPeriod = 0;
    }
    callsOfPeriod++;
    boolean slowest = !failed && (slowestPeriod[slot] != now || total > slowestMicros[slot]);
    if (slowest) {
      slowestPeriod[slot] = now;
      slowestMicros[slot] = total;
    }
    boolean kept = failed && failuresOfPeriod++ < FAILURES_PER_SECOND;
    // Request ids are random: one of them is as good as a random number of our own.
    boolean sampled =
        callsOfPeriod <= SAMPLES_PER_SECOND
            || Math.unsignedMultiplyHigh(call.ids().requestLow(), callsOfPeriod)
                < SAMPLES_PER_SECOND;
    if (slowest || kept || sampled) {
      offer(call, slowest, sampled);
    }
  }

  private void offer(InvocationRecord call, boolean slowest, boolean sampled) {
    long position = examplesWritten.getAcquire();
    if (position - examplesRead.getAcquire() < EXAMPLES) {
      examples.set(
          (int) (position & (EXAMPLES - 1)),
          new Example(call, epochMs.getAsLong(), slowest, sampled));
      examplesWritten.setRelease(position + 1);
    }
  }

  /// By the merger alone: everything up to now, in the order in which it was recorded.
  void drain(Sink sink) {
    long end = written.getAcquire();
    long position = read.getAcquire();
    while (position < end) {
      int at = (int) (position & (CAPACITY - 1)) * LONGS;
      long first = entries[at];
      long second = entries[at + 1];
      long third = entries[at + 2];
      long fourth = entries[at + 3];
      sink.call(
          (int) (first >>> 32),
          (int) first,
          (int) (second >>> 32),
          (int) second,
          (int) (third >>> 32),
          (int) third,
          (int) (fourth >>> 32),
          (int) fourth);
      position++;
    }
    read.setRelease(position);
  }

  /// By the merger alone.
  void drainExamples(Consumer<Example> taker) {
    long end = examplesWritten.getAcquire();
    long position = examplesRead.getAcquire();
    while (position < end) {
      Example example = examples.getAndSet((int) (position & (EXAMPLES - 1)), null);
      if (example != null) {
        taker.accept(example);
      }
      position++;
    }
    examplesRead.setRelease(position);
  }

  /// Whether the merger should not wait for the end of its second.
  boolean isFillingUp() {
    return written.getAcquire() - read.getAcquire() > CAPACITY / 2;
  }

  long missed() {
    return missed.getAcquire();
  }

  private static long pair(int high, int low) {
    return (long) high << 32 | low;
  }

  private static int micros(long value) {
    return Math.clamp(value, 0, Integer.MAX_VALUE);
  }
}
