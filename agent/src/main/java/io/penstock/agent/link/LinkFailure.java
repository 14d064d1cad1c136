package io.penstock.agent.link;

import io.penstock.codec.ErrorCode;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A dial or a tunnel that failed: the stage, and a text for the log that names the expected and
/// the found and never holds a secret.
public final class LinkFailure extends Exception {
  private static final int MAX_PEER_TEXT = 200;

  private final Stage stage;
  private final @Nullable ErrorCode code;
  private final @Nullable Duration retryAfter;
  private final boolean wiped;

  private LinkFailure(
      Stage stage,
      String message,
      @Nullable ErrorCode code,
      @Nullable Duration retryAfter,
      boolean wiped) {
    super(message, null, false, false);
    this.stage = stage;
    this.code = code;
    this.retryAfter = retryAfter;
    this.wiped = wiped;
  }

  static LinkFailure at(Stage stage, String message) {
    return new LinkFailure(stage, message, null, null, false);
  }

  static LinkFailure retryable(Stage stage, String message, Duration retryAfter) {
    return new LinkFailure(stage, message, null, retryAfter, false);
  }

  /// The broker refused with a code of `docs/protocol.md`, section 7.
  static LinkFailure refused(Stage stage, ErrorCode code, int retryAfterMs, String text) {
    return new LinkFailure(
        stage,
        "the broker closed with " + code + (text.isEmpty() ? "" : " (" + printable(text) + ")"),
        code,
        retryAfterMs > 0 ? Duration.ofMillis(retryAfterMs) : null,
        false);
  }

  /// A signed revocation came.
  static LinkFailure revoked(String message, boolean wiped) {
    return new LinkFailure(Stage.POLICY, message, ErrorCode.REVOKED, null, wiped);
  }

  /// Whether nothing of the identity is left.
  boolean isWiped() {
    return wiped;
  }

  public Stage stage() {
    return stage;
  }

  public Optional<ErrorCode> code() {
    return Optional.ofNullable(code);
  }

  /// What the broker asked for; wins over our own backoff.
  public Optional<Duration> retryAfter() {
    return Optional.ofNullable(retryAfter);
  }

  /// Trying again is pointless.
  public boolean isForGood() {
    return code != null && code.ends() == ErrorCode.Ends.AGENT;
  }

  public String text() {
    return String.valueOf(getMessage());
  }

  /// A peer's words, fit for one line of a log.
  static String printable(@Nullable String text) {
    if (text == null) {
      return "";
    }
    var safe = new StringBuilder();
    text.chars()
        .limit(MAX_PEER_TEXT)
        .forEach(c -> safe.append(c >= 0x20 && c < 0x7f ? (char) c : '?'));
    return safe.toString();
  }
}
