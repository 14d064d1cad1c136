package io.penstock.broker.store;

/// Postgres cannot be reached, or did not answer in time. Nothing was committed, except perhaps
/// when the commit itself went unanswered. Callers fail closed: mutations answer 503, and running
/// sessions go on.
public final class StoreUnavailableException extends RuntimeException {
  StoreUnavailableException(String message, Throwable cause) {
    super(message, cause);
  }

  /// For who waited on somebody else's question.
  public StoreUnavailableException(String message) {
    super(message);
  }
}
