package io.penstock.agent.config;

import io.netty.channel.EventLoop;
import io.penstock.agent.identity.Failpoint;
import io.penstock.agent.identity.IdentityException;
import io.penstock.agent.identity.StateFile;
import io.penstock.agent.link.ConfigurationLine;
import io.penstock.agent.link.ConfigurationTarget;
import io.penstock.agent.plugin.SystemCatalog;
import io.penstock.codec.message.ControlMessage.OwnerKeys;
import io.penstock.codec.message.ControlMessage.TestReport;
import io.penstock.codec.seal.Octets;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What the broker deploys, from the head that names it to the receipt that proves it applied.
///
/// One virtual thread decides everything in order and is fed by a bounded queue; what waits for
/// others happens in the [Workshop]. [Mailbox] opens what comes, [Lanes] bring each system to its
/// version, [Application] makes it serve, [Receipts] prove it; [Instructions] and [InstanceCare]
/// are about what runs already.
///
/// Nothing of a document has an effect before all of it is checked and its instance stands; then
/// come, in this order, the swap, the state on disk, and the receipt. A process that dies in
/// between does it again: the broker keeps the message until the receipt, and the same version
/// twice has one effect.
public final class Configurations implements ConfigurationTarget, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger("agent");

  private static final int MAX_WAITING = 1_024;
  private static final int MAX_WAITING_MESSAGES = 512;
  private static final Duration CLOSE_WITHIN = Duration.ofSeconds(2);
  private static final long LONGEST_NAP_NANOS = TimeUnit.SECONDS.toNanos(5);
  private static final long COUNTING_NAP_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

  private final ConfigurationSettings settings;
  private final StateKeeper keeper;
  private final NewestHead newest;
  private final Freshness freshness;
  private final Deployments deployments;
  private final Announcements announcements;
  private final Receipts receipts;
  private final Workshop workshop;
  private final InstanceCare care;
  private final Lanes lanes;
  private final Rewrapping rewrapping;
  private final Mailbox mailbox;
  private final Forgetting forgetting;
  private final SystemTester tester;
  private final Optional<VaultSecrets> vault;
  private final ArrayBlockingQueue<Work> queue = new ArrayBlockingQueue<>(MAX_WAITING);
  private final Thread thread;
  private volatile boolean closing;

  private Configurations(
      ConfigurationSettings settings,
      StateKeeper keeper,
      SystemCatalog catalog,
      EventLoop loop,
      Stores stores,
      SecureRandom random,
      Failpoint.Action failpoint) {
    this.settings = settings;
    this.keeper = keeper;
    vault = stores.vault();
    newest = new NewestHead(keeper);
    freshness = new Freshness(newest);
    var preparation = new Preparation(catalog, new References(stores.byWord(), random));
    deployments = new Deployments(catalog, loop, keeper);
    announcements = new Announcements(catalog, deployments);
    receipts = new Receipts(new StateSaver(keeper), failpoint);
    workshop = new Workshop(this::bring);
    care =
        new InstanceCare(
            preparation, deployments, announcements, workshop, settings.refresh(), random);
    lanes =
        new Lanes(
            newest,
            freshness,
            new Attempts(newest, keeper, preparation, deployments),
            new Application(newest, keeper, deployments, care, announcements, failpoint),
            deployments,
            announcements,
            new Verdicts(deployments, announcements, receipts),
            workshop,
            random);
    var diagnostics =
        new Diagnostics(settings.version(), keeper, freshness, announcements, deployments);
    mailbox =
        new Mailbox(
            newest,
            freshness,
            lanes,
            new Instructions(newest, announcements, care, workshop, diagnostics::text));
    rewrapping = new Rewrapping(deployments, workshop);
    forgetting = new Forgetting(settings.forgetAfterLostSession());
    tester =
        new SystemTester(catalog, preparation, deployments, newest, keeper, Attempts.FETCH_WITHIN);
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
    var started =
        new Configurations(settings, keeper, catalog, loop, Stores.of(settings), random, failpoint);
    started.thread.start();
    return started;
  }

  // Asked by others.

  public List<SystemStatus> statuses() {
    return deployments.statuses();
  }

  /// The newest head has expired: what runs goes on, nothing new is applied.
  public boolean isStale() {
    return freshness.isStale();
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
    return hasRoom() && offer(new Work.Head(line, head));
  }

  @Override
  public boolean ownerKeys(ConfigurationLine line, OwnerKeys keys) {
    return hasRoom() && offer(new Work.OwnersKeys(line, keys));
  }

  @Override
  public boolean message(ConfigurationLine line, long sequence, byte[] body) {
    return hasRoom() && offer(new Work.Message(line, sequence, body));
  }

  private boolean hasRoom() {
    return queue.size() + lanes.waiting() < MAX_WAITING_MESSAGES;
  }

  private boolean offer(Work work) {
    return queue.offer(work);
  }

  /// Waits for room: at most one piece of each system's work comes at once.
  private void bring(Work work) {
    try {
      while (!closing && !queue.offer(work, 1, TimeUnit.SECONDS)) {
        LOG.warn("configuration: {} pieces of work wait", MAX_WAITING);
      }
    } catch (InterruptedException _) {
      // Nobody interrupts it but the end of the process.
    }
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
          guarded(() -> attend(work));
        }
        guarded(this::attendTimers);
      }
    } catch (InterruptedException _) {
      // Nobody interrupts it but the end of the process.
    }
  }

  /// While the process ends, the event loop may be gone before this thread.
  private void guarded(Runnable step) {
    try {
      step.run();
    } catch (RuntimeException bug) {
      if (!closing) {
        LOG.error("configuration: internal error", bug);
      }
    }
  }

  private long napNanos() {
    long now = System.nanoTime();
    long nap = LONGEST_NAP_NANOS;
    nap = Math.min(nap, lanes.next(now).orElse(nap));
    nap = Math.min(nap, care.next(now));
    nap = Math.min(nap, receipts.next(now, announcements.hasLine()).orElse(nap));
    if (announcements.isDue()) {
      nap = Math.min(nap, announcements.waitNanos(now));
    }
    if (forgetting.isCounting()) {
      nap = Math.min(nap, COUNTING_NAP_NANOS);
    }
    return Math.max(0, nap);
  }

  private void attend(Work work) {
    switch (work) {
      case Work.Admitted(ConfigurationLine line, Optional<String> head) -> begin(line, head);
      case Work.Lost(ConfigurationLine line) -> end(line);
      case Work.Head(ConfigurationLine line, String head) -> mailbox.head(line, head);
      case Work.OwnersKeys(ConfigurationLine line, OwnerKeys keys) -> mailbox.ownerKeys(line, keys);
      case Work.Message(ConfigurationLine line, long sequence, byte[] body) ->
          mailbox.message(line, sequence, body);
      case Work.InstanceFailed it -> care.failed(it, System.nanoTime());
      case Work.Done(String system, Runnable settlement) -> {
        guarded(settlement);
        workshop.done(system);
        lanes.idle(system);
      }
      case Work.Stop _ -> {}
    }
  }

  private void begin(ConfigurationLine line, Optional<String> head) {
    freshness.admitted(line);
    forgetting.admitted();
    newest.shown(line.keyset());
    announcements.admitted(line);
    rewrapping.admitted();
    mailbox.admitted(line, head);
  }

  private void end(ConfigurationLine line) {
    announcements.lost(line);
    lanes.lost(line);
    receipts.lost(line, System.nanoTime());
  }

  private void attendTimers() {
    long now = System.nanoTime();
    freshness.check();
    if (forgetting.isDue(announcements.hasLine(), now)) {
      forget();
    }
    care.attend(now);
    lanes.attend(now);
    rewrapping.attend(announcements.anyLine());
    // Rules and states go ahead of the receipts of what changed them: who hears of a receipt may
    // call at once.
    announcements.tell(now);
    receipts.prove(now, !announcements.isDue(), announcements.anyLine());
  }

  private void forget() {
    LOG.warn(
        "no tunnel for {} s: deployed configurations are forgotten until the next",
        settings.forgetAfterLostSession().map(Duration::toSeconds).orElse(0L));
    deployments.forgetAll("forgotten after a lost session");
    care.forgotten();
    lanes.forgotten();
  }
}
