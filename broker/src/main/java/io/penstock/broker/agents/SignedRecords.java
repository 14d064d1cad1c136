package io.penstock.broker.agents;

import io.penstock.broker.keys.BrokerKeys;
import io.penstock.broker.keys.VerifiedTexts;
import io.penstock.broker.store.AgentKeys;
import io.penstock.codec.seal.AgentRecord;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.VerifyingKey;
import java.util.Map;

/// The signed records of approved generations: what grants. A row counts only while it says what
/// its record says.
final class SignedRecords {
  private final BrokerKeys keys;
  private final VerifiedTexts<AgentRecord> records;

  SignedRecords(BrokerKeys keys) {
    this.keys = keys;
    this.records = new VerifiedTexts<>(keys::ownKeyset, AgentRecord::verify);
  }

  /// The record that the approver had signed, when the row still says the same; else throws
  /// [TamperedException].
  AgentRecord of(AgentKeys generation) {
    AgentRecord signed = verified(generation);
    boolean same =
        signed.agent().equals(generation.agent())
            && signed.generation() == generation.generation()
            && signed.site().equals(generation.place().site())
            && signed.labels().equals(generation.place().labels())
            && signed.sealingPublic().equals(generation.identity().sealingPublic())
            && signed.signingPublic().octets().equals(generation.identity().signingPublic())
            && signed.fingerprint().equals(generation.identity().fingerprint());
    if (!same) {
      throw new TamperedException(generation.agent(), "an agent's row differs from its record");
    }
    return signed;
  }

  private AgentRecord verified(AgentKeys generation) {
    try {
      return records.read(
          generation.agent(), generation.approval().map(AgentKeys.Approval::recordJws).orElse(""));
    } catch (SealException _) {
      throw new TamperedException(generation.agent(), "an approved agent without a signed record");
    }
  }

  /// The generation under new identity keys, with a record that says so.
  AgentKeys rekeyed(AgentKeys generation, Octets sealing, Octets signing) {
    String jws = keys.sign(of(generation).withKeys(sealing, new VerifyingKey(signing)));
    return generation
        .with(generation.identity().withKeys(sealing, signing))
        .with(generation.approval().orElseThrow().signedAnew(jws));
  }

  /// The generation under other labels, with a record that says so. Who approved what, and when,
  /// stays as it was signed.
  AgentKeys relabelled(AgentKeys generation, Map<String, String> labels) {
    String jws = keys.sign(of(generation).withLabels(labels));
    return generation
        .with(generation.place().withLabels(labels))
        .with(generation.approval().orElseThrow().signedAnew(jws));
  }
}
