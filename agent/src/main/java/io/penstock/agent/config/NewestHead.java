package io.penstock.agent.config;

import io.penstock.agent.link.ConfigurationLine;
import io.penstock.codec.seal.HeadManifest;
import io.penstock.codec.seal.Keyset;
import io.penstock.codec.seal.Receipt.Reason;
import io.penstock.codec.seal.SealException;
import java.io.IOException;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The newest head manifest that this agent has accepted, and the newest keyset that judges.
/// Changed by the configuration's thread, asked by any.
final class NewestHead {
  private static final Logger LOG = LoggerFactory.getLogger(NewestHead.class);

  private final StateKeeper keeper;
  private volatile @Nullable Keyset keyset;
  private volatile @Nullable HeadManifest head;

  NewestHead(StateKeeper keeper) {
    this.keeper = keeper;
  }

  Optional<HeadManifest> get() {
    return Optional.ofNullable(head);
  }

  Optional<Keyset> keyset() {
    return Optional.ofNullable(keyset);
  }

  /// A process that has seen no head yet is not stale, it has nothing.
  boolean isStaleAt(Instant serverTime) {
    HeadManifest newest = head;
    return newest != null && newest.isExpiredAt(serverTime);
  }

  void shown(Keyset other) {
    Keyset known = keyset;
    if (known == null || other.version() >= known.version()) {
      keyset = other;
    }
  }

  /// Empty: it is the newest now, or an older one, which a message may bring and which counts for
  /// nothing.
  Optional<Refusal> offer(ConfigurationLine line, String jws) {
    Keyset judging = keyset;
    if (judging == null) {
      judging = line.keyset();
    }
    HeadManifest offered;
    try {
      offered = HeadManifest.verify(jws, judging);
    } catch (SealException forged) {
      return refused(Reason.BAD_SIGNATURE, "head: " + forged.getMessage());
    }
    if (!offered.agent().equals(line.agent())) {
      return refused(Reason.WRONG_AGENT, "head: it names another agent");
    }
    if (offered.incarnation() > judging.incarnation()) {
      return refused(
          Reason.BAD_SIGNATURE,
          "head: expected incarnation "
              + judging.incarnation()
              + ", which the root has signed, found "
              + offered.incarnation());
    }
    Optional<Refusal> wrong = learnGeneration(line, offered);
    if (wrong.isPresent()) {
      return wrong;
    }
    AppliedState state = keeper.state();
    if (offered.isOlderThan(state.incarnation(), state.sequence())) {
      LOG.warn(
          "a head older than the newest was shown: expected {}/{} or newer, found {}/{}",
          state.incarnation(),
          state.sequence(),
          offered.incarnation(),
          offered.sequence());
      return Optional.empty();
    }
    head = offered;
    keeper.change(state.withHead(offered, judging.version()));
    return Optional.empty();
  }

  private static Optional<Refusal> learnGeneration(ConfigurationLine line, HeadManifest offered) {
    try {
      line.learned(offered.generation());
    } catch (IOException disk) {
      return refused(Reason.WRONG_GENERATION, "head: this agent cannot store its generation");
    }
    return line.generation() == offered.generation()
        ? Optional.empty()
        : refused(
            Reason.WRONG_GENERATION,
            "head: expected generation " + line.generation() + ", found " + offered.generation());
  }

  private static Optional<Refusal> refused(Reason reason, String detail) {
    return Optional.of(new Refusal(reason, detail));
  }
}
