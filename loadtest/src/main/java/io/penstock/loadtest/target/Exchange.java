package io.penstock.loadtest.target;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.DefaultLastHttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// One request and its answer. Lives on the connection's event loop; nothing here may be called
/// from elsewhere.
final class Exchange {
  /// Pieces written before other connections of the loop get a turn.
  private static final int PIECES_PER_TURN = 16;

  private final ErpConnection connection;
  private final ChannelHandlerContext ctx;
  private final HttpRequest request;
  private final QueryStringDecoder uri;
  private final List<Future<?>> timers = new ArrayList<>(0);
  private RequestBody requestBody = RequestBody.ignored();
  private boolean requestEnded;
  private boolean responseEnded;
  private boolean pumping;
  private boolean turnComing;
  private boolean closing;
  private @Nullable ResponseBody source;
  private @Nullable Runnable whenWritable;

  Exchange(ErpConnection connection, ChannelHandlerContext ctx, HttpRequest request) {
    this.connection = connection;
    this.ctx = ctx;
    this.request = request;
    this.uri = new QueryStringDecoder(request.uri());
  }

  HttpRequest request() {
    return request;
  }

  HttpMethod method() {
    return request.method();
  }

  /// The decoded path's segments, without the empty one before the first slash.
  List<String> segments() {
    return List.of(uri.path().substring(Math.min(1, uri.path().length())).split("/", -1));
  }

  String query(String name, String otherwise) {
    List<String> values = uri.parameters().get(name);
    return values == null ? otherwise : values.getFirst();
  }

  long query(String name, long otherwise) {
    return Numbers.parse(query(name, String.valueOf(otherwise)));
  }

  boolean isHead() {
    return method().equals(HttpMethod.HEAD);
  }

  void onBody(RequestBody body) {
    requestBody = body;
  }

  /// Runs once, as soon as the socket takes more after it did not.
  void onceWritable(Runnable action) {
    whenWritable = action;
  }

  boolean isWritable() {
    return ctx.channel().isWritable();
  }

  void pauseRequest() {
    connection.pauseReading(true);
  }

  void resumeRequest() {
    connection.pauseReading(false);
  }

  // What the connection tells.

  void requestData(ByteBuf piece) {
    requestBody.data(piece);
  }

  void requestEnd() {
    requestEnded = true;
    requestBody.end();
  }

  boolean isOver() {
    return requestEnded && responseEnded;
  }

  void writabilityChanged() {
    if (!isWritable()) {
      return;
    }
    Runnable action = whenWritable;
    whenWritable = null;
    if (action != null) {
      action.run();
    }
    pump();
  }

  void connectionClosed() {
    timers.forEach(timer -> timer.cancel(false));
    source = null;
  }

  // What an endpoint does.

  /// The connection ends after this answer, whatever the caller wishes.
  void closeAfterwards() {
    closing = true;
  }

  void upgradeToWebSocket() {
    WebSocketEcho.upgrade(this, connection, ctx);
  }

  void after(long delayMs, Runnable action) {
    timers.add(ctx.executor().schedule(action, delayMs, TimeUnit.MILLISECONDS));
  }

  void json(int status, String body) {
    send(status, "application/json", ByteBufUtil.writeUtf8(ctx.alloc(), body));
  }

  void text(int status, String body) {
    send(status, "text/plain; charset=utf-8", ByteBufUtil.writeUtf8(ctx.alloc(), body));
  }

  void send(int status, String contentType, ByteBuf body) {
    HttpResponse head = head(status, contentType);
    head.headers().set(HttpHeaderNames.CONTENT_LENGTH, body.readableBytes());
    if (isHead()) {
      body.release();
      full(head, Unpooled.EMPTY_BUFFER);
      return;
    }
    full(head, body);
  }

  /// An answer without a body and without a length.
  void empty(int status) {
    full(response(status), Unpooled.EMPTY_BUFFER);
  }

  private void full(HttpResponse head, ByteBuf body) {
    setKeepAlive(head);
    connection.write(
        new DefaultFullHttpResponse(
            head.protocolVersion(),
            head.status(),
            body,
            head.headers(),
            LastHttpContent.EMPTY_LAST_CONTENT.trailingHeaders()));
    ended();
  }

  /// Bytes that are a whole answer already.
  void raw(ByteBuf answer) {
    connection.writeRaw(answer);
    ended();
  }

  /// An interim answer (1xx) before the final one.
  void interim(String head) {
    connection.writeRaw(Unpooled.copiedBuffer(head, StandardCharsets.US_ASCII));
    connection.flush();
  }

  HttpResponse head(int status, String contentType) {
    HttpResponse response = response(status);
    response.headers().set(HttpHeaderNames.CONTENT_TYPE, contentType);
    return response;
  }

  static HttpResponse response(int status) {
    return new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(status));
  }

  /// Starts an answer whose body follows by [#piece], [#end] or [#stream].
  void start(HttpResponse head) {
    setKeepAlive(head);
    connection.write(head);
    connection.flush();
  }

  static HttpResponse chunked(HttpResponse head) {
    head.headers().set(HttpHeaderNames.TRANSFER_ENCODING, HttpHeaderValues.CHUNKED);
    return head;
  }

  void piece(ByteBuf piece) {
    if (isHead()) {
      piece.release();
      return;
    }
    connection.write(new DefaultHttpContent(piece));
    connection.flush();
  }

  void piece(String text) {
    piece(ByteBufUtil.writeUtf8(ctx.alloc(), text));
  }

  void end() {
    end(null);
  }

  void end(@Nullable HttpHeaders trailers) {
    if (trailers == null || isHead()) {
      connection.write(LastHttpContent.EMPTY_LAST_CONTENT);
    } else {
      LastHttpContent last = new DefaultLastHttpContent(Unpooled.EMPTY_BUFFER);
      last.trailingHeaders().set(trailers);
      connection.write(last);
    }
    ended();
  }

  /// Answers with all of a body, as fast as the peer reads and no faster.
  void stream(HttpResponse head, ResponseBody body) {
    setKeepAlive(head);
    connection.write(head);
    if (isHead()) {
      end();
      return;
    }
    source = body;
    pump();
  }

  /// Ends the connection after what is written, however unfinished that is.
  void cut(boolean reset) {
    if (reset) {
      ctx.channel().config().setOption(ChannelOption.SO_LINGER, 0);
    }
    connection.closeAfterWrites();
  }

  private void pump() {
    if (pumping) {
      return;
    }
    pumping = true;
    try {
      for (int i = 0; i < PIECES_PER_TURN && source != null && isWritable(); i++) {
        writeNext(source);
      }
    } finally {
      pumping = false;
    }
    ctx.flush();
    if (source != null && isWritable() && !turnComing) {
      turnComing = true;
      ctx.executor().execute(this::nextTurn);
    }
  }

  private void nextTurn() {
    turnComing = false;
    pump();
  }

  private void writeNext(ResponseBody body) {
    ByteBuf piece = body.next();
    if (piece != null) {
      connection.write(new DefaultHttpContent(piece));
      return;
    }
    source = null;
    end();
  }

  private void setKeepAlive(HttpResponse head) {
    if (!keepsAlive()) {
      head.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
    }
  }

  private void ended() {
    responseEnded = true;
    timers.clear();
    connection.answered(this, keepsAlive());
  }

  private boolean keepsAlive() {
    return !closing && HttpUtil.isKeepAlive(request);
  }
}
