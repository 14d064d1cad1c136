package io.penstock.agent.identity;

import io.penstock.agent.identity.IdentityFile.Content;
import io.penstock.codec.noise.PublicKey;
import io.penstock.codec.noise.StaticKeyPair;
import io.penstock.codec.seal.EnrollmentToken;
import io.penstock.codec.seal.Fingerprint;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.SealingKey;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Who this agent is: the unlock secret with what follows from it, and what the broker said. Every
/// change is on disk before the method that makes it returns, so methods that change something
/// block and are called on virtual threads.
public final class Identity {
  private static final String FINGERPRINT = "fingerprint";
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,63}");

  private final DataDirectory directory;
  private final IdentityFile file;
  private final SecureRandom random;
  private Content content;
  private UnlockKeys keys;
  private List<SealingKey> sealingKeys = List.of();
  private @Nullable IdentityBundle newest;

  private Identity(DataDirectory directory, IdentityFile file, SecureRandom random, Content of) {
    this.directory = directory;
    this.file = file;
    this.random = random;
    content = of;
    keys = of.keys();
  }

  /// What a handshake needs to know, all of one unlock epoch.
  ///
  /// @param generation 0 = not approved yet, as far as this agent knows
  public record Credentials(String agent, int generation, long unlockEpoch, StaticKeyPair dev) {}

  /// Empty when the directory holds no identity yet.
  public static Optional<Identity> load(
      DataDirectory directory, UnlockSeal.Source source, SecureRandom random)
      throws IOException, IdentityException {
    var file = new IdentityFile(directory, random);
    Optional<Content> content = file.read(source);
    if (content.isEmpty()) {
      return Optional.empty();
    }
    var identity = new Identity(directory, file, random, content.get());
    identity.adopt(source);
    return Optional.of(identity);
  }

  /// An owner who only now gives a passphrase or credential gets the file sealed by it.
  private void adopt(UnlockSeal.Source source) throws IOException, IdentityException {
    if (content.seal().protects() || source instanceof UnlockSeal.Source.None) {
      return;
    }
    UnlockSeal seal = UnlockSeal.fresh(source, random);
    replace(new Content(seal, content.secret(), content.epoch(), content.state()));
  }

  /// A new identity that wants to enroll with `token`. It is on disk when this returns, so that a
  /// crash later in the enrollment comes back with the same dev key.
  ///
  /// @param keepToken the token came by a way that gives it only once
  public static Identity create(
      DataDirectory directory,
      UnlockSeal.Source source,
      EnrollmentToken token,
      boolean keepToken,
      SecureRandom random)
      throws IOException, IdentityException {
    var state =
        new IdentityState(
            random(random),
            random(random),
            token.brokerUrl(),
            token.rootSha256(),
            token.caSha256().orElse(null),
            0,
            null,
            null,
            null,
            0,
            keepToken ? token.text() : null);
    var content =
        new Content(UnlockSeal.fresh(source, random), UnlockSecret.generate(random), 0, state);
    // The floors of another identity mean nothing to this one, and it could not read them.
    directory.delete(StateFile.NAME);
    var file = new IdentityFile(directory, random);
    file.write(content, content.keys());
    return new Identity(directory, file, random, content);
  }

  private static byte[] random(SecureRandom random) {
    byte[] bytes = new byte[32];
    random.nextBytes(bytes);
    return bytes;
  }

  /// Another try to enroll, perhaps with another token.
  public synchronized void retarget(EnrollmentToken token, boolean keepToken) throws IOException {
    replace(
        content
            .state()
            .withTarget(
                token.brokerUrl(),
                token.rootSha256(),
                token.caSha256().orElse(null),
                keepToken ? token.text() : null));
  }

  /// The token of an interrupted enrollment, if it had to be kept.
  public synchronized Optional<EnrollmentToken> keptToken() {
    @Nullable String text = content.state().token();
    try {
      return text == null ? Optional.empty() : Optional.of(EnrollmentToken.parse(text));
    } catch (SealException _) {
      return Optional.empty();
    }
  }

  /// The broker has said PENDING at least once: the token is spent, the name is known.
  public synchronized boolean isEnrolled() {
    return content.state().agent() != null;
  }

  public synchronized Optional<String> agent() {
    return Optional.ofNullable(content.state().agent());
  }

  /// Whether a passphrase or credential seals the unlock secret.
  public synchronized boolean isSealed() {
    return content.seal().protects();
  }

  public synchronized String brokerUrl() {
    return content.state().brokerUrl();
  }

  public synchronized Octets rootSha256() {
    return content.state().rootSha256();
  }

  public synchronized Optional<Octets> caSha256() {
    return Optional.ofNullable(content.state().caSha256());
  }

  public synchronized long keysetVersion() {
    return content.state().keysetVersion();
  }

  public synchronized StaticKeyPair dev() {
    return keys.dev();
  }

  public synchronized long unlockEpoch() {
    return content.epoch();
  }

  /// @throws IllegalStateException before [#isEnrolled]
  public synchronized Credentials credentials() {
    @Nullable String agent = content.state().agent();
    if (agent == null) {
      throw new IllegalStateException("this agent is not enrolled");
    }
    return new Credentials(agent, content.state().generation(), content.epoch(), keys.dev());
  }

  /// New identity keys, in memory only.
  public IdentityBundle newBundle() {
    return IdentityBundle.generate(random);
  }

  /// What the cloud keeps of `bundle`.
  public synchronized byte[] wrap(IdentityBundle bundle) {
    return bundle.wrap(keys, content.epoch(), random);
  }

  public synchronized IdentityBundle unwrap(byte[] innerBundle) throws IdentityException {
    IdentityBundle opened = IdentityBundle.unwrap(keys, content.epoch(), innerBundle);
    sealingKeys = opened.sealingKeys();
    newest = opened;
    return opened;
  }

  /// What opens documents that are sealed to this agent, newest first. Of the newest bundle, also
  /// for tunnels that were admitted before it. In memory only, empty before the first WELCOME.
  public synchronized List<SealingKey> sealingKeys() {
    return sealingKeys;
  }

  /// New identity keys, and what the cloud is to keep of them. The caller holds off rotations of
  /// the unlock secret until the cloud has answered.
  public record Successor(IdentityBundle bundle, long unlockEpoch, byte[] innerBundle) {}

  /// Its sealing key opens documents from now on, the last of all: whether the cloud took it may
  /// not be known for a while.
  ///
  /// @param instruction id of the one that asked for new keys
  public synchronized Successor successor(IdentityBundle held, String instruction) {
    IdentityBundle next = held.successor(instruction, random);
    sealingKeys = Stream.concat(held.sealingKeys().stream(), Stream.of(next.sealing())).toList();
    return new Successor(next, content.epoch(), wrap(next));
  }

  /// The cloud took it.
  public synchronized void replacedBy(Successor next) {
    sealingKeys = next.bundle().sealingKeys();
    newest = next.bundle();
  }

  /// Whether the keys in force, or one of the three pairs before, were made for this instruction.
  public synchronized boolean isRotatedFor(String instruction) {
    IdentityBundle known = newest;
    return known != null && known.isMadeFor(instruction);
  }

  /// What this agent believes of its owner.
  public synchronized BrokerTrust.Pin pin() {
    return new BrokerTrust.Pin(content.state().rootSha256(), content.state().keysetVersion());
  }

  /// Moves the pin to a root that cross-signatures led to, and raises the floor below which keysets
  /// are refused; durable when it returns. Nothing goes back: what was judged by a pin that another
  /// tunnel has moved meanwhile is refused.
  ///
  /// @param judgedBy the pin that `seen` was verified with
  public synchronized void ownerSeen(BrokerTrust.Pin judgedBy, BrokerTrust.Pin seen)
      throws IOException, IdentityException {
    BrokerTrust.Pin now = pin();
    if (!now.rootSha256().equals(judgedBy.rootSha256())) {
      if (now.rootSha256().equals(seen.rootSha256()) && seen.keysetFloor() >= now.keysetFloor()) {
        return;
      }
      throw new IdentityException("another tunnel was shown a newer root meanwhile");
    }
    boolean sameRoot = seen.rootSha256().equals(now.rootSha256());
    if (sameRoot && seen.keysetFloor() < now.keysetFloor()) {
      throw new IdentityException("another tunnel was shown a newer keyset meanwhile");
    }
    if (!sameRoot || seen.keysetFloor() > now.keysetFloor()) {
      replace(
          content
              .state()
              .withOwner(seen.rootSha256(), Math.max(seen.keysetFloor(), now.keysetFloor())));
    }
  }

  /// The broker has taken the enrollment. Its name comes from the peer and is checked like one.
  public synchronized void pending(String agent, String site, Fingerprint fingerprint)
      throws IOException {
    if (!NAME.matcher(agent).matches()) {
      throw new IOException("the broker gives a name that is none");
    }
    directory.write(FINGERPRINT, (fingerprint.text() + "\n").getBytes(StandardCharsets.US_ASCII));
    replace(content.state().withPending(agent, site, fingerprint.text()));
  }

  /// Of the enrollment that waits or was approved.
  public synchronized Optional<String> fingerprint() {
    return Optional.ofNullable(content.state().fingerprint());
  }

  public synchronized void approved(int generation) throws IOException {
    if (generation != content.state().generation()) {
      replace(content.state().withGeneration(generation));
    }
  }

  /// The next unlock secret, not yet on disk. Nothing uses it before [#switchTo].
  public final class Rotation {
    private final UnlockKeys nextKeys;
    private final byte[] innerBundle;
    private Content next;

    private Rotation(Content next, UnlockKeys nextKeys, byte[] innerBundle) {
      this.next = next;
      this.nextKeys = nextKeys;
      this.innerBundle = innerBundle;
    }

    public long unlockEpoch() {
      return next.epoch();
    }

    public PublicKey devKey() {
      return nextKeys.dev().publicKey();
    }

    public byte[] innerBundle() {
      return innerBundle.clone();
    }

    /// Writes it beside the current one, durably.
    public void stage() throws IOException {
      synchronized (Identity.this) {
        file.stage(next, nextKeys);
      }
    }

    /// What another tunnel made known meanwhile is not forgotten.
    private void catchUp() throws IOException {
      if (!content.state().equals(next.state())) {
        next = new Content(next.seal(), next.secret(), next.epoch(), content.state());
        file.stage(next, nextKeys);
      }
    }

    /// The broker has stored it: from here on it is the current one, on disk and in memory.
    public void switchTo() throws IOException {
      synchronized (Identity.this) {
        catchUp();
        file.commit();
        content.secret().wipe();
        content = next;
        keys = nextKeys;
      }
    }

    @Override
    public String toString() {
      return "Rotation[" + unlockEpoch() + "]";
    }
  }

  /// Begins the rotation of the unlock secret; `bundle` is the identity that it wraps.
  public synchronized Rotation rotation(IdentityBundle bundle) {
    var next =
        new Content(
            content.seal(), UnlockSecret.generate(random), content.epoch() + 1, content.state());
    UnlockKeys nextKeys = next.keys();
    return new Rotation(next, nextKeys, bundle.wrap(nextKeys, next.epoch(), random));
  }

  /// What this agent remembers of its configuration, under the identity's key.
  public synchronized StateFile stateFile() {
    return new StateFile(directory, content.state().stateMacKey());
  }

  /// Revoked: nothing of the identity stays.
  public synchronized void wipe() throws IOException {
    content.secret().wipe();
    directory.wipe();
  }

  private void replace(IdentityState state) throws IOException {
    replace(new Content(content.seal(), content.secret(), content.epoch(), state));
  }

  private void replace(Content next) throws IOException {
    file.write(next, keys);
    content = next;
  }

  @Override
  public String toString() {
    return "Identity[" + content.state() + "]";
  }
}
