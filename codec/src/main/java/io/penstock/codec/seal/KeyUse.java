package io.penstock.codec.seal;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;

/// What the root lets a key of the keyset sign.
public enum KeyUse {
  NODE_ISSUER("node"),
  RECORD("record"),
  CONFIGURATION("configuration"),
  CHECKPOINT("checkpoint"),
  /// A use this version does not know: the key is carried and never asked.
  UNKNOWN("unknown");

  private final String text;

  KeyUse(String text) {
    this.text = text;
  }

  @JsonValue
  public String text() {
    return text;
  }

  @JsonCreator
  static KeyUse fromText(String text) {
    return Arrays.stream(values()).filter(use -> use.text.equals(text)).findFirst().orElse(UNKNOWN);
  }
}
