package io.penstock.broker.ctl;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SealException;
import java.net.URI;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/// What this operator has seen of a broker and believes from then on: the hash of its root, those
/// that it has replaced, and the sealing key of each agent; and what secrets are sealed to besides,
/// which no broker is asked. Outlives sign-ins.
final class Pins {
  private static final String ROOT = "root_sha256";
  private static final String FORMER_ROOTS = "former_roots_sha256";
  private static final String KEYSET = "keyset_version";
  private static final String AGENTS = "agents";
  private static final String RECOVERY = "recovery_public";

  /// Several times what cross-signatures show at once; of more the oldest are forgotten.
  private static final int MAX_FORMER_ROOTS = 64;

  private static final int HASH_BYTES = 32;

  private final SessionStore store;
  private final String broker;

  Pins(SessionStore store, URI broker) {
    this.store = store;
    this.broker = broker.toString();
  }

  /// @param generation of the agent when it was seen last
  record Known(long generation, Octets sealingKeySha256) {}

  /// A hash as a person gives it: base64url as the API shows it, or 64 hex digits.
  static Octets hash(String text) {
    try {
      Octets hash =
          text.length() == 2 * HASH_BYTES
              ? Octets.of(HexFormat.of().parseHex(text))
              : Octets.fromBase64Url(text);
      return hash.requireLength(HASH_BYTES, "a SHA-256");
    } catch (SealException | IllegalArgumentException _) {
      throw Failure.wrongUsage("not a hash: expected SHA-256 in base64url or hex");
    }
  }

  Optional<Octets> root() {
    return read(ours().path(ROOT));
  }

  /// A root that another one has replaced, as a chain of cross-signatures showed.
  boolean isFormerRoot(Octets sha256) {
    return formerRoots().contains(sha256);
  }

  private List<Octets> formerRoots() {
    return stream(ours().path(FORMER_ROOTS)).flatMap(it -> read(it).stream()).toList();
  }

  private static Stream<JsonNode> stream(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false);
  }

  /// @param given by the operator, who may not go back to a root that was replaced
  void requireNotFormer(Octets given) {
    Optional<Octets> pinned = root();
    if (pinned.isPresent() && !pinned.get().equals(given) && isFormerRoot(given)) {
      throw goesBack(given, pinned.get());
    }
  }

  static Failure goesBack(Octets given, Octets pinned) {
    return Failure.refusedForGood(
        "the root key "
            + given
            + " was replaced by "
            + pinned
            + ", which is pinned: nothing goes back to an older root");
  }

  void pinRoot(Octets sha256) {
    pinRoot(sha256, List.of());
  }

  /// @param replaced those that the cross-signatures show to be older
  void pinRoot(Octets sha256, List<Octets> replaced) {
    var former = new LinkedHashSet<>(formerRoots());
    boolean known = former.containsAll(replaced);
    if (known && root().filter(sha256::equals).isPresent()) {
      return;
    }
    former.addAll(replaced);
    former.remove(sha256);
    change(
        ours -> {
          ours.put(ROOT, sha256.base64Url());
          ArrayNode list = ours.putArray(FORMER_ROOTS);
          former.stream()
              .skip(Math.max(0, former.size() - MAX_FORMER_ROOTS))
              .forEach(it -> list.add(it.base64Url()));
        });
  }

  /// The highest version that was seen under the pinned root or one that it named; 0 before the
  /// first.
  long keysetVersion() {
    return ours().path(KEYSET).asLong(0);
  }

  void pinKeyset(long version) {
    if (keysetVersion() != version) {
      change(ours -> ours.put(KEYSET, version));
    }
  }

  Optional<Known> agent(String agent) {
    JsonNode known = ours().path(AGENTS).path(agent);
    return read(known.path("sealing_key_sha256"))
        .map(hash -> new Known(known.path("generation").asLong(), hash));
  }

  void pinAgent(String agent, Known known) {
    change(
        ours ->
            ours.withObjectProperty(AGENTS)
                .withObjectProperty(agent)
                .put("generation", known.generation())
                .put("sealing_key_sha256", known.sealingKeySha256().base64Url()));
  }

  /// The owner's recovery key, if secrets are to be sealed to one.
  Optional<RecoveryPublicKey> recovery() {
    JsonNode pinned = ours().path(RECOVERY);
    if (pinned.isMissingNode()) {
      return Optional.empty();
    }
    try {
      return Optional.of(new RecoveryPublicKey(Octets.fromBase64Url(pinned.asText())));
    } catch (SealException _) {
      throw damaged();
    }
  }

  void pinRecovery(RecoveryPublicKey key) {
    change(ours -> ours.put(RECOVERY, key.octets().base64Url()));
  }

  void unpinRecovery() {
    change(ours -> ours.remove(RECOVERY));
  }

  private JsonNode ours() {
    return store.loadPins().path(broker);
  }

  private interface Change {
    void of(ObjectNode ours);
  }

  private void change(Change change) {
    store.exclusively(
        () -> {
          ObjectNode all = store.loadPins();
          change.of(all.withObjectProperty(broker));
          store.savePins(all);
          return true;
        });
  }

  private static Optional<Octets> read(JsonNode hash) {
    if (!hash.isTextual()) {
      return Optional.empty();
    }
    try {
      return Optional.of(Octets.fromBase64Url(hash.textValue()));
    } catch (SealException _) {
      throw damaged();
    }
  }

  private static Failure damaged() {
    return Failure.failed("pins.json is damaged: look at it before you trust anybody again");
  }
}
