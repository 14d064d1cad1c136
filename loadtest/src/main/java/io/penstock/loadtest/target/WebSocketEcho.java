package io.penstock.loadtest.target;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PingWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PongWebSocketFrame;
import io.netty.handler.codec.http.websocketx.Utf8FrameValidator;
import io.netty.handler.codec.http.websocketx.WebSocketDecoderConfig;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketServerHandshaker;
import io.netty.handler.codec.http.websocketx.WebSocketServerHandshakerFactory;
import org.jspecify.annotations.Nullable;

/// Sends every frame back as it came, also pieces of a message. Takes any subprotocol that is
/// offered.
final class WebSocketEcho extends SimpleChannelInboundHandler<WebSocketFrame> {
  private static final int MAX_FRAME_BYTES = 32 << 20;

  private final WebSocketServerHandshaker handshaker;

  private WebSocketEcho(WebSocketServerHandshaker handshaker) {
    this.handshaker = handshaker;
  }

  /// Upgrades the connection, or answers 426 if the request is no upgrade.
  static void upgrade(Exchange exchange, ErpConnection connection, ChannelHandlerContext ctx) {
    HttpRequest request = exchange.request();
    if (!request.headers().contains(HttpHeaderNames.SEC_WEBSOCKET_KEY)) {
      exchange.text(426, "upgrade required\n");
      return;
    }
    WebSocketServerHandshaker handshaker = handshaker(request);
    if (handshaker == null) {
      exchange.text(426, "WebSocket version 13 required\n");
      return;
    }
    ChannelPipeline pipeline = ctx.pipeline();
    connection.leave();
    var full =
        new DefaultFullHttpRequest(request.protocolVersion(), request.method(), request.uri());
    full.headers().set(request.headers());
    var _ = handshaker.handshake(ctx.channel(), full);
    full.release();
    pipeline.addLast(new Utf8FrameValidator(), new WebSocketEcho(handshaker));
  }

  private static @Nullable WebSocketServerHandshaker handshaker(HttpRequest request) {
    WebSocketDecoderConfig config =
        WebSocketDecoderConfig.newBuilder()
            .maxFramePayloadLength(MAX_FRAME_BYTES)
            .allowExtensions(false)
            .build();
    return new WebSocketServerHandshakerFactory("/ws", "*", config).newHandshaker(request);
  }

  @Override
  protected void channelRead0(ChannelHandlerContext ctx, WebSocketFrame frame) {
    switch (frame) {
      case CloseWebSocketFrame close -> {
        var _ = handshaker.close(ctx, close.retain());
      }
      case PingWebSocketFrame ping -> write(ctx, new PongWebSocketFrame(ping.content().retain()));
      case PongWebSocketFrame _ -> {}
      default -> write(ctx, frame.retain());
    }
  }

  private static void write(ChannelHandlerContext ctx, WebSocketFrame frame) {
    var _ = ctx.write(frame, ctx.voidPromise());
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    ctx.flush();
    ctx.channel().config().setAutoRead(ctx.channel().isWritable());
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ctx) {
    ctx.channel().config().setAutoRead(ctx.channel().isWritable());
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    var _ = ctx.close();
  }
}
