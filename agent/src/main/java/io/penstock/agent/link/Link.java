package io.penstock.agent.link;

import io.penstock.agent.identity.BootId;
import io.penstock.agent.identity.Failpoint;
import io.penstock.agent.identity.Identity;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.message.ControlMessage.HostFacts;
import io.penstock.codec.seal.EnrollmentToken;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/// All tunnels of this process. The first one enrolls and rotates the unlock secret; only then the
/// others dial.
public final class Link implements TunnelSlot.SlotWatcher, AutoCloseable {
  private static final Duration CLOSE_WITHIN = Duration.ofSeconds(2);
  private static final int MAX_TUNNELS = 8;

  private final Surroundings surroundings;
  private final Identity identity;
  private final Optional<EnrollmentToken> token;
  private final Optional<Integer> wantedTunnels;
  private final Connecting connecting;
  private final List<TunnelSlot> slots = new ArrayList<>();
  private final List<Thread> threads = new ArrayList<>();
  private boolean stopping;

  /// What the process knows of itself.
  ///
  /// @param brokers in the order they are tried; empty = the one of the token
  /// @param tunnels empty = as many as the broker wants
  /// @param wantedName sent when the token leaves the name open
  public record Settings(
      List<BrokerAddress> brokers,
      Optional<ProxySettings> proxy,
      Optional<Integer> tunnels,
      BootId bootId,
      String version,
      String wantedName,
      HostFacts host) {
    public Settings {
      brokers = List.copyOf(brokers);
    }
  }

  private Link(
      Surroundings surroundings,
      Identity identity,
      Optional<EnrollmentToken> token,
      Optional<Integer> wantedTunnels) {
    this.surroundings = surroundings;
    this.identity = identity;
    this.token = token;
    this.wantedTunnels = wantedTunnels;
    connecting = new Connecting(surroundings, identity, new UnlockGate());
  }

  public static Link of(
      Settings settings,
      Loop loop,
      TrustedTls tls,
      Identity identity,
      Optional<EnrollmentToken> token,
      StreamTarget target,
      ConfigurationTarget configuration,
      LinkListener listener,
      Failpoint.Action failpoint) {
    return of(
        settings,
        loop,
        tls,
        identity,
        token,
        target,
        configuration,
        listener,
        failpoint,
        Dialer.Deadlines.DEFAULT);
  }

  static Link of(
      Settings settings,
      Loop loop,
      TrustedTls tls,
      Identity identity,
      Optional<EnrollmentToken> token,
      StreamTarget target,
      ConfigurationTarget configuration,
      LinkListener listener,
      Failpoint.Action failpoint,
      Dialer.Deadlines deadlines) {
    var surroundings =
        new Surroundings(
            loop,
            new Dialer(loop, settings.proxy(), deadlines),
            settings.brokers(),
            tls,
            target,
            new SessionCounters(),
            listener,
            settings.bootId(),
            settings.version(),
            settings.wantedName(),
            settings.host(),
            configuration,
            failpoint);
    return new Link(surroundings, identity, token, settings.tunnels());
  }

  public synchronized void start() {
    startSlots(1);
  }

  private void startSlots(int wanted) {
    while (!stopping && slots.size() < Math.min(wanted, MAX_TUNNELS)) {
      var slot = new TunnelSlot(slots.size(), surroundings, identity, connecting, token, this);
      slots.add(slot);
      threads.add(Thread.ofVirtual().name("tunnel-" + slot.status().slot()).start(slot));
    }
  }

  @Override
  public synchronized void admitted(int slot, int tunnels) {
    startSlots(wantedTunnels.orElse(tunnels));
  }

  @Override
  public void over(LinkFailure forGood) {
    surroundings
        .listener()
        .refusedForGood(
            forGood.code().orElse(ErrorCode.INTERNAL), forGood.text(), forGood.isWiped());
  }

  private synchronized List<Session> sessions() {
    return slots.stream().flatMap(slot -> slot.live().stream()).toList();
  }

  /// The tunnels that are up.
  public synchronized List<LiveTunnel> tunnels() {
    return slots.stream()
        .flatMap(
            slot ->
                slot.live().map(session -> new LiveTunnel(slot.status().slot(), session)).stream())
        .toList();
  }

  public synchronized List<SlotStatus> slots() {
    return slots.stream().map(TunnelSlot::status).toList();
  }

  /// Figures of all tunnels since the start.
  public synchronized Totals totals() {
    long in = surroundings.counters().bytesIn();
    long out = surroundings.counters().bytesOut();
    for (Session session : sessions()) {
      in += session.bytesIn();
      out += session.bytesOut();
    }
    return new Totals(surroundings.counters().streams(), in, out);
  }

  public record Totals(long streams, long bytesIn, long bytesOut) {}

  /// A tunnel that is up.
  public static final class LiveTunnel {
    private final int slot;
    private final Session session;

    LiveTunnel(int slot, Session session) {
      this.slot = slot;
      this.session = session;
    }

    public int slot() {
      return slot;
    }

    public int openStreams() {
      return session.openStreams();
    }

    /// 0 = not measured yet.
    public long roundTripNanos() {
      return session.roundTripNanos();
    }

    /// Streams so far: a tunnel on which they grow needs no probe.
    public long streamsOpened() {
      return session.streamsOpened();
    }

    /// Whether the data path works.
    public CompletableFuture<Boolean> probe(Duration within) {
      return session.probe(within);
    }

    /// Closes it; its slot dials anew.
    public void replace(String why) {
      session.close(ErrorCode.SILENT, why);
    }

    /// The same tunnel as `other`?
    public boolean isSame(LiveTunnel other) {
      return session == other.session;
    }
  }

  /// Takes no new streams, waits for the running ones, at most `within`, and closes every tunnel.
  public void drain(Duration within) throws InterruptedException {
    stopDialing();
    List<Session> open = sessions();
    open.forEach(session -> session.drain(within));
    long untilNanos = System.nanoTime() + within.toNanos();
    while (open.stream().anyMatch(Session::isOpen) && System.nanoTime() < untilNanos) {
      Thread.sleep(10);
    }
    open.forEach(session -> session.close(ErrorCode.SHUTDOWN, "the agent stops"));
    // CLOSE needs a moment on the event loop.
    surroundings.loop().eventLoop().submit(() -> {}).await(1_000);
  }

  /// No slot dials any more; what is open stays open.
  private synchronized void stopDialing() {
    stopping = true;
    threads.forEach(Thread::interrupt);
  }

  /// Ends without a goodbye: the sockets close with their event loop.
  @Override
  public void close() {
    stopDialing();
    try {
      for (Thread thread : threads) {
        thread.join(CLOSE_WITHIN);
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
