package io.penstock.agent.link;

import io.penstock.codec.ErrorCode;
import io.penstock.codec.message.ControlMessage;
import org.jspecify.annotations.Nullable;

/// What a session tells its slot's thread.
sealed interface SessionEvent {
  record Control(ControlMessage message) implements SessionEvent {}

  /// The broker goes away.
  record Drain(int spreadMs, int drainMs) implements SessionEvent {}

  /// The broker's operator ends this agent: nothing of it stays.
  record Wipe() implements SessionEvent {}

  /// The last event.
  ///
  /// @param code null = the connection broke without a word
  /// @param byPeer the broker said CLOSE
  record Ended(@Nullable ErrorCode code, int retryAfterMs, String text, boolean byPeer)
      implements SessionEvent {

    LinkFailure failure(Stage stage) {
      return code != null && byPeer
          ? LinkFailure.refused(stage, code, retryAfterMs, text)
          : LinkFailure.at(stage, text);
    }
  }
}
