package io.penstock.broker.edge;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoop;
import io.netty.util.ReferenceCountUtil;
import io.penstock.broker.tunnel.LiveSession;
import io.penstock.codec.AnswerHead;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Fields;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// One attempt of an [Exchange] to reach a system: a stream of one session.
///
/// Its two halves live on two event loops, which may be the same one: what the exchange calls and
/// [#onConnection] run on the connection's loop, everything of [StreamListener] and [#onSession]
/// on the session's. They meet in two [Crossing]s only.
final class StreamLeg implements StreamListener {

  private sealed interface ToSession {
    record Open(ByteBuf head, boolean end) implements ToSession {}

    record Trailers(Fields fields) implements ToSession {}

    record Reset(ErrorCode code, String text) implements ToSession {}

    enum Signal implements ToSession {
      END,
      CREDIT
    }
  }

  private sealed interface ToConnection {
    record Opened(long atNanos) implements ToConnection {}

    record Head(AnswerHead head, boolean end, long atNanos) implements ToConnection {}

    record Trailers(Fields fields) implements ToConnection {}

    record Reset(ErrorCode code, boolean untouched) implements ToConnection {}

    enum Signal implements ToConnection {
      NO_ROOM,
      TAKEN,
      END
    }
  }

  /// Heads cost no credit; nobody sends as many interim ones in good faith.
  private static final int MAX_INTERIM_HEADS = 32;

  /// Below this a copy is cheaper than keeping the whole record alive for a slice of it.
  private static final int COPY_BELOW_BYTES = 2 * 1024;

  private final LiveSession session;
  private final LongSupplier nanoTime;
  private final ByteBufAllocator allocator;
  private final Crossing toSession;
  private final Crossing toConnection;
  private final AtomicInteger takenBytes = new AtomicInteger();
  private final AtomicInteger consumedBytes = new AtomicInteger();

  // Connection's loop.
  private @Nullable Exchange exchange;

  // Session's loop.
  private @Nullable MuxStream stream;
  private int untakenBytes;
  private int interimHeads;

  /// On the connection's loop.
  StreamLeg(
      LiveSession session,
      EventLoop connectionLoop,
      ByteBufAllocator allocator,
      LongSupplier nanoTime,
      Exchange exchange) {
    this.session = session;
    this.nanoTime = nanoTime;
    this.allocator = allocator;
    this.exchange = exchange;
    boolean sameLoop = session.eventLoop().inEventLoop();
    toSession = new Crossing(session.eventLoop(), sameLoop, this::onSession);
    toConnection = new Crossing(connectionLoop, sameLoop, this::onConnection);
  }

  LiveSession session() {
    return session;
  }

  // The exchange's side.

  /// Takes ownership of `head`. Answered by [Exchange#opened] or [Exchange#noRoom].
  void open(ByteBuf head, boolean end) {
    toSession.post(new ToSession.Open(head, end));
  }

  /// Takes ownership of `bytes`. [Exchange#taken] says when the stream wants more.
  void send(ByteBuf bytes) {
    toSession.post(bytes);
  }

  void sendEnd() {
    toSession.post(ToSession.Signal.END);
  }

  void sendTrailers(Fields fields) {
    toSession.post(new ToSession.Trailers(fields));
  }

  /// The caller's socket has taken `bytes` of the answer.
  void consumed(int bytes) {
    if (consumedBytes.getAndAdd(bytes) == 0) {
      toSession.post(ToSession.Signal.CREDIT);
    }
  }

  /// The stream is over by itself; whatever still arrives is dropped.
  void forget() {
    exchange = null;
  }

  /// The exchange wants nothing more of this attempt; a stream that is still open is reset.
  void end(ErrorCode code, String text) {
    exchange = null;
    toSession.post(new ToSession.Reset(code, text));
  }

  private void onConnection(Object message) {
    Exchange user = exchange;
    if (user == null) {
      ReferenceCountUtil.release(message);
    } else if (message instanceof ByteBuf data) {
      user.onData(data);
    } else {
      tell(user, (ToConnection) message);
    }
  }

