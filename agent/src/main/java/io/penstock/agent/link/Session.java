package io.penstock.agent.link;

import io.netty.buffer.ByteBuf;
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
import io.penstock.codec.message.ControlMessage;
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

  private volatile long roundTripNanos;
  private final SingleWriterCounter bytesIn = new SingleWriterCounter();
  private final SingleWriterCounter bytesOut = new SingleWriterCounter();
  private final SingleWriterCounter streamsOpened = new SingleWriterCounter();
  private volatile int openStreams;
  private volatile boolean open = true;

  /// What a session needs besides its core.
  record Duties(StreamTarget target, SessionCounters counters) {}

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
    duties.counters().add(bytesIn.get(), bytesOut.get());
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
    return duties.target().open(open, head, end, stream);
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
    var random = ThreadLocalRandom.current();
    var ids =
        new RequestIds(
            random.nextLong(),
            random.nextLong(),
            random.nextLong(),
            random.nextLong(),
            random.nextLong(),
            0);
    ByteBuf head = Unpooled.buffer(80);
    new OpenHead(StreamKind.DIAGNOSTIC, Deadlines.DEFAULT, ids, PROBE, AsciiString.EMPTY_STRING)
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
    if (events.size() >= MAX_EVENTS) {
      throw new ProtocolException(
          ErrorCode.RATE_EXCEEDED,
          "expected at most " + MAX_EVENTS + " control messages that wait, found more");
    }
    events.add(new SessionEvent.Control(message));
  }

  /// Buffered delivery is not spoken by this version: what is not acknowledged stays with the
  /// broker.
  @Override
  public void onMessage(long sequence, ByteBuf body) {}

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
