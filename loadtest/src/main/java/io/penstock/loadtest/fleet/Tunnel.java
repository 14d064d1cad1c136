package io.penstock.loadtest.fleet;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketClientHandshakerFactory;
import io.netty.handler.codec.http.websocketx.WebSocketClientProtocolHandler;
import io.netty.handler.codec.http.websocketx.WebSocketClientProtocolHandler.ClientHandshakeStateEvent;
import io.netty.handler.codec.http.websocketx.WebSocketVersion;
import io.netty.util.concurrent.Future;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Protocol;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.Role;
import io.penstock.codec.message.ControlMessage;
import io.penstock.codec.message.ControlMessage.NodeHello;
import io.penstock.codec.message.DeliveryReceipt;
import io.penstock.codec.message.Messages;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;
import io.penstock.codec.noise.Handshake;
import io.penstock.codec.noise.HandshakeException;
import io.penstock.codec.seal.Keyset;
import io.penstock.codec.seal.NodeCertificate;
import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.VerifyingKey;
import io.penstock.codec.session.Clock;
import io.penstock.codec.session.SessionCore;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// One connection of a simulated agent: TCP, TLS, WebSocket, handshake, session. Checks of the
/// broker what a real agent checks. Everything runs on the event loop, the handshake's arithmetic
/// too: it is short, and nobody else's time is measured here.
final class Tunnel extends SimpleChannelInboundHandler<BinaryWebSocketFrame>
    implements SessionCore.Listener {
  private static final int CONNECT_MS = 10_000;
  private static final int MAX_ANSWER_BYTES = 8 * 1024;

  private final Fleet fleet;
  private final Loop loop;
  private final Identity identity;
  private final Steps steps;
  private final Handshake handshake;
  private final CompletableFuture<FleetException> end = new CompletableFuture<>();
  private @Nullable Channel channel;
  private @Nullable SessionCore core;
  private @Nullable Future<?> ticks;
  private byte[] hash = {};
  private boolean flushScheduled;
  private boolean over;

  private Tunnel(Fleet fleet, Loop loop, Identity identity, Steps steps) {
    this.fleet = fleet;
    this.loop = loop;
    this.identity = identity;
    this.steps = steps;
    handshake =
        steps.handshake(
            ("penstock/1 " + steps.subprotocol() + " " + fleet.broker().hostHeader())
                .getBytes(StandardCharsets.US_ASCII));
  }

  /// @param source from where; empty: the system chooses
  static Tunnel dial(
      Fleet fleet, Loop loop, Optional<InetSocketAddress> source, Identity identity, Steps steps) {
    var tunnel = new Tunnel(fleet, loop, identity, steps);
    new Bootstrap()
        .group(loop.eventLoop())
        .channel(fleet.channelType())
        .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MS)
        .option(ChannelOption.TCP_NODELAY, true)
        .handler(
            new ChannelInitializer<>() {
              @Override
              protected void initChannel(Channel made) {
                tunnel.fill(made);
              }
            })
        .connect(
            InetSocketAddress.createUnresolved(fleet.broker().host(), fleet.broker().port()),
            source.orElse(null))
        .addListener(
            connected -> {
              if (!connected.isSuccess()) {
                tunnel.fail(new FleetException("cannot connect", connected.cause()));
              }
            });
    return tunnel;
  }

  private void fill(Channel made) {
    if (over) {
      // Given up before there was a socket.
      var _ = made.close();
      return;
    }
    channel = made;
    BrokerEndpoint broker = fleet.broker();
    var upgrade =
        WebSocketClientHandshakerFactory.newHandshaker(
            broker.tunnelUrl(),
            WebSocketVersion.V13,
            steps.subprotocol(),
            false,
            new DefaultHttpHeaders().set(HttpHeaderNames.HOST, broker.hostHeader()),
            Protocol.MAX_RECORD_BYTES,
            true,
            false);
    made.pipeline()
        .addLast(
            broker.tls().newHandler(made.alloc(), broker.host(), broker.port()),
            new HttpClientCodec(),
            new HttpObjectAggregator(MAX_ANSWER_BYTES),
            new WebSocketClientProtocolHandler(upgrade),
            this);
  }

  // What the steps say.

  void send(ControlMessage message) {
    if (core != null && !over) {
      core.send(message);
    }
  }

  void receipt(long sequence, DeliveryReceipt receipt) {
    if (core != null && !over) {
      byte[] body = Messages.encode(receipt);
      ByteBuf payload = Unpooled.buffer(Long.BYTES + body.length);
      core.streams().session(Protocol.RECEIPT, 0, payload.writeLong(sequence).writeBytes(body));
    }
  }

  /// Once what has arrived is read.
  void later(Runnable task) {
    loop.execute(
        () -> {
          if (!over) {
            task.run();
          }
        });
  }

  void release() {
    steps.release(this);
  }

  /// With a word.
  void close(ErrorCode code, String text) {
    if (core != null && !over) {
      core.sendClose(code, 0, text);
      flush();
      over(new FleetException("closed: " + text));
    }
  }

  /// Without one.
  void cut() {
    over(new FleetException("cut"));
  }

  void fail(FleetException why) {
    if (!over && !fleet.isClosing()) {
      fleet.counters().failures.increment();
    }
    over(why);
  }

  private void over(FleetException why) {
    if (over) {
      return;
    }
    over = true;
    if (ticks != null) {
      ticks.cancel(false);
    }
    if (core != null) {
      core.close(ErrorCode.SHUTDOWN, "the tunnel is gone");
    }
    if (channel != null) {
      var _ = channel.close();
    }
    steps.ended(why);
    end.complete(why);
  }

  /// Completes with the reason when it is over.
  CompletableFuture<FleetException> end() {
    return end;
  }

  // What the socket brings.

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (event == ClientHandshakeStateEvent.HANDSHAKE_COMPLETE) {
      try {
        write(context, handshake.writeMessage(steps.hello()));
      } catch (HandshakeException broken) {
        fail(new FleetException("message 1", broken));
      }
    }
  }

  private static void write(ChannelHandlerContext context, byte[] message) {
    var _ =
        context.channel().writeAndFlush(new BinaryWebSocketFrame(Unpooled.wrappedBuffer(message)));
  }

  @Override
  protected void channelRead0(ChannelHandlerContext context, BinaryWebSocketFrame frame) {
    if (over) {
      return;
    }
    Tap tap = fleet.tap();
    if (tap != null) {
      tap.record(ByteBufUtil.getBytes(frame.content()));
    }
    try {
      if (core == null) {
        shake(context, ByteBufUtil.getBytes(frame.content()));
      } else {
        core.receive(frame.content());
      }
    } catch (ProtocolException | HandshakeException | SealException violation) {
      fail(new FleetException("the broker does not hold to the protocol", violation));
    }
  }

  private void shake(ChannelHandlerContext context, byte[] answer)
      throws HandshakeException, ProtocolException {
    NodeHello node = Messages.decode(handshake.readMessage(answer), NodeHello.class);
    Instant serverTime = Instant.ofEpochMilli(node.serverTimeMs());
    Keyset keyset =
        Keyset.verify(
            node.keyset(), VerifyingKey.of(node.root()), fleet.broker().rootSha256(), serverTime);
    NodeCertificate.verify(
        node.certificate(), keyset, handshake.remoteStatic().bytes(), serverTime);
    byte[] last = handshake.writeMessage(Messages.encode(steps.request(handshake.hash())));
    hash = handshake.hash();
    core =
        new SessionCore(
            new SessionCore.Established(
                Role.AGENT,
                handshake.split(),
                handshake.hash(),
                identity.dev(),
                handshake.remoteStatic()),
            Protocol.DEFAULT_MAX_STREAMS,
            loop.creditPool(),
            Clock.SYSTEM,
            work -> loop.execute(work.get()),
            loop.scratch(),
            ByteBufAllocator.DEFAULT,
            this);
    write(context, last);
    ticks =
        loop.eventLoop()
            .scheduleAtFixedRate(
                this::tick, Protocol.TICK_MS, Protocol.TICK_MS, TimeUnit.MILLISECONDS);
  }

  private void tick() {
    if (core != null && !over) {
      try {
        core.tick();
      } catch (ProtocolException silent) {
        fail(new FleetException("the broker is silent", silent));
      }
    }
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext context) {
    flush();
  }

  private void flush() {
    flushScheduled = false;
    SessionCore session = core;
    Channel to = channel;
    if (session == null || to == null || over) {
      return;
    }
    while (to.isWritable()) {
      ByteBuf record = session.nextRecord();
      if (record == null) {
        break;
      }
      var _ = to.write(new BinaryWebSocketFrame(record));
    }
    to.flush();
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    fail(new FleetException("the connection ended"));
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    fail(new FleetException("the connection broke", cause));
  }

  // What the session brings.

  @Override
  public StreamListener onOpen(MuxStream stream, ByteBuf head, boolean end)
      throws ProtocolException {
    return steps.open(stream, head);
  }

  @Override
  public void onControl(ControlMessage message) throws ProtocolException {
    try {
      steps.control(this, message, hash);
    } catch (FleetException unexpected) {
      fail(unexpected);
    }
  }

  @Override
  public void onMessage(long sequence, ByteBuf body) throws ProtocolException {
    Tap tap = fleet.tap();
    if (tap != null) {
      tap.message(ByteBufUtil.getBytes(body));
    }
    try {
      steps.message(this, sequence, ByteBufUtil.getBytes(body));
    } catch (FleetException unexpected) {
      fail(unexpected);
    }
  }

  @Override
  public void onReceipt(long sequence, ByteBuf body) {
    // Agents send receipts, they get none.
  }

  @Override
  public void onDrain(int spreadMs, int drainMs) {
    // The broker's close follows.
  }

  @Override
  public void onClose(ErrorCode code, int retryAfterMs, String text) {
    fail(
        code == ErrorCode.REVOKED
            ? FleetException.revoked()
            : new FleetException("the broker closed: " + code + " " + text));
  }

  @Override
  public void onRoundTrip(long nanos, long clockOffsetMs) {
    // Liveness is all that it is for.
  }

  @Override
  public void onFailure(ProtocolException failure) {
    fail(new FleetException("fresh keys failed", failure));
  }

  @Override
  public void outputWaiting() {
    if (!flushScheduled) {
      flushScheduled = true;
      loop.execute(this::flush);
    }
  }
}
