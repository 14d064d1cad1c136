package io.penstock.agent.link;

import io.penstock.codec.message.ControlMessage.OwnerKeys;
import io.penstock.codec.message.ControlMessage.TestReport;
import io.penstock.codec.seal.Octets;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/// Where heads, documents and instructions of the broker go. No method blocks.
public interface ConfigurationTarget {

  /// Digest of the versions applied, for the broker to compare. Empty = nobody keeps any here.
  Optional<Octets> stateDigest();

  /// A tunnel serves from now on.
  ///
  /// @param head signed head manifest of WELCOME; empty = the broker has none
  void admitted(ConfigurationLine line, Optional<String> head);

  /// The head manifest again, newly signed. False: too much waits already.
  boolean head(ConfigurationLine line, String head);

  /// The owner's keys have changed; what was signed by the new ones comes after it. False: too much
  /// waits already.
  boolean ownerKeys(ConfigurationLine line, OwnerKeys keys);

  /// A MESSAGE, which [ConfigurationLine#receipt] answers. False: too much waits already, the
  /// broker has to send it again.
  boolean message(ConfigurationLine line, long sequence, byte[] body);

  void lost(ConfigurationLine line);

  /// "Can you reach it?" Empty = no such system or version here. Never fails.
  CompletableFuture<Optional<TestReport>> test(
      ConfigurationLine line, String system, Optional<Long> version);

  /// This agent is no more: nothing of its configuration stays in memory, and nothing is written
  /// any more once this returns.
  void wipe();

  /// For an agent that takes no configuration.
  enum None implements ConfigurationTarget {
    INSTANCE;

    @Override
    public Optional<Octets> stateDigest() {
      return Optional.empty();
    }

    @Override
    public void admitted(ConfigurationLine line, Optional<String> head) {}

    @Override
    public boolean head(ConfigurationLine line, String head) {
      return true;
    }

    @Override
    public boolean ownerKeys(ConfigurationLine line, OwnerKeys keys) {
      return true;
    }

    @Override
    public boolean message(ConfigurationLine line, long sequence, byte[] body) {
      return true;
    }

    @Override
    public void lost(ConfigurationLine line) {}

    @Override
    public CompletableFuture<Optional<TestReport>> test(
        ConfigurationLine line, String system, Optional<Long> version) {
      return CompletableFuture.completedFuture(Optional.empty());
    }

    @Override
    public void wipe() {}
  }
}
