package io.penstock.codec.seal;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.OptBoolean;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The versioned list of online keys, signed by the root (design: keys). Agents keep the highest
/// version they saw and refuse lower ones; that memory is the caller's, this record only tells its
/// version.
///
/// @param laterIncarnation of the owner's cloud, once it was restored from a backup; null = the
///     first. The root signs it here, so that whoever holds an online key alone cannot have agents
///     forget the head manifests that they have seen
public record Keyset(
    long version,
    @JsonProperty("not_before") long notBeforeEpochSeconds,
    @JsonProperty("expires") long expiresEpochSeconds,
    List<Key> keys,
    @JsonProperty(value = "incarnation", isRequired = OptBoolean.FALSE)
        @Nullable Long laterIncarnation) {

  public static final int MAX_KEYS = 64;
  public static final long FIRST_INCARNATION = 1;

  public Keyset {
    keys = List.copyOf(keys);
    if (version < 1 || notBeforeEpochSeconds >= expiresEpochSeconds || keys.size() > MAX_KEYS) {
      throw new SealException("a keyset with an impossible version, time or number of keys");
    }
    if (laterIncarnation != null && laterIncarnation <= FIRST_INCARNATION) {
      throw new SealException("a keyset with an impossible incarnation");
    }
    Set<String> ids = new HashSet<>();
    if (!keys.stream().allMatch(key -> ids.add(key.kid()))) {
      throw new SealException("a keyset that names one key id twice");
    }
  }

  /// Of a cloud that was never restored.
  public Keyset(
      long version, long notBeforeEpochSeconds, long expiresEpochSeconds, List<Key> keys) {
    this(version, notBeforeEpochSeconds, expiresEpochSeconds, keys, null);
  }

  /// The newest that a head manifest may be of.
  public long incarnation() {
    return laterIncarnation == null ? FIRST_INCARNATION : laterIncarnation;
  }

  /// One key of the set.
  public record Key(String kid, KeyUse use, @JsonProperty("public") VerifyingKey publicKey) {
    public static Key of(KeyUse use, VerifyingKey key) {
      return new Key(key.keyId(use.text()), use, key);
    }
  }

  public String sign(SigningKey root) {
    return SignedDocument.sign(DocumentType.KEYSET, rootKeyId(root.verifyingKey()), root, this);
  }

  /// Reads a keyset that a peer presents together with the root's public key, trusting only the
  /// pinned hash of the root.
  public static Keyset verify(String jws, VerifyingKey root, Octets pinnedRootSha256, Instant now) {
    return verify(jws, root, List.of(), pinnedRootSha256, now);
  }

  /// The same, where the owner may have rotated the root since it was pinned.
  ///
  /// @param links cross-signatures, oldest first
  public static Keyset verify(
      String jws, VerifyingKey root, List<RootLink> links, Octets pinnedRootSha256, Instant now) {
    RootChain.requireLeadsTo(root, links, pinnedRootSha256);
    Keyset keyset = verifyIgnoringTime(jws, root);
    keyset.requireValidAt(now);
    return keyset;
  }

  /// For the owner of the root, whose own keyset may have expired and is about to be renewed.
  public static Keyset verifyIgnoringTime(String jws, VerifyingKey root) {
    return SignedDocument.verify(
        jws,
        DocumentType.KEYSET,
        kid -> kid.equals(rootKeyId(root)) ? Optional.of(root) : Optional.empty(),
        Keyset.class);
  }

  private void requireValidAt(Instant now) {
    long seconds = now.getEpochSecond();
    if (seconds < notBeforeEpochSeconds) {
      throw new SealException("the keyset is not valid yet");
    }
    if (seconds >= expiresEpochSeconds) {
      throw new SealException("the keyset has expired");
    }
  }

  /// For [SignedDocument#verify]: the key of an id, if the root allowed it this use.
  public Function<String, Optional<VerifyingKey>> keysFor(KeyUse use) {
    return kid ->
        keys.stream()
            .filter(key -> key.use() == use && key.kid().equals(kid))
            .map(Key::publicKey)
            .findFirst();
  }

  static String rootKeyId(VerifyingKey root) {
    return root.keyId("root");
  }
}
