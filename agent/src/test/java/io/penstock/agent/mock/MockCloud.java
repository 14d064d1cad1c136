package io.penstock.agent.mock;

import io.penstock.codec.message.ConfigurationDocument;
import io.penstock.codec.message.DeliveryMessage;
import io.penstock.codec.schema.PluginSchema;
import io.penstock.codec.seal.ConfigurationHeader;
import io.penstock.codec.seal.FalseCommitment;
import io.penstock.codec.seal.HeadManifest;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SealedFor;
import io.penstock.codec.seal.SealedSecrets;
import io.penstock.codec.seal.SigningKey;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// The systems of one agent as a broker keeps them: seals, signs, lists; and forges whatever a test
/// wants. Thread-safe.
public final class MockCloud {
  private static final long DAY_SECONDS = 24 * 60 * 60;

  private final SecureRandom random = new SecureRandom();
  private final SigningKey configurationKey = SigningKey.generate(random);
  private final Map<String, ConfigurationDocument> documents = new HashMap<>();
  private final SortedMap<String, HeadManifest.Entry> entries = new TreeMap<>();
  private final Map<String, Octets> newestHeaders = new HashMap<>();
  private @Nullable Octets sealingPublic;
  private long incarnation = 1;
  private long sequence;
  private long expiresInSeconds = DAY_SECONDS;
  private int fetches;
  private boolean handsOut = true;

  /// A version as it is about to be signed; every part may be another's.
  ///
  /// @param secrets JSON; null = none
  /// @param signer null = the configuration key
  public record Draft(
      String agent,
      long generation,
      String system,
      String plugin,
      long version,
      String settings,
      @Nullable String secrets,
      @Nullable SigningKey signer) {

    public static Draft of(String system, long version, String settings, @Nullable String secrets) {
      return new Draft(MockBroker.AGENT, 1, system, "http", version, settings, secrets, null);
    }

    public Draft forAgent(String other) {
      return new Draft(other, generation, system, plugin, version, settings, secrets, signer);
    }

    public Draft forGeneration(long other) {
      return new Draft(agent, other, system, plugin, version, settings, secrets, signer);
    }

    public Draft forSystem(String other) {
      return new Draft(agent, generation, other, plugin, version, settings, secrets, signer);
    }

    public Draft withPlugin(String other) {
      return new Draft(agent, generation, system, other, version, settings, secrets, signer);
    }

    public Draft signedBy(SigningKey other) {
      return new Draft(agent, generation, system, plugin, version, settings, secrets, other);
    }
  }

  SigningKey configurationKey() {
    return configurationKey;
  }

  synchronized void sealTo(Octets key) {
    sealingPublic = key;
  }

  /// Signed and sealed, and listed nowhere.
  public synchronized ConfigurationDocument make(Draft draft) {
    Optional<SealedSecrets> sealed =
        draft.secrets() == null ? Optional.empty() : Optional.of(seal(draft));
    return sign(draft, sealed);
  }

  /// Signed, with secrets whose wrapped key is not the one they commit to.
  public synchronized ConfigurationDocument falselyCommitted(Draft draft) {
    Octets key = sealingPublic;
    String secrets = draft.secrets();
    if (key == null || secrets == null) {
      throw new IllegalStateException("the agent is not enrolled yet, or nothing is to be sealed");
    }
    return sign(
        draft,
        Optional.of(
            FalseCommitment.seal(secrets.getBytes(StandardCharsets.UTF_8), owner(draft), key)));
  }

  /// The secrets of another document under a header of their own.
  public synchronized ConfigurationDocument carrying(Draft draft, ConfigurationDocument from) {
    byte[] sealed = from.sealed();
    if (sealed == null) {
      throw new IllegalArgumentException("nothing to carry");
    }
    return sign(draft, Optional.of(SealedSecrets.fromJson(sealed)));
  }

  private SealedSecrets seal(Draft draft) {
    if (sealingPublic == null || draft.secrets() == null) {
      throw new IllegalStateException("the agent is not enrolled yet");
    }
    return SealedSecrets.seal(
        draft.secrets().getBytes(StandardCharsets.UTF_8),
        owner(draft),
        sealingPublic,
        Optional.empty(),
        random);
  }

