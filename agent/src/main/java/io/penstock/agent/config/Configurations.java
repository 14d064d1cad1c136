package io.penstock.agent.config;

import io.netty.channel.EventLoop;
import io.penstock.agent.config.Preparation.RefusedException;
import io.penstock.agent.identity.Failpoint;
import io.penstock.agent.identity.IdentityException;
import io.penstock.agent.identity.StateFile;
import io.penstock.agent.link.ConfigurationLine;
import io.penstock.agent.link.ConfigurationTarget;
import io.penstock.agent.link.LinkFailure;
import io.penstock.agent.plugin.SystemCatalog;
import io.penstock.codec.Protocol;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.message.ConfigurationDocument;
import io.penstock.codec.message.ControlMessage.OwnerKeys;
import io.penstock.codec.message.ControlMessage.State;
import io.penstock.codec.message.ControlMessage.TestReport;
import io.penstock.codec.message.DeliveryMessage;
import io.penstock.codec.message.DeliveryReceipt;
import io.penstock.codec.message.Messages;
import io.penstock.codec.seal.ConfigurationCheck;
import io.penstock.codec.seal.ConfigurationHeader;
import io.penstock.codec.seal.HeadManifest;
import io.penstock.codec.seal.HeldVersion;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.Receipt;
import io.penstock.codec.seal.Receipt.Reason;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What the broker deploys, from the head that names it to the receipt that proves it applied.
///
/// One virtual thread does everything in order and is fed by a bounded queue; only the documents of
/// a start are fetched and prepared beside each other. Nothing of a document has an effect before
/// all of it is checked and its instance stands; then come, in this order, the swap, the state on
/// disk, and the receipt. A process that dies in between does it again: the broker keeps the
/// message until the receipt, and the same version twice has one effect.
public final class Configurations implements ConfigurationTarget, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger("agent");

  private static final int MAX_WAITING = 1_024;
  private static final int MAX_WAITING_MESSAGES = 512;
  private static final int MAX_RULES_BYTES = Protocol.MAX_CONTROL_BYTES - 16 * 1024;
  private static final int FETCHES_AT_ONCE = 4;
  private static final int MAX_REMEMBERED_INSTRUCTIONS = 256;
  private static final Duration CLOSE_WITHIN = Duration.ofSeconds(2);
  private static final Duration FETCH_WITHIN = Duration.ofSeconds(10);
  private static final long LONGEST_NAP_NANOS = TimeUnit.SECONDS.toNanos(5);
  private static final Octets NO_HEADER = ConfigurationHeader.NOTHING_BEFORE;

  private final ConfigurationSettings settings;
  private final StateKeeper keeper;
  private final NewestHead newest;
  private final Preparation preparation;
  private final Deployments deployments;
  private final Announcements announcements;
  private final SystemTester tester;
  private final Optional<VaultSecrets> vault;
  private final Failpoint.Action failpoint;
  private final ArrayBlockingQueue<Work> queue = new ArrayBlockingQueue<>(MAX_WAITING);
  private final Thread thread;

  // Of the thread.
  private final Retries retries = new Retries();
  private final Map<String, CrashBreaker> breakers = new HashMap<>();

  /// Receipts that wait for [Announcements]; as many as messages came within its pause.
  private final List<Runnable> owed = new ArrayList<>();

  private final Map<String, String> instructionResults =
      new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, String> eldest) {
          return size() > MAX_REMEMBERED_INSTRUCTIONS;
        }
      };
  private @Nullable ConfigurationLine clock;
  private boolean saidStale;
  private boolean everAdmitted;
  private boolean forgotten;
  private long aloneSinceNanos;
  private long refreshedNanos = System.nanoTime();

  private volatile boolean stale;
  private volatile boolean closing;

  private Configurations(
      ConfigurationSettings settings,
      StateKeeper keeper,
      SystemCatalog catalog,
      EventLoop loop,
      References references,
      Optional<VaultSecrets> vault,
      Failpoint.Action failpoint) {
    this.settings = settings;
    this.keeper = keeper;
    this.vault = vault;
    this.failpoint = failpoint;
    newest = new NewestHead(keeper);
    preparation = new Preparation(catalog, references);
    deployments = new Deployments(catalog, loop, keeper);
    announcements = new Announcements(catalog, deployments);
    tester = new SystemTester(catalog, preparation, deployments, newest, keeper, FETCH_WITHIN);
    thread = Thread.ofVirtual().name("configuration").unstarted(this::run);
    loop.execute(() -> catalog.watch((system, it) -> offer(new Work.InstanceFailed(system, it))));
  }

  /// @param catalog where deployed systems stand beside the local ones
  /// @param loop the catalog's
  /// @throws IdentityException when the state file is not this agent's: its floors are not reset
  ///     silently
  public static Configurations start(
      ConfigurationSettings settings,
      StateFile stateFile,
      SystemCatalog catalog,
      EventLoop loop,
      SecureRandom random,
      Failpoint.Action failpoint)
      throws IOException, IdentityException {
    StateKeeper keeper = StateKeeper.open(stateFile);
    Optional<VaultSecrets> vault = Optional.empty();
    var stores = new HashMap<String, SecretStore>();
    ConfigurationSettings.Secrets secrets = settings.secrets();
    stores.put(
        "secret",
        new OwnerSecrets(
            secrets.directory(),
            secrets.environment(),
            secrets.systemdCredentials(),
            secrets.own()));
    if (settings.vault().isPresent()) {
      ConfigurationSettings.Vault at = settings.vault().get();
      var client =
          new VaultSecrets(
              new VaultSecrets.Settings(at.address(), at.roleId(), at.secretIdFile(), at.caFile()));
      stores.put("vault", client);
      vault = Optional.of(client);
    }
    var started =
        new Configurations(
            settings, keeper, catalog, loop, new References(stores, random), vault, failpoint);
    started.thread.start();
    return started;
  }

  // Asked by others.

  public List<SystemStatus> statuses() {
    return deployments.statuses();
  }

  /// The newest head has expired: what runs goes on, nothing new is applied.
  public boolean isStale() {
    return stale;
  }

  /// Counters of the newest head; 0 = none yet.
  public long incarnation() {
    return keeper.state().incarnation();
  }

  public long sequence() {
    return keeper.state().sequence();
  }

  @Override
  public Optional<Octets> stateDigest() {
    return Optional.of(keeper.state().digest());
  }

  @Override
  public void admitted(ConfigurationLine line, Optional<String> head) {
    if (!offer(new Work.Admitted(line, head))) {
      // Its next admission comes with another try.
      LOG.error("more than {} pieces of configuration wait; the tunnel is replaced", MAX_WAITING);
      line.reconnect();
    }
  }

  @Override
  public void lost(ConfigurationLine line) {
    // Whoever is asked for lines looks whether they are open: a loss that is not heard costs time.
    offer(new Work.Lost(line));
  }

  @Override
  public boolean head(ConfigurationLine line, String head) {
    return queue.size() < MAX_WAITING_MESSAGES && offer(new Work.Head(line, head));
  }

  @Override
  public boolean ownerKeys(ConfigurationLine line, OwnerKeys keys) {
    return queue.size() < MAX_WAITING_MESSAGES && offer(new Work.OwnersKeys(line, keys));
  }

  @Override
  public boolean message(ConfigurationLine line, long sequence, byte[] body) {
    return queue.size() < MAX_WAITING_MESSAGES && offer(new Work.Message(line, sequence, body));
  }

  private boolean offer(Work work) {
    return queue.offer(work);
  }

  @Override
  public CompletableFuture<Optional<TestReport>> test(
      ConfigurationLine line, String system, Optional<Long> version) {
    return tester.test(line, system, version);
  }

  @Override
  public void wipe() {
    stop();
    deployments.wipe();
  }

  @Override
  public void close() {
    stop();
    try {
      thread.join(CLOSE_WITHIN);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
    vault.ifPresent(VaultSecrets::close);
  }

  /// Waits for a write of the state that is under way; there is no other.
  private void stop() {
    closing = true;
    keeper.close();
    // Full means busy: the thread looks before it takes more.
    offer(new Work.Stop());
  }

  // The thread.

  private void run() {
    try {
      while (!closing) {
        Work work = queue.poll(napNanos(), TimeUnit.NANOSECONDS);
        if (work != null) {
          attend(work);
        }
        attendTimers();
      }
    } catch (InterruptedException _) {
      // Nobody interrupts it but the end of the process.
    }
  }

  private long napNanos() {
    long now = System.nanoTime();
    long nap = Math.min(LONGEST_NAP_NANOS, retries.next(now).orElse(LONGEST_NAP_NANOS));
    if (announcements.isDue()) {
      nap = Math.min(nap, announcements.waitNanos(now));
    }
    if (settings.forgetAfterLostSession().isPresent() && !announcements.hasLine()) {
      nap = Math.min(nap, TimeUnit.MILLISECONDS.toNanos(200));
    }
    return Math.max(0, Math.min(nap, refreshedNanos + settings.refresh().toNanos() - now));
  }

  private void attend(Work work) throws InterruptedException {
    try {
      switch (work) {
        case Work.Admitted(ConfigurationLine line, Optional<String> head) -> begin(line, head);
        case Work.Lost(ConfigurationLine line) -> end(line);
        case Work.Head(ConfigurationLine line, String head) -> {
          offerHead(line, head);
          save();
        }
        case Work.OwnersKeys(ConfigurationLine line, OwnerKeys keys) -> learn(line, keys);
        case Work.Message it -> message(it);
        case Work.InstanceFailed it -> instanceFailed(it);
        case Work.Stop _ -> {}
      }
    } catch (RuntimeException bug) {
      internalError(bug);
    }
  }

  /// While the process ends, the event loop may be gone before this thread.
  private void internalError(RuntimeException bug) {
    if (!closing) {
      LOG.error("configuration: internal error", bug);
    }
  }

  private void attendTimers() throws InterruptedException {
    try {
      long now = System.nanoTime();
      checkHead();
      forgetWhenAlone(now);
      refresh(now);
      retryDue(now);
      tellAndProve();
    } catch (RuntimeException bug) {
      internalError(bug);
    }
  }

  /// Rules and states go ahead of the receipts of what changed them: who hears of a receipt may
  /// call at once.
  private void tellAndProve() {
    announcements.tell(System.nanoTime());
    if (!announcements.isDue()) {
      owed.forEach(Runnable::run);
      owed.clear();
    }
  }

  private void checkHead() {
    ConfigurationLine by = clock;
    stale = by != null && newest.isStaleAt(by.serverTime());
    if (stale && !saidStale) {
      LOG.warn(
          "configuration is STALE: the newest head has expired; what runs goes on, nothing new is"
              + " applied");
    }
    if (!stale && saidStale) {
      LOG.info("configuration is fresh again");
    }
    saidStale = stale;
  }

  // Tunnels.

  private void begin(ConfigurationLine line, Optional<String> head) throws InterruptedException {
    clock = line;
    everAdmitted = true;
    forgotten = false;
    newest.shown(line.keyset());
    announcements.admitted(line);
    head.ifPresent(it -> offerHead(line, it));
    save();
    startMissing(line);
  }

  private void end(ConfigurationLine line) {
    announcements.lost(line);
    if (!announcements.hasLine()) {
      aloneSinceNanos = System.nanoTime();
    }
  }

  /// The owner's choice: an agent that was cut off, or carried away, forgets.
  private void forgetWhenAlone(long now) {
    if (settings.forgetAfterLostSession().isEmpty()
        || !everAdmitted
        || forgotten
        || announcements.hasLine()
        || now - aloneSinceNanos < settings.forgetAfterLostSession().get().toNanos()) {
      return;
    }
    forgotten = true;
    LOG.warn(
        "no tunnel for {} s: deployed configurations are forgotten until the next",
        settings.forgetAfterLostSession().get().toSeconds());
    deployments.forgetAll("forgotten after a lost session");
    retries.clear();
  }

  // Heads.

  /// Older ones than these stay in force when they do not hold: nothing that they signed is lost.
  private void learn(ConfigurationLine line, OwnerKeys keys) {
    try {
      line.learn(keys);
      newest.shown(line.keyset());
      LOG.info("the owner's keys are those of keyset version {}", line.keyset().version());
    } catch (IdentityException broken) {
      LOG.warn("keys that a tunnel showed are not accepted: {}", broken.getMessage());
    } catch (IOException disk) {
      LOG.warn("cannot store what is known of the owner's keys: {}", disk.toString());
    }
  }

  private Optional<Refusal> offerHead(ConfigurationLine line, String jws) {
    Optional<Refusal> refusal = newest.offer(line, jws);
    refusal.ifPresent(it -> LOG.warn("a head is not accepted: {}", it));
    checkHead();
    return refusal;
  }

  // A start: every listed system that is not in memory.

  private record Attempt(
      String system, HeldVersion listed, @Nullable Prepared prepared, @Nullable Refusal refusal) {}

  private void startMissing(ConfigurationLine line) throws InterruptedException {
    Optional<HeadManifest> head = newest.get();
    if (head.isEmpty()) {
      return;
    }
    var missing = new ArrayList<Map.Entry<String, HeldVersion>>();
    head.get()
        .systems()
        .keySet()
        .forEach(
            system ->
                head.get()
                    .listed(system)
                    .filter(_ -> deployments.running(system).isEmpty())
                    .ifPresent(it -> missing.add(Map.entry(system, it))));
    if (stale) {
      missing.forEach(
          it ->
              deployments.failed(
                  it.getKey(), it.getValue(), State.PENDING, "the newest head has expired"));
      return;
    }
    startAll(line, missing);
  }

  private void startAll(ConfigurationLine line, List<Map.Entry<String, HeldVersion>> missing)
      throws InterruptedException {
    var attempts = new LinkedBlockingQueue<Attempt>();
    var room = new Semaphore(FETCHES_AT_ONCE);
    for (Map.Entry<String, HeldVersion> each : missing) {
      deployments.failed(each.getKey(), each.getValue(), State.PENDING, "is being fetched");
      Thread.ofVirtual()
          .name("start-" + each.getKey())
          .start(() -> attempts.add(attempt(line, room, each.getKey(), each.getValue())));
    }
    for (int i = 0; i < missing.size(); i++) {
      settle(attempts.take());
      announcements.changed();
      announcements.tell(System.nanoTime());
    }
    save();
  }

  private Attempt attempt(
      ConfigurationLine line, Semaphore room, String system, HeldVersion listed) {
    room.acquireUninterruptibly();
    try {
      ConfigurationDocument document = fetch(line, system, listed.version());
      return new Attempt(system, listed, prepare(line, system, document), null);
    } catch (RefusedException refused) {
      return new Attempt(system, listed, null, refused.refusal());
    } catch (FetchException broken) {
      return new Attempt(system, listed, null, null);
    } catch (RuntimeException bug) {
      LOG.error("{}: internal error", system, bug);
      return new Attempt(system, listed, null, new Refusal(Reason.START_FAILED, "internal error"));
    } finally {
      room.release();
    }
  }

  private void settle(Attempt attempt) {
    Prepared prepared = attempt.prepared();
    Refusal refusal = attempt.refusal();
    String system = attempt.system();
    if (prepared != null && refusal == null) {
      refusal = swapped(prepared).orElse(null);
      if (refusal == null) {
        return;
      }
    }
    if (refusal == null) {
      deployments.failed(
          system, attempt.listed(), State.PENDING, "its document could not be fetched");
      retries.later(system, System.nanoTime());
    } else {
      LOG.warn("{}: version {} is refused: {}", system, attempt.listed().version(), refusal);
      deployments.failed(system, attempt.listed(), State.FAILED, refusal.toString());
      if (mayPass(refusal.reason())) {
        retries.later(system, System.nanoTime());
      }
    }
  }

  /// Whether the same version may be fine later, because something else changed.
  private static boolean mayPass(Reason reason) {
    return reason == Reason.MISSING_SECRET_REFERENCE
        || reason == Reason.START_FAILED
        || reason == Reason.NOT_LISTED;
  }

  /// The document does not come, for now.
  private static final class FetchException extends Exception {
    FetchException(String message) {
      super(message, null, false, false);
    }
  }

  private static ConfigurationDocument fetch(ConfigurationLine line, String system, long version)
      throws FetchException, RefusedException {
    try {
      return line.fetch(system, version, FETCH_WITHIN)
          .orElseThrow(
              () ->
                  new RefusedException(
                      Reason.NOT_LISTED, "the broker has no document of version " + version));
    } catch (LinkFailure broken) {
      throw new FetchException(broken.text());
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw new FetchException("the agent stops");
    }
  }

  private Prepared prepare(ConfigurationLine line, String system, ConfigurationDocument document)
      throws RefusedException {
    HeadManifest head =
        newest
            .get()
            .orElseThrow(
                () -> new RefusedException(Reason.NOT_LISTED, "this agent has seen no head yet"));
    if (head.isExpiredAt(line.serverTime())) {
      throw new RefusedException(Reason.NOT_LISTED, "the newest head has expired");
    }
    var check =
        new ConfigurationCheck(
            line.agent(),
            line.generation(),
            system,
            newest.keyset().orElse(line.keyset()),
            head,
            keeper.state().floor(system));
    return preparation.prepare(check, line.sealing(), deployments.running(system), document);
  }

  /// Empty = it serves.
  private Optional<Refusal> swapped(Prepared prepared) {
    try {
      swap(prepared);
      return Optional.empty();
    } catch (RefusedException refused) {
      return Optional.of(refused.refusal());
    }
  }

  /// What it exposes must fit the one message that tells the rules of all systems, or no tunnel
  /// would stand any more.
  private void swap(Prepared prepared) throws RefusedException {
    String system = prepared.system();
    int bytes = deployments.rulesBytesWith(prepared);
    if (bytes > MAX_RULES_BYTES) {
      deployments.discard(prepared);
      throw new RefusedException(
          Reason.START_FAILED,
          "allow: expected rules of all systems of at most "
              + MAX_RULES_BYTES
              + " bytes, found "
              + bytes);
    }
    deployments.swap(prepared);
    failpoint.accept(Failpoint.CONFIGURATION_AFTER_SWAP);
    keeper.change(keeper.state().with(system, prepared.held(), false));
    retries.done(system);
    breakers.remove(system);
    announcements.changed();
    LOG.info("{}: version {} serves", system, prepared.held().version());
  }

  /// False: what was applied is not on disk, so nobody may hear that it was.
  private boolean save() {
    try {
      keeper.save();
      return true;
    } catch (IOException disk) {
      LOG.error("cannot store the state of the configuration: {}", disk.toString());
      return false;
    }
  }

  // Messages.

  private void message(Work.Message message) throws InterruptedException {
    ConfigurationLine line = message.line();
    if (!line.isOpen()) {
      // It comes again on another tunnel.
      return;
    }
    Optional<DeliveryMessage> known;
    try {
      known = Messages.decodeDelivery(message.body());
    } catch (ProtocolException malformed) {
      LOG.warn("a message is not understood: {}", malformed.getMessage());
      line.receipt(message.sequence(), DeliveryReceipt.result("malformed"));
      return;
    }
    if (known.isEmpty()) {
      line.receipt(message.sequence(), DeliveryReceipt.result(DeliveryReceipt.UNKNOWN));
      return;
    }
    switch (known.get()) {
      case DeliveryMessage.Configuration it -> configuration(line, message.sequence(), it);
      case DeliveryMessage.Head it -> removal(line, message.sequence(), it);
      case DeliveryMessage.Instruction it -> instruction(line, message.sequence(), it);
    }
  }

  private void configuration(
      ConfigurationLine line, long sequence, DeliveryMessage.Configuration message) {
    String system = message.system();
    var named = new HeldVersion(message.version(), headerOf(message));
    Optional<Refusal> badHead =
        Optional.ofNullable(message.head()).flatMap(head -> offerHead(line, head));
    if (badHead.isPresent()) {
      refused(line, sequence, system, named, badHead.get());
      return;
    }
    named = new HeldVersion(message.version(), headerOf(message));
    Optional<Prepared> running = deployments.running(system);
    if (running.isPresent() && running.get().held().equals(named)) {
      again(line, sequence, system, named);
      return;
    }
    try {
      ConfigurationDocument document = message.document();
      if (document == null) {
        document = fetch(line, system, message.version());
        named = new HeldVersion(message.version(), ConfigurationHeader.hashOf(document.header()));
      }
      swap(prepare(line, system, document));
      applied(line, sequence, system, named);
    } catch (RefusedException refused) {
      refused(line, sequence, system, named, refused.refusal());
    } catch (FetchException broken) {
      // The message stays with the broker, which sends it again on the next session.
      line.reconnect();
      LOG.warn(
          "{}: version {} could not be fetched: {}",
          system,
          message.version(),
          broken.getMessage());
      deployments.failed(system, named, State.PENDING, "its document could not be fetched");
      announcements.changed();
      save();
    }
  }

  /// Which document the message is about: the one it carries, or the one the head lists.
  private Octets headerOf(DeliveryMessage.Configuration message) {
    ConfigurationDocument document = message.document();
    if (document != null) {
      return ConfigurationHeader.hashOf(document.header());
    }
    return newest
        .get()
        .flatMap(head -> head.listed(message.system()))
        .filter(listed -> listed.version() == message.version())
        .map(HeldVersion::headerSha256)
        .orElse(NO_HEADER);
  }

  /// The same version again: the same word, and no second effect.
  private void again(ConfigurationLine line, long sequence, String system, HeldVersion held) {
    boolean failed =
        deployments.status(system).filter(it -> it.state() == State.FAILED).isPresent();
    if (failed) {
      refused(
          line,
          sequence,
          system,
          held,
          new Refusal(Reason.CRASH_LOOP, "its plugin failed again and again; it pauses"));
    } else {
      applied(line, sequence, system, held);
    }
  }

  private void removal(ConfigurationLine line, long sequence, DeliveryMessage.Head message) {
    String system = message.system();
    var held = new HeldVersion(message.version(), NO_HEADER);
    Optional<Refusal> refusal =
        Optional.ofNullable(message.head())
            .flatMap(head -> offerHead(line, head))
            .or(() -> notRemoved(line, system, message.version()));
    if (refusal.isPresent()) {
      refused(line, sequence, system, held, refusal.get());
      return;
    }
    deployments.remove(system);
    keeper.change(keeper.state().with(system, held, true));
    retries.done(system);
    breakers.remove(system);
    announcements.changed();
    LOG.info("{}: removed", system);
    applied(line, sequence, system, held);
  }

  private Optional<Refusal> notRemoved(ConfigurationLine line, String system, long version) {
    Optional<HeadManifest> head = newest.get();
    if (head.isPresent() && head.get().isExpiredAt(line.serverTime())) {
      return Optional.of(new Refusal(Reason.NOT_LISTED, "the newest head has expired"));
    }
    boolean listed =
        head.isPresent()
            && head.get().systems().get(system) instanceof HeadManifest.Tombstone tombstone
            && tombstone.version() == version;
    return listed
        ? Optional.empty()
        : Optional.of(
            new Refusal(Reason.NOT_LISTED, "the head lists no tombstone of version " + version));
  }

  // Receipts.

  private void applied(ConfigurationLine line, long sequence, String system, HeldVersion held) {
    if (!save()) {
      return;
    }
    failpoint.accept(Failpoint.CONFIGURATION_AFTER_STATE);
    owed.add(() -> receipt(line, sequence, system, held, new Receipt.Applied()));
    tellAndProve();
  }

  private void refused(
      ConfigurationLine line, long sequence, String system, HeldVersion held, Refusal refusal) {
    LOG.warn("{}: version {} is refused: {}", system, held.version(), refusal);
    deployments.failed(system, held, State.FAILED, refusal.toString());
    announcements.changed();
    save();
    Receipt.Refused outcome = Receipt.Refused.of(refusal.reason(), refusal.detail());
    owed.add(() -> receipt(line, sequence, system, held, outcome));
    tellAndProve();
  }

  private static void receipt(
      ConfigurationLine line,
      long sequence,
      String system,
      HeldVersion held,
      Receipt.Outcome outcome) {
    if (line.generation() < 1) {
      LOG.warn("{}: no receipt, because this agent does not know its generation yet", system);
      return;
    }
    var receipt =
        new Receipt(
            line.agent(),
            line.generation(),
            system,
            held.version(),
            held.headerSha256(),
            outcome,
            Instant.now().getEpochSecond());
    line.receipt(sequence, DeliveryReceipt.of(receipt.sign(line.signing())));
  }

  // Instances that fail, and what is tried again.

  private void instanceFailed(Work.InstanceFailed failure) {
    String system = failure.system();
    Optional<Prepared> running = deployments.running(system);
    if (running.isEmpty() || !running.get().instance().equals(failure.instance())) {
      return;
    }
    long now = System.nanoTime();
    CrashBreaker breaker = breakers.computeIfAbsent(system, _ -> new CrashBreaker());
    if (deployments.status(system).filter(it -> it.state() == State.LIVE).isPresent()
        && breaker.failed(now)) {
      Duration pause = breaker.pause(now);
      LOG.error("{}: its plugin failed again and again; it pauses {} s", system, pause.toSeconds());
      deployments.suspend(
          system,
          Reason.CRASH_LOOP.text() + ": its plugin failed " + CrashBreaker.FAILURES + " times");
      retries.at(system, now, pause);
      announcements.changed();
    }
  }

  private void retryDue(long now) throws InterruptedException {
    var missing = new ArrayList<Map.Entry<String, HeldVersion>>();
    for (String system : retries.due(now)) {
      Optional<Prepared> running = deployments.running(system);
      if (running.isPresent()) {
        resume(running.get(), now);
      } else {
        newest
            .get()
            .flatMap(head -> head.listed(system))
            .ifPresentOrElse(it -> missing.add(Map.entry(system, it)), () -> retries.done(system));
      }
    }
    Optional<ConfigurationLine> line = announcements.anyLine();
    if (line.isEmpty() || stale) {
      missing.forEach(it -> retries.later(it.getKey(), now));
    } else if (!missing.isEmpty()) {
      startAll(line.get(), missing);
    }
  }

  /// After the pause of a crash loop.
  private void resume(Prepared running, long now) {
    String system = running.system();
    retries.done(system);
    Optional<String> problem = restart(running);
    if (problem.isPresent()) {
      deployments.suspend(system, problem.get());
      retries.later(system, now);
    } else {
      breakers.computeIfAbsent(system, _ -> new CrashBreaker()).resumed(now);
    }
    announcements.changed();
  }

  /// The same version in a new instance; empty = it serves.
  private Optional<String> restart(Prepared running) {
    try {
      deployments.swap(preparation.restart(running));
      announcements.changed();
      return Optional.empty();
    } catch (RefusedException refused) {
      return Optional.of(refused.refusal().toString());
    }
  }

  /// Values of references may have changed where they are kept.
  private void refresh(long now) {
    if (now - refreshedNanos < settings.refresh().toNanos()) {
      return;
    }
    refreshedNanos = now;
    deployments.all().stream().filter(Prepared::hasReferences).forEach(this::refresh);
  }

  private void refresh(Prepared running) {
    try {
      Preparation.Definition as = preparation.define(running.opened());
      if (!Arrays.equals(as.digest(), running.digest())) {
        deployments.swap(preparation.start(running.opened(), as));
        announcements.changed();
        LOG.info("{}: the value of a reference changed; a new instance serves", running.system());
      }
    } catch (RefusedException refused) {
      // What runs goes on with the values it has.
      LOG.warn("{}: its references: {}", running.system(), refused.refusal());
      deployments.failed(
          running.system(), running.held(), State.FAILED, refused.refusal().toString());
    }
  }

  // Instructions.

  private void instruction(
      ConfigurationLine line, long sequence, DeliveryMessage.Instruction instruction) {
    String result = instructionResults.get(instruction.id());
    boolean first = result == null;
    if (result == null) {
      result = result(instruction);
      instructionResults.put(instruction.id(), result);
    }
    LOG.info("instruction {}: {}", instruction.kind().text(), result);
    line.receipt(sequence, DeliveryReceipt.result(result));
    if (first) {
      afterReceipt(line, instruction);
    }
  }

  private String result(DeliveryMessage.Instruction instruction) {
    return switch (instruction.kind()) {
      case RESTART_PLUGIN -> restartPlugin(Optional.ofNullable(instruction.system()));
      case RECONNECT -> "reconnects";
      case COLLECT_DIAGNOSTICS -> diagnostics();
      case ROTATE_KEYS -> rotateKeys();
      case WIPE -> "wipes everything and ends";
      case UNKNOWN -> DeliveryReceipt.UNKNOWN;
    };
  }

  /// What would cut the tunnel before the receipt has left.
  private void afterReceipt(ConfigurationLine line, DeliveryMessage.Instruction instruction) {
    switch (instruction.kind()) {
      case RECONNECT -> announcements.lines().forEach(ConfigurationLine::reconnect);
      case WIPE -> line.wipe();
      case RESTART_PLUGIN, COLLECT_DIAGNOSTICS, ROTATE_KEYS, UNKNOWN -> {}
    }
  }

  private String restartPlugin(Optional<String> system) {
    var results = new ArrayList<String>();
    for (Prepared each : deployments.all()) {
      if (system.isEmpty() || system.get().equals(each.system())) {
        results.add(each.system() + ": " + restart(each).orElse("restarted"));
        retries.done(each.system());
      }
    }
    return bounded(
        results.isEmpty()
            ? "no deployed system runs here" + system.map(it -> " as " + it).orElse("")
            : String.join("; ", results));
  }

  private String rotateKeys() {
    List<ConfigurationLine> lines = announcements.lines();
    lines.forEach(ConfigurationLine::freshKeys);
    return "fresh session keys on "
        + lines.size()
        + " tunnels; the unlock secret is replaced at every start of the process only";
  }

  private String diagnostics() {
    AppliedState state = keeper.state();
    var text = new StringBuilder();
    text.append("agent ")
        .append(settings.version())
        .append(", java ")
        .append(Runtime.version().feature())
        .append("; tunnels ")
        .append(announcements.lines().size())
        .append("; head ")
        .append(state.incarnation())
        .append('/')
        .append(state.sequence())
        .append(stale ? " STALE" : "")
        .append("; systems ");
    for (SystemStatus each : deployments.statuses()) {
      text.append(each.system())
          .append(' ')
          .append(each.held().version())
          .append(' ')
          .append(each.state().text());
      each.problem().ifPresent(it -> text.append(" (").append(it).append(')'));
      text.append("; ");
    }
    return bounded(text.toString());
  }

  private static String bounded(String text) {
    String line = text.replaceAll("\\p{Cntrl}+", " ").strip();
    return line.length() <= 1_000 ? line : line.substring(0, 999) + "…";
  }
}
