package io.penstock.agent.mock;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
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
import io.penstock.codec.message.ConfigurationDocument;
import io.penstock.codec.message.ControlMessage;
import io.penstock.codec.message.ControlMessage.ConfigurationRequest;
import io.penstock.codec.message.ControlMessage.EffectiveRules;
import io.penstock.codec.message.ControlMessage.IdentityNext;
import io.penstock.codec.message.ControlMessage.IdentityStored;
import io.penstock.codec.message.ControlMessage.Rewrapped;
import io.penstock.codec.message.ControlMessage.StateReport;
import io.penstock.codec.message.DeliveryMessage;
import io.penstock.codec.message.DeliveryReceipt;
import io.penstock.codec.message.Messages;
import io.penstock.codec.mux.CreditPool;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;
import io.penstock.codec.seal.Receipt;
import io.penstock.codec.seal.VerifyingKey;
import io.penstock.codec.session.Clock;
import io.penstock.codec.session.Scratch;
import io.penstock.codec.session.SessionCore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// The broker's end of a session, for tests: control messages in a queue, streams at will.
public final class MockSession implements SessionCore.Listener {
  private final LinkedBlockingQueue<Rewrapped> rewrapped = new LinkedBlockingQueue<>();
  private final List<IdentityNext> identities = new CopyOnWriteArrayList<>();
  private volatile @Nullable String identityRefusal;
  private final Channel channel;
  private final MockCloud cloud;
  private final SessionCore core;
  private final BlockingQueue<Optional<ControlMessage>> control = new LinkedBlockingQueue<>();
  private final CompletableFuture<ErrorCode> closedByAgent = new CompletableFuture<>();
  private final CompletableFuture<Void> gone = new CompletableFuture<>();
  private final CompletableFuture<Void> drained = new CompletableFuture<>();
  private final BlockingQueue<Receipted> receipts = new LinkedBlockingQueue<>();
  private final BlockingQueue<Receipted> unasked = new LinkedBlockingQueue<>();
  private final BlockingQueue<StateReport> reports = new LinkedBlockingQueue<>();
  private volatile @Nullable EffectiveRules rules;
  private volatile int slot;
  private volatile boolean answersProbes = true;
  private volatile boolean mute;

