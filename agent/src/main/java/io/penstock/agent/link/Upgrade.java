package io.penstock.agent.link;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.websocketx.WebSocketClientHandshaker;
import io.netty.handler.codec.http.websocketx.WebSocketClientHandshakerFactory;
import io.netty.handler.codec.http.websocketx.WebSocketHandshakeException;
import io.netty.handler.codec.http.websocketx.WebSocketVersion;
import io.penstock.codec.Protocol;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// The WebSocket upgrade of one dial (`docs/protocol.md`, section 1): our subprotocol, no
/// extensions, every frame masked. On the event loop.
final class Upgrade extends SimpleChannelInboundHandler<FullHttpResponse> {
  private static final int MAX_ANSWER_BYTES = 8 * 1024;
  private static final int MAX_RETRY_AFTER_SECONDS = 3_600;

  private final WebSocketClientHandshaker handshaker;
  private final RecordSocket socket;
  private final CompletableFuture<Void> outcome = new CompletableFuture<>();

  /// @param socket takes this handler's place
  Upgrade(BrokerAddress broker, String subprotocol, RecordSocket socket) {
    this.socket = socket;
    var headers = new DefaultHttpHeaders().set(HttpHeaderNames.HOST, broker.hostHeader());
    handshaker =
        WebSocketClientHandshakerFactory.newHandshaker(
            broker.tunnelUrl(),
            WebSocketVersion.V13,
            subprotocol,
            false,
            headers,
            Protocol.MAX_RECORD_BYTES,
            true,
            false);
  }

  /// Completes when the WebSocket stands, or with a [LinkFailure].
  CompletableFuture<Void> outcome() {
    return outcome;
  }

  void start(Channel channel) {
    channel
        .pipeline()
        .addLast(new HttpClientCodec(), new HttpObjectAggregator(MAX_ANSWER_BYTES), this);
    handshaker
        .handshake(channel)
        .addListener(
            sent -> {
              if (!sent.isSuccess()) {
                fail("the request could not be sent");
              }
            });
  }

  @Override
  protected void channelRead0(ChannelHandlerContext context, FullHttpResponse answer) {
    if (!answer.status().equals(HttpResponseStatus.SWITCHING_PROTOCOLS)) {
      outcome.completeExceptionally(refused(answer));
      context.close();
      return;
    }
    try {
      handshaker.finishHandshake(context.channel(), answer);
    } catch (WebSocketHandshakeException broken) {
      fail(LinkFailure.printable(broken.getMessage()));
      context.close();
      return;
    }
    context.pipeline().replace(this, "records", socket);
    outcome.complete(null);
  }

  private static LinkFailure refused(FullHttpResponse answer) {
    String message = "expected 101 to the WebSocket upgrade, found " + answer.status().code();
    @Nullable String retryAfter = answer.headers().get(HttpHeaderNames.RETRY_AFTER);
    if (retryAfter != null && retryAfter.matches("\\d{1,5}")) {
      int seconds = Math.min(Integer.parseInt(retryAfter), MAX_RETRY_AFTER_SECONDS);
      return LinkFailure.retryable(Stage.UPGRADE, message, Duration.ofSeconds(seconds));
    }
    return LinkFailure.at(Stage.UPGRADE, message);
  }

  private void fail(String found) {
    outcome.completeExceptionally(
        LinkFailure.at(Stage.UPGRADE, "expected a WebSocket, found " + found));
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    fail("a closed connection");
    context.fireChannelInactive();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    fail(LinkFailure.printable(cause.getMessage()));
    context.close();
  }
}
