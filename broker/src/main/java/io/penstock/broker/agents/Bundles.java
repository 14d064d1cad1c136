package io.penstock.broker.agents;

import io.penstock.broker.keys.Kek;
import io.penstock.broker.store.AgentKeys;
import io.penstock.broker.store.AgentKeys.Custody;
import io.penstock.broker.store.AgentKeys.NextUnlock;
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

  /// Every bundle of it under the newest KEK; the same when they are already.
  AgentKeys rewrapped(AgentKeys keys) {
    Custody old = keys.custody();
    Unlock current = rewrapped(keys, old.current());
    Optional<NextUnlock> next =
        old.next().map(it -> new NextUnlock(rewrapped(keys, it.unlock()), it.bootId()));
    var rewrapped = new Custody(current, next, old.unlockEpoch(), old.rotatedBootId());
    return rewrapped.equals(old) ? keys : keys.with(rewrapped);
  }

  private Unlock rewrapped(AgentKeys keys, Unlock unlock) {
    return unlock
        .wrappedBundle()
        .flatMap(
            wrapped ->
                kek.rewrap(context(keys.agent(), keys.generation(), unlock.dev()), wrapped.bytes()))
        .map(bytes -> new Unlock(unlock.dev(), Optional.of(Octets.of(bytes))))
        .orElse(unlock);
  }

  private static String context(String agent, long generation, Octets dev) {
    return "identity bundle " + agent + " " + generation + " " + dev.hex();
  }
}
