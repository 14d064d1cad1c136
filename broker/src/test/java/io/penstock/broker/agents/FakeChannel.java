package io.penstock.broker.agents;

import io.penstock.broker.tunnel.ControlChannel;
import io.penstock.broker.tunnel.LiveSession;
import io.penstock.broker.tunnel.TunnelRefused;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.message.ControlMessage;
import java.net.InetAddress;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// One tunnel's control messages between the broker's code and an agent played by a test: two
/// queues,
/// without socket or records.
final class FakeChannel implements ControlChannel {
  private static final Duration PLAYED_WITHIN = Duration.ofSeconds(20);
  private static final ControlMessage HUNG_UP = new ControlMessage.Approved(-1);

  private final FakeSessions sessions;
  private final InetAddress remote;
  private final BlockingQueue<ControlMessage> toBroker = new LinkedBlockingQueue<>();
  private final BlockingQueue<ControlMessage> toAgent = new LinkedBlockingQueue<>();
  private final CountDownLatch closed = new CountDownLatch(1);
  private volatile @Nullable FakeSession session;
  private volatile Duration silenceEndsAfter = PLAYED_WITHIN;

  FakeChannel(FakeSessions sessions, InetAddress remote) {
    this.sessions = sessions;
    this.remote = remote;
  }

  @Override
  public void send(ControlMessage message) {
    toAgent.add(message);
  }

  @Override
  public <M extends ControlMessage> M receive(Class<M> expected, Duration within)
      throws TunnelRefused {
    Duration patience = within.compareTo(silenceEndsAfter) < 0 ? within : silenceEndsAfter;
    ControlMessage found = poll(toBroker, patience).orElse(HUNG_UP);
    if (!expected.isInstance(found)) {
      throw new TunnelRefused(ErrorCode.PROTOCOL_ERROR, 0, "another message was due");
    }
    return expected.cast(found);
  }

  @Override
  public LiveSession admit(Admission admission) {
    FakeSession admitted = new FakeSession(this, admission, remote, sessions.now());
    session = admitted;
    sessions.add(admitted);
    if (!isOpen()) {
      sessions.remove(admitted);
    }
    return admitted;
  }

  @Override
  public boolean awaitClosed(Duration within) {
    try {
      return closed.await(within.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  @Override
  public boolean isOpen() {
    return closed.getCount() > 0;
  }

  /// The agent's side: sends.
  void play(ControlMessage message) {
    toBroker.add(message);
  }

  /// The agent's side: waits for exactly this message.
  <M extends ControlMessage> M expect(Class<M> expected) {
    ControlMessage found =
        poll(toAgent, PLAYED_WITHIN)
            .orElseThrow(() -> new AssertionError("no " + expected.getSimpleName() + " came"));
    if (!expected.isInstance(found)) {
      throw new AssertionError(
          "expected " + expected.getSimpleName() + ", found " + found.getClass().getSimpleName());
    }
    return expected.cast(found);
  }

  Optional<ControlMessage> sentAlready() {
    return Optional.ofNullable(toAgent.poll());
  }

  /// The connection breaks: a waiting broker hears of it at once.
  void hangUp() {
    closed.countDown();
    toBroker.add(HUNG_UP);
    FakeSession admitted = session;
    if (admitted != null) {
      sessions.remove(admitted);
    }
  }

  /// As if the time of every wait for the agent had passed.
  void fallSilent() {
    silenceEndsAfter = Duration.ZERO;
  }

  Optional<FakeSession> session() {
    return Optional.ofNullable(session);
  }

  private static Optional<ControlMessage> poll(
      BlockingQueue<ControlMessage> queue, Duration within) {
    try {
      return Optional.ofNullable(queue.poll(within.toNanos(), TimeUnit.NANOSECONDS));
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    }
  }
}
