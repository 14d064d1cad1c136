package io.penstock.broker.ctl;

import com.fasterxml.jackson.databind.JsonNode;
import io.penstock.codec.schema.PluginSchema;
import io.penstock.codec.seal.AgentRecord;
import io.penstock.codec.seal.Fingerprint;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.SealedFor;
import io.penstock.codec.seal.SealedSecrets;
import java.io.PrintStream;
import java.security.SecureRandom;
import java.util.Optional;

/// Seals secrets to an agent on this machine, so that the broker never sees them. The broker's word
/// for the agent's key is not enough: its signature has to lead to the root that this operator has
/// pinned, and a key that changed has to be confirmed with the fingerprint that the agent shows.
final class Sealer {
  private static final SecureRandom RANDOM = new SecureRandom();

  private final BrokerApi api;
  private final Pins pins;
  private final RootTrust trust;
  private final Optional<String> typedFingerprint;
  private final boolean firstSightNeedsFingerprint;

  /// @param givenRoot hash of the root as the operator knows it from elsewhere
  /// @param typedFingerprint as the agent shows it
  /// @param firstSightNeedsFingerprint also for an agent whose key is not pinned yet
  Sealer(
      BrokerApi api,
      PrintStream notices,
      Optional<Octets> givenRoot,
      Optional<String> typedFingerprint,
      boolean firstSightNeedsFingerprint) {
    this.api = api;
    this.pins = api.pins();
    this.trust = new RootTrust(pins, givenRoot, notices);
    this.typedFingerprint = typedFingerprint;
    this.firstSightNeedsFingerprint = firstSightNeedsFingerprint;
  }

  /// @param json for the API
  record Sealed(JsonNode json, SealedTo to) {}

  /// To the agent, and to the recovery key that this operator has pinned.
  ///
  /// @param secretsJson the caller wipes it
  Sealed seal(
      String agent, String system, PluginSchema schema, byte[] settings, byte[] secretsJson) {
    AgentRecord record = trusted(agent);
    Optional<RecoveryPublicKey> recovery = pins.recovery();
    var owner = new SealedFor(agent, record.generation(), system, schema.destinationOf(settings));
    try {
      SealedSecrets sealed =
          SealedSecrets.seal(
              secretsJson,
              owner,
              record.sealingPublic(),
              recovery.map(RecoveryPublicKey::octets),
              RANDOM);
      Octets agentsKeyId = SealedSecrets.recipientOf(record.sealingPublic());
      return new Sealed(
          Json.parse(sealed.toJson()).orElseThrow(), SealedTo.of(sealed, agentsKeyId, recovery));
    } catch (SealException e) {
      throw Failure.failed("cannot seal the secrets: " + e.getMessage());
    }
  }

  private AgentRecord trusted(String agent) {
    JsonNode answer = api.get("/agents/" + BrokerUrl.segment(agent) + "/sealing-key");
    try {
      return judged(agent, answer);
    } catch (SealException e) {
      throw Failure.refusedForGood(
          "the sealing key of " + agent + " is not proven: " + e.getMessage());
    }
  }

  private AgentRecord judged(String agent, JsonNode answer) {
    RootTrust.Shown root = trust.judge(answer, api.clock().instant());
    AgentRecord record = AgentRecord.verify(answer.path("record").asText(), root.keyset());
    if (!record.agent().equals(agent)) {
      throw new SealException("the record is about another agent");
    }
    var shown = new Pins.Known(record.generation(), Octets.sha256(record.sealingPublic().bytes()));
    Optional<Pins.Known> known = pins.agent(agent);
    boolean keyChanged = known.isPresent() && !known.get().equals(shown);
    if (root.changed()) {
      // Its records, fingerprints included, are whatever the new root's owner says.
      throw Failure.failed(
          "the broker's root key has changed to "
              + root.rootSha256()
              + ": give its hash, as you know it from elsewhere, with --root SHA256");
    }
    requireFingerprint(record, keyChanged || (known.isEmpty() && firstSightNeedsFingerprint));
    trust.remember(root);
    if (!known.equals(Optional.of(shown))) {
      pins.pinAgent(agent, shown);
    }
    return record;
  }

  /// One that is typed has to be the agent's, in any case.
  private void requireFingerprint(AgentRecord record, boolean due) {
    if (typedFingerprint.isEmpty()) {
      if (due) {
        throw Failure.failed(
            "the sealing key of "
                + record.agent()
                + " has changed since, or was never sealed to from here: compare with what the"
                + " agent itself shows, and give it with --fingerprint XXXX-XXXX");
      }
      return;
    }
    if (!new Fingerprint(record.fingerprint()).matches(typedFingerprint.get())) {
      throw Failure.failed(
          "the fingerprint is not that of " + record.agent() + ": nothing was sealed");
    }
  }
}
