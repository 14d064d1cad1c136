package io.penstock.agent.identity;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.penstock.codec.seal.Octets;
import org.jspecify.annotations.Nullable;

/// What the identity file holds besides the unlock secret, sealed under it as one piece.
///
/// @param spoolKey for store-and-forward
/// @param stateMacKey protects the state file that is no secret
/// @param rootSha256 pinned root of the broker's owner
/// @param caSha256 pinned TLS CA, when the token named one
/// @param keysetVersion highest seen; lower ones are refused
/// @param agent null until the broker said PENDING
/// @param generation 0 until APPROVED was heard
/// @param token only between an enrollment by standard input and PENDING
@JsonInclude(JsonInclude.Include.NON_NULL)
record IdentityState(
    byte[] spoolKey,
    byte[] stateMacKey,
    String brokerUrl,
    Octets rootSha256,
    @Nullable Octets caSha256,
    long keysetVersion,
    @Nullable String agent,
    @Nullable String site,
    @Nullable String fingerprint,
    int generation,
    @Nullable String token) {

  /// The owner's keys moved on.
  IdentityState withOwner(Octets root, long keyset) {
    return new IdentityState(
        spoolKey,
        stateMacKey,
        brokerUrl,
        root,
        caSha256,
        keyset,
        agent,
        site,
        fingerprint,
        generation,
        token);
  }

  IdentityState withTarget(String url, Octets root, @Nullable Octets ca, @Nullable String kept) {
    return new IdentityState(
        spoolKey,
        stateMacKey,
        url,
        root,
        ca,
        root.equals(rootSha256) ? keysetVersion : 0,
        agent,
        site,
        fingerprint,
        generation,
        kept);
  }

  /// The token has done its work.
  IdentityState withPending(String name, String itsSite, String itsFingerprint) {
    return new IdentityState(
        spoolKey,
        stateMacKey,
        brokerUrl,
        rootSha256,
        caSha256,
        keysetVersion,
        name,
        itsSite,
        itsFingerprint,
        generation,
        null);
  }

  IdentityState withGeneration(int approved) {
    return new IdentityState(
        spoolKey,
        stateMacKey,
        brokerUrl,
        rootSha256,
        caSha256,
        keysetVersion,
        agent,
        site,
        fingerprint,
        approved,
        token);
  }

  @Override
  public String toString() {
    return "IdentityState[" + agent + "]";
  }
}
