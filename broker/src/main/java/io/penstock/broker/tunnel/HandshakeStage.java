package io.penstock.broker.tunnel;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.util.concurrent.Future;
import io.penstock.broker.tunnel.TunnelAuthority.ConnectionAttempt;
import io.penstock.broker.tunnel.TunnelAuthority.EnrollmentAttempt;
import io.penstock.broker.tunnel.TunnelAuthority.NodeCredentials;
import io.penstock.broker.tunnel.TunnelSocket.CloseWithin;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.message.ControlMessage.ConnectRequest;
import io.penstock.codec.message.ControlMessage.EnrollHello;
import io.penstock.codec.message.ControlMessage.EnrollRequest;
import io.penstock.codec.noise.HandshakeException;
import io.penstock.codec.noise.PresharedKey;
import io.penstock.codec.session.SessionCore.Established;
import java.net.InetAddress;
import java.util.ArrayDeque;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The first three messages of a tunnel (`docs/protocol.md`, section 2). The messages arrive and
/// leave on the event loop; what they cost is computed by [HandshakeWorkers], what the authority
/// knows is asked on a virtual thread. One of the three is at work at a time.
///
/// Holds one of the bounded places for handshakes from the upgrade until message 3 is verified or
/// the connection is gone. Everything it keeps is bounded by the 8 KiB that may arrive until then.
/// Netty: a write or close that fails ends the channel, which channelInactive tells.
@SuppressWarnings("FutureReturnValueIgnored")
final class HandshakeStage implements Stage {
  private enum Step {
    FIRST,
    COMPUTING,
    THIRD,
    OVER
  }

  private static final String FAILED = "HANDSHAKE";
  private static final Logger LOG = LoggerFactory.getLogger(HandshakeStage.class);

  private final Tunnels tunnels;
  private final TunnelSocket socket;
  private final UpgradeRequest request;
  private final InetAddress remote;
  private final Responder responder;
  private final Future<?> timeout;
  private final ArrayDeque<ByteBuf> early = new ArrayDeque<>(0);

  private Step step = Step.FIRST;
  private boolean holdsPlace = true;
  private long thirdNanos;

  /// On the event loop; the caller has taken a place of [Tunnels#handshakes].
  HandshakeStage(
      Tunnels tunnels,
      TunnelSocket socket,
      UpgradeRequest request,
      NodeCredentials node,
      InetAddress remote) {
    this.tunnels = tunnels;
    this.socket = socket;
    this.request = request;
    this.remote = remote;
    responder = new Responder(request, node);
    timeout =
        socket
            .eventLoop()
            .schedule(
                this::timedOut,
                tunnels.settings().handshakeTimeout().toNanos(),
                TimeUnit.NANOSECONDS);
  }

  @Override
  public void message(ByteBuf message) {
    switch (step) {
      case FIRST -> receiveFirst(ByteBufUtil.getBytes(message));
      case THIRD -> receiveThird(ByteBufUtil.getBytes(message));
      case COMPUTING -> early.add(message.retain());
      case OVER -> {}
    }
  }

  private void receiveFirst(byte[] message) {
    step = Step.COMPUTING;
    compute(
        () -> {
          byte[] second = responder.answer(message, tunnels.clock().wallClockMs());
          return () -> sendSecond(second);
        },
        this::fail);
  }

  private void sendSecond(byte[] second) {
    step = Step.THIRD;
    ByteBuf message =
        socket.context().alloc().heapBuffer(MessageEncoder.HEADER_ROOM + second.length);
    message.setIndex(MessageEncoder.HEADER_ROOM, MessageEncoder.HEADER_ROOM);
    socket.send(message.writeBytes(second));
    socket.flushSoon();
    ByteBuf next = early.poll();
    if (next != null) {
      message(next);
      next.release();
    }
  }

  private void receiveThird(byte[] message) {
    step = Step.COMPUTING;
    thirdNanos = tunnels.clock().nanoTime();
    if (request.suite().usesPsk()) {
      Thread.ofVirtual().name("enrollment-key").start(() -> findKey(message));
      return;
    }
    compute(
        () -> {
          ConnectRequest connect = responder.connect(message);
          var established = responder.established();
          return () -> connected(connect, established);
        },
        this::fail);
  }

  /// On a virtual thread.
  private void findKey(byte[] message) {
    try {
      PresharedKey psk = tunnels.authority().enrollmentKey(responder.hello(), remote);
      onLoop(() -> enroll(message, psk));
    } catch (RuntimeException bug) {
      LOG.error("an enrollment cannot be judged", bug);
      onLoop(this::unavailable);
    }
  }

