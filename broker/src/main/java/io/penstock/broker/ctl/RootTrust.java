package io.penstock.broker.ctl;

import com.fasterxml.jackson.databind.JsonNode;
import io.penstock.codec.seal.Keyset;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.RootChain;
import io.penstock.codec.seal.RootLink;
import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.VerifyingKey;
import java.io.PrintStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Judges the root and the keyset in an answer of the broker by the root that this operator has
/// pinned, or gives.
final class RootTrust {
  private final Pins pins;
  private final Optional<Octets> given;
  private final PrintStream notices;

  /// @param given hash of the root as the operator knows it from elsewhere
  RootTrust(Pins pins, Optional<Octets> given, PrintStream notices) {
    this.pins = pins;
    this.given = given;
    this.notices = notices;
  }

  /// @param replaced the roots that name it, one after the other
  /// @param changed it is not the pinned one, nor one that the pinned one named
  record Shown(Octets rootSha256, Keyset keyset, List<Octets> replaced, boolean changed) {}

  /// Throws [SealException] when the keyset is not the root's, or the root is not the given one.
  Shown judge(JsonNode answer, Instant now) {
    VerifyingKey root = VerifyingKey.fromBase64Url(answer.path("root_public").asText());
    Octets rootSha256 = root.sha256();
    List<RootLink> links = links(answer);
    boolean changed = changed(root, links);
    Keyset keyset = Keyset.verify(answer.path("keyset").asText(), root, rootSha256, now);
    requireNotOlder(keyset, root, links);
    return new Shown(rootSha256, keyset, replaced(root, links), changed);
  }

  /// An older one may still hold a key that was withdrawn since.
  private void requireNotOlder(Keyset shown, VerifyingKey root, List<RootLink> links) {
    long seen =
        pins.root().filter(it -> leads(it, root, links)).map(_ -> pins.keysetVersion()).orElse(0L);
    if (shown.version() < seen) {
      throw new SealException(
          "the keyset: expected version " + seen + " or newer, found " + shown.version());
    }
  }

  boolean knowsOne() {
    return given.isPresent() || pins.root().isPresent();
  }

  /// A root that was given has to be the one; another than the pinned one has to be given.
  /// One that the older root named, as rotations do, has not changed in this sense.
  private boolean changed(VerifyingKey shown, List<RootLink> links) {
    if (given.isPresent()) {
      if (!leads(given.get(), shown, links)) {
        throw new SealException(
            "the root key: expected " + given.get() + ", found " + shown.sha256());
      }
      requireNotBack(given.get(), shown, links);
      return false;
    }
    requireNotBack(shown.sha256(), shown, links);
    return pins.root().filter(pinned -> !leads(pinned, shown, links)).isPresent();
  }

  /// An old hash from elsewhere does not undo what newer roots have said since.
  private void requireNotBack(Octets older, VerifyingKey shown, List<RootLink> links) {
    Optional<Octets> pinned = pins.root();
    if (pinned.isEmpty() || leads(pinned.get(), shown, links)) {
      return;
    }
    pins.requireNotFormer(older);
    if (pins.isFormerRoot(shown.sha256())) {
      throw Pins.goesBack(shown.sha256(), pinned.get());
    }
  }

  private static List<Octets> replaced(VerifyingKey shown, List<RootLink> links) {
    return links.stream()
        .map(link -> link.root().sha256())
        .filter(older -> !older.equals(shown.sha256()) && leads(older, shown, links))
        .toList();
  }

  private static boolean leads(Octets pinned, VerifyingKey shown, List<RootLink> links) {
    try {
      RootChain.requireLeadsTo(shown, links, pinned);
      return true;
    } catch (SealException _) {
      return false;
    }
  }

  private static List<RootLink> links(JsonNode answer) {
    var links = new ArrayList<RootLink>();
    answer
        .path("cross_signatures")
        .forEach(
            link ->
                links.add(
                    new RootLink(
                        VerifyingKey.fromBase64Url(link.path("root_public").asText()),
                        link.path("jws").asText())));
    return links;
  }

  void remember(Shown shown) {
    if (!pins.root().equals(Optional.of(shown.rootSha256())) && given.isEmpty()) {
      notices.println("penstock ctl: from now on the broker's root key is " + shown.rootSha256());
    }
    pins.pinRoot(shown.rootSha256(), shown.replaced());
    pins.pinKeyset(shown.keyset().version());
  }
}