  private void tell(Exchange user, ToConnection message) {
    switch (message) {
      case ToConnection.Opened it -> user.opened(it.atNanos());
      case ToConnection.Head it -> user.onHead(it.head(), it.end(), it.atNanos());
      case ToConnection.Trailers it -> user.onTrailers(it.fields());
      case ToConnection.Reset it -> user.onReset(it.code(), it.untouched());
      case ToConnection.Signal.NO_ROOM -> user.noRoom();
      case ToConnection.Signal.TAKEN -> user.taken(takenBytes.getAndSet(0));
      case ToConnection.Signal.END -> user.onEnd();
    }
  }

  // The session's side.

  private void onSession(Object message) {
    if (message instanceof ByteBuf data) {
      forward(data);
      return;
    }
    switch ((ToSession) message) {
      case ToSession.Open it -> openStream(it.head(), it.end());
      case ToSession.Trailers it -> forwardTrailers(it.fields());
      case ToSession.Reset it -> resetStream(it.code(), it.text());
      case ToSession.Signal.END -> forwardEnd();
      case ToSession.Signal.CREDIT -> returnCredit();
    }
  }

  private void openStream(ByteBuf head, boolean end) {
    Optional<MuxStream> opened = session.open(head, end, this);
    if (opened.isEmpty()) {
      toConnection.post(ToConnection.Signal.NO_ROOM);
      return;
    }
    stream = opened.get();
    toConnection.post(new ToConnection.Opened(nanoTime.getAsLong()));
  }

  private void forward(ByteBuf data) {
    MuxStream to = stream;
    if (to == null) {
      data.release();
      return;
    }
    untakenBytes += data.readableBytes();
    to.data(data, false);
    if (to.isWritable()) {
      tellTaken();
    }
  }

  private void forwardEnd() {
    if (stream != null) {
      stream.data(Unpooled.EMPTY_BUFFER, true);
    }
  }

  private void forwardTrailers(Fields fields) {
    if (stream != null) {
      ByteBuf payload = allocator.buffer();
      fields.write(payload);
      stream.trailers(payload);
    }
  }

  private void resetStream(ErrorCode code, String text) {
    if (stream != null) {
      stream.reset(code, false, text);
    }
  }

  private void returnCredit() {
    int bytes = consumedBytes.getAndSet(0);
    if (stream != null) {
      stream.consumed(bytes);
    }
  }

  private void tellTaken() {
    int bytes = untakenBytes;
    untakenBytes = 0;
    if (bytes > 0 && takenBytes.getAndAdd(bytes) == 0) {
      toConnection.post(ToConnection.Signal.TAKEN);
    }
  }

  @Override
  public void onWritable() {
    tellTaken();
  }

  @Override
  public void onHead(ByteBuf payload, boolean end) {
    try {
      AnswerHead head = AnswerHead.read(payload);
      if (head.status() < 200 && (end || ++interimHeads > MAX_INTERIM_HEADS)) {
        refuseAnswer("unexpected interim head");
      } else {
        toConnection.post(new ToConnection.Head(head, end, nanoTime.getAsLong()));
      }
    } catch (ProtocolException _) {
      refuseAnswer("malformed head");
    }
  }

  @Override
  public void onData(ByteBuf data, boolean end) {
    int length = data.readableBytes();
    if (length > 0) {
      toConnection.post(
          length < COPY_BELOW_BYTES ? allocator.buffer(length).writeBytes(data) : data.retain());
    }
    if (end) {
      toConnection.post(ToConnection.Signal.END);
    }
  }

  @Override
  public void onTrailers(ByteBuf payload) {
    try {
      toConnection.post(new ToConnection.Trailers(Fields.read(payload)));
    } catch (ProtocolException _) {
      refuseAnswer("malformed trailers");
    }
  }

  @Override
  public void onReset(ErrorCode code, boolean untouched, String text) {
    toConnection.post(new ToConnection.Reset(code, untouched));
  }

  private void refuseAnswer(String why) {
    resetStream(ErrorCode.BAD_ANSWER, why);
    toConnection.post(new ToConnection.Reset(ErrorCode.BAD_ANSWER, false));
  }
}
