package io.penstock.broker.agents;

import io.penstock.broker.store.StoreUnavailableException;
import io.penstock.broker.tunnel.ControlChannel;
import io.penstock.broker.tunnel.LiveSession;
import io.penstock.broker.tunnel.TunnelAuthority;
import io.penstock.broker.tunnel.TunnelRefused;
import io.penstock.codec.message.ControlMessage.EnrollHello;
import io.penstock.codec.message.ControlMessage.IdentityNext;
import io.penstock.codec.noise.PresharedKey;
import java.net.InetAddress;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What tunnels ask of identities: sends each question to where it is answered. Called on virtual
/// threads, one per connection; every wait is bounded.
final class AgentAuthority implements TunnelAuthority {
  private static final Logger LOG = LoggerFactory.getLogger(AgentAuthority.class);

  private final NodeIdentity node;
  private final TokenDoor door;
  private final Enrollment enrollment;
  private final PendingTunnel pendingTunnel;
  private final Admission admission;
  private final IdentityRotation identityRotation;
  private final Presence presence;
  private final Tampering tampering;
  private final Doorway doorway;
  private final Failpoint failpoint;

  AgentAuthority(
      NodeIdentity node,
      TokenDoor door,
      Enrollment enrollment,
      PendingTunnel pendingTunnel,
      Admission admission,
      IdentityRotation identityRotation,
      Presence presence,
      Tampering tampering,
      Doorway doorway,
      Failpoint failpoint) {
    this.node = node;
    this.door = door;
    this.enrollment = enrollment;
    this.pendingTunnel = pendingTunnel;
    this.admission = admission;
    this.identityRotation = identityRotation;
    this.presence = presence;
    this.tampering = tampering;
    this.doorway = doorway;
    this.failpoint = failpoint;
  }

  @Override
  public NodeCredentials node() {
    return node.current();
  }

  /// Throws [StoreUnavailableException] when there is no database: a random key would tell an agent
  /// with a good token to give up for ever.
  @Override
  public PresharedKey enrollmentKey(EnrollHello hello, InetAddress remote) {
    return door.key(hello, remote);
  }

  @Override
  public void enroll(EnrollmentAttempt attempt, ControlChannel channel) throws TunnelRefused {
    switch (registered(attempt)) {
      case Enrollment.Outcome.Denied _ -> throw Denial.answer();
      case Enrollment.Outcome.Enrolled(var keys) -> {
        failpoint.passed(Failpoint.ENROLL_AFTER_COMMIT);
        pendingTunnel.hold(keys, channel, attempt.remote().getHostAddress());
      }
    }
  }

  private Enrollment.Outcome registered(EnrollmentAttempt attempt) throws TunnelRefused {
    try {
      return doorway.through(() -> enrollment.register(attempt));
    } catch (TamperedException found) {
      doorway.through(() -> tampering.report(found));
      return new Enrollment.Outcome.Denied(Denial.TAMPERED);
    }
  }

  @Override
  public void enrollmentFailed(EnrollHello hello, InetAddress remote) {
    try {
      door.failed(hello, remote);
    } catch (StoreUnavailableException away) {
      LOG.warn("a refused enrollment could not be recorded: {}", away.getMessage());
    }
  }

  @Override
  public void connect(ConnectionAttempt attempt, ControlChannel channel) throws TunnelRefused {
    admission.connect(attempt, channel);
  }

  @Override
  public void identityNext(LiveSession session, IdentityNext next) {
    identityRotation.replace(session, next);
  }

  @Override
  public void closed(LiveSession session, String reason) {
    presence.closed(session, reason);
  }
}