  MockSession(Channel channel, MockCloud cloud, SessionCore.Established established) {
    this.channel = channel;
    this.cloud = cloud;
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

  /// A RECEIPT frame.
  ///
  /// @param place of its receipt among those that are signed together
  public record Receipted(long sequence, DeliveryReceipt body, int place) {
    /// Verified by this key.
    public Receipt receipt(VerifyingKey identity) {
      return Receipt.verify(String.valueOf(body.receipt()), identity).get(place);
    }
  }

  void received(ByteBuf record) {
    if (mute) {
      return;
    }
    try {
      core.receive(record);
    } catch (ProtocolException broken) {
      var _ = channel.close();
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

  /// New identity keys are refused with these words from now on.
  public void refuseIdentities(String why) {
    identityRefusal = why;
  }

  public Rewrapped awaitRewrapped() throws InterruptedException {
    Rewrapped told = rewrapped.poll(10, TimeUnit.SECONDS);
    if (told == null) {
      throw new AssertionError("expected REWRAPPED within 10 s, found none");
    }
    return told;
  }

  /// What came as IDENTITY_NEXT; each was answered at once.
  public List<IdentityNext> identities() {
    return List.copyOf(identities);
  }

  public <M extends ControlMessage> M receive(Class<M> expected)
      throws InterruptedException, MockBroker.Refused {
    Optional<ControlMessage> message = control.poll(10, TimeUnit.SECONDS);
    if (message == null || message.isEmpty() || !expected.isInstance(message.get())) {
      throw new MockBroker.Refused("expected " + expected.getSimpleName() + ", found " + message);
    }
    return expected.cast(message.get());
  }

  public void deliver(long sequence, DeliveryMessage message) {
    deliverBytes(sequence, Messages.encode(message));
  }

  public void deliverBytes(long sequence, byte[] body) {
    eventLoop()
        .execute(
            () ->
                core.streams()
                    .session(
                        Protocol.MESSAGE,
                        0,
                        Unpooled.buffer(8 + body.length).writeLong(sequence).writeBytes(body)));
  }

  public Receipted awaitReceipt() throws InterruptedException {
    Receipted receipt = receipts.poll(20, TimeUnit.SECONDS);
    if (receipt == null) {
      throw new AssertionError("no receipt came");
    }
    return receipt;
  }

  /// The next receipt of sequence 0: of what no message asked for.
  public Receipted awaitUnasked() throws InterruptedException {
    Receipted receipt = unasked.poll(20, TimeUnit.SECONDS);
    if (receipt == null) {
      throw new AssertionError("no receipt of sequence 0 came");
    }
    return receipt;
  }

  public boolean hasUnasked() {
    return !unasked.isEmpty();
  }

  public boolean hasReceipt() {
    return !receipts.isEmpty();
  }

  /// The first report that fits.
  public StateReport awaitReport(Predicate<StateReport> wanted) throws InterruptedException {
    StateReport last = null;
    while (true) {
      StateReport report = reports.poll(20, TimeUnit.SECONDS);
      if (report == null) {
        throw new AssertionError("no such report came; the last one: " + last);
      }
      if (wanted.test(report)) {
        return report;
      }
      last = report;
    }
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
    var _ = channel.close();
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
    if (open.kind() == StreamKind.CONFIG) {
      answerRequest(
          stream, Messages.decode(ByteBufUtil.getBytes(head), ConfigurationRequest.class));
    }
    return new StreamListener() {
      @Override
      public void onData(ByteBuf data, boolean last) {}

      @Override
      public void onReset(ErrorCode code, boolean untouched, String text) {}
    };
  }

  private void answerRequest(MuxStream stream, ConfigurationRequest request) {
    Optional<ConfigurationDocument> document = cloud.fetch(request.system(), request.version());
    if (!cloud.handsOut()) {
      stream.reset(ErrorCode.OVERLOADED, true, "no database, ask again");
      return;
    }
    ByteBuf answer = stream.allocator().buffer(16);
    new AnswerHead(document.isPresent() ? 200 : 404, 0, 0, new Fields(0)).write(answer);
    stream.head(answer, document.isEmpty());
    document.ifPresent(it -> stream.data(Unpooled.wrappedBuffer(Messages.encode(it)), true));
  }

  @Override
  public void onControl(ControlMessage message) {
    if (message instanceof EffectiveRules told) {
      rules = told;
    }
    if (message instanceof StateReport report) {
      reports.add(report);
    }
    if (message instanceof Rewrapped told) {
      rewrapped.add(told);
    }
    if (message instanceof IdentityNext next) {
      identities.add(next);
      send(new IdentityStored(next.signingKey(), identityRefusal));
    }
    control.add(Optional.of(message));
  }

  @Override
  public void onMessage(long sequence, ByteBuf body) {}

  @Override
  public void onReceipt(long sequence, ByteBuf body) throws ProtocolException {
    DeliveryReceipt receipt = Messages.decodeReceipt(ByteBufUtil.getBytes(body));
    List<Long> sequences = receipt.sequences();
    if (sequences != null) {
      for (int place = 0; place < sequences.size(); place++) {
        receipts.add(new Receipted(sequences.get(place), receipt, place));
      }
    } else if (sequence == 0) {
      for (int place = 0; place < signedTogether(receipt); place++) {
        unasked.add(new Receipted(0, receipt, place));
      }
    } else {
      receipts.add(new Receipted(sequence, receipt, 0));
    }
  }

  private static int signedTogether(DeliveryReceipt receipt) {
    String jws = String.valueOf(receipt.receipt());
    String payload = jws.substring(jws.indexOf('.') + 1, jws.lastIndexOf('.'));
    try {
      return new ObjectMapper()
          .readTree(Base64.getUrlDecoder().decode(payload))
          .required("receipts")
          .size();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

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
    var _ = channel.close();
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
        var _ = channel.write(new BinaryWebSocketFrame(record));
      }
    }
    channel.flush();
  }
}
