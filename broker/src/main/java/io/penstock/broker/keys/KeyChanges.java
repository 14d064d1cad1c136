package io.penstock.broker.keys;

import io.penstock.codec.seal.Keyset;
import io.penstock.codec.seal.RootChain;
import io.penstock.codec.seal.RootLink;
import io.penstock.codec.seal.SigningKey;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// The steps of rotations, each from one keystore content to the next. Every step is written whole
/// or not at all, and what a crash leaves between two of them is a content to go on from.
final class KeyChanges {
  /// Room for those that are announced while as many old ones are needed.
  static final int MOST_IN_KEYSET = Keyset.MAX_KEYS - 8;

  private static final int MOST_REPLACED = 8;

  private KeyChanges() {}

  /// New keys, known to the keyset and signing nothing yet.
  static KeystoreContent announced(
      KeystoreContent old, Set<ManagedKey> uses, SecureRandom random, Instant now) {
    KeystoreContent next = old;
    for (ManagedKey use : uses) {
      if (next.stream(use, KeyState.ANNOUNCED).findAny().isEmpty()) {
        next = next.with(StoredKey.generate(use, KeyState.ANNOUNCED, random, now));
      }
    }
    int listed = keysetKeys(next).size();
    if (listed > MOST_IN_KEYSET) {
      throw new RotationRefusedException(
          "the keyset would list "
              + listed
              + " keys, at most "
              + MOST_IN_KEYSET
              + " are allowed: retire old ones first");
    }
    return next;
  }

  /// Announced keys sign from now on.
  static KeystoreContent activated(KeystoreContent old, Instant now) {
    KeystoreContent next = old;
    for (ManagedKey use : ManagedKey.values()) {
      if (next.stream(use, KeyState.ANNOUNCED).findAny().isPresent()) {
        next =
            next.moving(key -> is(key, use, KeyState.SIGNING), KeyState.VERIFYING, now)
                .moving(key -> is(key, use, KeyState.ANNOUNCED), KeyState.SIGNING, now);
      }
    }
    return next;
  }

  private static boolean is(StoredKey key, ManagedKey use, KeyState state) {
    return key.use() == use && key.state() == state;
  }

  /// For keys that nobody but this broker knows: the new one counts at once.
  static KeystoreContent replaced(
      KeystoreContent old, ManagedKey use, SecureRandom random, Instant now) {
    long replaced = old.stream(use, KeyState.VERIFYING).count();
    if (use == ManagedKey.KEK && replaced > 0) {
      throw new RotationRefusedException(
          "the rotation of the kek before this one is still under way");
    }
    if (replaced >= MOST_REPLACED) {
      throw new RotationRefusedException(
          replaced + " replaced keys of " + use.text() + " are still needed");
    }
    return old.moving(key -> is(key, use, KeyState.SIGNING), KeyState.VERIFYING, now)
        .with(StoredKey.generate(use, KeyState.SIGNING, random, now));
  }

  /// The old root names the new one and is gone.
  static KeystoreContent withNewRoot(KeystoreContent old, SecureRandom random, Instant now) {
    SigningKey oldRoot = old.signing(ManagedKey.ROOT).signingKey();
    StoredKey newRoot = StoredKey.generate(ManagedKey.ROOT, KeyState.SIGNING, random, now);
    var links = new ArrayList<>(old.rootLinks());
    long sequence = links.isEmpty() ? 1 : links.getLast().verify().sequence() + 1;
    links.add(
        RootLink.sign(
            oldRoot,
            new RootLink.Succession(sequence, newRoot.verifyingKey(), now.getEpochSecond())));
    while (links.size() > RootChain.MAX_LINKS) {
      links.removeFirst();
    }
    return old.moving(key -> is(key, ManagedKey.ROOT, KeyState.SIGNING), KeyState.RETIRED, now)
        .with(newRoot)
        .withRootLinks(links);
  }

  /// What the keyset lists.
  static List<Keyset.Key> keysetKeys(KeystoreContent content) {
    return keysetKeys(content, false);
  }

  /// @param andRetired for this broker's own eyes
  static List<Keyset.Key> keysetKeys(KeystoreContent content, boolean andRetired) {
    return content.keys().stream()
        .filter(key -> andRetired || key.state() != KeyState.RETIRED)
        .flatMap(
            key -> key.use().inKeyset().map(use -> Keyset.Key.of(use, key.verifyingKey())).stream())
        .toList();
  }
}
