package io.penstock.broker.edge;

import io.penstock.codec.ErrorCode;

/// The one place where the wire's errors become what a caller is answered with
/// (`docs/protocol.md`, section 7, column "caller").
final class ErrorAnswers {
  private ErrorAnswers() {}

  static InvocationProblem of(ErrorCode code, boolean untouched) {
    return switch (code) {
      case OVERLOADED -> InvocationProblem.overloaded("The agent has too many calls under way.");
      case UNKNOWN_TARGET -> InvocationProblem.unknownTarget();
      case NOT_EXPOSED -> InvocationProblem.notExposed();
      case CONNECT_FAILED -> InvocationProblem.connectFailed();
      case DEADLINE -> InvocationProblem.deadline("The system did not answer in time.");
      case TOO_LARGE -> InvocationProblem.bodyTooLarge();
      case BAD_REQUEST -> InvocationProblem.badRequest("The agent refused the request.");
      case DRAINING -> InvocationProblem.agentOffline("The agent is going away.");
      case BAD_ANSWER -> InvocationProblem.systemClosed("The system's answer is malformed.");
      case INTERNAL -> InvocationProblem.systemClosed("The agent failed on this call.");
      case NO_ERROR, STREAM_STATE, SYSTEM_CLOSED, CANCELLED ->
          InvocationProblem.systemClosed("The system ended the call before it had answered.");
      case PROTOCOL_ERROR,
          FRAME_SIZE,
          BAD_RECORD,
          STREAM_ID,
          CREDIT_EXCEEDED,
          RATE_EXCEEDED,
          SILENT,
          REPLACED,
          REVOKED,
          QUARANTINED,
          HANDSHAKE,
          ENROLL_DENIED,
          VERSION,
          UNAVAILABLE,
          SHUTDOWN,
          UNKNOWN_AGENT ->
          tunnelLost(untouched);
    };
  }

  private static InvocationProblem tunnelLost(boolean untouched) {
    return InvocationProblem.agentOffline(
        untouched
            ? "The tunnel to the agent was lost."
            : "The tunnel to the agent was lost; the call may have reached the system.");
  }
}
