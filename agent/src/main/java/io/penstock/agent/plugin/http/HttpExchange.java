package io.penstock.agent.plugin.http;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.LastHttpContent;
import io.penstock.codec.AnswerHead;
import io.penstock.codec.Deadlines;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Fields;
import io.penstock.codec.OpenHead;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.RequestHead;
import io.penstock.codec.http.Refusal;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// One call of a system: a stream on one side, a [Connection] on the other, and back-pressure both
/// ways. On the event loop; ends exactly once, by [#over].
///
/// ```
/// WAITING ─connected─▶ CALLING ─final head─▶ ANSWERING ─last content─▶ OVER
///    └───────────────────┴─── reset, deadline, system closed ──────────▶ OVER
/// ```
///
/// Credit for the request's body returns as the system's socket takes the bytes; the system is not
/// read while the stream takes no more.
final class HttpExchange implements StreamListener {
  private enum Phase {
    /// For a connection. Body that comes meanwhile stays here; it is at most the stream's credit.
    WAITING,
    CALLING,
    ANSWERING,
    OVER
  }

  private static final Fields NO_FIELDS = new Fields(0);

  private final HttpSystem system;
  private final MuxStream stream;
  private final OpenHead open;
  private final RequestHead head;
  private final RequestBody body;
  private final Deadlines deadlines;
  private final Stopwatch watch;

  private Phase phase = Phase.WAITING;
  private @Nullable Connection connection;
  private @Nullable ArrayDeque<ByteBuf> early;
  private @Nullable Fields earlyTrailers;
  private boolean requestEnded;
  private boolean requestSent;
  private boolean reused;
  private boolean retried;
  private boolean bodyBegun;
  private boolean closeAfter;
  private int owedBytes;

  // Links of HttpSystem's list.
  @Nullable HttpExchange previous;
  @Nullable HttpExchange next;

  HttpExchange(
      HttpSystem system,
      MuxStream stream,
      OpenHead open,
      RequestHead head,
      RequestBody body,
      Deadlines deadlines,
      boolean requestEnded) {
    this.system = system;
    this.stream = stream;
    this.open = open;
    this.head = head;
    this.body = body;
    this.deadlines = deadlines;
    this.requestEnded = requestEnded;
    watch = new Stopwatch(system.now());
  }

  // The connection.

  boolean needsFreshConnection() {
    return retried;
  }

  void overloaded() {
    end(ErrorCode.OVERLOADED, true, "too many calls wait for this system");
  }

  void connectFailed(String why) {
    end(ErrorCode.CONNECT_FAILED, !retried, why);
  }

  void connected(Connection with, boolean used) {
    phase = Phase.CALLING;
    connection = with;
    reused = used;
    watch.connected(system.now());
    with.begin(this, HttpMethod.valueOf(head.method().toString()));
    ByteBuf request = stream.allocator().buffer(512);
    system.writer().head(request, open, head, body);
    with.write(request);
    sendEarly(with);
  }

  private void sendEarly(Connection with) {
    ArrayDeque<ByteBuf> waiting = early;
    early = null;
    while (waiting != null && !waiting.isEmpty() && phase == Phase.CALLING) {
      ByteBuf data = waiting.remove();
      send(with, data, requestEnded && earlyTrailers == null && waiting.isEmpty());
    }
    if (waiting != null) {
      waiting.forEach(ByteBuf::release);
    }
    if (phase == Phase.CALLING && requestEnded && !requestSent) {
      endRequest(with, earlyTrailers == null ? NO_FIELDS : earlyTrailers);
    }
  }

  // The request's body.

  @Override
  public void onData(ByteBuf data, boolean end) {
    requestEnded |= end;
    Connection with = connection;
    if (phase == Phase.WAITING) {
      if (early == null) {
        early = new ArrayDeque<>(2);
      }
      early.add(data.retain());
    } else if (phase != Phase.OVER && with != null) {
      send(with, data.retain(), end);
    }
  }

  @Override
  public void onTrailers(ByteBuf fields) {
    requestEnded = true;
    Fields trailers;
    try {
      trailers = Fields.read(fields);
    } catch (ProtocolException malformed) {
      end(ErrorCode.BAD_REQUEST, phase == Phase.WAITING, "malformed trailers");
      return;
    }
    Connection with = connection;
    if (phase == Phase.WAITING) {
      earlyTrailers = trailers;
    } else if (phase != Phase.OVER && with != null) {
      endRequest(with, trailers);
    }
  }

  /// Takes ownership of `data`.
  private void send(Connection with, ByteBuf data, boolean end) {
    int length = data.readableBytes();
    if (!body.pass(length)) {
      data.release();
      end(ErrorCode.BAD_REQUEST, false, "more body than its Content-Length");
      return;
    }
    if (length == 0) {
      data.release();
    } else {
      bodyBegun = true;
      write(with, data, length);
      owedBytes += length;
      returnCredit(with);
      watch.sent(system.now());
    }
    if (end) {
      endRequest(with, NO_FIELDS);
    }
  }

  private void write(Connection with, ByteBuf data, int length) {
    if (!body.isChunked()) {
      with.write(data);
      return;
    }
    ByteBuf line = stream.allocator().buffer(16);
    RequestWriter.chunkHead(line, length);
    with.write(line);
    with.write(data);
    ByteBuf end = stream.allocator().buffer(2);
    RequestWriter.crlf(end);
    with.write(end);
  }

  private void endRequest(Connection with, Fields trailers) {
    if (!body.isWhole()) {
      end(ErrorCode.BAD_REQUEST, false, "less body than its Content-Length");
      return;
    }
    requestSent = true;
    if (body.isChunked()) {
      ByteBuf last = stream.allocator().buffer(64);
      RequestWriter.lastChunk(last, trailers);
      with.write(last);
    }
    watch.sent(system.now());
  }

