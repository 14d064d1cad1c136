package io.penstock.loadtest.demo;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.PrintStream;
import java.util.Locale;

/// Runs the steps one after the other, prints each with its time, and remembers how it went.
final class Steps {
  private final PrintStream out;
  private final ArrayNode results = JsonNodeFactory.instance.arrayNode();

  /// What a step did, in a few words; anything thrown is its failure.
  interface Step {
    String run() throws Exception;
  }

  /// The first failure ends the run.
  static final class StepFailed extends Exception {
    StepFailed(String name, Throwable cause) {
      super("step " + name + " failed: " + reason(cause), cause);
    }

    private static String reason(Throwable cause) {
      String message = cause.getMessage();
      return message == null ? cause.getClass().getSimpleName() : message;
    }
  }

  Steps(PrintStream out) {
    this.out = out;
  }

  void run(String name, Step step) throws StepFailed {
    long start = System.nanoTime();
    try {
      String detail = step.run();
      report(name, true, elapsedMs(start), detail);
    } catch (Exception e) {
      report(name, false, elapsedMs(start), StepFailed.reason(e));
      throw new StepFailed(name, e);
    }
  }

  private void report(String name, boolean ok, long ms, String detail) {
    results.addObject().put("name", name).put("ok", ok).put("ms", ms);
    out.println(
        String.format(
            Locale.ROOT,
            "  %-4s %7.2f s  %-16s %s",
            ok ? "ok" : "FAIL",
            ms / 1000.0,
            name,
            detail));
  }

  ArrayNode results() {
    return results;
  }

  private static long elapsedMs(long startNanos) {
    return (System.nanoTime() - startNanos) / 1_000_000;
  }
}
