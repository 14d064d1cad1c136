package io.penstock.broker.gateways;

import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import io.penstock.broker.tunnel.ControlChannel.Admission;
import io.penstock.broker.tunnel.LiveSession;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.message.ControlMessage;
import io.penstock.codec.message.ControlMessage.EffectiveRules;
import io.penstock.codec.message.ControlMessage.StateReport;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;

/// The time in which a gateway's heartbeats follow each other, in the shape of a tunnel that
/// carries nothing: presence, revocation and receipts treat it as one. Thread-safe.
final class GatewaySession implements LiveSession {
  private static final EffectiveRules NO_RULES = new EffectiveRules(List.of());

  private final Admission admission;
  private final InetAddress remote;
  private final Instant connectedAt;
  private final BiConsumer<GatewaySession, String> whenClosed;
  private final AtomicBoolean closed = new AtomicBoolean();
  private volatile Instant lastHeard;

  /// @param whenClosed hears once, with the reason
  GatewaySession(
      Admission admission,
      InetAddress remote,
      Instant connectedAt,
      BiConsumer<GatewaySession, String> whenClosed) {
    this.admission = admission;
    this.remote = remote;
    this.connectedAt = connectedAt;
    this.lastHeard = connectedAt;
    this.whenClosed = whenClosed;
  }

  void heard(Instant at) {
    lastHeard = at;
  }

  Instant lastHeard() {
    return lastHeard;
  }

  @Override
  public Admission admission() {
    return admission;
  }

  @Override
  public InetAddress remote() {
    return remote;
  }

  @Override
  public Instant connectedAt() {
    return connectedAt;
  }

  @Override
  public EventLoop eventLoop() {
    throw new IllegalStateException("a gateway without a tunnel has no event loop");
  }

  /// It carries no streams.
  @Override
  public Optional<MuxStream> open(ByteBuf head, boolean end, StreamListener user) {
    head.release();
    return Optional.empty();
  }

  @Override
  public EffectiveRules rules() {
    return NO_RULES;
  }

  @Override
  public Optional<StateReport> stateReport() {
    return Optional.empty();
  }

  @Override
  public int outstanding() {
    return 0;
  }

  @Override
  public long roundTripNanos() {
    return 0;
  }

  @Override
  public boolean draining() {
    return false;
  }

  @Override
  public boolean isOpen() {
    return !closed.get();
  }

  /// There is no way to it: it hears what was decided with its next request.
  @Override
  public void send(ControlMessage message) {}

  @Override
  public boolean message(long sequence, byte[] body) {
    return false;
  }

  /// It cannot be asked.
  @Override
  public CompletionStage<Boolean> probe(Duration within) {
    return CompletableFuture.completedFuture(false);
  }

  @Override
  public void drain(Duration spread, Duration within) {}

  @Override
  public void close(ErrorCode code, String text) {
    if (closed.compareAndSet(false, true)) {
      whenClosed.accept(this, text);
    }
  }
}
