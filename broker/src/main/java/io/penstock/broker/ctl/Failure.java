package io.penstock.broker.ctl;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/// A command could not do what it was asked to: the exit code, a line for people, an object for
/// `--json`.
final class Failure extends RuntimeException {
  private final int exitCode;
  private final ObjectNode detail;

  private Failure(int exitCode, String message, ObjectNode detail) {
    super(message);
    this.exitCode = exitCode;
    this.detail = detail;
  }

  static Failure failed(String message) {
    return new Failure(ExitCode.FAILED, message, described("failed", message));
  }

  static Failure wrongUsage(String message) {
    return new Failure(ExitCode.WRONG_USAGE, message, described("wrong-usage", message));
  }

  static Failure refusedForGood(String message) {
    return new Failure(ExitCode.REFUSED_FOR_GOOD, message, described("refused", message));
  }

  static Failure cannotReach(Finding stage) {
    ObjectNode detail = described("cannot-reach", stage.text());
    detail.put("stage", stage.stage());
    return new Failure(
        ExitCode.CANNOT_REACH,
        "cannot reach the broker: " + stage.stage() + ": " + stage.text(),
        detail);
  }

  /// The broker was reached, the agent behind it was not.
  static Failure stillWaiting(String message) {
    return new Failure(ExitCode.CANNOT_REACH, message, described("still-waiting", message));
  }

  /// The broker said no, in a problem document (RFC 9457).
  static Failure refused(Problem problem) {
    int exitCode =
        problem.status() == HttpStatus.UNAUTHORIZED ? ExitCode.REFUSED_FOR_GOOD : ExitCode.FAILED;
    return new Failure(exitCode, problem.text(), problem.document());
  }

  int exitCode() {
    return exitCode;
  }

  ObjectNode detail() {
    return detail;
  }

  private static ObjectNode described(String type, String message) {
    return JsonNodeFactory.instance.objectNode().put("type", type).put("detail", message);
  }
}
