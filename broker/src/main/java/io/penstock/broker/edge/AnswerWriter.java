package io.penstock.broker.edge;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.DefaultLastHttpContent;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.penstock.codec.Fields;
import io.penstock.codec.http.FieldFate;

/// Writes one answer to a caller's connection, on its event loop. What arrives in one tick is
/// flushed at its end, an answer's end at once.
///
/// [Delivery] hears of bytes when the socket has taken them, not when they were written here: this
/// is what returns a stream's credit, so a caller that does not read holds no more than that
/// credit.
final class AnswerWriter {

  /// Who is told what has left.
  interface Delivery {
    /// @param last nothing of this answer is left
    void delivered(int bytes, boolean last);
  }

  private final ChannelHandlerContext ctx;
  private final Delivery delivery;
  private int undeliveredBytes;
  private long bytesOut;
  private boolean flushScheduled;
  private boolean ended;

  AnswerWriter(ChannelHandlerContext ctx, Delivery delivery) {
    this.ctx = ctx;
    this.delivery = delivery;
  }

  long bytesOut() {
    return bytesOut;
  }

  /// The caller waits for this before it sends its body.
  void goOn() {
    interim(100, noFields());
  }

  /// A head with status 1xx; another follows.
  void interim(int status, HttpHeaders headers) {
    write(
        new DefaultFullHttpResponse(
            HttpVersion.HTTP_1_1,
            HttpResponseStatus.valueOf(status),
            Unpooled.EMPTY_BUFFER,
            headers,
            noFields()));
    flushSoon();
  }

  void head(int status, HttpHeaders headers) {
    write(
        new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(status), headers));
    flushSoon();
  }

  /// Takes ownership of `data`.
  void data(ByteBuf data) {
    undeliveredBytes += data.readableBytes();
    bytesOut += data.readableBytes();
    write(new DefaultHttpContent(data));
    flushSoon();
  }

  void end() {
    write(LastHttpContent.EMPTY_LAST_CONTENT);
    ended = true;
    flush();
  }

  /// The end of a chunked answer.
  void end(Fields trailers) {
    HttpHeaders headers = noFields();
    for (int i = 0; i < trailers.count(); i++) {
      CharSequence name = trailers.name(i);
      if (!FieldFate.isOurs(name) && FieldFate.of(name) == FieldFate.PASS) {
        headers.add(name, trailers.value(i));
      }
    }
    write(new DefaultLastHttpContent(Unpooled.EMPTY_BUFFER, headers));
    ended = true;
    flush();
  }

  /// A whole answer of our own.
  void whole(HttpResponse response) {
    write(response);
    if (response instanceof FullHttpResponse full) {
      bytesOut += full.content().readableBytes();
      ended = true;
      flush();
    } else {
      end();
    }
  }

  private void write(Object message) {
    // No promise per message: a failed write ends the connection, which all of us hear.
    var _ = ctx.write(message, ctx.voidPromise());
  }

  private void flushSoon() {
    if (!flushScheduled) {
      flushScheduled = true;
      ctx.channel().eventLoop().execute(this::flushAtEndOfTick);
    }
  }

  private void flushAtEndOfTick() {
    flushScheduled = false;
    if (!ended) {
      flush();
    }
  }

  private void flush() {
    int bytes = undeliveredBytes;
    boolean last = ended;
    undeliveredBytes = 0;
    ctx.flush();
    if (socketTookAll()) {
      delivery.delivered(bytes, last);
    } else {
      var _ =
          ctx.writeAndFlush(Unpooled.EMPTY_BUFFER)
              .addListener(
                  written -> {
                    if (written.isSuccess()) {
                      delivery.delivered(bytes, last);
                    }
                  });
    }
  }

  private boolean socketTookAll() {
    Channel channel = ctx.channel();
    return channel.isActive()
        && channel.bytesBeforeUnwritable() >= channel.config().getWriteBufferHighWaterMark();
  }

  private static HttpHeaders noFields() {
    return DefaultHttpHeadersFactory.trailersFactory().withValidation(false).newHeaders();
  }
}
