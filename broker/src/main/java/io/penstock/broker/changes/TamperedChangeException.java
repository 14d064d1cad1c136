package io.penstock.broker.changes;

import java.util.UUID;

/// A change is not as a broker wrote it. Who catches it raises the alarm, in a transaction of its
/// own.
final class TamperedChangeException extends RuntimeException {
  private final UUID id;

  TamperedChangeException(UUID id) {
    super("the change " + id + " is not as a broker wrote it");
    this.id = id;
  }

  UUID id() {
    return id;
  }
}
