package io.penstock.broker.api;

import io.penstock.broker.access.Actor;
import io.penstock.broker.delivery.DeliveryOperations;
import io.penstock.codec.message.DeliveryMessage.InstructionKind;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Delivery for tests of other routes: nobody waits for anything.
final class NoMessages implements DeliveryOperations {
  @Override
  public Optional<List<MessageView>> messages(String agent, long after, int limit) {
    return Optional.empty();
  }

  @Override
  public Outcome instruct(
      String agent,
      InstructionKind kind,
      Optional<String> system,
      Optional<Duration> expiresIn,
      Actor by) {
    return new Outcome.UnknownAgent();
  }

  @Override
  public Map<String, Long> undelivered() {
    return Map.of();
  }
}
