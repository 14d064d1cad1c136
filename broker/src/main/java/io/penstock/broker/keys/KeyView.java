package io.penstock.broker.keys;

import java.time.Instant;
import java.util.Optional;

/// One key as operators see it; nothing of it is secret.
///
/// @param createdAt empty = before it was written down
/// @param changedAt when it came into its state
public record KeyView(
    ManagedKey use,
    String kid,
    KeyState state,
    Optional<Instant> createdAt,
    Optional<Instant> changedAt) {

  static KeyView of(StoredKey key) {
    return new KeyView(
        key.use(),
        key.kid(),
        key.state(),
        instant(key.createdMillis()),
        instant(key.changedMillis()));
  }

  private static Optional<Instant> instant(long millis) {
    return millis == 0 ? Optional.empty() : Optional.of(Instant.ofEpochMilli(millis));
  }
}
