package io.penstock.broker.tunnel;

import io.penstock.codec.ErrorCode;
import io.penstock.codec.message.ControlMessage.Admitted;
import io.penstock.codec.message.ControlMessage.EnrollHello;
import io.penstock.codec.message.ControlMessage.IdentityNext;
import io.penstock.codec.message.ControlMessage.IdentityStored;
import io.penstock.codec.message.ControlMessage.Ready;
import io.penstock.codec.message.ControlMessage.Welcome;
import io.penstock.codec.noise.PresharedKey;
import io.penstock.codec.noise.StaticKeyPair;
import java.net.InetAddress;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;

/// Lets every agent in, unless its script says otherwise.
public final class ScriptedAuthority implements TunnelAuthority {
  static final Duration PATIENCE = Duration.ofSeconds(10);
  static final PresharedKey SECRET = new PresharedKey(new byte[32]);

  public interface Connecting {
    void connect(ConnectionAttempt attempt, ControlChannel channel) throws TunnelRefused;
  }

  interface Enrolling {
    void enroll(EnrollmentAttempt attempt, ControlChannel channel) throws TunnelRefused;
  }

  final StaticKeyPair key = StaticKeyPair.generate();
  final AtomicLong epochs = new AtomicLong();
  final ConcurrentLinkedQueue<String> told = new ConcurrentLinkedQueue<>();
  public volatile Connecting connecting = this::letIn;
  volatile Enrolling enrolling =
      (_, _) -> {
        throw new TunnelRefused(ErrorCode.ENROLL_DENIED, 0, "no");
      };

  public void letIn(ConnectionAttempt attempt, ControlChannel channel) throws TunnelRefused {
    channel.send(new Welcome(new byte[16], new byte[] {1}, 1_024, null));
    channel.receive(Ready.class, PATIENCE);
    long epoch = epochs.incrementAndGet();
    channel.send(new Admitted(epoch, false, 1));
    channel.admit(admission(attempt, epoch));
  }

  static ControlChannel.Admission admission(ConnectionAttempt attempt, long epoch) {
    return new ControlChannel.Admission(
        attempt.request().agent(),
        "plant",
        1,
        attempt.request().slot(),
        epoch,
        new byte[16],
        Optional.empty(),
        TestSessions.KEY,
        TestSessions.HASH);
  }

  @Override
  public void identityNext(LiveSession session, IdentityNext next) {
    session.send(new IdentityStored(next.signingKey(), null));
  }

  // The record takes null; the checker does not see that of an argument from another module.
  @SuppressWarnings("NullAway")
  @Override
  public NodeCredentials node() {
    return new NodeCredentials(key, "certificate", "keyset", new byte[32], null);
  }

  @Override
  public PresharedKey enrollmentKey(EnrollHello hello, InetAddress remote) {
    return SECRET;
  }

  @Override
  public void enroll(EnrollmentAttempt attempt, ControlChannel channel) throws TunnelRefused {
    enrolling.enroll(attempt, channel);
  }

  @Override
  public void enrollmentFailed(EnrollHello hello, InetAddress remote) {
    told.add("enrollment failed");
  }

  @Override
  public void connect(ConnectionAttempt attempt, ControlChannel channel) throws TunnelRefused {
    connecting.connect(attempt, channel);
  }

  @Override
  public void closed(LiveSession session, String reason) {
    told.add("closed " + session.admission().sessionEpoch() + " " + reason);
  }
}
