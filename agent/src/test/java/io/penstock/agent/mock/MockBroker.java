package io.penstock.agent.mock;

import io.netty.bootstrap.ServerBootstrap;
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
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolConfig;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolHandler;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Protocol;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.Role;
import io.penstock.codec.message.ControlMessage.Admitted;
import io.penstock.codec.message.ControlMessage.Approved;
import io.penstock.codec.message.ControlMessage.ConnectRequest;
import io.penstock.codec.message.ControlMessage.CrossSignature;
import io.penstock.codec.message.ControlMessage.EffectiveRules;
import io.penstock.codec.message.ControlMessage.EnrollHello;
import io.penstock.codec.message.ControlMessage.EnrollRequest;
import io.penstock.codec.message.ControlMessage.IdentityNext;
import io.penstock.codec.message.ControlMessage.NodeHello;
import io.penstock.codec.message.ControlMessage.OwnerKeys;
import io.penstock.codec.message.ControlMessage.Pending;
import io.penstock.codec.message.ControlMessage.ProofAnswer;
import io.penstock.codec.message.ControlMessage.ProofChallenge;
import io.penstock.codec.message.ControlMessage.Ready;
import io.penstock.codec.message.ControlMessage.Revoked;
import io.penstock.codec.message.ControlMessage.UnlockCommit;
import io.penstock.codec.message.ControlMessage.UnlockNext;
import io.penstock.codec.message.ControlMessage.UnlockStored;
import io.penstock.codec.message.ControlMessage.Welcome;
import io.penstock.codec.message.Messages;
import io.penstock.codec.noise.Handshake;
import io.penstock.codec.noise.HandshakeException;
import io.penstock.codec.noise.PresharedKey;
import io.penstock.codec.noise.PublicKey;
import io.penstock.codec.noise.StaticKeyPair;
import io.penstock.codec.noise.Suite;
import io.penstock.codec.seal.EnrollmentToken;
import io.penstock.codec.seal.Fingerprint;
import io.penstock.codec.seal.Hpke;
import io.penstock.codec.seal.KeyUse;
import io.penstock.codec.seal.Keyset;
import io.penstock.codec.seal.NodeCertificate;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.Revocation;
import io.penstock.codec.seal.RootLink;
import io.penstock.codec.seal.SignedTexts;
import io.penstock.codec.seal.SigningKey;
import io.penstock.codec.seal.TokenSecret;
import io.penstock.codec.seal.VerifyingKey;
import io.penstock.codec.seal.WipeOrder;
import io.penstock.codec.session.SessionCore;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A broker of one agent, on a real socket with real TLS, as `docs/protocol.md` has it. It keeps
/// the rules of custody (current, next, retired dev keys) and notes an alarm whenever a real broker
/// would raise one.
///
/// Each connection is a virtual thread that reads like the protocol page.
public final class MockBroker implements AutoCloseable {
  public static final String AGENT = "plant-7";

  private final SecureRandom random = new SecureRandom();
  private volatile SigningKey root = SigningKey.generate(random);
  private final List<RootLink> rootLinks = new CopyOnWriteArrayList<>();
  private final SigningKey issuer = SigningKey.generate(random);
  private final SigningKey recordKey = SigningKey.generate(random);
  private final MockCloud cloud = new MockCloud();
  private final StaticKeyPair node = StaticKeyPair.generate();
  private final byte[] tokenId = new byte[EnrollmentToken.ID_BYTES];
  private final byte[] tokenSecret = new byte[TokenSecret.BYTES];
  private final TestCa ca;
  private final EventLoopGroup group =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final Channel server;

  private final BlockingQueue<MockSession> admitted = new LinkedBlockingQueue<>();
  private final List<String> alarms = new CopyOnWriteArrayList<>();
  private final List<String> log = new CopyOnWriteArrayList<>();

  // What a real broker has in its database.
  private final Set<PublicKey> retired = new HashSet<>();
  private @Nullable PublicKey tokenUsedBy;
  private @Nullable PublicKey current;
  private @Nullable PublicKey next;
  private byte[] currentBundle = {};
  private byte[] nextBundle = {};
  private byte[] signingKey = {};
  private byte[] rotatedBoot = {};
  private volatile byte @Nullable [] stateDigest;
  private String fingerprint = "";
  private boolean approved;
  private boolean revoked;
  private long unlockEpoch;
  private long sessionEpoch;

