package io.penstock.loadtest;

import io.penstock.loadtest.scenario.ScenarioException;
import io.penstock.loadtest.scenario.ScenarioReader;
import java.io.IOException;
import java.io.PrintStream;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// What scenarios there are.
@Command(name = "list", description = "Lists the scenarios of loadtest/scenarios.")
final class LoadTestList implements Callable<Integer> {
  private final PrintStream out;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help.")
  boolean help;

  LoadTestList(PrintStream out) {
    this.out = out;
  }

  @Override
  public Integer call() throws IOException, ScenarioException {
    var reader = new ScenarioReader(LoadTest.scenarios());
    for (String name : reader.names()) {
      out.printf("%-20s %s%n", name, reader.read(name).description());
    }
    return 0;
  }
}
