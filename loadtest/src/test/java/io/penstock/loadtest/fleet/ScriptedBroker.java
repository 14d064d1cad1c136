package io.penstock.loadtest.fleet;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolConfig;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolHandler;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolHandler.HandshakeComplete;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Protocol;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.Role;
import io.penstock.codec.message.ControlMessage;
import io.penstock.codec.message.ControlMessage.Admitted;
import io.penstock.codec.message.ControlMessage.Approved;
import io.penstock.codec.message.ControlMessage.ConnectRequest;
import io.penstock.codec.message.ControlMessage.EffectiveRules;
import io.penstock.codec.message.ControlMessage.EnrollHello;
import io.penstock.codec.message.ControlMessage.EnrollRequest;
import io.penstock.codec.message.ControlMessage.NodeHello;
import io.penstock.codec.message.ControlMessage.Pending;
import io.penstock.codec.message.ControlMessage.ProofAnswer;
import io.penstock.codec.message.ControlMessage.ProofChallenge;
import io.penstock.codec.message.ControlMessage.Ready;
import io.penstock.codec.message.ControlMessage.UnlockCommit;
import io.penstock.codec.message.ControlMessage.UnlockNext;
import io.penstock.codec.message.ControlMessage.UnlockStored;
import io.penstock.codec.message.ControlMessage.Welcome;
import io.penstock.codec.message.DeliveryMessage;
import io.penstock.codec.message.DeliveryReceipt;
import io.penstock.codec.message.Messages;
import io.penstock.codec.mux.CreditPool;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;
import io.penstock.codec.noise.Handshake;
import io.penstock.codec.noise.HandshakeException;
import io.penstock.codec.noise.PresharedKey;
import io.penstock.codec.noise.StaticKeyPair;
import io.penstock.codec.noise.Suite;
import io.penstock.codec.seal.EnrollmentToken;
import io.penstock.codec.seal.Fingerprint;
import io.penstock.codec.seal.Hpke;
import io.penstock.codec.seal.KeyUse;
import io.penstock.codec.seal.Keyset;
import io.penstock.codec.seal.NodeCertificate;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SignedTexts;
import io.penstock.codec.seal.SigningKey;
import io.penstock.codec.seal.TokenSecret;
import io.penstock.codec.seal.VerifyingKey;
import io.penstock.codec.session.Clock;
import io.penstock.codec.session.Scratch;
import io.penstock.codec.session.SessionCore;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A broker that knows one agent and checks what a simulated one says: real TLS, handshake and
/// signatures (`docs/protocol.md`, section 2). What does not hold closes the connection and is
/// written down.
final class ScriptedBroker implements AutoCloseable {
  static final String AGENT = "sim-1";

  private final SecureRandom random = new SecureRandom();
  private final SigningKey root = SigningKey.generate(random);
  private final SigningKey issuer = SigningKey.generate(random);
  private final SigningKey recordKey = SigningKey.generate(random);
  private final StaticKeyPair node = StaticKeyPair.generate();
  private final byte[] tokenId = new byte[EnrollmentToken.ID_BYTES];
  private final byte[] tokenSecret = new byte[TokenSecret.BYTES];
  private final TestTls certificate;
  private final EventLoopGroup group =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final Channel server;

  private final List<String> broken = new CopyOnWriteArrayList<>();
  private final BlockingQueue<String> heard = new LinkedBlockingQueue<>();
  private final BlockingQueue<Receipted> receipts = new LinkedBlockingQueue<>();
  private volatile @Nullable Connection live;
  private volatile byte[] signingKey = {};
  private volatile boolean forgeCertificate;

  /// A RECEIPT frame.
  record Receipted(long sequence, DeliveryReceipt body) {}

