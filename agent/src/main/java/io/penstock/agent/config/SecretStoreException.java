package io.penstock.agent.config;

/// A store of secrets that cannot be asked now.
final class SecretStoreException extends Exception {
  SecretStoreException(String message) {
    super(message, null, false, false);
  }

  String text() {
    return String.valueOf(getMessage());
  }
}
