package io.penstock.broker.edge;

import io.netty.handler.codec.http.HttpMethod;
import io.penstock.codec.ErrorCode;

/// When a call whose stream failed before the answer's head goes to another session (contract,
/// "Invocation": a request that may have reached the system is never sent twice unless its method
/// is idempotent and its body was not begun).
final class RetryRule {
  private static final int MAX_ATTEMPTS = 2;

  private RetryRule() {}

  static boolean maySendAgain(
      ErrorCode code, boolean untouched, HttpMethod method, RequestForwarder body, int attempts) {
    if (attempts >= MAX_ATTEMPTS || isVerdict(code)) {
      return false;
    }
    if (untouched) {
      return !body.begun() || body.isReplayable();
    }
    return isTunnelLost(code) && isIdempotent(method) && !body.begun();
  }

  /// A session that may be replaced within a moment: worth a wait.
  static boolean isTunnelLost(ErrorCode code) {
    return code.ends() != ErrorCode.Ends.STREAM || code == ErrorCode.DRAINING;
  }

  /// Another agent of the site would say the same.
  private static boolean isVerdict(ErrorCode code) {
    return code == ErrorCode.BAD_REQUEST
        || code == ErrorCode.TOO_LARGE
        || code == ErrorCode.NOT_EXPOSED
        || code == ErrorCode.DEADLINE;
  }

  /// RFC 9110, section 9.2.2.
  private static boolean isIdempotent(HttpMethod method) {
    return method.equals(HttpMethod.GET)
        || method.equals(HttpMethod.HEAD)
        || method.equals(HttpMethod.PUT)
        || method.equals(HttpMethod.DELETE)
        || method.equals(HttpMethod.OPTIONS)
        || method.equals(HttpMethod.TRACE);
  }
}
