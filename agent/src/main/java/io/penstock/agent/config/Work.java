package io.penstock.agent.config;

import io.penstock.agent.link.ConfigurationLine;
import io.penstock.agent.plugin.SystemInstance;
import io.penstock.codec.message.ControlMessage.OwnerKeys;
import java.util.Optional;

/// What waits for the configuration's thread.
sealed interface Work {
  record Admitted(ConfigurationLine line, Optional<String> head) implements Work {}

  record Lost(ConfigurationLine line) implements Work {}

  record Head(ConfigurationLine line, String head) implements Work {}

  record OwnersKeys(ConfigurationLine line, OwnerKeys keys) implements Work {}

  record Message(ConfigurationLine line, long sequence, byte[] body) implements Work {}

  /// [Workshop] is done with a piece of one system's work.
  record Done(String system, Runnable settlement) implements Work {}

  /// Wakes the thread, which sees that it is over.
  record Stop() implements Work {}

  record InstanceFailed(String system, SystemInstance instance) implements Work {}
}
