package io.penstock.agent.link;

import java.util.Locale;

/// How far a dial came: each stage has its own deadline, and a failure is shown with its stage.
public enum Stage {
  DNS("DNS"),
  TCP("TCP"),
  PROXY("proxy"),
  TLS("TLS"),
  UPGRADE("upgrade"),
  HANDSHAKE("handshake"),
  /// The broker knows who dials, and says no.
  POLICY("policy"),
  /// Dialled and admitted; the tunnel broke later.
  SESSION("session");

  private final String text;

  Stage(String text) {
    this.text = text;
  }

  /// As in log lines.
  public String text() {
    return text;
  }

  /// As in metric labels.
  public String label() {
    return text.toLowerCase(Locale.ROOT);
  }
}
