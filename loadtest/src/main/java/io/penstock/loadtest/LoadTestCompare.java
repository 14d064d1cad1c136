package io.penstock.loadtest;

import io.penstock.loadtest.report.Comparison;
import io.penstock.loadtest.report.StoredRun;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// What changed from one run to another, beyond their noise.
@Command(
    name = "compare",
    description = {
      "Says what changed from RUN_A to RUN_B, each the directory of a run, with the noise taken"
          + " into",
      "account. Only what is larger than the seconds of each run differ among themselves is called"
          + " a change."
    })
final class LoadTestCompare implements Callable<Integer> {
  private final PrintStream out;
  private final PrintStream err;

  @Parameters(index = "0", paramLabel = "RUN_A", description = "Directory of the run before.")
  Path before = Path.of("");

  @Parameters(index = "1", paramLabel = "RUN_B", description = "Directory of the run after.")
  Path after = Path.of("");

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help.")
  boolean help;

  LoadTestCompare(PrintStream out, PrintStream err) {
    this.out = out;
    this.err = err;
  }

  @Override
  public Integer call() {
    try {
      out.print(Comparison.of(StoredRun.read(before), StoredRun.read(after)).text());
      return 0;
    } catch (IOException e) {
      err.println("penstock loadtest compare: " + e.getMessage());
      return 1;
    }
  }
}
