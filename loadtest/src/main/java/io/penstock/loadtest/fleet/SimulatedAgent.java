package io.penstock.loadtest.fleet;

import io.penstock.codec.seal.EnrollmentToken;
import io.penstock.codec.seal.Fingerprint;
import io.penstock.codec.seal.SealedFor;
import io.penstock.codec.seal.SealedSecrets;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// One agent without disk. It enrolls, connects, and answers whatever is deployed to it with a
/// receipt that it signs; it opens no secrets and keeps no document. Requests it answers out of its
/// head, if its fleet is to ([Fleet#answer]).
///
/// It has one tunnel. Thread-safe: everything runs on its event loop.
public final class SimulatedAgent {
  private final String name;
  private final Fleet fleet;
  private final Loop loop;
  private final Identity identity;
  private final Optional<InetSocketAddress> source;
  private @Nullable Tunnel tunnel;

  /// @param source from where it dials; empty: the system chooses
  SimulatedAgent(
      String name, Fleet fleet, Loop loop, Identity identity, Optional<InetSocketAddress> source) {
    this.name = name;
    this.fleet = fleet;
    this.loop = loop;
    this.identity = identity;
    this.source = source;
  }

  /// An enrollment that waits for its approval.
  ///
  /// @param fingerprint of this side's transcript, which the approver compares
  /// @param approved completes with the connection's end
  public record Asking(Fingerprint fingerprint, CompletableFuture<Void> approved) {}

  public String name() {
    return name;
  }

  /// Dials with a token and proves its keys. Afterwards it waits on that tunnel.
  public CompletableFuture<Asking> enroll(EnrollmentToken token) {
    var asking = new CompletableFuture<Asking>();
    loop.execute(
        () -> {
          var steps = new Enrolling(name, identity, token, asking);
          open(steps);
        });
    return asking;
  }

  /// Dials; completes at ADMITTED.
  public CompletableFuture<Void> connect() {
    var admitted = new CompletableFuture<Void>();
    loop.execute(() -> open(new Serving(name, identity, fleet, admitted)));
    return admitted;
  }

  /// The secrets' JSON of a document that was deployed to it, in clear; the caller wipes it.
  ///
  /// @param owner whose secrets they have to be
  public Optional<byte[]> open(SealedSecrets sealed, SealedFor owner) {
    return sealed.open(identity.sealing(), owner) instanceof SealedSecrets.Opening.Opened opened
        ? Optional.of(opened.secretsJson())
        : Optional.empty();
  }

  /// Completes with the reason when the tunnel that it has now is over, whoever ended it. Empty: it
  /// has none now.
  public CompletableFuture<Optional<FleetException>> tunnelEnd() {
    var end = new CompletableFuture<Optional<FleetException>>();
    loop.execute(
        () -> {
          if (tunnel == null || tunnel.end().isDone()) {
            end.complete(Optional.empty());
          } else {
            var _ = tunnel.end().thenAccept(why -> end.complete(Optional.of(why)));
          }
        });
    return end;
  }

  /// Ends its tunnel as a process that dies does: without a word.
  public void cut() {
    loop.execute(
        () -> {
          if (tunnel != null) {
            tunnel.cut();
          }
        });
  }

  /// Answers that were held back leave now.
  void release() {
    loop.execute(
        () -> {
          if (tunnel != null) {
            tunnel.release();
          }
        });
  }

  private void open(Steps steps) {
    if (tunnel != null) {
      tunnel.cut();
    }
    tunnel = Tunnel.dial(fleet, loop, source, identity, steps);
  }

  @Override
  public String toString() {
    return name;
  }
}