  // What tests turn.
  private volatile long keysetVersion = 1;
  private volatile int tunnels = 1;
  private volatile boolean denyEnrollment;
  private volatile boolean forgeCertificate;
  private volatile boolean forgeRevocation;
  private volatile @Nullable ErrorCode refuseWith;
  private volatile int refuseRetryAfterMs;
  private final List<MockSession> waiting = new CopyOnWriteArrayList<>();

  public MockBroker(TestCa ca) throws Exception {
    this(ca, 0);
  }

  public MockBroker(TestCa ca, int port) throws Exception {
    this.ca = ca;
    random.nextBytes(tokenId);
    random.nextBytes(tokenSecret);
    TestCa.ServerIdentity identity = ca.server("localhost");
    SslContext tls =
        SslContextBuilder.forServer(identity.keys().getPrivate(), identity.chain())
            .protocols("TLSv1.3")
            .build();
    server =
        new ServerBootstrap()
            .group(group)
            .channel(NioServerSocketChannel.class)
            .childHandler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    pipeline(channel, tls);
                  }
                })
            .bind("127.0.0.1", port)
            .sync()
            .channel();
  }

  private void pipeline(Channel channel, SslContext tls) {
    var webSocket =
        WebSocketServerProtocolConfig.newBuilder()
            .websocketPath(Protocol.TUNNEL_PATH)
            .subprotocols(Protocol.SUBPROTOCOL_CONNECT + "," + Protocol.SUBPROTOCOL_ENROLL)
            .maxFramePayloadLength(Protocol.MAX_RECORD_BYTES)
            .handleCloseFrames(true)
            .build();
    channel
        .pipeline()
        .addLast(tls.newHandler(channel.alloc()))
        .addLast(new HttpServerCodec(), new HttpObjectAggregator(8192))
        .addLast(new WebSocketServerProtocolHandler(webSocket))
        .addLast(new Connection());
  }

  public int port() {
    return ((InetSocketAddress) server.localAddress()).getPort();
  }

  public String url() {
    return "https://localhost:" + port();
  }

  public EnrollmentToken token() {
    return new EnrollmentToken(
        Octets.of(tokenId),
        TokenSecret.of(tokenSecret),
        root.verifyingKey().sha256(),
        Instant.now().plusSeconds(3600),
        url(),
        Optional.of(ca.sha256()));
  }

  // What tests turn.

  /// A new root, which the old one names unless it is `forgotten`.
  ///
  /// @return the old one
  public SigningKey rotateRoot(boolean forgotten) {
    SigningKey old = root;
    SigningKey next = SigningKey.generate(random);
    if (!forgotten) {
      rootLinks.add(
          RootLink.sign(
              root,
              new RootLink.Succession(
                  rootLinks.size() + 1L, next.verifyingKey(), Instant.now().getEpochSecond())));
    }
    root = next;
    return old;
  }

  /// What a running rotation shows on a live tunnel.
  public OwnerKeys ownerKeys() {
    NodeHello hello = nodeHello();
    return new OwnerKeys(hello.keyset(), hello.root(), hello.crossSignatures());
  }

  /// Shows `other` from now on, with the same cross-signatures.
  public void showRoot(SigningKey other) {
    root = other;
  }

  public void keysetVersion(long version) {
    keysetVersion = version;
  }

  public void tunnels(int count) {
    tunnels = count;
  }

  public void denyEnrollment() {
    denyEnrollment = true;
  }

  public void forgeCertificate(boolean forge) {
    forgeCertificate = forge;
  }

  public void forgeRevocation() {
    forgeRevocation = true;
  }

  /// Null: no more.
  public void refuseWith(@Nullable ErrorCode code, int retryAfterMs) {
    refuseRetryAfterMs = retryAfterMs;
    refuseWith = code;
  }

  public MockCloud cloud() {
    return cloud;
  }

  /// What the agent said of its state when it connected last.
  public Optional<Octets> stateDigest() {
    byte[] shown = stateDigest;
    return shown == null ? Optional.empty() : Optional.of(Octets.of(shown));
  }

  /// The key that signs the agent's receipts.
  /// The next WELCOME brings these.
  public synchronized void adopt(IdentityNext next) {
    signingKey = next.signingKey();
    cloud.sealTo(Octets.of(next.sealingKey()));
    currentBundle = next.innerBundle();
  }

  public synchronized VerifyingKey signingKey() {
    return VerifyingKey.of(signingKey);
  }

  public synchronized String fingerprint() {
    return fingerprint;
  }

  public List<String> alarms() {
    return List.copyOf(alarms);
  }

  public List<String> log() {
    return List.copyOf(log);
  }

  public synchronized long unlockEpoch() {
    return unlockEpoch;
  }

  public synchronized void approve() {
    approved = true;
    waiting.forEach(session -> session.send(new Approved(1)));
    waiting.clear();
  }

  /// Ends the agent for good, on `session` if it has one.
  public void revoke(MockSession session) {
    synchronized (this) {
      revoked = true;
    }
    session.send(revocation());
    session.close(ErrorCode.REVOKED, 0, "revoked");
  }

  private Revoked revocation() {
    SigningKey signer = forgeRevocation ? SigningKey.generate(random) : recordKey;
    return new Revoked(new Revocation(AGENT, 1, Instant.now().getEpochSecond()).sign(signer));
  }

  /// As an operator of the broker signs it.
  public String wipeOrder(long generation, String id) {
    return new WipeOrder(AGENT, generation, id, Instant.now().getEpochSecond()).sign(recordKey);
  }

  /// The next session that got as far as EFFECTIVE_RULES.
  public MockSession awaitAdmitted() throws InterruptedException {
    MockSession session = admitted.poll(20, TimeUnit.SECONDS);
    if (session == null) {
      throw new AssertionError("no session was admitted; log: " + log + ", alarms: " + alarms);
    }
    return session;
  }

  @Override
  public void close() {
    var _ = server.close();
    var _ = group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
  }

  /// One WebSocket.
  private final class Connection extends SimpleChannelInboundHandler<WebSocketFrame> {
    private final LinkedBlockingQueue<Optional<byte[]>> inbox = new LinkedBlockingQueue<>();
    private @Nullable MockSession session;

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
      if (event instanceof WebSocketServerProtocolHandler.HandshakeComplete upgrade) {
        Thread.ofVirtual().start(() -> serve(context, upgrade));
      }
    }

    private void serve(
        ChannelHandlerContext context, WebSocketServerProtocolHandler.HandshakeComplete upgrade) {
      String host = upgrade.requestHeaders().get("Host");
      String subprotocol = String.valueOf(upgrade.selectedSubprotocol());
      try {
        if (subprotocol.equals(Protocol.SUBPROTOCOL_ENROLL)) {
          enroll(context, prologue(subprotocol, host));
        } else {
          connect(context, prologue(subprotocol, host));
        }
      } catch (HandshakeException | ProtocolException | Refused failure) {
        log.add("refused: " + failure.getMessage());
        var _ = context.channel().close();
      } catch (InterruptedException stopped) {
        var _ = context.channel().close();
      }
    }

    private byte[] prologue(String subprotocol, String host) {
      return ("penstock/1 " + subprotocol + " " + host).getBytes(StandardCharsets.US_ASCII);
    }

    private byte[] receive() throws InterruptedException, Refused {
      Optional<byte[]> message = inbox.poll(10, TimeUnit.SECONDS);
      if (message == null || message.isEmpty()) {
        throw new Refused("the agent went away");
      }
      return message.get();
    }

    private void write(ChannelHandlerContext context, byte[] message) {
      var _ = context.writeAndFlush(new BinaryWebSocketFrame(Unpooled.wrappedBuffer(message)));
    }

    private void enroll(ChannelHandlerContext context, byte[] prologue)
        throws InterruptedException, Refused, HandshakeException, ProtocolException {
      Handshake handshake = Handshake.responder(Suite.XXHFS_PSK3, prologue, node);
      EnrollHello hello = Messages.decode(handshake.readMessage(receive()), EnrollHello.class);
      byte[] psk = tokenSecret.clone();
      if (denyEnrollment || !Arrays.equals(hello.tokenId(), tokenId)) {
        random.nextBytes(psk);
      }
      handshake.psk(new PresharedKey(psk));
      write(context, handshake.writeMessage(Messages.encode(nodeHello())));
      byte[] before = handshake.hash();
      EnrollRequest request;
      try {
        request = Messages.decode(handshake.readMessage(receive()), EnrollRequest.class);
      } catch (HandshakeException wrongSecret) {
        log.add("enrollment denied");
        var _ = context.writeAndFlush(new CloseWebSocketFrame(1008, "ENROLL_DENIED"));
        return;
      }
      requireSigned(request, handshake, before);
      MockSession established = establish(context, handshake);
      prove(established, request);
      synchronized (MockBroker.this) {
        register(request, handshake);
        established.send(new Pending(AGENT, "plant", fingerprint));
        if (approved) {
          established.send(new Approved(1));
        } else {
          waiting.add(established);
        }
      }
      log.add("pending");
    }

    private void requireSigned(EnrollRequest request, Handshake handshake, byte[] before)
        throws Refused {
      byte[] signed =
          SignedTexts.enroll(
              before,
              handshake.remoteStatic().bytes(),
              request.sealingKey(),
              request.signingKey(),
              request.innerBundle());
      if (!VerifyingKey.of(request.signingKey()).verify(signed, request.signature())) {
        throw new Refused("bad signature of the enrollment");
      }
    }

    private void prove(MockSession established, EnrollRequest request)
        throws InterruptedException, Refused {
      byte[] challenge = new byte[32];
      random.nextBytes(challenge);
      established.send(
          new ProofChallenge(
              Hpke.seal(Octets.of(request.sealingKey()), SignedTexts.proofInfo(), challenge)));
      if (!Arrays.equals(challenge, established.receive(ProofAnswer.class).opened())) {
        throw new Refused("bad proof");
      }
    }

    private void register(EnrollRequest request, Handshake handshake) throws Refused {
      PublicKey dev = handshake.remoteStatic();
      if (tokenUsedBy != null && !tokenUsedBy.equals(dev)) {
        alarms.add("TOKEN_REUSED");
        throw new Refused("token reused");
      }
      tokenUsedBy = dev;
      current = dev;
      currentBundle = request.innerBundle();
      signingKey = request.signingKey();
      cloud.sealTo(Octets.of(request.sealingKey()));
      fingerprint = Fingerprint.of(handshake.hash()).text();
    }

    private void connect(ChannelHandlerContext context, byte[] prologue)
        throws InterruptedException, Refused, HandshakeException, ProtocolException {
      Handshake handshake = Handshake.responder(Suite.XXHFS, prologue, node);
      handshake.readMessage(receive());
      write(context, handshake.writeMessage(Messages.encode(nodeHello())));
      ConnectRequest request =
          Messages.decode(handshake.readMessage(receive()), ConnectRequest.class);
      MockSession established = establish(context, handshake);
      log.add("message 3 of slot " + request.slot());
      stateDigest = request.stateDigest();
      ErrorCode refusal = refuseWith;
      if (refusal != null) {
        established.close(refusal, refuseRetryAfterMs, "as the test wants");
        return;
      }
      byte[] bundle = judge(handshake.remoteStatic(), established);
      if (bundle.length == 0) {
        return;
      }
      byte[] sessionId = new byte[16];
      random.nextBytes(sessionId);
      established.send(welcome(sessionId, bundle));
      Ready ready = established.receive(Ready.class);
      byte[] signed = SignedTexts.ready(handshake.hash(), sessionId);
      if (!VerifyingKey.of(signingKey).verify(signed, ready.signature())) {
        throw new Refused("bad READY");
      }
      boolean rotate;
      synchronized (MockBroker.this) {
        sessionEpoch++;
        rotate = !Arrays.equals(rotatedBoot, request.bootId());
      }
      established.send(new Admitted(sessionEpoch, rotate, tunnels));
      if (rotate) {
        rotate(established, request.bootId());
      }
      established.rules(established.receive(EffectiveRules.class));
      established.slot(request.slot());
      log.add("admitted slot " + request.slot());
      admitted.add(established);
    }

    @SuppressWarnings("NullAway") // does not see in a class file that the head may be null
    private Welcome welcome(byte[] sessionId, byte[] bundle) {
      return new Welcome(sessionId, bundle, 1024, cloud.welcomeHead().orElse(null));
    }

    /// The bundle for this dev key; empty when there is nothing more to say.
    private byte[] judge(PublicKey dev, MockSession established) {
      synchronized (MockBroker.this) {
        if (retired.contains(dev)) {
          alarms.add("CLONE: a retired dev key");
          established.close(ErrorCode.QUARANTINED, 0, "clone");
          return new byte[0];
        }
        if (Objects.equals(dev, next)) {
          commit();
        } else if (!Objects.equals(dev, current)) {
          established.close(ErrorCode.UNKNOWN_AGENT, 0, "unknown");
          return new byte[0];
        }
        if (revoked) {
          established.send(revocation());
          established.close(ErrorCode.REVOKED, 0, "revoked");
          return new byte[0];
        }
        if (!approved) {
          waiting.add(established);
          established.send(new Pending(AGENT, "plant", fingerprint));
          log.add("still pending");
          return new byte[0];
        }
        return currentBundle;
      }
    }

    private void rotate(MockSession established, byte[] bootId)
        throws InterruptedException, Refused {
      UnlockNext wanted = established.receive(UnlockNext.class);
      synchronized (MockBroker.this) {
        if (wanted.unlockEpoch() != unlockEpoch + 1) {
          throw new Refused("expected unlock epoch " + (unlockEpoch + 1));
        }
        if (next != null) {
          // Stored once and never used: whoever comes with it later is a copy.
          retired.add(next);
        }
        next = new PublicKey(wanted.devKey());
        nextBundle = wanted.innerBundle();
      }
      log.add("stored " + wanted.unlockEpoch());
      established.send(new UnlockStored(wanted.unlockEpoch()));
      UnlockCommit committed = established.receive(UnlockCommit.class);
      synchronized (MockBroker.this) {
        if (next != null && committed.unlockEpoch() == unlockEpoch + 1) {
          commit();
        }
        rotatedBoot = bootId;
      }
      log.add("committed " + committed.unlockEpoch());
    }

    private void commit() {
      if (current != null) {
        retired.add(current);
      }
      current = next;
      currentBundle = nextBundle;
      next = null;
      unlockEpoch++;
    }

    private MockSession establish(ChannelHandlerContext context, Handshake handshake)
        throws InterruptedException {
      var made =
          new MockSession(
              context.channel(),
              cloud,
              new SessionCore.Established(
                  Role.BROKER,
                  handshake.split(),
                  handshake.hash(),
                  node,
                  handshake.remoteStatic()));
      context
          .executor()
          .submit(
              () -> {
                session = made;
                // What overtook us.
                for (Optional<byte[]> early = inbox.poll();
                    early != null && early.isPresent();
                    early = inbox.poll()) {
                  made.received(Unpooled.wrappedBuffer(early.get()));
                }
              })
          .sync();
      return made;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, WebSocketFrame frame) {
      if (!(frame instanceof BinaryWebSocketFrame)) {
        log.add("not binary: " + frame.getClass().getSimpleName());
        var _ = context.close();
      } else if (session != null) {
        session.received(frame.content());
      } else {
        inbox.add(Optional.of(ByteBufUtil.getBytes(frame.content())));
      }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
      inbox.add(Optional.empty());
      if (session != null) {
        waiting.remove(session);
        session.gone();
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      log.add("broke: " + cause);
      var _ = context.close();
    }
  }

  // The record takes null; the checker does not see that of an argument from another module.
  @SuppressWarnings("NullAway")
  private NodeHello nodeHello() {
    Instant now = Instant.now();
    long from = now.minusSeconds(60).getEpochSecond();
    long until = now.plusSeconds(3600).getEpochSecond();
    String keyset =
        new Keyset(
                keysetVersion,
                from,
                until,
                List.of(
                    Keyset.Key.of(KeyUse.NODE_ISSUER, issuer.verifyingKey()),
                    Keyset.Key.of(KeyUse.RECORD, recordKey.verifyingKey()),
                    Keyset.Key.of(KeyUse.CONFIGURATION, cloud.configurationKey().verifyingKey())))
            .sign(root);
    byte[] certified = (forgeCertificate ? StaticKeyPair.generate() : node).publicKey().bytes();
    String certificate =
        new NodeCertificate("node-1", Octets.of(certified), from, until).sign(issuer);
    return new NodeHello(
        certificate,
        keyset,
        root.verifyingKey().octets().bytes(),
        now.toEpochMilli(),
        rootLinks.isEmpty()
            ? null
            : rootLinks.stream()
                .map(link -> new CrossSignature(link.root().octets().bytes(), link.jws()))
                .toList());
  }

  static final class Refused extends Exception {
    Refused(String message) {
      super(message);
    }
  }
}
