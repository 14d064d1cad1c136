package io.penstock.broker.edge;

/// An error of ours as a caller sees it.
///
/// @param code value of `Penstock-Error`, and the title of the document
/// @param detail one fixed sentence; never echoes what the caller sent
/// @param retryAfterSeconds 0 = no Retry-After
record Problem(String code, int status, String detail, int retryAfterSeconds) {
  private static final int OFFLINE_RETRY_SECONDS = 2;
  private static final int OVERLOADED_RETRY_SECONDS = 1;

  static Problem unknownTarget() {
    return new Problem("unknown-target", 404, "There is no such site or system.", 0);
  }

  static Problem forbidden() {
    return new Problem("forbidden", 403, "The caller may not invoke this system of this site.", 0);
  }

  static Problem notExposed() {
    return new Problem("not-exposed", 403, "No rule exposes this method and path.", 0);
  }

  static Problem agentOffline(String detail) {
    return new Problem("agent-offline", 503, detail, OFFLINE_RETRY_SECONDS);
  }

  static Problem overloaded(String detail) {
    return new Problem("overloaded", 503, detail, OVERLOADED_RETRY_SECONDS);
  }

  static Problem connectFailed() {
    return new Problem("connect-failed", 502, "The agent could not connect to the system.", 0);
  }

  static Problem systemClosed(String detail) {
    return new Problem("system-closed", 502, detail, 0);
  }

  static Problem deadline(String detail) {
    return new Problem("deadline", 504, detail, 0);
  }

  static Problem headTooLarge() {
    return new Problem("too-large", 431, "The head is over 32 KiB.", 0);
  }

  static Problem bodyTooLarge() {
    return new Problem("too-large", 413, "The system takes no body of this size.", 0);
  }

  static Problem rateLimited(int retryAfterSeconds) {
    return new Problem(
        "rate-limited", 429, "The caller started too many invocations.", retryAfterSeconds);
  }

  static Problem badRequest(String detail) {
    return new Problem("bad-request", 400, detail, 0);
  }

  /// What the strict gate refused, with the gate's own status and sentence.
  static Problem refusedByGate(int status, String sentence) {
    String code = status == 431 || status == 413 ? "too-large" : "bad-request";
    return new Problem(code, status, sentence, 0);
  }

  static Problem unauthorized(String detail) {
    return new Problem("unauthorized", 401, detail, 0);
  }

  static Problem notImplemented() {
    return new Problem(
        "not-implemented",
        501,
        "Upgrade of the protocol is not offered here; WebSocket and HTTP/2 are not built yet.",
        0);
  }
}
