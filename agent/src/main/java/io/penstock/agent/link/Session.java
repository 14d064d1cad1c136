package io.penstock.agent.link;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.handler.codec.http.websocketx.WebSocketCloseStatus;
import io.netty.util.AsciiString;
import io.netty.util.concurrent.Future;
import io.penstock.codec.AnswerHead;
import io.penstock.codec.Deadlines;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Fields;
import io.penstock.codec.OpenHead;
import io.penstock.codec.Protocol;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.RequestIds;
import io.penstock.codec.StreamKind;
import io.penstock.codec.message.ConfigurationDocument;
import io.penstock.codec.message.ControlMessage;
import io.penstock.codec.message.ControlMessage.ConfigurationRequest;
import io.penstock.codec.message.ControlMessage.IdentityNext;
import io.penstock.codec.message.ControlMessage.IdentityStored;
import io.penstock.codec.message.ControlMessage.SystemTest;
import io.penstock.codec.message.ControlMessage.TestReport;
import io.penstock.codec.message.DeliveryReceipt;
import io.penstock.codec.message.Messages;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;
import io.penstock.codec.session.SessionCore;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A session from message 3 on, between its [SessionCore], the WebSocket, and the slot's thread.
///
/// Fields belong to the event loop, but for `events`, which carries what the slot's thread waits
/// for, and the volatile figures, which the event loop writes and anybody reads. Flushes once at
/// the end of the tick that had something to say.
final class Session implements SessionCore.Listener {
  private static final AsciiString PROBE = AsciiString.of(StreamKind.PROBE_SYSTEM);
  private static final int MAX_EVENTS = 16;

  private final RecordSocket socket;
  private final Channel channel;
  private final Duties duties;
  private final LinkedBlockingQueue<SessionEvent> events = new LinkedBlockingQueue<>();

  private @Nullable SessionCore core;
  private @Nullable Future<?> ticks;
  private boolean flushScheduled;
  private boolean serving;
  private boolean draining;
  private boolean over;
  private @Nullable CompletableFuture<IdentityStored> identityAnswer;

  private volatile @Nullable ConfigurationLine line;
  private volatile long roundTripNanos;
  private final SingleWriterCounter bytesIn = new SingleWriterCounter();
  private final SingleWriterCounter bytesOut = new SingleWriterCounter();
  private final SingleWriterCounter streamsOpened = new SingleWriterCounter();
  private volatile int openStreams;
  private volatile boolean open = true;

  /// What a session needs besides its core.
  record Duties(StreamTarget target, SessionCounters counters, ConfigurationTarget configuration) {}

  Session(RecordSocket socket, Duties duties) {
    this.socket = socket;
    this.channel = socket.channel();
    this.duties = duties;
  }

  void begin(SessionCore established) {
    core = established;
    ticks =
        channel
            .eventLoop()
            .scheduleAtFixedRate(
                this::tick, Protocol.TICK_MS, Protocol.TICK_MS, TimeUnit.MILLISECONDS);
  }

  // For the slot's thread.

  /// The next event, or empty after `within`.
  Optional<SessionEvent> await(Duration within) throws InterruptedException {
    return Optional.ofNullable(events.poll(within.toMillis(), TimeUnit.MILLISECONDS));
  }

  void send(ControlMessage message) {
    channel
        .eventLoop()
        .execute(
            () -> {
              if (core != null && !over) {
                core.send(message);
              }
            });
  }

  /// Before READY: messages may come as soon as the broker has it.
  void configure(ConfigurationLine own) {
    line = own;
  }

  void receipt(long sequence, DeliveryReceipt receipt) {
    channel
        .eventLoop()
        .execute(
            () -> {
              if (core != null && !over) {
                byte[] body = Messages.encode(receipt);
                core.streams()
                    .session(
                        Protocol.RECEIPT,
                        0,
                        Unpooled.buffer(Long.BYTES + body.length)
                            .writeLong(sequence)
                            .writeBytes(body));
              }
            });
  }

  /// At most one is under way. Fails when the session ends first.
  CompletableFuture<IdentityStored> identityNext(IdentityNext next) {
    var answer = new CompletableFuture<IdentityStored>();
    channel
        .eventLoop()
        .execute(
            () -> {
              if (core == null || over || identityAnswer != null) {
                answer.completeExceptionally(LinkFailure.at(Stage.SESSION, "the tunnel is gone"));
                return;
              }
              identityAnswer = answer;
              core.send(next);
            });
    return answer;
  }

