package io.penstock.broker.edge;

import io.penstock.broker.problem.ProblemDocument;

/// An error of ours as the caller of an invocation sees it.
///
/// @param code value of `Penstock-Error`, and the title of the document
/// @param detail one fixed sentence; never echoes what the caller sent
/// @param retryAfterSeconds 0 = no Retry-After
record InvocationProblem(String code, int status, String detail, int retryAfterSeconds) {
  private static final int OFFLINE_RETRY_SECONDS = 2;
  private static final int OVERLOADED_RETRY_SECONDS = 1;

  ProblemDocument document() {
    return new ProblemDocument(status, code, detail);
  }

  static InvocationProblem unknownTarget() {
    return new InvocationProblem("unknown-target", 404, "There is no such site or system.", 0);
  }

  static InvocationProblem forbidden() {
    return new InvocationProblem(
        "forbidden", 403, "The caller may not invoke this system of this site.", 0);
  }

  static InvocationProblem notExposed() {
    return new InvocationProblem("not-exposed", 403, "No rule exposes this method and path.", 0);
  }

  static InvocationProblem agentOffline(String detail) {
    return new InvocationProblem("agent-offline", 503, detail, OFFLINE_RETRY_SECONDS);
  }

  static InvocationProblem overloaded(String detail) {
    return new InvocationProblem("overloaded", 503, detail, OVERLOADED_RETRY_SECONDS);
  }

  static InvocationProblem connectFailed() {
    return new InvocationProblem(
        "connect-failed", 502, "The agent could not connect to the system.", 0);
  }

  static InvocationProblem systemClosed(String detail) {
    return new InvocationProblem("system-closed", 502, detail, 0);
  }

  static InvocationProblem deadline(String detail) {
    return new InvocationProblem("deadline", 504, detail, 0);
  }

  static InvocationProblem headTooLarge() {
    return new InvocationProblem("too-large", 431, "The head is over 32 KiB.", 0);
  }

  static InvocationProblem bodyTooLarge() {
    return new InvocationProblem("too-large", 413, "The system takes no body of this size.", 0);
  }

  static InvocationProblem rateLimited(int retryAfterSeconds) {
    return new InvocationProblem(
        "rate-limited", 429, "The caller started too many invocations.", retryAfterSeconds);
  }

  static InvocationProblem badRequest(String detail) {
    return new InvocationProblem("bad-request", 400, detail, 0);
  }

  /// What the strict gate refused, with the gate's own status and sentence.
  static InvocationProblem refusedByGate(int status, String sentence) {
    String code = status == 431 || status == 413 ? "too-large" : "bad-request";
    return new InvocationProblem(code, status, sentence, 0);
  }

  static InvocationProblem unauthorized(String detail) {
    return new InvocationProblem("unauthorized", 401, detail, 0);
  }

  static InvocationProblem notImplemented() {
    return new InvocationProblem(
        "not-implemented",
        501,
        "Upgrade of the protocol is not offered here; WebSocket and HTTP/2 are not built yet.",
        0);
  }
}
