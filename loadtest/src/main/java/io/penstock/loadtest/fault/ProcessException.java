package io.penstock.loadtest.fault;

/// A process did not do what was waited for. The message ends with the tail of its log.
public final class ProcessException extends RuntimeException {
  private static final int TAIL_LINES = 25;

  ProcessException(PenstockProcess process, String what) {
    super(
        process.name()
            + " "
            + what
            + ". The end of "
            + process.log()
            + ":\n"
            + String.join("\n", process.logTail(TAIL_LINES)));
  }
}
