package io.penstock.agent.config;

import io.penstock.agent.config.Preparation.RefusedException;
import io.penstock.agent.link.ConfigurationLine;
import io.penstock.agent.link.LinkFailure;
import io.penstock.codec.message.ConfigurationDocument;
import io.penstock.codec.message.ControlMessage.Rewrapped;
import io.penstock.codec.seal.ConfigurationHeader;
import io.penstock.codec.seal.HeldVersion;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.SealedFor;
import io.penstock.codec.seal.SealedSecrets;
import io.penstock.codec.seal.SealedSecrets.Wrap;
import io.penstock.codec.seal.SealingKey;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// After this agent got new identity keys: what runs and was opened by a former sealing key is
/// wrapped to the present one, so that the former one may be forgotten (`docs/keys.md`). Asked for
/// once a tunnel; what is lost is asked for on the next. Of the configuration's thread.
final class Rewrapping {
  private static final Logger LOG = LoggerFactory.getLogger("agent");

  private final Deployments deployments;
  private final Workshop workshop;
  private final Map<String, HeldVersion> asked = new HashMap<>();
  private boolean underWay;

  Rewrapping(Deployments deployments, Workshop workshop) {
    this.deployments = deployments;
    this.workshop = workshop;
  }

  void admitted() {
    asked.clear();
  }

  void attend(Optional<ConfigurationLine> line) {
    // One key: it was never replaced.
    line.filter(it -> it.sealing().size() > 1).ifPresent(this::lookAround);
  }

  private void lookAround(ConfigurationLine line) {
    if (underWay) {
      return;
    }
    Octets present = recipient(line.sealing().getFirst());
    deployments.all().stream()
        .filter(it -> it.opened().openedBy().filter(by -> !by.equals(present)).isPresent())
        .filter(it -> !it.held().equals(asked.get(it.system())))
        .findFirst()
        .ifPresent(it -> begin(line, it));
  }

  /// One after the other: a broker hands out few documents at once, and deployments come first.
  private void begin(ConfigurationLine line, Prepared next) {
    asked.put(next.system(), next.held());
    underWay = true;
    workshop.begin(
        next.system(),
        () -> {
          Runnable settlement = rewrapped(line, next);
          return () -> {
            underWay = false;
            settlement.run();
          };
        });
  }

  private static Octets recipient(SealingKey key) {
    return SealedSecrets.recipientOf(key.publicKey());
  }

  /// Blocks for the document, which was forgotten once it was opened.
  private static Runnable rewrapped(ConfigurationLine line, Prepared running) {
    try {
      Optional<ConfigurationDocument> document =
          line.fetch(running.system(), running.held().version(), Attempts.FETCH_WITHIN);
      Optional<Rewrapped> told =
          document.isPresent() ? rewrap(running, document.get(), line.sealing()) : Optional.empty();
      return () -> told.ifPresent(it -> tell(line, it));
    } catch (LinkFailure broken) {
      LOG.info("{}: not wrapped to the new sealing key yet: {}", running.system(), broken.text());
    } catch (RefusedException | SealException foreign) {
      LOG.warn(
          "{}: cannot be wrapped to the new sealing key: {}",
          running.system(),
          foreign.getMessage());
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
    return () -> {};
  }

  private static void tell(ConfigurationLine line, Rewrapped told) {
    line.rewrapped(told);
    LOG.info("{}: version {} is wrapped to the new sealing key", told.system(), told.version());
  }

  /// Empty: it is for the present key already, or another document than the one that runs.
  private static Optional<Rewrapped> rewrap(
      Prepared running, ConfigurationDocument document, List<SealingKey> keys)
      throws RefusedException {
    byte[] json = document.sealed();
    Octets header = ConfigurationHeader.hashOf(document.header());
    if (json == null || !header.equals(running.held().headerSha256())) {
      return Optional.empty();
    }
    SealedSecrets sealed = SealedSecrets.fromJson(json);
    SealingKey present = keys.getFirst();
    Optional<SealingKey> by = sealed.keyFor(keys).filter(key -> !key.equals(present));
    if (by.isEmpty()) {
      return Optional.empty();
    }
    SealedFor owner = Preparation.owner(running.opened().header(), running.opened().settings());
    Wrap wrap =
        sealed
            .rewrap(by.get(), owner, present.publicKey())
            .wrapFor(present.publicKey())
            .orElseThrow();
    return Optional.of(
        new Rewrapped(
            running.system(),
            running.held().version(),
            header.bytes(),
            recipient(by.get()).bytes(),
            wrap.recipient().bytes(),
            wrap.sealed().bytes()));
  }
}
