package io.penstock.broker.ctl;

import com.fasterxml.jackson.databind.JsonNode;
import io.penstock.codec.schema.PluginSchema;
import io.penstock.codec.seal.AgentRecord;
import io.penstock.codec.seal.Fingerprint;
import io.penstock.codec.seal.Keyset;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.RootChain;
import io.penstock.codec.seal.RootLink;
import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.SealedFor;
import io.penstock.codec.seal.SealedSecrets;
import io.penstock.codec.seal.VerifyingKey;
import java.io.PrintStream;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Seals secrets to an agent on this machine, so that the broker never sees them. The broker's word
/// for the agent's key is not enough: its signature has to lead to the root that this operator has
/// pinned, and a key that changed has to be confirmed with the fingerprint that the agent shows.
final class Sealer {
  private static final SecureRandom RANDOM = new SecureRandom();

  private final BrokerApi api;
  private final Pins pins;
  private final PrintStream notices;
  private final Optional<Octets> givenRoot;
  private final Optional<String> typedFingerprint;

  /// @param givenRoot hash of the root as the operator knows it from elsewhere
  /// @param typedFingerprint as the agent shows it
  Sealer(
      BrokerApi api,
      PrintStream notices,
      Optional<Octets> givenRoot,
      Optional<String> typedFingerprint) {
    this.api = api;
    this.pins = api.pins();
    this.notices = notices;
    this.givenRoot = givenRoot;
    this.typedFingerprint = typedFingerprint;
  }

  /// @param secretsJson the caller wipes it
  SealedSecrets seal(
      String agent, String system, PluginSchema schema, byte[] settings, byte[] secretsJson) {
    AgentRecord record = trusted(agent);
    var owner = new SealedFor(agent, record.generation(), system, schema.destinationOf(settings));
    return SealedSecrets.seal(secretsJson, owner, record.sealingPublic(), Optional.empty(), RANDOM);
  }

  private AgentRecord trusted(String agent) {
    JsonNode answer = api.get("/agents/" + BrokerUrl.segment(agent) + "/sealing-key");
    try {
      return judged(agent, answer);
    } catch (SealException e) {
      throw Failure.refusedForGood(
          "the sealing key of " + agent + " is not proven: " + e.getMessage());
    }
  }

  private AgentRecord judged(String agent, JsonNode answer) {
    VerifyingKey root = VerifyingKey.fromBase64Url(answer.path("root_public").asText());
    Octets rootSha256 = root.sha256();
    List<RootLink> links = links(answer);
    boolean rootChanged = rootChanged(root, links);
    Keyset keyset =
        Keyset.verify(answer.path("keyset").asText(), root, rootSha256, api.clock().instant());
    AgentRecord record = AgentRecord.verify(answer.path("record").asText(), keyset);
    if (!record.agent().equals(agent)) {
      throw new SealException("the record is about another agent");
    }
    var shown = new Pins.Known(record.generation(), Octets.sha256(record.sealingPublic().bytes()));
    Optional<Pins.Known> known = pins.agent(agent);
    boolean keyChanged = known.isPresent() && !known.get().equals(shown);
    if (rootChanged || keyChanged) {
      requireFingerprint(record, rootChanged, rootSha256);
    }
    remember(agent, rootSha256, replaced(root, links), shown);
    return record;
  }

  /// A root that was given has to be the one; one that was only seen may be confirmed.
  /// One that the older root named, as rotations do, has not changed in this sense.
  private boolean rootChanged(VerifyingKey shown, List<RootLink> links) {
    if (givenRoot.isPresent()) {
      if (!leads(givenRoot.get(), shown, links)) {
        throw new SealException(
            "the root key: expected " + givenRoot.get() + ", found " + shown.sha256());
      }
      requireNotBack(givenRoot.get(), shown, links);
      return false;
    }
    return pins.root().filter(pinned -> !leads(pinned, shown, links)).isPresent();
  }

  /// An old hash from elsewhere does not undo what newer roots have said since.
  private void requireNotBack(Octets given, VerifyingKey shown, List<RootLink> links) {
    Optional<Octets> pinned = pins.root();
    if (pinned.isEmpty() || leads(pinned.get(), shown, links)) {
      return;
    }
    pins.requireNotFormer(given);
    if (pins.isFormerRoot(shown.sha256())) {
      throw Pins.goesBack(shown.sha256(), pinned.get());
    }
  }

  /// The roots that name the one that is shown, one after the other.
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

  private void requireFingerprint(AgentRecord record, boolean rootChanged, Octets root) {
    String what =
        rootChanged
            ? "the broker's root key has changed to " + root
            : "the sealing key of " + record.agent() + " has changed";
    if (typedFingerprint.isEmpty()) {
      throw Failure.failed(
          what
              + ": compare with what the agent itself shows, and give it with --fingerprint"
              + " XXXX-XXXX"
              + (rootChanged ? ", or the root's hash from elsewhere with --root SHA256" : ""));
    }
    if (!new Fingerprint(record.fingerprint()).matches(typedFingerprint.get())) {
      throw Failure.failed(what + ", and the fingerprint is not the agent's: nothing was sealed");
    }
  }

  private void remember(String agent, Octets rootSha256, List<Octets> replaced, Pins.Known shown) {
    if (!pins.root().equals(Optional.of(rootSha256)) && givenRoot.isEmpty()) {
      notices.println("penstock ctl: from now on the broker's root key is " + rootSha256);
    }
    pins.pinRoot(rootSha256, replaced);
    if (!pins.agent(agent).equals(Optional.of(shown))) {
      pins.pinAgent(agent, shown);
    }
  }
}
