package io.penstock.codec.seal;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.TreeSet;

/// Every agent that was ever revoked, with a counter that only rises. Each list names the hash of
/// the one before, so that a broker that was killed between its database and its keystore can tell
/// the next list from a forked one (32 zero bytes before the first).
public record RevocationList(
    long counter,
    @JsonProperty("issued_at") long issuedAtEpochSeconds,
    Octets previous,
    Set<String> agents) {

  public static final Octets NOTHING_BEFORE = Octets.of(new byte[32]);

  public RevocationList {
    agents = Set.copyOf(agents);
    previous.requireLength(32, "the hash of the previous list");
    if (counter < 0) {
      throw new SealException("a revocation list with a negative counter");
    }
  }

  /// The list after this one, whose compact text is `jws`.
  public RevocationList with(String agent, String jws, long nowEpochSeconds) {
    var all = new TreeSet<>(agents);
    all.add(agent);
    return new RevocationList(counter + 1, nowEpochSeconds, hashOf(jws), all);
  }

  /// The same agents once more, to be signed by another key.
  public RevocationList again(String jws, long nowEpochSeconds) {
    return new RevocationList(counter + 1, nowEpochSeconds, hashOf(jws), agents);
  }

  public static Octets hashOf(String jws) {
    return Octets.sha256(jws.getBytes(StandardCharsets.US_ASCII));
  }

  public String sign(SigningKey recordKey) {
    return SignedDocument.sign(
        DocumentType.REVOCATION_LIST,
        recordKey.verifyingKey().keyId(KeyUse.RECORD.text()),
        recordKey,
        this);
  }

  public static RevocationList verify(String jws, Keyset keyset) {
    return SignedDocument.verify(
        jws, DocumentType.REVOCATION_LIST, keyset.keysFor(KeyUse.RECORD), RevocationList.class);
  }
}
