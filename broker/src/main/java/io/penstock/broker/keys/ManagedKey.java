package io.penstock.broker.keys;

import io.penstock.codec.seal.KeyUse;
import java.util.Arrays;
import java.util.Optional;

/// The owner's keys by what they are for (`docs/keys.md`).
public enum ManagedKey {
  ROOT("root", true),
  NODE_ISSUER("node-issuer", true),
  RECORD("record", true),
  CONFIGURATION("configuration", true),
  CHECKPOINT("checkpoint", true),
  JWT("jwt", true),
  KEK("kek", false),
  ENROLL_ROOT("enroll-root", false),
  ROW_MAC("row-mac", false);

  private final String text;
  private final boolean signs;

  ManagedKey(String text, boolean signs) {
    this.text = text;
    this.signs = signs;
  }

  /// As commands and the API write it.
  public String text() {
    return text;
  }

  /// An Ed25519 key; the others are secrets of 32 bytes.
  boolean signs() {
    return signs;
  }

  /// What the keyset calls it; empty for keys that are none of the keyset's.
  public Optional<KeyUse> inKeyset() {
    return switch (this) {
      case NODE_ISSUER -> Optional.of(KeyUse.NODE_ISSUER);
      case RECORD -> Optional.of(KeyUse.RECORD);
      case CONFIGURATION -> Optional.of(KeyUse.CONFIGURATION);
      case CHECKPOINT -> Optional.of(KeyUse.CHECKPOINT);
      case ROOT, JWT, KEK, ENROLL_ROOT, ROW_MAC -> Optional.empty();
    };
  }

  /// What its key ids begin with: in signed documents the keyset's word for the use.
  String idPrefix() {
    return inKeyset().map(KeyUse::text).orElse(text);
  }

  public static Optional<ManagedKey> of(String text) {
    return Arrays.stream(values()).filter(key -> key.text.equals(text)).findFirst();
  }
}
