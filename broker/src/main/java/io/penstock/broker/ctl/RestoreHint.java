package io.penstock.broker.ctl;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/// `ctl restore` speaks to no broker, because none runs: the launcher hands it to the broker's own
/// program. Whoever starts this class without the launcher is told so.
@Command(
    name = "restore",
    description = {
      "Restore a backup into an empty broker that does not run, on its own machine:",
      "./penstock ctl restore FILE --passphrase-file FILE --data DIR"
    })
final class RestoreHint implements Callable<Integer> {
  @Parameters(hidden = true)
  List<String> anything = List.of();

  static CommandLine command() {
    return new CommandLine(new RestoreHint())
        .setUnmatchedArgumentsAllowed(true)
        .setUnmatchedOptionsArePositionalParams(true);
  }

  @Override
  public Integer call() {
    throw Failure.wrongUsage(
        "a restore is done by the broker's program on its machine: ./penstock ctl restore, or"
            + " ./penstock broker restore");
  }
}
