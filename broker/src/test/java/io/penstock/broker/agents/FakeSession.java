package io.penstock.broker.agents;

import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import io.penstock.broker.tunnel.ControlChannel;
import io.penstock.broker.tunnel.LiveSession;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.message.ControlMessage;
import io.penstock.codec.message.ControlMessage.EffectiveRules;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/// An admitted tunnel without streams, which answers probes as long as its agent is said to live.
final class FakeSession implements LiveSession {
  private final FakeChannel channel;
  private final ControlChannel.Admission admission;
  private final InetAddress remote;
  private final Instant connectedAt;
  private volatile boolean answersProbes = true;
  private volatile boolean open = true;
  private volatile boolean draining;
  private volatile long roundTripNanos = 2_000_000;
  private volatile @Nullable ErrorCode closedWith;

  FakeSession(
      FakeChannel channel,
      ControlChannel.Admission admission,
      InetAddress remote,
      Instant connectedAt) {
    this.channel = channel;
    this.admission = admission;
    this.remote = remote;
    this.connectedAt = connectedAt;
  }

  void roundTripNanos(long nanos) {
    roundTripNanos = nanos;
  }

  void stopAnswering() {
    answersProbes = false;
  }

  Optional<ErrorCode> closedWith() {
    return Optional.ofNullable(closedWith);
  }

  @Override
  public ControlChannel.Admission admission() {
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
    throw new UnsupportedOperationException("identities have no business on the event loop");
  }

  @Override
  public Optional<MuxStream> open(ByteBuf head, boolean end, StreamListener user) {
    throw new UnsupportedOperationException("identities open no streams");
  }

  @Override
  public EffectiveRules rules() {
    return new EffectiveRules(List.of());
  }

  @Override
  public Optional<ControlMessage.StateReport> stateReport() {
    return Optional.empty();
  }

  @Override
  public boolean message(long sequence, byte[] body) {
    throw new UnsupportedOperationException("no messages here");
  }

  @Override
  public int outstanding() {
    return 0;
  }

  @Override
  public long roundTripNanos() {
    return roundTripNanos;
  }

  @Override
  public boolean draining() {
    return draining;
  }

  @Override
  public boolean isOpen() {
    return open;
  }

  @Override
  public void send(ControlMessage message) {
    channel.send(message);
  }

  @Override
  public CompletionStage<Boolean> probe(Duration within) {
    return CompletableFuture.completedFuture(answersProbes && open);
  }

  @Override
  public void drain(Duration spread, Duration within) {
    draining = true;
  }

  @Override
  public void close(ErrorCode code, String text) {
    closedWith = code;
    open = false;
    channel.hangUp();
  }

  void cut() {
    open = false;
  }
}
