package io.penstock.agent.plugin.http;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.NANOSECONDS;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.LastHttpContent;
import io.penstock.agent.plugin.CallMeters;
import io.penstock.agent.plugin.CallObserver;
import io.penstock.codec.AnswerHead;
import io.penstock.codec.Deadlines;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Fields;
import io.penstock.codec.OpenHead;
import io.penstock.codec.Protocol;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.RequestHead;
import io.penstock.codec.http.Refusal;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/// One call of a system: a stream on the tunnel's side, a connection on the other, everything on
/// the event loop that both share.
///
/// Request bytes return their credit when the system's socket has taken them; answer bytes are read
/// while the stream has room. So neither a system nor a caller that does not read makes us hold
/// more than one credit and one read buffer. An answer is ended only when the system ended it;
/// everything else is a reset.
final class HttpExchange implements StreamListener {
  private enum Phase {
    /// Until a connection stands.
    CONNECTING,
    /// The request is on its way, no head yet.
    SENDING,
    ANSWERING,
    OVER
  }

  private static final Fields NO_FIELDS = new Fields(0);
  private static final int FIRST_ERROR_BEYOND_STATUS = 600;

  private final HttpSettings settings;
  private final ConnectionPool pool;
  private final DeadlineSweep clock;
  private final CallObserver observer;
  private final CallMeters.Meter meter;

  /// As the broker sent it, and as the system is told.
  private final OpenHead received;

  private final OpenHead open;
  private final RequestHead request;
  private final RequestBody body;
  private final MuxStream stream;
  private final Deadlines limits;
  private final long openedNanos;
  private final long totalDeadlineNanos;

  private Phase phase = Phase.CONNECTING;
  private @Nullable SystemConnection connection;

  // Request.
  private final ArrayDeque<ByteBuf> early = new ArrayDeque<>(0);
  private Fields trailers = NO_FIELDS;
  private boolean requestEnded;
  private boolean bodyBegun;
  private boolean touched;
  private boolean reused;
  private boolean retried;
  private int unwrittenBytes;

  // Answer.
  private @Nullable AnswerHead head;
  private boolean interim;
  private boolean keepsConnection;
  private int status;
  private boolean complete;

  // Stamps.
  private long connectedNanos;
  private long sentNanos;
  private long headNanos;
  private long systemMicros;
  private long agentMicros;
  private long deadlineNanos;

  /// Owned by [DeadlineSweep].
  int watchIndex = -1;

  HttpExchange(
      HttpSettings settings,
      ConnectionPool pool,
      DeadlineSweep clock,
      CallObserver observer,
      CallMeters.Meter meter,
      OpenHead received,
      RequestHead request,
      RequestBody body,
      boolean end,
      MuxStream stream) {
    this.settings = settings;
    this.pool = pool;
    this.clock = clock;
    this.observer = observer;
    this.meter = meter;
    this.received = received;
    open = observer.begin(received);
    this.request = request;
    this.body = body;
    this.stream = stream;
    requestEnded = end;
    limits = open.deadlines().atMost(settings.deadlines());
    openedNanos = clock.nowNanos();
    totalDeadlineNanos = after(openedNanos, limits.totalMs());
  }

  void start() {
    deadlineNanos = soonest(after(openedNanos, limits.connectMs()));
    clock.watch(this);
    settings.credentials().borrow();
    pool.acquire(this);
  }

  // Connection.

  /// Until it stands, it is closed when the call ends.
  void connecting(SystemConnection next) {
    connection = next;
  }

  void connected(SystemConnection next, boolean pooled) {
    connection = next;
    reused = pooled;
    connectedNanos = clock.nowNanos();
    phase = Phase.SENDING;
    next.expect(HttpMethod.valueOf(request.method().toString()));
    ByteBuf bytes = next.allocator().buffer(512);
    RequestWriter.head(bytes, settings.origin(), settings.credentials(), open, request, body);
    var _ = next.write(bytes);
    touched = true;
    sendEarly(next);
    sent(connectedNanos);
  }

  private void sendEarly(SystemConnection to) {
    boolean ended = requestEnded;
    ByteBuf bytes = early.poll();
    while (bytes != null) {
      send(to, bytes);
      bytes = early.poll();
    }
    if (ended) {
      sendEnd(to);
    }
  }

  void connectFailed(String why) {
    connection = null;
    fail(ErrorCode.CONNECT_FAILED, why);
  }

  void noConnection() {
    fail(ErrorCode.OVERLOADED, "too many calls wait for a connection to the system");
  }

  /// A pooled connection that the system had closed meanwhile is no answer: asked once more on a
  /// new one, if asking twice does no harm (contract, "Invocation").
  void onConnectionClosed() {
    SystemConnection closed = connection;
    connection = null;
    if (phase == Phase.OVER) {
      return;
    }
    boolean unanswered = phase == Phase.SENDING && closed != null && !closed.answerHasBegun();
    if (unanswered && reused && !retried && !bodyBegun && isIdempotent()) {
      retried = true;
      phase = Phase.CONNECTING;
      moveDeadline(after(clock.nowNanos(), limits.connectMs()));
      pool.connect(this);
      return;
    }
    fail(ErrorCode.SYSTEM_CLOSED, "the system closed the connection");
  }

