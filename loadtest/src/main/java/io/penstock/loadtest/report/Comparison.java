package io.penstock.loadtest.report;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.HdrHistogram.Histogram;

/// What changed between two runs, by target and flow.
///
/// Samples are pieces of three intervals, not single seconds: neighbours resemble each other, and
/// would make chance look like certainty. What differs between two starts of the same processes
/// (where the JIT compiler and the kernel put things) no single pair of runs shows; small
/// differences need several runs of each.
public final class Comparison {
  private static final int INTERVALS = 3;
  private static final List<String> PROCESSES = List.of("broker", "agent");

  private final List<String> remarks = new ArrayList<>();
  private final List<Change> changes = new ArrayList<>();

  private Comparison() {}

  public static Comparison of(StoredRun before, StoredRun after) throws IOException {
    var comparison = new Comparison();
    comparison.remark(before, after);
    List<String> common = new ArrayList<>(before.targets());
    common.retainAll(after.targets());
    if (!common.isEmpty()) {
      for (String target : common) {
        comparison.compare(target, before, target, after, target);
      }
    } else if (before.targets().size() == 1 && after.targets().size() == 1) {
      String a = before.targets().getFirst();
      String b = after.targets().getFirst();
      comparison.compare(a + " / " + b, before, a, after, b);
    }
    if (comparison.changes.isEmpty()) {
      throw new IOException("the two runs have no flow of a target in common");
    }
    return comparison;
  }

  private void remark(StoredRun before, StoredRun after) {
    remarks.add("A " + before.name() + ": " + before.scenario() + ", commit " + before.commit());
    remarks.add("B " + after.name() + ": " + after.scenario() + ", commit " + after.commit());
    if (!before.scenario().equals(after.scenario())) {
      remarks.add("the scenarios differ: the comparison says little");
    }
    for (StoredRun run : List.of(before, after)) {
      if (!run.isValid()) {
        remarks.add(run.name() + " is INVALID: its figures are about its generator");
      }
    }
  }

  private void compare(String what, StoredRun before, String a, StoredRun after, String b)
      throws IOException {
    for (String flow : before.flows(a)) {
      if (!after.flows(b).contains(flow)) {
        continue;
      }
      String name = what + " " + flow + " ";
      List<Histogram> one = before.pieces(a, flow, INTERVALS);
      List<Histogram> other = after.pieces(b, flow, INTERVALS);
      for (double percentile : new double[] {50, 99}) {
        changes.add(
            Change.of(
                name + "response p" + (int) percentile + " ms",
                millis(one, percentile),
                millis(other, percentile),
                true));
      }
      changes.add(
          Change.of(
              name + "answers/s",
              before.perSecond(a, flow, "ended", INTERVALS),
              after.perSecond(b, flow, "ended", INTERVALS),
              false));
      changes.add(
          Change.of(
              name + "bytes/s",
              before.perSecond(a, flow, "bytes", INTERVALS),
              after.perSecond(b, flow, "bytes", INTERVALS),
              false));
    }
    for (String process : PROCESSES) {
      List<Double> cpu = before.cpu(a, process);
      if (!cpu.isEmpty()) {
        changes.add(Change.of(what + " CPU ms/1000 " + process, cpu, after.cpu(b, process), true));
      }
    }
  }

  private static List<Double> millis(List<Histogram> pieces, double percentile) {
    return pieces.stream().map(one -> one.getValueAtPercentile(percentile) / 1e6).toList();
  }

  List<Change> changes() {
    return List.copyOf(changes);
  }

  public String text() {
    StringBuilder text = new StringBuilder();
    remarks.forEach(remark -> text.append(remark).append('\n'));
    text.append('\n');
    changes.forEach(change -> text.append(change.text()).append('\n'));
    return text.toString();
  }
}
