package io.penstock.codec.seal;

import com.fasterxml.jackson.annotation.JsonProperty;

/// The notice one agent gets: it is revoked for good, wipes what it holds and ends. Carries no
/// other agent's name.
public record Revocation(
    String agent, long counter, @JsonProperty("revoked_at") long revokedAtEpochSeconds) {

  public String sign(SigningKey recordKey) {
    return SignedDocument.sign(
        DocumentType.REVOKED,
        recordKey.verifyingKey().keyId(KeyUse.RECORD.text()),
        recordKey,
        this);
  }

  /// Throws [SealException] for a notice that is not about `agent`.
  public static Revocation verify(String jws, Keyset keyset, String agent) {
    Revocation revocation =
        SignedDocument.verify(
            jws, DocumentType.REVOKED, keyset.keysFor(KeyUse.RECORD), Revocation.class);
    if (!revocation.agent.equals(agent)) {
      throw new SealException("the revocation is about another agent");
    }
    return revocation;
  }
}