  private boolean isIdempotent() {
    return switch (request.method().toString()) {
      case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE" -> true;
      default -> false;
    };
  }

  // Request, from the tunnel.

  @Override
  public void onData(ByteBuf data, boolean end) {
    if (phase == Phase.OVER) {
      return;
    }
    int length = data.readableBytes();
    if (!body.takes(length) || (end && !body.mayEnd())) {
      fail(ErrorCode.BAD_REQUEST, "the body is not as long as its Content-Length");
      return;
    }
    requestEnded = end;
    SystemConnection to = connection;
    if (phase == Phase.CONNECTING || to == null) {
      if (length > 0) {
        early.add(data.retain());
      }
      return;
    }
    if (length > 0) {
      send(to, data.retain());
    }
    if (end) {
      sendEnd(to);
    }
    sent(clock.nowNanos());
  }

  @Override
  public void onTrailers(ByteBuf payload) {
    if (phase == Phase.OVER) {
      return;
    }
    try {
      trailers = Fields.read(payload);
    } catch (ProtocolException _) {
      fail(ErrorCode.BAD_REQUEST, "malformed trailers");
      return;
    }
    onData(Unpooled.EMPTY_BUFFER, true);
  }

  /// Takes ownership of `bytes`. They are consumed when the system's socket has taken them.
  private void send(SystemConnection to, ByteBuf bytes) {
    int length = bytes.readableBytes();
    bodyBegun = true;
    unwrittenBytes += length;
    if (body.isChunked()) {
      var _ = to.write(body.chunkStart(to.allocator(), length));
    }
    var _ = to.write(bytes).addListener(written -> written(length, written.isSuccess()));
  }

  private void written(int length, boolean success) {
    unwrittenBytes -= length;
    if (success && phase != Phase.OVER) {
      stream.consumed(length);
      moved();
    }
  }

  private void sendEnd(SystemConnection to) {
    if (body.isChunked()) {
      bodyBegun = true;
      var _ = to.write(body.lastChunk(to.allocator(), trailers, settings.credentials()));
    }
  }

  private void sent(long nowNanos) {
    if (phase == Phase.SENDING) {
      sentNanos = nowNanos;
    }
    moved(nowNanos);
  }

  /// The caller went away, or the tunnel did.
  @Override
  public void onReset(ErrorCode code, boolean untouched, String text) {
    leave();
  }

  @Override
  public void onWritable() {
    if (connection != null && phase != Phase.OVER) {
      connection.resumeReading();
    }
  }

  // Answer, from the system.

  void onAnswerHead(HttpResponse response) {
    int answered = response.status().code();
    if (answered >= FIRST_ERROR_BEYOND_STATUS) {
      fail(ErrorCode.BAD_ANSWER, "the status is above 599");
      return;
    }
    interim = answered < 200;
    headNanos = clock.nowNanos();
    systemMicros = NANOSECONDS.toMicros(headNanos - sentNanos);
    agentMicros = NANOSECONDS.toMicros(headNanos - openedNanos) - systemMicros;
    head =
        new AnswerHead(
            answered, agentMicros, systemMicros, AnswerReader.fields(response.headers()));
    if (interim) {
      sendHead(false);
      return;
    }
    status = answered;
    keepsConnection = AnswerReader.keepsConnection(response);
    phase = Phase.ANSWERING;
    moved(headNanos);
  }

  void onAnswerContent(HttpContent content) {
    if (content.decoderResult().isFailure()) {
      failBroken(content.decoderResult().cause());
      return;
    }
    boolean last = content instanceof LastHttpContent;
    if (interim) {
      interim = !last;
      return;
    }
    moved();
    if (content instanceof LastHttpContent end) {
      endAnswer(end);
      return;
    }
    sendHead(false);
    passOn(content.content());
  }

  private void passOn(ByteBuf bytes) {
    if (phase == Phase.OVER || !bytes.isReadable()) {
      return;
    }
    stream.data(bytes.retain(), false);
    if (!stream.isWritable() && connection != null) {
      connection.pauseReading();
    }
  }

  private void endAnswer(LastHttpContent last) {
    ByteBuf bytes = last.content();
    Fields answerTrailers =
        last.trailingHeaders().isEmpty()
            ? NO_FIELDS
            : AnswerReader.trailers(last.trailingHeaders());
    boolean headEnds = head != null && !bytes.isReadable() && answerTrailers.count() == 0;
    if (!headEnds) {
      sendHead(false);
    }
    if (phase == Phase.OVER) {
      return;
    }
    if (answerTrailers.count() > 0) {
      passOn(bytes);
      timing();
      ByteBuf payload = stream.allocator().buffer();
      answerTrailers.write(payload);
      stream.trailers(payload);
    } else {
      timing();
      if (headEnds) {
        sendHead(true);
      } else {
        stream.data(bytes.retain(), true);
      }
    }
    finish();
  }

