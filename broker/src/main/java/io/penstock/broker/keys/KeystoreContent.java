package io.penstock.broker.keys;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.penstock.codec.seal.RootLink;
import io.penstock.codec.seal.SealException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// What the sealed file holds: the keys with their states, how older roots named newer ones, the
/// newest keyset and the newest revocation list. Immutable; a change is a new content that replaces
/// the file.
final class KeystoreContent {
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .defaultPropertyInclusion(
              JsonInclude.Value.construct(JsonInclude.Include.NON_NULL, JsonInclude.Include.ALWAYS))
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .build();

  /// One secret by name, without states and times.
  private static final int FORMAT_WITHOUT_STATES = 1;

  private static final int FORMAT = 2;
  private static final int RETIRED_KEPT = 16;

  private record Stored(
      int format,
      @Nullable Map<String, String> secrets,
      @Nullable List<StoredKey> keys,
      @Nullable List<RootLink> rootLinks,
      String keyset,
      String revocations) {}

  private final List<StoredKey> keys;
  private final List<RootLink> rootLinks;
  private final String keysetJws;
  private final String revocationsJws;

  private KeystoreContent(
      List<StoredKey> keys, List<RootLink> rootLinks, String keysetJws, String revocationsJws) {
    this.keys = List.copyOf(keys);
    this.rootLinks = List.copyOf(rootLinks);
    this.keysetJws = keysetJws;
    this.revocationsJws = revocationsJws;
  }

  static KeystoreContent generate(SecureRandom random, Instant now) {
    var keys =
        Arrays.stream(ManagedKey.values())
            .map(use -> StoredKey.generate(use, KeyState.SIGNING, random, now))
            .toList();
    return new KeystoreContent(keys, List.of(), "", "");
  }

  static KeystoreContent parse(byte[] json) {
    Stored stored;
    try {
      stored = JSON.readValue(json, Stored.class);
    } catch (IOException _) {
      // The cause would quote what is secret.
      throw new SealException("the keystore's content is not what this version writes");
    }
    List<StoredKey> keys =
        switch (stored.format()) {
          case FORMAT_WITHOUT_STATES -> withoutStates(stored.secrets());
          case FORMAT -> stored.keys() == null ? List.of() : stored.keys();
          default ->
              throw new SealException(
                  "the keystore has format " + FORMAT + ", found " + stored.format());
        };
    var content =
        new KeystoreContent(
            keys,
            stored.rootLinks() == null ? List.of() : stored.rootLinks(),
            stored.keyset(),
            stored.revocations());
    keys.forEach(StoredKey::requireWhole);
    for (ManagedKey use : ManagedKey.values()) {
      if (content.stream(use, KeyState.SIGNING).count() != 1) {
        throw new SealException("the keystore lacks " + use);
      }
    }
    return content;
  }

  private static List<StoredKey> withoutStates(@Nullable Map<String, String> secrets) {
    var keys = new ArrayList<StoredKey>();
    if (secrets != null) {
      for (ManagedKey use : ManagedKey.values()) {
        byte[] secret = Base64.getDecoder().decode(secrets.getOrDefault(use.name(), ""));
        if (secret.length != StoredKey.SECRET_BYTES) {
          throw new SealException("the keystore lacks " + use);
        }
        keys.add(StoredKey.of(use, KeyState.SIGNING, secret, 0));
      }
    }
    return keys;
  }

  byte[] toJson() {
    try {
      return JSON.writeValueAsBytes(
          new Stored(FORMAT, null, keys, rootLinks, keysetJws, revocationsJws));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  KeystoreContent withKeyset(String jws) {
    return new KeystoreContent(keys, rootLinks, jws, revocationsJws);
  }

  KeystoreContent withRevocations(String jws) {
    return new KeystoreContent(keys, rootLinks, keysetJws, jws);
  }

  KeystoreContent withRootLinks(List<RootLink> links) {
    return new KeystoreContent(keys, links, keysetJws, revocationsJws);
  }

  KeystoreContent with(StoredKey added) {
    var next = new ArrayList<>(keys);
    next.add(added);
    return with(next);
  }

  /// Moves the keys that are asked for to another state.
  KeystoreContent moving(Predicate<StoredKey> which, KeyState to, Instant now) {
    return with(keys.stream().map(key -> which.test(key) ? key.in(to, now) : key).toList());
  }

  /// What was retired long ago is forgotten.
  private KeystoreContent with(List<StoredKey> next) {
    var kept = new ArrayList<StoredKey>();
    for (ManagedKey use : ManagedKey.values()) {
      List<StoredKey> all = next.stream().filter(key -> key.use() == use).toList();
      long tooMany =
          all.stream().filter(key -> key.state() == KeyState.RETIRED).count() - RETIRED_KEPT;
      for (StoredKey key : all) {
        if (key.state() == KeyState.RETIRED && tooMany > 0) {
          tooMany--;
        } else {
          kept.add(key);
        }
      }
    }
    return new KeystoreContent(kept, rootLinks, keysetJws, revocationsJws);
  }

  /// Older ones first.
  List<StoredKey> keys() {
    return keys;
  }

  Stream<StoredKey> stream(ManagedKey use, KeyState state) {
    return keys.stream().filter(key -> key.use() == use && key.state() == state);
  }

  /// The one that signs, wraps or derives.
  StoredKey signing(ManagedKey use) {
    return stream(use, KeyState.SIGNING)
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("no " + use));
  }

  Optional<StoredKey> find(String kid) {
    return keys.stream().filter(key -> key.kid().equals(kid)).findFirst();
  }

  /// Oldest first.
  List<RootLink> rootLinks() {
    return rootLinks;
  }

  /// Empty before the first was signed.
  String keysetJws() {
    return keysetJws;
  }

  String revocationsJws() {
    return revocationsJws;
  }

  @Override
  public String toString() {
    return "KeystoreContent[secret]";
  }
}
