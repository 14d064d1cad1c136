package io.penstock.codec.seal;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Instant;

/// Says that a broker node's X25519 static key belongs to this owner's brokers, for 24 hours;
/// signed by the node issuer.
public record NodeCertificate(
    String node,
    @JsonProperty("static_key") Octets staticKey,
    @JsonProperty("not_before") long notBeforeEpochSeconds,
    @JsonProperty("expires") long expiresEpochSeconds) {

  public static final int STATIC_KEY_BYTES = 32;

  public NodeCertificate {
    staticKey.requireLength(STATIC_KEY_BYTES, "a node's static key");
    if (node.isEmpty() || notBeforeEpochSeconds >= expiresEpochSeconds) {
      throw new SealException("a node certificate without a name or with an impossible time");
    }
  }

  public String sign(SigningKey issuer) {
    return SignedDocument.sign(
        DocumentType.NODE_CERTIFICATE,
        issuer.verifyingKey().keyId(KeyUse.NODE_ISSUER.text()),
        issuer,
        this);
  }

  /// The static key the Noise handshake showed has to be the certified one; the caller passes it.
  public static NodeCertificate verify(
      String jws, Keyset keyset, byte[] shownStaticKey, Instant now) {
    NodeCertificate certificate =
        SignedDocument.verify(
            jws,
            DocumentType.NODE_CERTIFICATE,
            keyset.keysFor(KeyUse.NODE_ISSUER),
            NodeCertificate.class);
    if (!certificate.staticKey.equals(Octets.of(shownStaticKey))) {
      throw new SealException("the node certificate is for another static key");
    }
    long seconds = now.getEpochSecond();
    if (seconds < certificate.notBeforeEpochSeconds || seconds >= certificate.expiresEpochSeconds) {
      throw new SealException("the node certificate is not valid at this time");
    }
    return certificate;
  }
}