  /// A socket below its high-water mark counts as having taken the bytes.
  private void returnCredit(Connection with) {
    if (owedBytes > 0 && with.isWritable()) {
      int owed = owedBytes;
      owedBytes = 0;
      stream.consumed(owed);
    }
  }

  void systemWritable() {
    Connection with = connection;
    if (with != null && phase != Phase.OVER) {
      watch.sent(system.now());
      returnCredit(with);
    }
  }

  // The answer.

  void head(HttpResponse answer) {
    int status = answer.status().code();
    long now = system.now();
    if (status >= 200) {
      watch.head(now);
      phase = Phase.ANSWERING;
      closeAfter = !HttpUtil.isKeepAlive(answer);
    } else {
      watch.active(now);
    }
    ByteBuf out = stream.allocator().heapBuffer(256);
    new AnswerHead(
            status,
            status >= 200 ? watch.agentMicros() : 0,
            status >= 200 ? watch.systemMicros() : 0,
            ResponseFields.of(answer.headers()))
        .write(out);
    stream.head(out, false);
  }

  /// Takes ownership of `content`.
  void content(HttpContent content) {
    if (phase == Phase.CALLING && content instanceof LastHttpContent) {
      // The end of an interim answer.
      content.release();
      return;
    }
    if (content.decoderResult().isFailure()) {
      String why = String.valueOf(content.decoderResult().cause().getMessage());
      content.release();
      boolean closed = why.equals(Refusal.CLOSED_WITHIN_BODY.sentence());
      end(closed ? ErrorCode.SYSTEM_CLOSED : ErrorCode.BAD_ANSWER, false, why);
      return;
    }
    if (content instanceof LastHttpContent last) {
      finish(last);
      return;
    }
    watch.active(system.now());
    stream.data(content.content(), false);
    Connection with = connection;
    if (with != null && !stream.isWritable()) {
      with.pauseReading();
    }
  }

  private void finish(LastHttpContent last) {
    stream.timing(
        watch.agentMicros(),
        watch.connectMicros(),
        watch.systemMicros(),
        watch.totalMicros(system.now()));
    if (last.trailingHeaders().isEmpty()) {
      stream.data(last.content(), true);
    } else {
      stream.data(last.content(), false);
      ByteBuf trailers = stream.allocator().heapBuffer(64);
      ResponseFields.of(last.trailingHeaders()).write(trailers);
      stream.trailers(trailers);
    }
    Connection with = connection;
    boolean clean = requestSent && !closeAfter;
    boolean early = !requestEnded;
    over();
    if (early) {
      stream.stopPeerAfterEnd();
    }
    if (with != null && clean) {
      with.done();
    } else if (with != null) {
      with.abandon();
    }
  }

  @Override
  public void onWritable() {
    Connection with = connection;
    if (with != null && phase != Phase.OVER) {
      watch.active(system.now());
      with.resumeReading();
    }
  }

  void badAnswer(String why) {
    end(ErrorCode.BAD_ANSWER, false, why);
  }

  /// The system closed before its answer was whole.
  void connectionClosed() {
    Connection before = connection;
    connection = null;
    boolean stale =
        phase == Phase.CALLING
            && reused
            && !retried
            && !bodyBegun
            && before != null
            && !before.somethingCame()
            && isIdempotent();
    if (!stale) {
      end(ErrorCode.SYSTEM_CLOSED, false, "the system closed the connection");
      return;
    }
    retried = true;
    requestSent = false;
    phase = Phase.WAITING;
    system.pool().acquireFresh(this);
  }

  /// RFC 9110, section 9.2.2.
  private boolean isIdempotent() {
    return switch (head.method().toString()) {
      case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE" -> true;
      default -> false;
    };
  }

  // Time.

  void tick(long now) {
    if (passed(now - watch.openedNanos(), deadlines.totalMs())) {
      late("total");
      return;
    }
    switch (phase) {
      case WAITING -> {
        if (passed(now - watch.openedNanos(), deadlines.connectMs())) {
          late("connect");
        }
      }
      case CALLING -> {
        boolean asked = requestSent && owedBytes == 0;
        if (asked && passed(now - watch.sentNanos(), deadlines.firstByteMs())) {
          late("first byte");
        } else if (!asked && passed(now - watch.activeNanos(), deadlines.idleMs())) {
          late("idle");
        }
      }
      case ANSWERING -> {
        if (passed(now - watch.activeNanos(), deadlines.idleMs())) {
          late("idle");
        }
      }
      case OVER -> {}
    }
  }

  private static boolean passed(long nanos, int limitMs) {
    return limitMs > 0 && nanos >= TimeUnit.MILLISECONDS.toNanos(limitMs);
  }

  private void late(String which) {
    end(ErrorCode.DEADLINE, phase == Phase.WAITING && !retried, which + " deadline");
  }

  // The end.

  /// The caller went away, or its tunnel.
  @Override
  public void onReset(ErrorCode code, boolean untouched, String text) {
    leave();
  }

  private void end(ErrorCode code, boolean untouched, String why) {
    if (phase != Phase.OVER) {
      stream.reset(code, untouched, why);
      leave();
    }
  }

  /// Ends without an answer: the connection is in the middle of something, and of no further use.
  private void leave() {
    if (phase == Phase.OVER) {
      return;
    }
    Connection with = connection;
    boolean waited = phase == Phase.WAITING;
    over();
    if (waited) {
      system.pool().cancel(this);
    }
    if (with != null) {
      with.abandon();
    }
  }

  private void over() {
    phase = Phase.OVER;
    connection = null;
    system.remove(this);
    if (early != null) {
      early.forEach(ByteBuf::release);
      early = null;
    }
  }
}
