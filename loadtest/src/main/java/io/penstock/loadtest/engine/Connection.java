package io.penstock.loadtest.engine;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.LastHttpContent;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A kept connection with at most one request under way. On its flow's event loop.
final class Connection extends SimpleChannelInboundHandler<HttpObject> {
  private static final String TIMING = "server-timing";
  private static final int MAX_KIND = 48;

  private final FlowRun flow;
  private @Nullable Channel channel;
  private boolean busy;
  private boolean keepAlive;
  private boolean interim;
  private boolean served;
  private String wrong = "";
  private long intendedNanos;
  private long sentNanos;

  /// For slow reading: of the answer under way.
  private long readBytes;

  Connection(FlowRun flow) {
    super(HttpObject.class);
    this.flow = flow;
  }

  void ready(Channel made) {
    channel = made;
  }

  boolean isBusy() {
    return busy;
  }

  long intendedNanos() {
    return intendedNanos;
  }

  long sentNanos() {
    return sentNanos;
  }

  void send(ByteBuf request, long intended, long now) {
    if (channel == null) {
      throw new IllegalStateException("a connection that is not ready");
    }
    busy = true;
    flow.begun();
    keepAlive = true;
    wrong = "";
    intendedNanos = intended;
    sentNanos = now;
    readBytes = 0;
    var _ = channel.writeAndFlush(request);
    if (flow.readsSlowly()) {
      channel.read();
    }
  }

  @Override
  protected void channelRead0(ChannelHandlerContext context, HttpObject message) {
    if (message.decoderResult().isFailure()) {
      fail("answer not understood");
      return;
    }
    if (message instanceof HttpResponse response) {
      head(response);
    }
    if (message instanceof HttpContent content) {
      int bytes = content.content().readableBytes();
      readBytes += bytes;
      if (bytes > 0) {
        flow.received(bytes);
      }
      if (message instanceof LastHttpContent) {
        end();
      }
    }
  }

  private void head(HttpResponse response) {
    int status = response.status().code();
    interim = status < 200;
    if (interim) {
      return;
    }
    keepAlive = HttpUtil.isKeepAlive(response);
    if (status >= 300) {
      String reason = response.headers().get("penstock-error", "");
      wrong = ("status " + status + " " + reason).strip();
      wrong = wrong.substring(0, Math.min(MAX_KIND, wrong.length()));
    }
    String timing = response.headers().get(TIMING);
    if (timing != null) {
      flow.timing(timing);
    }
    String refused = response.headers().get(HttpHeaderNames.CONNECTION);
    keepAlive &= refused == null || !refused.equalsIgnoreCase("close");
  }

  private void end() {
    if (interim) {
      interim = false;
      return;
    }
    if (!busy) {
      return;
    }
    free();
    served = true;
    flow.ended(this, wrong);
    if (!keepAlive && channel != null) {
      var _ = channel.close();
    }
  }

  private void free() {
    if (busy) {
      busy = false;
      flow.over();
    }
  }

  /// Whether it brought an answer; one that did not is not replaced at once.
  boolean hasServed() {
    return served;
  }

  boolean isKept() {
    return keepAlive;
  }

  /// A slow reader asks for more only when its bytes are due.
  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    if (flow.readsSlowly()) {
      long due = flow.slowReadDueNanos(sentNanos, readBytes);
      var _ =
          context
              .channel()
              .eventLoop()
              .schedule(() -> context.channel().read(), Math.max(0, due), TimeUnit.NANOSECONDS);
    }
    context.fireChannelReadComplete();
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    fail("connection closed");
    flow.gone(this);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    fail(FlowRun.kind(cause));
    var _ = context.close();
  }

  /// The request under way, if there is one.
  private void fail(String kind) {
    if (busy) {
      free();
      keepAlive = false;
      flow.failed(kind, intendedNanos);
    }
    if (channel != null) {
      var _ = channel.close();
    }
  }

  /// The caller gave up.
  void abandon() {
    free();
    keepAlive = false;
    if (channel != null) {
      var _ = channel.close();
    }
  }
}
