package io.penstock.broker.store;

import io.penstock.codec.seal.Octets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// One row of `agent_generations`: the keys of one enrollment, and how it came to be trusted.
///
/// @param expiresAt a pending row is gone after this
public record AgentKeys(
    String agent,
    long generation,
    GenerationState state,
    Custody custody,
    Identity identity,
    Place place,
    Origin origin,
    Optional<Approval> approval,
    Instant expiresAt,
    Octets mac) {

  /// A registered unlock key and the bundle that belongs to it: encrypted under the agent's secret,
  /// wrapped again by us, gone once revoked.
  public record Unlock(Octets dev, Optional<Octets> wrappedBundle) {}

  /// What UNLOCK_NEXT stored and no UNLOCK_COMMIT has put in force yet.
  public record NextUnlock(Unlock unlock, Octets bootId) {}

  /// Which unlock secrets open the identity.
  ///
  /// @param rotatedBootId the last process of the agent whose rotation is done
  public record Custody(
      Unlock current, Optional<NextUnlock> next, long unlockEpoch, Optional<Octets> rotatedBootId) {

    public static Custody first(Unlock unlock) {
      return new Custody(unlock, Optional.empty(), 0, Optional.empty());
    }

    public Custody stored(NextUnlock following) {
      return new Custody(current, Optional.of(following), unlockEpoch, rotatedBootId);
    }

    /// The same unlock key opens another bundle.
    public Custody rewrapped(Octets wrappedBundle) {
      return new Custody(
          new Unlock(current.dev(), Optional.of(wrappedBundle)), next, unlockEpoch, rotatedBootId);
    }

    /// Next becomes current.
    public Custody committed() {
      NextUnlock now = next.orElseThrow();
      return new Custody(
          now.unlock(), Optional.empty(), unlockEpoch + 1, Optional.of(now.bootId()));
    }

    /// The same keys without bundles: they can be recognised and open nothing.
    public Custody emptied() {
      return new Custody(
          new Unlock(current.dev(), Optional.empty()),
          next.map(n -> new NextUnlock(new Unlock(n.unlock().dev(), Optional.empty()), n.bootId())),
          unlockEpoch,
          rotatedBootId);
    }
  }

  /// @param proofAt when the agent had opened something sealed to its sealing key
  public record Identity(
      Octets sealingPublic, Octets signingPublic, String fingerprint, Optional<Instant> proofAt) {
    public Identity provenAt(Instant at) {
      return new Identity(sealingPublic, signingPublic, fingerprint, Optional.of(at));
    }

    /// The same two keys, proven or not.
    public boolean isSameAs(Identity other) {
      return sealingPublic.equals(other.sealingPublic) && signingPublic.equals(other.signingPublic);
    }

    /// The fingerprint stays: it is that of the enrollment, which the old keys vouch for.
    public Identity withKeys(Octets sealing, Octets signing) {
      return new Identity(sealing, signing, fingerprint, proofAt);
    }
  }

  /// What the token gave: where the agent serves, and from where it may come.
  public record Place(String site, Map<String, String> labels, List<String> allowedCidrs) {
    public Place {
      labels = Map.copyOf(labels);
      allowedCidrs = List.copyOf(allowedCidrs);
    }

    public Place withLabels(Map<String, String> others) {
      return new Place(site, others, allowedCidrs);
    }
  }

  public record Origin(
      String method,
      Optional<Octets> tokenId,
      Instant at,
      String from,
      Octets bootId,
      Map<String, String> hostFacts) {
    public Origin {
      hostFacts = Map.copyOf(hostFacts);
    }
  }

  public record Approval(String by, Instant at, String recordJws) {
    /// The same decision, its record signed anew.
    public Approval signedAnew(String jws) {
      return new Approval(by, at, jws);
    }
  }

  public AgentKeys with(GenerationState next) {
    return new AgentKeys(
        agent, generation, next, custody, identity, place, origin, approval, expiresAt, mac);
  }

  public AgentKeys with(Custody next) {
    return new AgentKeys(
        agent, generation, state, next, identity, place, origin, approval, expiresAt, mac);
  }

  public AgentKeys with(Identity next) {
    return new AgentKeys(
        agent, generation, state, custody, next, place, origin, approval, expiresAt, mac);
  }

  public AgentKeys with(Place next) {
    return new AgentKeys(
        agent, generation, state, custody, identity, next, origin, approval, expiresAt, mac);
  }

  public AgentKeys with(Approval next) {
    return new AgentKeys(
        agent,
        generation,
        state,
        custody,
        identity,
        place,
        origin,
        Optional.of(next),
        expiresAt,
        mac);
  }

  public AgentKeys approved(Approval given) {
    return new AgentKeys(
        agent,
        generation,
        GenerationState.APPROVED,
        custody,
        identity,
        place,
        origin,
        Optional.of(given),
        expiresAt,
        mac);
  }

  public AgentKeys withMac(Octets next) {
    return new AgentKeys(
        agent, generation, state, custody, identity, place, origin, approval, expiresAt, next);
  }

  /// What the MAC covers.
  public List<String> granting() {
    return List.of(
        agent,
        Long.toString(generation),
        state.name(),
        custody.current().dev().hex(),
        MacText.of(custody.current().wrappedBundle()),
        MacText.of(custody.next().map(next -> next.unlock().dev())),
        MacText.of(custody.next().flatMap(next -> next.unlock().wrappedBundle())),
        MacText.of(custody.next().map(NextUnlock::bootId)),
        Long.toString(custody.unlockEpoch()),
        MacText.of(custody.rotatedBootId()),
        identity.sealingPublic().hex(),
        identity.signingPublic().hex(),
        identity.fingerprint(),
        MacText.of(identity.proofAt().map(Instant::getEpochSecond)),
        place.site(),
        MacText.of(place.labels()),
        MacText.of(place.allowedCidrs()),
        MacText.of(origin.tokenId()),
        MacText.of(approval.map(Approval::recordJws)));
  }
}