  /// The slot's thread wipes the identity and gives up.
  void wipe() {
    events.add(new SessionEvent.Wipe());
  }

  /// Nothing of the configuration stays in memory, and nothing of it is written any more.
  void forgetConfiguration() {
    duties.configuration().wipe();
  }

  CompletableFuture<Optional<ConfigurationDocument>> fetch(
      String system, long version, Duration within) {
    var answer = new CompletableFuture<Optional<ConfigurationDocument>>();
    var listener = new DocumentFetch(answer);
    channel.eventLoop().execute(() -> openFetch(system, version, listener, answer));
    var timeout =
        channel
            .eventLoop()
            .schedule(
                () -> {
                  answer.completeExceptionally(
                      LinkFailure.at(
                          Stage.SESSION,
                          "expected the document within "
                              + within.toMillis()
                              + " ms, found silence"));
                  listener.giveUp();
                },
                within.toMillis(),
                TimeUnit.MILLISECONDS);
    return answer.whenComplete((_, _) -> timeout.cancel(false));
  }

  /// Streams may be opened from now on.
  void serve(ControlMessage.EffectiveRules rules) {
    channel
        .eventLoop()
        .execute(
            () -> {
              if (core != null && !over) {
                serving = true;
                core.send(rules);
              }
            });
  }

  boolean isOpen() {
    return open;
  }

  long roundTripNanos() {
    return roundTripNanos;
  }

  long bytesIn() {
    return bytesIn.get();
  }

  long bytesOut() {
    return bytesOut.get();
  }

  int openStreams() {
    return openStreams;
  }

  /// Streams that the broker opened, without its probes.
  long streamsOpened() {
    return streamsOpened.get();
  }

  /// Takes no new streams and says so; the running ones go on.
  void drain(Duration within) {
    channel
        .eventLoop()
        .execute(
            () -> {
              if (core != null && !over && !draining) {
                draining = true;
                core.drain(0, (int) within.toMillis());
                closeWhenDrained();
              }
            });
  }

  /// Takes no new streams, because the broker drains; closes once the running ones are done.
  void retire() {
    channel
        .eventLoop()
        .execute(
            () -> {
              draining = true;
              closeWhenDrained();
            });
  }

  void close(ErrorCode code, String text) {
    channel.eventLoop().execute(() -> closeNow(code, text));
  }

  /// Whether the data path works: a stream to the broker and its answer. Never fails.
  CompletableFuture<Boolean> probe(Duration within) {
    var answer = new CompletableFuture<Boolean>();
    channel.eventLoop().execute(() -> openProbe(answer));
    return answer.completeOnTimeout(false, within.toMillis(), TimeUnit.MILLISECONDS);
  }

  // On the event loop.

  void received(ByteBuf record) {
    SessionCore established = core;
    if (established == null || over) {
      return;
    }
    bytesIn.add(record.readableBytes());
    try {
      established.receive(record);
      afterActivity(established);
    } catch (ProtocolException violation) {
      fail(violation);
    }
  }

  @Override
  public void outputWaiting() {
    if (!flushScheduled) {
      flushScheduled = true;
      channel.eventLoop().execute(this::flush);
    }
  }

  /// Writes records while the socket takes them; [RecordSocket] calls again when it takes more.
  void flush() {
    flushScheduled = false;
    SessionCore established = core;
    if (established == null || over) {
      return;
    }
    if (writeWaiting(established)) {
      channel.flush();
    }
    afterActivity(established);
  }

  private boolean writeWaiting(SessionCore established) {
    boolean wrote = false;
    while (channel.isWritable()) {
      ByteBuf record = established.nextRecord();
      if (record == null) {
        return wrote;
      }
      bytesOut.add(record.readableBytes());
      socket.write(record);
      wrote = true;
    }
    return wrote;
  }

  private void afterActivity(SessionCore established) {
    openStreams = established.streams().openStreams();
    if (draining) {
      closeWhenDrained();
    }
  }

  private void closeWhenDrained() {
    if (core != null && core.streams().openStreams() == 0 && !core.streams().hasOutput()) {
      closeNow(ErrorCode.SHUTDOWN, "drained");
    }
  }

  private void tick() {
    SessionCore established = core;
    if (established == null || over) {
      return;
    }
    try {
      established.tick();
      if (established.streams().idsSpent()) {
        closeNow(ErrorCode.REPLACED, "stream ids are spent");
      }
    } catch (ProtocolException silent) {
      fail(silent);
    }
  }

