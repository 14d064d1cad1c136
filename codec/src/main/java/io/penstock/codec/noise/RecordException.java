package io.penstock.codec.noise;

/// A record that did not open. The [CipherState] it came from has no key any more, so the session
/// is over. Without stack trace and cause, because a stranger can provoke it at will.
public final class RecordException extends Exception {
  RecordException(String message) {
    super(message, null, false, false);
  }
}
