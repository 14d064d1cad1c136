package io.penstock.broker.keys;

import java.util.Locale;

/// Where a key stands in its life; each moves to the next and never back.
public enum KeyState {
  /// In the keyset, so that everybody knows it before it signs.
  ANNOUNCED,
  /// The one that signs, wraps or derives.
  SIGNING,
  /// Replaced; what it signed, wrapped or derived still counts.
  VERIFYING,
  /// Its secret is gone; nothing of it counts outside this broker.
  RETIRED;

  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }
}