  private void enroll(byte[] message, PresharedKey psk) {
    compute(
        () -> {
          byte[] payload = responder.enroll(message, psk);
          return () -> verified(payload);
        },
        this::deny);
  }

  /// The secret was right.
  private void verified(byte[] payload) {
    try {
      EnrollRequest enroll = Responder.enrollRequest(payload);
      enrolling(enroll, responder.established());
    } catch (ProtocolException malformed) {
      fail();
    }
  }

  // Steps away from the event loop.

  private interface Computation {
    /// @return what to do with the result, on the event loop
    Runnable compute() throws HandshakeException, ProtocolException;
  }

  private void compute(Computation computation, Runnable failed) {
    try {
      tunnels.workers().execute(() -> onLoop(outcome(computation, failed)));
    } catch (RejectedExecutionException full) {
      unavailable();
    }
  }

  private static Runnable outcome(Computation computation, Runnable failed) {
    try {
      return computation.compute();
    } catch (HandshakeException | ProtocolException bad) {
      return failed;
    } catch (RuntimeException bug) {
      LOG.error("a handshake cannot be computed", bug);
      return failed;
    }
  }

  private void onLoop(Runnable next) {
    socket.onLoop(
        () -> {
          if (step != Step.OVER) {
            next.run();
          }
        });
  }

  // Outcomes.

  private void connected(ConnectRequest connect, Established keys) {
    var attempt = new ConnectionAttempt(connect, responder.dev(), keys.hash(), remote);
    begin(keys, channel -> tunnels.authority().connect(attempt, channel));
  }

  private void enrolling(EnrollRequest enroll, Established keys) {
    var attempt =
        new EnrollmentAttempt(
            responder.hello(),
            enroll,
            responder.dev(),
            responder.hashBefore(),
            keys.hash(),
            remote);
    begin(keys, channel -> tunnels.authority().enroll(attempt, channel));
  }

  private void begin(Established keys, Attendant.Business business) {
    finish();
    tunnels.counters().handshakes.increment();
    socket.handshakeDone();
    var inbox = new Inbox();
    var session = new Session(tunnels, socket, keys, remote, inbox);
    socket.stage(session);
    new Attendant(session, new Conversation(session, inbox), business, this::floorLeftNanos)
        .start();
    replay(session);
  }

  /// What the agent sent before we were ready.
  private void replay(Session session) {
    while (!early.isEmpty()) {
      ByteBuf record = early.remove();
      if (session.isOpen()) {
        session.message(record);
      }
      record.release();
    }
  }

  private void fail() {
    tunnels.counters().handshakesFailed.increment();
    end(FAILED);
  }

  private void timedOut() {
    if (step != Step.OVER) {
      tunnels.counters().handshakesTimedOut.increment();
      end(FAILED);
    }
  }

  private void unavailable() {
    step = Step.OVER;
    socket.close(MessageDecoder.TRY_AGAIN_LATER, "UNAVAILABLE", CloseWithin.NORMAL);
  }

  private void end(String reason) {
    step = Step.OVER;
    socket.close(MessageDecoder.POLICY, reason, CloseWithin.NORMAL);
  }

  /// A wrong secret, or a token that cannot be used: the same answer after the same time.
  private void deny() {
    tunnels.counters().handshakesFailed.increment();
    EnrollHello hello = responder.hello();
    Thread.ofVirtual().name("enrollment-failed").start(() -> report(hello));
    socket
        .eventLoop()
        .schedule(() -> end(Attendant.DENIED), floorLeftNanos(), TimeUnit.NANOSECONDS);
  }

  private void report(EnrollHello hello) {
    try {
      tunnels.authority().enrollmentFailed(hello, remote);
    } catch (RuntimeException bug) {
      LOG.error("a failed enrollment is not recorded", bug);
    }
  }

  private long floorLeftNanos() {
    long passed = tunnels.clock().nanoTime() - thirdNanos;
    return Math.max(0, tunnels.settings().enrollmentFloor().toNanos() - passed);
  }

  @Override
  public @Nullable ByteBuf next() {
    return null;
  }

  @Override
  public void closed() {
    step = Step.OVER;
    early.forEach(ByteBuf::release);
    early.clear();
    finish();
  }

  private void finish() {
    step = Step.OVER;
    timeout.cancel(false);
    if (holdsPlace) {
      holdsPlace = false;
      tunnels.handshakes().release(remote);
    }
  }
}
