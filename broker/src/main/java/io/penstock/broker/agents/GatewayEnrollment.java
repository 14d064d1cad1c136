package io.penstock.broker.agents;

import io.penstock.broker.keys.RowMac;
import io.penstock.broker.store.AgentKeys;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.GenerationState;
import io.penstock.broker.store.Tx;
import io.penstock.broker.tunnel.TunnelAuthority.EnrollmentAttempt;
import io.penstock.codec.message.ControlMessage.EnrollHello;
import io.penstock.codec.message.ControlMessage.EnrollRequest;
import io.penstock.codec.message.ControlMessage.HostFacts;
import io.penstock.codec.noise.PublicKey;
import io.penstock.codec.seal.GatewayTexts;
import io.penstock.codec.seal.GatewayTexts.Binding;
import io.penstock.codec.seal.Hpke;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.SignedTexts;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/// The enrollment of a gateway without a tunnel: the same tokens, rows and decisions as every
/// agent's, with a claim in the place of the handshake (`docs/gateways.md`). The token's secret is
/// never sent; what is sent is worth nothing for other keys.
final class GatewayEnrollment {
  /// No denial tells by its time what was wrong.
  private static final Duration DENIED_AFTER = Duration.ofMillis(250);

  private static final int BOOT_ID_BYTES = 16;
  private static final byte[] NOTHING = {};

  private final Database database;
  private final Identities identities;
  private final TokenDoor door;
  private final Enrollment enrollment;
  private final RowMac mac;
  private final Tampering tampering;
  private final Failures badProofs;
  private final String audience;
  private final boolean plainBearer;

  GatewayEnrollment(
      Database database,
      Identities identities,
      TokenDoor door,
      Enrollment enrollment,
      RowMac mac,
      Tampering tampering,
      String audience,
      boolean plainBearer,
      Clock clock) {
    this.database = database;
    this.identities = identities;
    this.door = door;
    this.enrollment = enrollment;
    this.mac = mac;
    this.tampering = tampering;
    this.badProofs = new Failures(clock);
    this.audience = audience;
    this.plainBearer = plainBearer;
  }

  /// @param challenge opens with the sealing key
  /// @param confirmation HMAC under the token's secret
  record Pending(AgentKeys keys, byte[] challenge, byte[] confirmation) {}

  /// Empty: denied, in the same time whatever the reason, which stands in the audit trail.
  Optional<Pending> enroll(GatewayClaim claim) {
    long begun = System.nanoTime();
    Optional<Pending> enrolled = attempt(claim);
    if (enrolled.isEmpty()) {
      LockSupport.parkNanos(DENIED_AFTER.toNanos() - (System.nanoTime() - begun));
    }
    return enrolled;
  }

  private Optional<Pending> attempt(GatewayClaim claim) {
    var hello = new EnrollHello(claim.tokenId().bytes(), "gateway");
    byte[] transcript = claim.transcript(audience);
    byte[] secret = door.secret(hello, claim.remote());
    byte[] confirmation;
    try {
      boolean holds =
          MessageDigest.isEqual(GatewayTexts.claim(secret, transcript), claim.claim().bytes());
      if (!holds) {
        door.failed(hello, claim.remote());
        return Optional.empty();
      }
      confirmation = GatewayTexts.confirmation(secret, transcript);
    } finally {
      Arrays.fill(secret, (byte) 0);
    }
    return refusal(claim)
        .map(
            why -> {
              database.run(tx -> door.refuse(tx, claim.tokenId(), claim.remote(), why));
              return Optional.<Pending>empty();
            })
        .orElseGet(() -> registered(claim, hello, transcript, confirmation));
  }

  private Optional<Denial> refusal(GatewayClaim claim) {
    if (claim.binding() == Binding.BEARER && !plainBearer) {
      return Optional.of(Denial.PLAIN_BEARER);
    }
    try {
      var _ = Hpke.seal(claim.sealingPublic(), SignedTexts.proofInfo(), NOTHING);
      return Optional.empty();
    } catch (SealException | IllegalArgumentException _) {
      return Optional.of(Denial.BAD_KEY);
    }
  }

  private Optional<Pending> registered(
      GatewayClaim claim, EnrollHello hello, byte[] transcript, byte[] confirmation) {
    byte[] hash = Octets.sha256(transcript).bytes();
    Octets unlock = GatewayTexts.unlockKey(claim.signingPublic(), claim.binding());
    var request =
        new EnrollRequest(
            claim.gateway(),
            claim.sealingPublic().bytes(),
            claim.signingPublic().bytes(),
            GatewayTexts.noBundle(),
            new HostFacts(claim.hostname(), claim.hardware(), claim.software()),
            Arrays.copyOf(claim.nonce().bytes(), BOOT_ID_BYTES),
            claim.signature().bytes());
    var attempt =
        new EnrollmentAttempt(
            hello, request, new PublicKey(unlock.bytes()), hash, hash, claim.remote());
    try {
      return enrollment.register(attempt) instanceof Enrollment.Outcome.Enrolled(AgentKeys keys)
          ? Optional.of(new Pending(keys, challenge(keys), confirmation))
          : Optional.empty();
    } catch (TamperedException found) {
      tampering.report(found);
      return Optional.empty();
    }
  }

  private byte[] challenge(AgentKeys keys) {
    return Hpke.seal(keys.identity().sealingPublic(), SignedTexts.proofInfo(), expected(keys));
  }

  /// Nobody but us can make it, and it is stored nowhere.
  private byte[] expected(AgentKeys keys) {
    return mac.of(
            "gateway challenge",
            List.of(
                keys.agent(),
                Long.toString(keys.generation()),
                keys.identity().fingerprint(),
                keys.identity().sealingPublic().hex()))
        .bytes();
  }

  /// Whether the gateway has opened what was sealed to it; without that nobody approves it.
  boolean prove(String gateway, byte[] opened, InetAddress remote) {
    byte[] target = gateway.getBytes(StandardCharsets.UTF_8);
    if (badProofs.limited(remote, target)) {
      return false;
    }
    Optional<AgentKeys> pending = pending(gateway);
    boolean right =
        pending.isPresent()
            && MessageDigest.isEqual(expected(pending.get()), opened)
            && enrollment.proven(pending.get());
    if (right) {
      badProofs.succeeded(remote, target);
    } else if (!badProofs.failed(remote, target)) {
      pending.ifPresent(keys -> enrollment.proofFailed(keys, remote.getHostAddress()));
    }
    return right;
  }

  private Optional<AgentKeys> pending(String gateway) {
    try {
      return database.transaction(tx -> pending(tx, gateway));
    } catch (TamperedException found) {
      tampering.report(found);
      return Optional.empty();
    }
  }

  private Optional<AgentKeys> pending(Tx tx, String gateway) {
    return identities.generations(tx, gateway).stream()
        .filter(keys -> keys.state() == GenerationState.PENDING)
        .filter(keys -> GatewayStandings.bindingOf(keys).isPresent())
        .findFirst();
  }
}
