package io.penstock.agent.link;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.ContinuationWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PingWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PongWebSocketFrame;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketCloseStatus;
import io.netty.util.ReferenceCountUtil;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.session.SessionCore;
import java.time.Duration;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The WebSocket of a tunnel: its binary messages are first handshake messages, for the slot's
/// thread, and from [#establish] on records, for the [Session] on the event loop.
final class RecordSocket extends ChannelInboundHandlerAdapter {
  /// How a broker says no to an enrollment that shares no keys with it: the reason of its close
  /// frame (status 1008).
  private static final String DENIED = ErrorCode.ENROLL_DENIED.name();

  private static final int MAX_WAITING_MESSAGES = 2;
  private static final long CLOSE_WITHIN_MS = 1_000;

  private final Channel channel;
  private final boolean enrolling;
  private final LinkedBlockingQueue<HandshakeInput> inbox = new LinkedBlockingQueue<>();
  private @Nullable Session session;
  private @Nullable CloseWebSocketFrame peersClose;

  /// @param enrolling a refusal outside of the session is believed: nothing is lost yet
  RecordSocket(Channel channel, boolean enrolling) {
    this.channel = channel;
    this.enrolling = enrolling;
  }

  /// What arrives while the handshake runs.
  private sealed interface HandshakeInput {
    record Message(byte[] bytes) implements HandshakeInput {}

    record Closed(boolean denied, String why) implements HandshakeInput {}
  }

  Channel channel() {
    return channel;
  }

  // For the slot's thread.

  void send(byte[] handshakeMessage) {
    var frame = new BinaryWebSocketFrame(Unpooled.wrappedBuffer(handshakeMessage));
    channel.writeAndFlush(frame).addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
  }

  byte[] receive(Duration within) throws LinkFailure, InterruptedException {
    HandshakeInput input = inbox.poll(within.toMillis(), TimeUnit.MILLISECONDS);
    return switch (input) {
      case null ->
          throw LinkFailure.at(
              Stage.HANDSHAKE,
              "expected the broker's answer within " + within.toMillis() + " ms, found silence");
      case HandshakeInput.Message(byte[] bytes) -> bytes;
      case HandshakeInput.Closed it -> throw closed(it);
    };
  }

  private static LinkFailure closed(HandshakeInput.Closed closed) {
    return closed.denied()
        ? LinkFailure.refused(Stage.POLICY, ErrorCode.ENROLL_DENIED, 0, "")
        : LinkFailure.at(Stage.HANDSHAKE, closed.why());
  }

  /// The handshake is done: `lastMessage` leaves, and everything that arrives from now on is a
  /// record of the session that `make` builds on the event loop.
  Session establish(
      byte[] lastMessage, Function<SessionCore.Listener, SessionCore> core, Session.Duties duties)
      throws LinkFailure, InterruptedException {
    var made = new Session(this, duties);
    var done =
        channel
            .eventLoop()
            .submit(
                () -> {
                  if (!channel.isActive()) {
                    return false;
                  }
                  made.begin(core.apply(made));
                  session = made;
                  send(lastMessage);
                  return true;
                });
    done.await();
    if (!done.isSuccess() || !done.getNow()) {
      throw LinkFailure.at(Stage.HANDSHAKE, "the connection broke before message 3");
    }
    return made;
  }

  // On the event loop.

  void write(ByteBuf record) {
    var _ = channel.write(new BinaryWebSocketFrame(record));
  }

  /// Closes politely; the broker may take a second to answer.
  void close(WebSocketCloseStatus status) {
    if (!channel.isActive()) {
      return;
    }
    var _ = channel.writeAndFlush(new CloseWebSocketFrame(status));
    var _ = channel.eventLoop().schedule(this::cut, CLOSE_WITHIN_MS, TimeUnit.MILLISECONDS);
  }

  private void cut() {
    var _ = channel.close();
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    try {
      switch (message) {
        case BinaryWebSocketFrame it when it.isFinalFragment() -> receive(it.content());
        case PingWebSocketFrame it -> {
          var _ = channel.writeAndFlush(new PongWebSocketFrame(it.content().retain()));
        }
        case PongWebSocketFrame _ -> {}
        case CloseWebSocketFrame it -> receiveClose(it);
        case TextWebSocketFrame _ -> refuse(WebSocketCloseStatus.INVALID_MESSAGE_TYPE, "text");
        // One message is one record in one frame; nobody in between has a reason to cut it.
        case BinaryWebSocketFrame _, ContinuationWebSocketFrame _ ->
            refuse(WebSocketCloseStatus.PROTOCOL_ERROR, "a fragment");
        default -> refuse(WebSocketCloseStatus.PROTOCOL_ERROR, "something else");
      }
    } finally {
      ReferenceCountUtil.release(message);
    }
  }

  private void receive(ByteBuf message) {
    if (session != null) {
      session.received(message);
    } else if (inbox.size() < MAX_WAITING_MESSAGES) {
      inbox.add(new HandshakeInput.Message(ByteBufUtil.getBytes(message)));
    } else {
      refuse(WebSocketCloseStatus.PROTOCOL_ERROR, "a message out of turn");
    }
  }

  private void receiveClose(CloseWebSocketFrame frame) {
    peersClose = frame.retain();
    channel.writeAndFlush(frame.retain()).addListener(ChannelFutureListener.CLOSE);
  }

  private void refuse(WebSocketCloseStatus status, String found) {
    ended(false, "expected a binary message, found " + found);
    close(status);
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext context) {
    if (session != null && channel.isWritable()) {
      session.flush();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    CloseWebSocketFrame close = peersClose;
    if (close == null) {
      ended(false, "the connection broke");
      return;
    }
    String reason = LinkFailure.printable(close.reasonText());
    boolean denied = enrolling && reason.equals(DENIED);
    ended(
        denied, "the broker closed the WebSocket with status " + close.statusCode() + " " + reason);
    close.release();
    peersClose = null;
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    ended(false, "the connection broke: " + LinkFailure.printable(cause.getMessage()));
    var _ = context.close();
  }

  private void ended(boolean denied, String why) {
    if (session == null) {
      inbox.add(new HandshakeInput.Closed(denied, why));
    } else if (denied) {
      session.ended(ErrorCode.ENROLL_DENIED, 0, "", true);
    } else {
      session.ended(null, 0, why, false);
    }
  }

  /// A record that breaks the protocol.
  void violated(ProtocolException violation) {
    close(
        violation.code() == ErrorCode.BAD_RECORD
            ? WebSocketCloseStatus.PROTOCOL_ERROR
            : WebSocketCloseStatus.NORMAL_CLOSURE);
  }
}
