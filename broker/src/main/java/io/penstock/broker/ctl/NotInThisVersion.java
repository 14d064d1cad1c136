package io.penstock.broker.ctl;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/// A command whose name is settled and whose work is not in this version: it says so, whatever
/// follows it.
@Command(description = "Not in this version.")
final class NotInThisVersion implements Callable<Integer> {
  private final String name;

  @Parameters(hidden = true)
  List<String> anything = List.of();

  private NotInThisVersion(String name) {
    this.name = name;
  }

  static CommandLine command(String name) {
    return new CommandLine(new NotInThisVersion(name))
        .setUnmatchedArgumentsAllowed(true)
        .setUnmatchedOptionsArePositionalParams(true);
  }

  @Override
  public Integer call() {
    throw Failure.failed("`ctl " + name + "` is not in this version (docs/out-of-scope.md)");
  }
}