  /// A head waits for what comes with it in the same read: perhaps it is also the end.
  private void sendHead(boolean end) {
    AnswerHead waiting = head;
    if (waiting == null) {
      return;
    }
    head = null;
    ByteBuf payload = stream.allocator().buffer(512);
    waiting.write(payload);
    if (payload.readableBytes() > Protocol.MAX_HEAD_BYTES) {
      payload.release();
      fail(ErrorCode.BAD_ANSWER, "the head is over its limit");
      return;
    }
    stream.head(payload, end);
  }

  void onReadComplete() {
    sendHead(false);
  }

  private void timing() {
    stream.timing(
        agentMicros,
        NANOSECONDS.toMicros(connectedNanos - openedNanos),
        NANOSECONDS.toMicros(headNanos - connectedNanos),
        NANOSECONDS.toMicros(clock.nowNanos() - openedNanos));
  }

  /// The answer is complete. A request that is not wanted any more takes its connection with it.
  ///
  /// What still waits for credit stays with the stream: at most its 32 KiB and one read buffer. No
  /// limit of ours watches it: the broker's idle limit ends a call whose caller does not read, and
  /// a broker that is gone ends with its session.
  private void finish() {
    SystemConnection used = connection;
    boolean reusable = keepsConnection && requestEnded && unwrittenBytes == 0;
    complete = true;
    if (!requestEnded) {
      stream.stopPeerAfterEnd();
    }
    over();
    if (used == null) {
      return;
    }
    if (reusable) {
      used.release();
    } else {
      used.close();
    }
  }

  void onRefusedAnswer(String reason) {
    fail(ErrorCode.BAD_ANSWER, reason);
  }

  private void failBroken(Throwable cause) {
    boolean closed = Refusal.CLOSED_WITHIN_BODY.sentence().equals(cause.getMessage());
    fail(
        closed ? ErrorCode.SYSTEM_CLOSED : ErrorCode.BAD_ANSWER,
        closed ? "the system closed the connection" : "the body's framing is malformed");
  }

  // Time.

  /// On the scale of [DeadlineSweep#nowNanos].
  long deadlineNanos() {
    return deadlineNanos;
  }

  void deadlinePassed(long nowNanos) {
    if (nowNanos >= totalDeadlineNanos) {
      fail(ErrorCode.DEADLINE, "the call took longer than it may in all");
      return;
    }
    switch (phase) {
      case CONNECTING -> failWaiting();
      case SENDING ->
          fail(
              ErrorCode.DEADLINE,
              requestEnded ? "the system did not answer in time" : "nothing moved for too long");
      case ANSWERING -> fail(ErrorCode.DEADLINE, "nothing moved for too long");
      case OVER -> {}
    }
  }

  private void failWaiting() {
    if (connection == null) {
      fail(ErrorCode.OVERLOADED, "no connection to the system became free in time");
    } else {
      fail(ErrorCode.CONNECT_FAILED, "the connection to the system did not stand in time");
    }
  }

  private void moved() {
    moved(clock.nowNanos());
  }

  /// Bytes moved. While a request is sent the limit is that of silence; the wait for the first byte
  /// counts from its end, as at the broker.
  private void moved(long nowNanos) {
    if (phase == Phase.SENDING && requestEnded) {
      moveDeadline(after(sentNanos, limits.firstByteMs()));
    } else if (phase != Phase.OVER && phase != Phase.CONNECTING) {
      moveDeadline(after(nowNanos, limits.idleMs()));
    }
  }

  private void moveDeadline(long nextNanos) {
    deadlineNanos = soonest(nextNanos);
    clock.expect(deadlineNanos);
  }

  private long soonest(long nanos) {
    return Math.min(nanos, totalDeadlineNanos);
  }

  private static long after(long nanos, int ms) {
    return ms == 0 ? DeadlineSweep.NEVER : nanos + MILLISECONDS.toNanos(ms);
  }

  // Ends.

  /// Never an END: the caller must see that something is missing.
  private void fail(ErrorCode code, String text) {
    if (phase == Phase.OVER) {
      return;
    }
    stream.reset(code, !touched, text);
    leave();
  }

  /// Leaves the system at once.
  private void leave() {
    SystemConnection used = connection;
    boolean waiting = phase == Phase.CONNECTING && used == null;
    over();
    if (used != null) {
      used.close();
    } else if (waiting) {
      pool.cancel(this);
    }
  }

  private void count() {
    if (complete) {
      meter.answered(agentMicros, systemMicros);
    } else {
      meter.failed();
    }
  }

  private void tellObserver() {
    if (observer.watches()) {
      observer.ended(
          received,
          open,
          new CallObserver.Ended(
              request.method().toString(),
              status,
              complete,
              openedNanos,
              connectedNanos,
              clock.nowNanos()));
    }
  }

  /// Perhaps again: the caller may go away after its answer.
  private void over() {
    if (phase != Phase.OVER) {
      settings.credentials().giveBack();
      count();
      tellObserver();
    }
    phase = Phase.OVER;
    connection = null;
    head = null;
    clock.forget(this);
    early.forEach(ByteBuf::release);
    early.clear();
  }
}