  ScriptedBroker(Path directory) throws Exception {
    random.nextBytes(tokenId);
    random.nextBytes(tokenSecret);
    certificate = TestTls.localhost(directory);
    SslContext tls = SslContextBuilder.forServer(certificate.keys()).protocols("TLSv1.3").build();
    server =
        new ServerBootstrap()
            .group(group)
            .channel(NioServerSocketChannel.class)
            .childHandler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel made) {
                    made.pipeline()
                        .addLast(tls.newHandler(made.alloc()))
                        .addLast(new HttpServerCodec(), new HttpObjectAggregator(8192))
                        .addLast(new WebSocketServerProtocolHandler(webSocket()))
                        .addLast(new Connection(made));
                  }
                })
            .bind("127.0.0.1", 0)
            .sync()
            .channel();
  }

  private static WebSocketServerProtocolConfig webSocket() {
    return WebSocketServerProtocolConfig.newBuilder()
        .websocketPath(Protocol.TUNNEL_PATH)
        .subprotocols(Protocol.SUBPROTOCOL_CONNECT + "," + Protocol.SUBPROTOCOL_ENROLL)
        .maxFramePayloadLength(Protocol.MAX_RECORD_BYTES)
        .build();
  }

  private int port() {
    return ((InetSocketAddress) server.localAddress()).getPort();
  }

  Octets rootSha256() {
    return root.verifyingKey().sha256();
  }

  BrokerEndpoint endpoint(Octets pinnedRoot) throws IOException {
    return BrokerEndpoint.of(
        java.net.URI.create("https://localhost:" + port()), certificate.caFile(), pinnedRoot);
  }

  EnrollmentToken token() {
    return new EnrollmentToken(
        Octets.of(tokenId),
        TokenSecret.of(tokenSecret),
        rootSha256(),
        Instant.now().plusSeconds(3600),
        "https://localhost:" + port(),
        Optional.empty());
  }

  /// Certifies another key than the one that it shakes hands with.
  void forgeCertificate() {
    forgeCertificate = true;
  }

  void approve() {
    connection().later(session -> session.send(new Approved(1)));
  }

  void deliver(long sequence, DeliveryMessage message) {
    byte[] body = Messages.encode(message);
    connection()
        .later(
            session ->
                session
                    .streams()
                    .session(
                        Protocol.MESSAGE,
                        0,
                        Unpooled.buffer(8 + body.length).writeLong(sequence).writeBytes(body)));
  }

  private Connection connection() {
    Connection now = live;
    if (now == null) {
      throw new AssertionError("nobody is connected; broken: " + broken);
    }
    return now;
  }

  /// Until the agent has got so far: `pending`, `admitted`, `committed`.
  void await(String wanted) throws InterruptedException {
    for (String word = ""; !word.equals(wanted); ) {
      word = heard.poll(20, TimeUnit.SECONDS);
      if (word == null) {
        throw new AssertionError("never heard " + wanted + "; broken: " + broken);
      }
    }
  }

  Receipted awaitReceipt() throws InterruptedException {
    Receipted receipt = receipts.poll(20, TimeUnit.SECONDS);
    if (receipt == null) {
      throw new AssertionError("no receipt came; broken: " + broken);
    }
    return receipt;
  }

  boolean hasReceipt() {
    return !receipts.isEmpty();
  }

  /// What did not hold.
  List<String> broken() {
    return List.copyOf(broken);
  }

  VerifyingKey signingKey() {
    return VerifyingKey.of(signingKey);
  }

  @SuppressWarnings("NullAway") // does not see in a class file that the links may be null
  private NodeHello hello() {
    Instant now = Instant.now();
    long from = now.minusSeconds(60).getEpochSecond();
    long until = now.plusSeconds(3600).getEpochSecond();
    var keyset =
        new Keyset(
            1,
            from,
            until,
            List.of(
                Keyset.Key.of(KeyUse.NODE_ISSUER, issuer.verifyingKey()),
                Keyset.Key.of(KeyUse.RECORD, recordKey.verifyingKey())));
    byte[] certified = (forgeCertificate ? StaticKeyPair.generate() : node).publicKey().bytes();
    return new NodeHello(
        new NodeCertificate("node-1", Octets.of(certified), from, until).sign(issuer),
        keyset.sign(root),
        root.verifyingKey().octets().bytes(),
        now.toEpochMilli(),
        null);
  }

  @Override
  public void close() {
    var _ = server.close();
    var _ = group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
  }

  private interface Say {
    void to(SessionCore session);
  }

  /// One WebSocket, on the event loop.
  private final class Connection extends SimpleChannelInboundHandler<BinaryWebSocketFrame>
      implements SessionCore.Listener {
    private final Channel channel;
    private final byte[] challenge = new byte[32];
    private final byte[] sessionId = new byte[16];
    private boolean enrolls;
    private @Nullable Handshake handshake;
    private byte[] prologue = {};
    private byte[] hashBeforeLast = {};
    private @Nullable SessionCore core;

    Connection(Channel channel) {
      this.channel = channel;
      random.nextBytes(challenge);
      random.nextBytes(sessionId);
    }

    void later(Say what) {
      channel
          .eventLoop()
          .execute(
              () -> {
                SessionCore session = core;
                if (session != null) {
                  what.to(session);
                }
              });
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
      if (event instanceof HandshakeComplete upgrade) {
        String subprotocol = String.valueOf(upgrade.selectedSubprotocol());
        enrolls = subprotocol.equals(Protocol.SUBPROTOCOL_ENROLL);
        prologue =
            ("penstock/1 " + subprotocol + " " + upgrade.requestHeaders().get("Host"))
                .getBytes(StandardCharsets.US_ASCII);
      }
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, BinaryWebSocketFrame frame) {
      try {
        if (core != null) {
          core.receive(frame.content());
        } else if (handshake == null) {
          first(ByteBufUtil.getBytes(frame.content()));
        } else {
          last(handshake, ByteBufUtil.getBytes(frame.content()));
        }
      } catch (HandshakeException | ProtocolException | GeneralSecurityException refused) {
        refuse(String.valueOf(refused.getMessage()));
      }
    }

    private void refuse(String what) {
      broken.add(what);
      var _ = channel.close();
    }

    private void first(byte[] message) throws HandshakeException, ProtocolException {
      Handshake made =
          Handshake.responder(enrolls ? Suite.XXHFS_PSK3 : Suite.XXHFS, prologue, node);
      byte[] payload = made.readMessage(message);
      if (enrolls) {
        boolean known =
            Arrays.equals(Messages.decode(payload, EnrollHello.class).tokenId(), tokenId);
        made.psk(new PresharedKey(known ? tokenSecret.clone() : new byte[TokenSecret.BYTES]));
      }
      byte[] answer = made.writeMessage(Messages.encode(hello()));
      hashBeforeLast = made.hash();
      handshake = made;
      var _ = channel.writeAndFlush(new BinaryWebSocketFrame(Unpooled.wrappedBuffer(answer)));
    }

    private void last(Handshake shaken, byte[] message)
        throws HandshakeException, ProtocolException, GeneralSecurityException {
      byte[] payload = shaken.readMessage(message);
      var session =
          new SessionCore(
              new SessionCore.Established(
                  Role.BROKER, shaken.split(), shaken.hash(), node, shaken.remoteStatic()),
              Protocol.DEFAULT_MAX_STREAMS,
              new CreditPool(1 << 26),
              Clock.SYSTEM,
              work -> work(work),
              new Scratch(),
              ByteBufAllocator.DEFAULT,
              this);
      core = session;
      live = this;
      if (enrolls) {
        enroll(session, shaken, Messages.decode(payload, EnrollRequest.class));
      } else {
        ConnectRequest request = Messages.decode(payload, ConnectRequest.class);
        require(request.agent().equals(AGENT) && request.generation() == 1, "another agent");
        session.send(welcome());
      }
    }

    private void work(Supplier<Runnable> work) {
      channel.eventLoop().execute(work.get());
    }

    @SuppressWarnings("NullAway") // does not see in a class file that the head may be null
    private Welcome welcome() {
      return new Welcome(sessionId, new byte[93], 1024, null);
    }

    private void enroll(SessionCore session, Handshake shaken, EnrollRequest request)
        throws GeneralSecurityException {
      byte[] signed =
          SignedTexts.enroll(
              hashBeforeLast,
              shaken.remoteStatic().bytes(),
              request.sealingKey(),
              request.signingKey(),
              request.innerBundle());
      require(
          VerifyingKey.of(request.signingKey()).verify(signed, request.signature()),
          "bad signature of the enrollment");
      signingKey = request.signingKey();
      session.send(
          new ProofChallenge(
              Hpke.seal(Octets.of(request.sealingKey()), SignedTexts.proofInfo(), challenge)));
    }

    private static void require(boolean holds, String what) throws GeneralSecurityException {
      if (!holds) {
        throw new GeneralSecurityException(what);
      }
    }

    @Override
    public void onControl(ControlMessage message) {
      SessionCore session = core;
      Handshake shaken = handshake;
      if (session == null || shaken == null) {
        return;
      }
      switch (message) {
        case ProofAnswer answer -> {
          if (!Arrays.equals(challenge, answer.opened())) {
            refuse("bad proof");
            return;
          }
          session.send(new Pending(AGENT, "site", Fingerprint.of(shaken.hash()).text()));
          heard.add("pending");
        }
        case Ready ready -> {
          byte[] signed = SignedTexts.ready(shaken.hash(), sessionId);
          if (!signingKey().verify(signed, ready.signature())) {
            refuse("bad READY");
            return;
          }
          session.send(new Admitted(1, true, 1));
        }
        case EffectiveRules _ -> heard.add("admitted");
        case UnlockNext next -> session.send(new UnlockStored(next.unlockEpoch()));
        case UnlockCommit _ -> heard.add("committed");
        default -> refuse("expected no " + message.getClass().getSimpleName());
      }
    }

    @Override
    public void onReceipt(long sequence, ByteBuf body) throws ProtocolException {
      receipts.add(new Receipted(sequence, Messages.decodeReceipt(ByteBufUtil.getBytes(body))));
    }

    @Override
    public void outputWaiting() {
      channel.eventLoop().execute(this::flush);
    }

    private void flush() {
      SessionCore session = core;
      if (session == null) {
        return;
      }
      for (ByteBuf one = session.nextRecord(); one != null; one = session.nextRecord()) {
        var _ = channel.write(new BinaryWebSocketFrame(one));
      }
      channel.flush();
    }

    @Override
    public StreamListener onOpen(MuxStream stream, ByteBuf head, boolean end)
        throws ProtocolException {
      throw new ProtocolException(ErrorCode.PROTOCOL_ERROR, "a simulated agent opens no streams");
    }

    @Override
    public void onMessage(long sequence, ByteBuf body) {
      refuse("agents send no MESSAGE");
    }

    @Override
    public void onDrain(int spreadMs, int drainMs) {
      refuse("a simulated agent does not drain");
    }

    @Override
    public void onClose(ErrorCode code, int retryAfterMs, String text) {
      heard.add("closed " + code);
    }

    @Override
    public void onRoundTrip(long nanos, long clockOffsetMs) {
      // Nothing is measured here.
    }

    @Override
    public void onFailure(ProtocolException failure) {
      refuse(String.valueOf(failure.getMessage()));
    }
  }
}
