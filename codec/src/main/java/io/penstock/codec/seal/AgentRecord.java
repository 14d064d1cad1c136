package io.penstock.codec.seal;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import java.util.Map;

/// What an approval makes: every public key of one generation of an agent, who approved it and by
/// which fingerprint. Brokers and sealers trust this signature, not a status column.
///
/// `devKey` is the one of the enrollment: it rotates with the unlock secret, which this record does
/// not follow. When the agent replaces its identity keys, the record is signed anew.
public record AgentRecord(
    String agent,
    long generation,
    String site,
    Map<String, String> labels,
    @JsonProperty("dev_key") Octets devKey,
    @JsonProperty("sealing_public") Octets sealingPublic,
    @JsonProperty("signing_public") VerifyingKey signingPublic,
    String fingerprint,
    @JsonProperty("allowed_cidrs") List<String> allowedCidrs,
    @JsonProperty("approved_by") String approvedBy,
    @JsonProperty("approved_at") long approvedAtEpochSeconds) {

  public AgentRecord {
    labels = Map.copyOf(labels);
    allowedCidrs = List.copyOf(allowedCidrs);
    devKey.requireLength(32, "a dev key");
    sealingPublic.requireLength(Hpke.PUBLIC_KEY_BYTES, "a sealing key");
    if (agent.isEmpty() || generation < 1) {
      throw new SealException("an agent record without a name or generation");
    }
  }

  /// The same approval of the same keys under other labels; it has to be signed anew.
  public AgentRecord withLabels(Map<String, String> others) {
    return new AgentRecord(
        agent,
        generation,
        site,
        others,
        devKey,
        sealingPublic,
        signingPublic,
        fingerprint,
        allowedCidrs,
        approvedBy,
        approvedAtEpochSeconds);
  }

  /// The same approval after the agent's identity keys were replaced; it has to be signed anew.
  public AgentRecord withKeys(Octets sealing, VerifyingKey signing) {
    return new AgentRecord(
        agent,
        generation,
        site,
        labels,
        devKey,
        sealing,
        signing,
        fingerprint,
        allowedCidrs,
        approvedBy,
        approvedAtEpochSeconds);
  }

  public String sign(SigningKey recordKey) {
    return SignedDocument.sign(
        DocumentType.AGENT_RECORD,
        recordKey.verifyingKey().keyId(KeyUse.RECORD.text()),
        recordKey,
        this);
  }

  public static AgentRecord verify(String jws, Keyset keyset) {
    return SignedDocument.verify(
        jws, DocumentType.AGENT_RECORD, keyset.keysFor(KeyUse.RECORD), AgentRecord.class);
  }
}
