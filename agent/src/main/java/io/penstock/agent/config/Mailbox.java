package io.penstock.agent.config;

import io.penstock.agent.identity.IdentityException;
import io.penstock.agent.link.ConfigurationLine;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.message.ControlMessage.OwnerKeys;
import io.penstock.codec.message.DeliveryMessage;
import io.penstock.codec.message.DeliveryReceipt;
import io.penstock.codec.message.Messages;
import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Opens messages and heads, and hands them on. Of the configuration's thread.
final class Mailbox {
  private static final Logger LOG = LoggerFactory.getLogger("agent");

  private final NewestHead newest;
  private final Freshness freshness;
  private final Lanes lanes;
  private final Instructions instructions;

  Mailbox(NewestHead newest, Freshness freshness, Lanes lanes, Instructions instructions) {
    this.newest = newest;
    this.freshness = freshness;
    this.lanes = lanes;
    this.instructions = instructions;
  }

  /// Of a tunnel that was just admitted.
  void admitted(ConfigurationLine line, Optional<String> head) {
    head.ifPresent(it -> offer(line, it));
    lanes.admitted();
  }

  void head(ConfigurationLine line, String jws) {
    offer(line, jws);
    lanes.headShown();
  }

  /// Older ones than these stay in force when they do not hold: nothing that they signed is lost.
  void ownerKeys(ConfigurationLine line, OwnerKeys keys) {
    try {
      line.learn(keys);
      newest.shown(line.keyset());
      LOG.info("the owner's keys are those of keyset version {}", line.keyset().version());
    } catch (IdentityException broken) {
      LOG.warn("keys that a tunnel showed are not accepted: {}", broken.getMessage());
    } catch (IOException disk) {
      LOG.warn("cannot store what is known of the owner's keys: {}", disk.toString());
    }
  }

  void message(ConfigurationLine line, long sequence, byte[] body) {
    if (!line.isOpen()) {
      // It comes again on another tunnel.
      return;
    }
    Optional<DeliveryMessage> known;
    try {
      known = Messages.decodeDelivery(body);
    } catch (ProtocolException malformed) {
      LOG.warn("a message is not understood: {}", malformed.getMessage());
      line.receipt(sequence, DeliveryReceipt.result("malformed"));
      return;
    }
    if (known.isEmpty()) {
      line.receipt(sequence, DeliveryReceipt.result(DeliveryReceipt.UNKNOWN));
      return;
    }
    switch (known.get()) {
      case DeliveryMessage.Configuration it -> {
        Optional<Refusal> badHead = offer(line, it.head());
        lanes.ask(
            new Asked(line, sequence, it.system(), it.version(), false, it.document(), badHead));
        follow(it.head());
      }
      case DeliveryMessage.Head it -> {
        Optional<Refusal> badHead = offer(line, it.head());
        lanes.ask(new Asked(line, sequence, it.system(), it.version(), true, null, badHead));
        follow(it.head());
      }
      case DeliveryMessage.Instruction it -> instructions.follow(line, sequence, it);
    }
  }

  /// What else the head of a message says.
  private void follow(@Nullable String head) {
    if (head != null) {
      lanes.headShown();
    }
  }

  private Optional<Refusal> offer(ConfigurationLine line, @Nullable String jws) {
    if (jws == null) {
      return Optional.empty();
    }
    Optional<Refusal> refusal = newest.offer(line, jws);
    refusal.ifPresent(it -> LOG.warn("a head is not accepted: {}", it));
    freshness.check();
    return refusal;
  }
}
