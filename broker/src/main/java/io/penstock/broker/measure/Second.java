package io.penstock.broker.measure;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;

/// All calls that ended in one second, by series, before they are added to anything: whoever shows
/// the second asks for the sum of what it may see. Reused for the next one; on the merger's thread
/// only.
public final class Second {
  private static final int END = -1;
  private static final int FIELDS = 7;

  private final SeriesTable table;
  private long epochSecond;
  private int[] entries = new int[FIELDS * 1_024];
  private int[] next = new int[1_024];
  private int count;

  /// By number: the newest call of the series, from which the others follow.
  private int[] heads = new int[64];

  private final List<Integer> active = new ArrayList<>();
  private final HopTimes sum = new HopTimes();

  Second(SeriesTable table) {
    this.table = table;
    Arrays.fill(heads, END);
  }

  void begin(long second) {
    for (int series : active) {
      heads[series] = END;
    }
    active.clear();
    count = 0;
    epochSecond = second;
  }

  void add(
      int series, int flags, int broker, int tunnel, int agent, int system, int body, int total) {
    if (count == next.length) {
      next = Arrays.copyOf(next, count * 2);
      entries = Arrays.copyOf(entries, count * 2 * FIELDS);
    }
    if (series >= heads.length) {
      int before = heads.length;
      heads = Arrays.copyOf(heads, Math.max(series + 1, before * 2));
      Arrays.fill(heads, before, heads.length, END);
    }
    if (heads[series] == END) {
      active.add(series);
    }
    int at = count * FIELDS;
    entries[at] = flags;
    entries[at + 1] = broker;
    entries[at + 2] = tunnel;
    entries[at + 3] = agent;
    entries[at + 4] = system;
    entries[at + 5] = body;
    entries[at + 6] = total;
    next[count] = heads[series];
    heads[series] = count++;
  }

  /// Its first instant.
  public long epochSecond() {
    return epochSecond;
  }

  public int calls() {
    return count;
  }

  /// The series with calls, each once.
  public List<SeriesKey> series() {
    return active.stream().map(table::key).distinct().toList();
  }

  List<Integer> numbers() {
    return active;
  }

  void addTo(int series, HopTimes times) {
    for (int i = heads[series]; i != END; i = next[i]) {
      int at = i * FIELDS;
      times.record(
          entries[at],
          entries[at + 1],
          entries[at + 2],
          entries[at + 3],
          entries[at + 4],
          entries[at + 5],
          entries[at + 6]);
    }
  }

  void addTo(int series, Totals totals) {
    SeriesKey key = table.key(series);
    for (int i = heads[series]; i != END; i = next[i]) {
      int at = i * FIELDS;
      totals.add(
          key,
          entries[at],
          entries[at + 1],
          entries[at + 2],
          entries[at + 3],
          entries[at + 4],
          entries[at + 5]);
    }
  }

  /// The sum of those series; good until it is asked again.
  public HopTimes sum(Predicate<SeriesKey> wanted) {
    sum.reset();
    for (int series : active) {
      if (wanted.test(table.key(series))) {
        addTo(series, sum);
      }
    }
    return sum;
  }

  /// A bound on memory: a burst does not stay for ever.
  void shrink() {
    if (next.length > 1 << 18) {
      next = new int[1_024];
      entries = new int[FIELDS * 1_024];
      count = 0;
    }
  }
}
