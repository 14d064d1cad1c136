package io.penstock.broker.agents;

import io.penstock.broker.keys.Kek;
import io.penstock.broker.store.AgentKeys;
import io.penstock.broker.store.AgentKeys.Unlock;
import io.penstock.codec.noise.PublicKey;
import io.penstock.codec.seal.Octets;
import java.util.Optional;

/// The cloud's half of split custody: the inner bundle, which only the agent's unlock secret opens,
/// wrapped once more under the KEK. The wrap holds for one agent, generation and dev key only.
final class Bundles {
  private final Kek kek;

  Bundles(Kek kek) {
    this.kek = kek;
  }

  Unlock wrap(String agent, long generation, PublicKey dev, byte[] inner) {
    Octets key = Octets.of(dev.bytes());
    return new Unlock(
        key, Optional.of(Octets.of(kek.wrap(context(agent, generation, key), inner))));
  }

  byte[] unwrap(AgentKeys keys, Unlock unlock) {
    Octets wrapped =
        unlock
            .wrappedBundle()
            .orElseThrow(() -> new TamperedException(keys.agent(), "the identity bundle is gone"));
    return kek.unwrap(context(keys.agent(), keys.generation(), unlock.dev()), wrapped.bytes());
  }

  private static String context(String agent, long generation, Octets dev) {
    return "identity bundle " + agent + " " + generation + " " + dev.hex();
  }
}
