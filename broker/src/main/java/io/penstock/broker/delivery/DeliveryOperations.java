package io.penstock.broker.delivery;

import io.penstock.broker.access.Actor;
import io.penstock.codec.message.DeliveryMessage.InstructionKind;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What operators see of messages and do with instructions. Blocks.
public interface DeliveryOperations {
  /// Longest time after which an instruction may still make sense.
  Duration MAX_EXPIRY = Duration.ofDays(365);

  /// In order, at most `limit` from after sequence `after` on. Empty: no such agent.
  Optional<List<MessageView>> messages(String agent, long after, int limit);

  /// @param system the one it is about; empty = the agent
  Outcome instruct(
      String agent,
      InstructionKind kind,
      Optional<String> system,
      Optional<Duration> expiresIn,
      Actor by);

  /// How many messages wait, by agent; agents without any are left out.
  Map<String, Long> undelivered();

  /// How an instruction was taken.
  sealed interface Outcome {
    /// @param id the same for every delivery of it, and in audit
    record Queued(long sequence, String id) implements Outcome {}

    record UnknownAgent() implements Outcome {}

    /// @param state the agent's state, in which nothing is delivered to it
    record WrongState(String state) implements Outcome {}

    record QueueFull(int limit, int found) implements Outcome {}
  }

  /// One message that waits.
  ///
  /// @param kind `configuration`, `removal`, or an instruction's
  /// @param sent when it last went out on the session that is live now; empty = it waits here
  /// @param why it waits, in words
  record MessageView(
      long sequence,
      String kind,
      Optional<String> system,
      Optional<Long> version,
      String author,
      Instant createdAt,
      Optional<Instant> sent,
      long attempts,
      Optional<Instant> expiresAt,
      String why) {}
}