  private void fail(ProtocolException violation) {
    if (violation.code() != ErrorCode.BAD_RECORD && core != null && !over) {
      core.sendClose(violation.code(), 0, "protocol");
      writeLast(core);
    }
    ended(violation.code(), 0, String.valueOf(violation.getMessage()), false);
    socket.violated(violation);
  }

  /// CLOSE, then the WebSocket's own (`docs/protocol.md`, section 7).
  private void closeNow(ErrorCode code, String text) {
    if (core == null || over) {
      return;
    }
    core.sendClose(code, 0, text);
    writeLast(core);
    ended(code, 0, text, false);
    socket.close(WebSocketCloseStatus.NORMAL_CLOSURE);
  }

  /// Everything that is still to be said, whether the socket keeps up or not: little, because
  /// streams with data would have kept the session from ending here.
  private void writeLast(SessionCore established) {
    for (int i = 0; i < MAX_EVENTS; i++) {
      ByteBuf record = established.nextRecord();
      if (record == null) {
        break;
      }
      socket.write(record);
    }
    channel.flush();
  }

  /// The session is over; only the first reason counts.
  void ended(@Nullable ErrorCode code, int retryAfterMs, String text, boolean byPeer) {
    if (over) {
      return;
    }
    over = true;
    open = false;
    openStreams = 0;
    if (ticks != null) {
      ticks.cancel(false);
    }
    if (core != null) {
      core.close(code == null ? ErrorCode.INTERNAL : code, "the tunnel is gone");
    }
    if (identityAnswer != null) {
      identityAnswer.completeExceptionally(LinkFailure.at(Stage.SESSION, "the tunnel is gone"));
      identityAnswer = null;
    }
    duties.counters().add(bytesIn.get(), bytesOut.get());
    if (line != null) {
      duties.configuration().lost(line);
    }
    events.add(new SessionEvent.Ended(code, retryAfterMs, text, byPeer));
  }

  @Override
  public StreamListener onOpen(MuxStream stream, ByteBuf head, boolean end)
      throws ProtocolException {
    OpenHead open = OpenHead.read(head);
    if (open.kind() == StreamKind.DIAGNOSTIC && open.system().contentEquals(PROBE)) {
      answerProbe(stream);
      return NobodyListens.INSTANCE;
    }
    duties.counters().streamOpened();
    streamsOpened.add(1);
    if (!serving || draining) {
      stream.reset(ErrorCode.DRAINING, true, "no streams are taken here");
      return NobodyListens.INSTANCE;
    }
    ConfigurationLine tested = line;
    if (open.kind() == StreamKind.DIAGNOSTIC && tested != null) {
      test(tested, open, head, stream);
      return NobodyListens.INSTANCE;
    }
    return duties.target().open(open, head, end, stream);
  }

  private void test(ConfigurationLine own, OpenHead open, ByteBuf request, MuxStream stream)
      throws ProtocolException {
    SystemTest wanted = Messages.decode(ByteBufUtil.getBytes(request), SystemTest.class);
    var _ =
        duties
            .configuration()
            .test(own, open.system().toString(), Optional.ofNullable(wanted.version()))
            .thenAcceptAsync(report -> answerTest(stream, report), channel.eventLoop());
  }

  /// A report is far below a stream's first credit.
  private static void answerTest(MuxStream stream, Optional<TestReport> report) {
    ByteBuf head = stream.allocator().buffer(16);
    new AnswerHead(report.isPresent() ? 200 : 404, 0, 0, new Fields(0)).write(head);
    stream.head(head, report.isEmpty());
    report.ifPresent(it -> stream.data(Unpooled.wrappedBuffer(Messages.encode(it)), true));
  }

  private void openFetch(
      String system,
      long version,
      DocumentFetch listener,
      CompletableFuture<Optional<ConfigurationDocument>> answer) {
    if (core == null || over || draining) {
      answer.completeExceptionally(LinkFailure.at(Stage.SESSION, "the tunnel is gone"));
      return;
    }
    ByteBuf head = Unpooled.buffer(160);
    new OpenHead(StreamKind.CONFIG, Deadlines.DEFAULT, ids(), PROBE, AsciiString.EMPTY_STRING)
        .write(head);
    head.writeBytes(Messages.encode(new ConfigurationRequest(system, version)));
    core.open(head, true, listener)
        .ifPresentOrElse(
            listener::on,
            () ->
                answer.completeExceptionally(
                    LinkFailure.at(Stage.SESSION, "the tunnel has no room for a stream")));
  }

