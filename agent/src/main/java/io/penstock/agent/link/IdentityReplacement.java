package io.penstock.agent.link;

import io.penstock.agent.identity.Identity;
import io.penstock.agent.identity.IdentityBundle;
import io.penstock.codec.message.ControlMessage.IdentityNext;
import io.penstock.codec.message.ControlMessage.IdentityStored;
import io.penstock.codec.seal.SignedTexts;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Gives the agent new identity keys (`docs/keys.md`): the old ones sign them over, the broker
/// stores the new bundle and record in one transaction. Nothing of it is on the agent's disk, so a
/// process that dies anywhere in here comes back with whatever bundle the broker then holds.
///
/// No dial and no rotation of the unlock secret runs meanwhile: a READY by keys that were just
/// replaced would look like somebody else's.
final class IdentityReplacement {
  private final Identity identity;
  private final UnlockGate gate;
  private final byte[] handshakeHash;

  /// @param handshakeHash after message 3 of the session that it goes through
  IdentityReplacement(Identity identity, UnlockGate gate, byte[] handshakeHash) {
    this.identity = identity;
    this.gate = gate;
    this.handshakeHash = handshakeHash.clone();
  }

  /// Once for each instruction: one that comes again finds its keys in force.
  ///
  /// @param held opened in this session
  /// @param instruction id of the one that asks for new keys
  Optional<String> replace(
      Session session, IdentityBundle held, String instruction, Duration within)
      throws InterruptedException {
    if (!gate.rotating().tryLock(within.toNanos(), TimeUnit.NANOSECONDS)) {
      return Optional.of("a tunnel is being opened; try again");
    }
    try {
      if (identity.isRotatedFor(instruction)) {
        return Optional.empty();
      }
      Identity.Successor next = identity.successor(held, instruction);
      IdentityStored stored =
          session.identityNext(request(held, next)).get(within.toNanos(), TimeUnit.NANOSECONDS);
      if (stored.refusal() == null) {
        identity.replacedBy(next);
      }
      return Optional.ofNullable(stored.refusal());
    } catch (TimeoutException _) {
      return Optional.of(
          "expected the broker's answer within "
              + within.toSeconds()
              + " s; the next tunnel tells whether it stored them");
    } catch (ExecutionException _) {
      return Optional.of("the tunnel is gone; the next one tells whether the broker stored them");
    } finally {
      gate.rotating().unlock();
    }
  }

  private IdentityNext request(IdentityBundle held, Identity.Successor next) {
    byte[] sealing = next.bundle().sealing().publicKey().bytes();
    byte[] signing = next.bundle().signing().verifyingKey().octets().bytes();
    byte[] text = SignedTexts.identityNext(handshakeHash, sealing, signing, next.innerBundle());
    return new IdentityNext(
        next.unlockEpoch(),
        sealing,
        signing,
        next.innerBundle(),
        held.signing().sign(text),
        next.bundle().signing().sign(text));
  }
}
