package io.penstock.broker.agents;

import io.penstock.broker.store.AgentKeys;
import io.penstock.broker.tunnel.ControlChannel;
import io.penstock.broker.tunnel.TunnelRefused;
import io.penstock.codec.message.ControlMessage.ProofAnswer;
import io.penstock.codec.message.ControlMessage.ProofChallenge;
import io.penstock.codec.seal.Hpke;
import io.penstock.codec.seal.SignedTexts;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Duration;

/// Has a pending agent open something that was sealed to its sealing key, so that nobody approves a
/// key that nobody holds (`docs/protocol.md`, section 2).
final class Proof {
  private static final int CHALLENGE_BYTES = 32;
  private static final Duration WITHIN = Duration.ofSeconds(30);

  private final SecureRandom random;

  Proof(SecureRandom random) {
    this.random = random;
  }

  boolean given(AgentKeys keys, ControlChannel channel) throws TunnelRefused {
    byte[] challenge = new byte[CHALLENGE_BYTES];
    random.nextBytes(challenge);
    channel.send(
        new ProofChallenge(
            Hpke.seal(keys.identity().sealingPublic(), SignedTexts.proofInfo(), challenge)));
    return MessageDigest.isEqual(challenge, channel.receive(ProofAnswer.class, WITHIN).opened());
  }
}
