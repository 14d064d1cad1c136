package io.penstock.agent.mock;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.penstock.codec.AnswerHead;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Fields;
import io.penstock.codec.OpenHead;
import io.penstock.codec.Protocol;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.StreamKind;
import io.penstock.codec.message.ControlMessage;
import io.penstock.codec.message.ControlMessage.EffectiveRules;
import io.penstock.codec.mux.CreditPool;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;
import io.penstock.codec.session.Clock;
import io.penstock.codec.session.Scratch;
import io.penstock.codec.session.SessionCore;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// The broker's end of a session, for tests: control messages in a queue, streams at will.
public final class MockSession implements SessionCore.Listener {
  private final Channel channel;
  private final SessionCore core;
  private final BlockingQueue<Optional<ControlMessage>> control = new LinkedBlockingQueue<>();
  private final CompletableFuture<ErrorCode> closedByAgent = new CompletableFuture<>();
  private final CompletableFuture<Void> gone = new CompletableFuture<>();
  private final CompletableFuture<Void> drained = new CompletableFuture<>();
  private volatile @Nullable EffectiveRules rules;
  private volatile int slot;
  private volatile boolean answersProbes = true;
  private volatile boolean mute;

  MockSession(Channel channel, SessionCore.Established established) {
    this.channel = channel;
    core =
        new SessionCore(
            established,
            Protocol.DEFAULT_MAX_STREAMS,
            new CreditPool(1 << 26),
            Clock.SYSTEM,
            work -> channel.eventLoop().execute(work.get()),
            new Scratch(),
            ByteBufAllocator.DEFAULT,
            this);
  }

  void received(ByteBuf record) {
    if (mute) {
      return;
    }
    try {
      core.receive(record);
    } catch (ProtocolException broken) {
      channel.close();
    }
  }

  void gone() {
    core.close(ErrorCode.INTERNAL, "gone");
    control.add(Optional.empty());
    gone.complete(null);
  }

  public EventLoop eventLoop() {
    return channel.eventLoop();
  }

  public Optional<EffectiveRules> rules() {
    return Optional.ofNullable(rules);
  }

  void rules(EffectiveRules told) {
    rules = told;
  }

  public int slot() {
    return slot;
  }

  void slot(int number) {
    slot = number;
  }

  public void answerProbes(boolean answer) {
    answersProbes = answer;
  }

  /// Stops reading and answering, as if every packet were dropped.
  public void mute() {
    mute = true;
  }

  public void send(ControlMessage message) {
    eventLoop().execute(() -> core.send(message));
  }

  public <M extends ControlMessage> M receive(Class<M> expected)
      throws InterruptedException, MockBroker.Refused {
    Optional<ControlMessage> message = control.poll(10, TimeUnit.SECONDS);
    if (message == null || message.isEmpty() || !expected.isInstance(message.get())) {
      throw new MockBroker.Refused("expected " + expected.getSimpleName() + ", found " + message);
    }
    return expected.cast(message.get());
  }

  public void drain(int spreadMs, int drainMs) {
    eventLoop().execute(() -> core.drain(spreadMs, drainMs));
  }

  public void close(ErrorCode code, int retryAfterMs, String text) {
    eventLoop()
        .execute(
            () -> {
              core.sendClose(code, retryAfterMs, text);
              flush();
              channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
            });
  }

  /// Cuts the connection without a word.
  public void cut() {
    channel.close();
  }

  public CompletableFuture<ErrorCode> closedByAgent() {
    return closedByAgent;
  }

  public CompletableFuture<Void> whenGone() {
    return gone;
  }

  /// The agent has said that it takes no new streams.
  public CompletableFuture<Void> whenDrained() {
    return drained;
  }

  /// On [#eventLoop].
  public SessionCore core() {
    return core;
  }

  @Override
  public StreamListener onOpen(MuxStream stream, ByteBuf head, boolean end)
      throws ProtocolException {
    OpenHead open = OpenHead.read(head);
    if (open.kind() == StreamKind.DIAGNOSTIC && answersProbes) {
      ByteBuf answer = stream.allocator().buffer(16);
      new AnswerHead(204, 0, 0, new Fields(0)).write(answer);
      stream.head(answer, true);
    }
    return new StreamListener() {
      @Override
      public void onData(ByteBuf data, boolean last) {}

      @Override
      public void onReset(ErrorCode code, boolean untouched, String text) {}
    };
  }

  @Override
  public void onControl(ControlMessage message) {
    control.add(Optional.of(message));
  }

  @Override
  public void onMessage(long sequence, ByteBuf body) {}

  @Override
  public void onReceipt(long sequence, ByteBuf body) {}

  @Override
  public void onDrain(int spreadMs, int drainMs) {
    drained.complete(null);
  }

  @Override
  public void onClose(ErrorCode code, int retryAfterMs, String text) {
    closedByAgent.complete(code);
  }

  @Override
  public void onRoundTrip(long nanos, long clockOffsetMs) {}

  @Override
  public void onFailure(ProtocolException failure) {
    channel.close();
  }

  @Override
  public void outputWaiting() {
    eventLoop().execute(this::flush);
  }

  private void flush() {
    for (ByteBuf record = core.nextRecord(); record != null; record = core.nextRecord()) {
      if (mute) {
        record.release();
      } else {
        channel.write(new BinaryWebSocketFrame(record));
      }
    }
    channel.flush();
  }
}