  private static RequestIds ids() {
    var random = ThreadLocalRandom.current();
    return new RequestIds(
        random.nextLong(),
        random.nextLong(),
        random.nextLong(),
        random.nextLong(),
        random.nextLong(),
        0);
  }

  private static void answerProbe(MuxStream stream) {
    ByteBuf head = stream.allocator().buffer(16);
    new AnswerHead(204, 0, 0, new Fields(0)).write(head);
    stream.head(head, true);
  }

  private void openProbe(CompletableFuture<Boolean> answer) {
    if (core == null || over) {
      answer.complete(false);
      return;
    }
    ByteBuf head = Unpooled.buffer(80);
    new OpenHead(StreamKind.DIAGNOSTIC, Deadlines.DEFAULT, ids(), PROBE, AsciiString.EMPTY_STRING)
        .write(head);
    if (core.open(head, true, new ProbeAnswer(answer)).isEmpty()) {
      // Full or draining is not broken.
      answer.complete(true);
    }
  }

  private record ProbeAnswer(CompletableFuture<Boolean> answer) implements StreamListener {
    @Override
    public void onHead(ByteBuf head, boolean end) {
      try {
        answer.complete(AnswerHead.read(head).status() == 204);
      } catch (ProtocolException _) {
        answer.complete(false);
      }
    }

    @Override
    public void onData(ByteBuf data, boolean end) {}

    @Override
    public void onReset(ErrorCode code, boolean untouched, String text) {
      answer.complete(false);
    }
  }

  /// For streams that are answered or refused at once.
  private enum NobodyListens implements StreamListener {
    INSTANCE;

    @Override
    public void onData(ByteBuf data, boolean end) {}

    @Override
    public void onReset(ErrorCode code, boolean untouched, String text) {}
  }

  @Override
  public void onControl(ControlMessage message) throws ProtocolException {
    ConfigurationLine own = line;
    if (message instanceof ControlMessage.Head(String head) && own != null) {
      requireRoom(duties.configuration().head(own, head));
      return;
    }
    if (message instanceof IdentityStored stored) {
      identityStored(stored);
      return;
    }
    if (message instanceof ControlMessage.OwnerKeys keys && own != null) {
      requireRoom(duties.configuration().ownerKeys(own, keys));
      return;
    }
    if (events.size() >= MAX_EVENTS) {
      throw new ProtocolException(
          ErrorCode.RATE_EXCEEDED,
          "expected at most " + MAX_EVENTS + " control messages that wait, found more");
    }
    events.add(new SessionEvent.Control(message));
  }

  private void identityStored(IdentityStored stored) throws ProtocolException {
    if (identityAnswer == null) {
      throw new ProtocolException(
          ErrorCode.PROTOCOL_ERROR, "expected no IDENTITY_STORED without IDENTITY_NEXT");
    }
    identityAnswer.complete(stored);
    identityAnswer = null;
  }

  /// What is not acknowledged stays with the broker and comes again.
  @Override
  public void onMessage(long sequence, ByteBuf body) throws ProtocolException {
    ConfigurationLine own = line;
    if (own == null) {
      throw new ProtocolException(
          ErrorCode.PROTOCOL_ERROR, "expected no MESSAGE before READY, found one");
    }
    requireRoom(duties.configuration().message(own, sequence, ByteBufUtil.getBytes(body)));
  }

  private static void requireRoom(boolean taken) throws ProtocolException {
    if (!taken) {
      throw new ProtocolException(
          ErrorCode.RATE_EXCEEDED, "more messages wait than this agent queues");
    }
  }

  @Override
  public void onReceipt(long sequence, ByteBuf body) {}

  @Override
  public void onDrain(int spreadMs, int drainMs) {
    events.add(new SessionEvent.Drain(spreadMs, drainMs));
  }

  @Override
  public void onClose(ErrorCode code, int retryAfterMs, String text) {
    ended(code, retryAfterMs, text, true);
    socket.close(WebSocketCloseStatus.NORMAL_CLOSURE);
  }

  @Override
  public void onRoundTrip(long nanos, long clockOffsetMs) {
    roundTripNanos = nanos;
  }

  @Override
  public void onFailure(ProtocolException failure) {
    fail(failure);
  }
}