  private static SealedFor owner(Draft draft) {
    byte[] settings = draft.settings().getBytes(StandardCharsets.UTF_8);
    PluginSchema schema = PluginSchema.of("http").orElseThrow();
    return new SealedFor(
        draft.agent(), draft.generation(), draft.system(), schema.destinationOf(settings));
  }

  @SuppressWarnings("NullAway") // does not see in a class file that the array may be null
  private ConfigurationDocument sign(Draft draft, Optional<SealedSecrets> sealed) {
    byte[] settings = draft.settings().getBytes(StandardCharsets.UTF_8);
    var header =
        new ConfigurationHeader(
            draft.agent(),
            draft.generation(),
            draft.system(),
            draft.plugin(),
            PluginSchema.of("http").orElseThrow().id(),
            draft.version(),
            newestHeaders.getOrDefault(draft.system(), ConfigurationHeader.NOTHING_BEFORE),
            Octets.sha256(settings),
            sealed.map(SealedSecrets::hashes).orElse(null),
            "test",
            Instant.now().getEpochSecond());
    SigningKey signer = draft.signer() == null ? configurationKey : draft.signer();
    return new ConfigurationDocument(
        header.sign(signer), settings, sealed.map(SealedSecrets::toJson).orElse(null));
  }

  /// The head lists it from now on, and it can be fetched.
  public synchronized ConfigurationDocument list(
      String system, long version, ConfigurationDocument document) {
    store(system, version, document);
    Octets hash = ConfigurationHeader.hashOf(document.header());
    newestHeaders.put(system, hash);
    entries.put(system, new HeadManifest.Listed(version, hash));
    sequence++;
    return document;
  }

  /// It can be fetched, and the head does not list it.
  public synchronized ConfigurationDocument store(
      String system, long version, ConfigurationDocument document) {
    documents.put(system + "/" + version, document);
    return document;
  }

  public ConfigurationDocument deploy(
      String system, long version, String settings, @Nullable String secrets) {
    return list(system, version, make(Draft.of(system, version, settings, secrets)));
  }

  public synchronized void remove(String system, long version) {
    entries.put(system, HeadManifest.Tombstone.at(version));
    sequence++;
  }

  public synchronized void headsExpireIn(long seconds) {
    expiresInSeconds = seconds;
    sequence++;
  }

  /// The newest head, newly signed.
  public synchronized String head() {
    return manifest(MockBroker.AGENT).sign(configurationKey);
  }

  /// A head that nobody who may sign has signed.
  public synchronized String forgedHead() {
    return manifest(MockBroker.AGENT).sign(SigningKey.generate(random));
  }

  public synchronized HeadManifest manifest(String agent) {
    long now = Instant.now().getEpochSecond();
    long issued = Math.min(now, now + expiresInSeconds) - 10;
    return new HeadManifest(
        agent, 1, incarnation, Math.max(1, sequence), issued, now + expiresInSeconds, entries);
  }

  /// Empty while nothing was ever deployed.
  synchronized Optional<String> welcomeHead() {
    return entries.isEmpty() ? Optional.empty() : Optional.of(head());
  }

  /// A broker whose database is away.
  public synchronized void handOut(boolean does) {
    handsOut = does;
  }

  synchronized boolean handsOut() {
    return handsOut;
  }

  synchronized Optional<ConfigurationDocument> fetch(String system, long version) {
    fetches++;
    return Optional.ofNullable(documents.get(system + "/" + version));
  }

  /// What is stored, not counted as a fetch.
  public synchronized ConfigurationDocument fetched(String system, long version) {
    return Optional.ofNullable(documents.get(system + "/" + version)).orElseThrow();
  }

  public String sign(HeadManifest head) {
    return head.sign(configurationKey);
  }

  public synchronized int fetches() {
    return fetches;
  }

  /// A message that carries head and document.
  public DeliveryMessage message(String system, long version, ConfigurationDocument document) {
    return new DeliveryMessage.Configuration(system, version, head(), document);
  }
}
