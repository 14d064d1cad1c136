package io.penstock.agent.link;

import io.penstock.agent.identity.BrokerTrust;
import io.penstock.agent.identity.Identity;
import io.penstock.agent.identity.IdentityException;
import io.penstock.codec.message.ControlMessage.NodeHello;
import io.penstock.codec.message.ControlMessage.OwnerKeys;
import io.penstock.codec.noise.PublicKey;
import io.penstock.codec.seal.Keyset;
import java.io.IOException;

/// The owner's keys as one tunnel knows them: those of its handshake, or newer ones that the broker
/// has shown since. What holds is remembered in the identity before it counts. Any thread.
final class OwnerTrust {
  private final Identity identity;
  private final ServerTime serverTime;
  private volatile Keyset keyset;

  private OwnerTrust(Identity identity, ServerTime serverTime, Keyset keyset) {
    this.identity = identity;
    this.serverTime = serverTime;
    this.keyset = keyset;
  }

  /// Of message 2.
  static OwnerTrust of(NodeHello hello, PublicKey shownStaticKey, Identity identity)
      throws IdentityException, IOException {
    BrokerTrust.Pin pin = identity.pin();
    BrokerTrust.Shown shown = BrokerTrust.verify(hello, shownStaticKey, pin);
    identity.ownerSeen(pin, shown.pin());
    return new OwnerTrust(
        identity, new ServerTime(hello.serverTimeMs(), System.nanoTime()), shown.keyset());
  }

  Keyset keyset() {
    return keyset;
  }

  ServerTime serverTime() {
    return serverTime;
  }

  /// The broker shows newer keys on this tunnel.
  synchronized void learn(OwnerKeys keys) throws IdentityException, IOException {
    BrokerTrust.Pin pin = identity.pin();
    BrokerTrust.Shown shown = BrokerTrust.verify(keys, pin, serverTime.now());
    identity.ownerSeen(pin, shown.pin());
    keyset = shown.keyset();
  }
}
