package io.penstock.broker.agents;

import io.penstock.broker.keys.BrokerKeys;
import io.penstock.broker.tunnel.TunnelAuthority.NodeCredentials;
import io.penstock.codec.message.ControlMessage.CrossSignature;
import io.penstock.codec.noise.StaticKeyPair;
import io.penstock.codec.seal.Octets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What this node shows of itself: a static key that lives in memory only and is certified for 24
/// hours, made anew after half of them. [#current] never blocks; [#renewWhenDue] is called by the
/// upkeep.
final class NodeIdentity {
  private static final Duration RENEW_AFTER = Duration.ofHours(12);

  private final BrokerKeys keys;
  private final String node;
  private final Clock clock;
  private volatile Certified certified;

  private record Certified(NodeCredentials credentials, Instant since) {}

  NodeIdentity(BrokerKeys keys, String node, Clock clock) {
    this.keys = keys;
    this.node = node;
    this.clock = clock;
    this.certified = certify();
  }

  NodeCredentials current() {
    return certified.credentials();
  }

  void renewWhenDue() {
    boolean keysetRenewed = !keys.keysetJws().equals(certified.credentials().keyset());
    if (keysetRenewed || !clock.instant().isBefore(certified.since().plus(RENEW_AFTER))) {
      certified = certify();
    }
  }

  /// The owner's keys have changed.
  void renew() {
    certified = certify();
  }

  /// Null = there are none, and the wire says nothing of them.
  static @Nullable List<CrossSignature> crossSignatures(BrokerKeys.Owner owner) {
    return owner.rootLinks().isEmpty()
        ? null
        : owner.rootLinks().stream()
            .map(link -> new CrossSignature(link.root().octets().bytes(), link.jws()))
            .toList();
  }

  private Certified certify() {
    StaticKeyPair pair = StaticKeyPair.generate();
    BrokerKeys.Owner owner = keys.owner();
    var credentials =
        new NodeCredentials(
            pair,
            keys.certifyNode(node, Octets.of(pair.publicKey().bytes())),
            owner.keysetJws(),
            owner.root().octets().bytes(),
            crossSignatures(owner));
    return new Certified(credentials, clock.instant());
  }
}
