package io.penstock.broker.tunnel;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.util.AsciiString;
import io.penstock.codec.Deadlines;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Frame;
import io.penstock.codec.OpenHead;
import io.penstock.codec.Protocol;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.RequestIds;
import io.penstock.codec.Role;
import io.penstock.codec.StreamKind;
import io.penstock.codec.message.ControlMessage;
import io.penstock.codec.message.ControlMessage.Admitted;
import io.penstock.codec.message.ControlMessage.ConnectRequest;
import io.penstock.codec.message.ControlMessage.NodeHello;
import io.penstock.codec.message.ControlMessage.Ready;
import io.penstock.codec.message.ControlMessage.Welcome;
import io.penstock.codec.message.DeliveryMessage;
import io.penstock.codec.message.DeliveryReceipt;
import io.penstock.codec.message.Messages;
import io.penstock.codec.mux.CreditPool;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;
import io.penstock.codec.noise.Handshake;
import io.penstock.codec.noise.HandshakeException;
import io.penstock.codec.noise.StaticKeyPair;
import io.penstock.codec.noise.Suite;
import io.penstock.codec.session.Clock;
import io.penstock.codec.session.Scratch;
import io.penstock.codec.session.SessionCore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// An agent that a test plays: dials, shakes hands, then does what the script says and records what
/// it hears. One thread: nothing is read but in an `await…` or [#pump].
public final class MockAgent implements AutoCloseable, SessionCore.Listener {
  private static final String HOST = "broker.example:8443";

  final RawPeer peer;
  final StaticKeyPair dev = StaticKeyPair.generate();
  public final List<ControlMessage> controls = new ArrayList<>();

  /// What was heard on streams and of the session, in order: `open 2`, `data 2 5`, `close REVOKED`.
  public final List<String> heard = new ArrayList<>();

  /// WebSocket messages that were read.
  int messages;

  /// MESSAGEs in the order they came.
  public final List<Mail> mail = new ArrayList<>();

  /// What is done with each of them at once.
  public Consumer<Mail> onMail = _ -> {};

  public record Mail(long sequence, DeliveryMessage message) {}

  /// How streams of the broker are served.
  Service service = (stream, _, _) -> new Recorder(stream);

  private @Nullable SessionCore core;
  private @Nullable NodeHello node;

  interface Service {
    StreamListener open(MuxStream stream, ByteBuf head, boolean end);
  }

  MockAgent(RawPeer peer) {
    this.peer = peer;
  }

  public static MockAgent dial(int port) throws IOException {
    return new MockAgent(RawPeer.dial(port));
  }

  /// Dials and gets admitted.
  public static MockAgent admitted(int port, String name) throws Exception {
    return admitted(RawPeer.dial(port), name);
  }

  static MockAgent admitted(RawPeer peer, String name) throws Exception {
    MockAgent agent = new MockAgent(peer);
    agent.enter(name, 0);
    return agent;
  }

  /// From the handshake to ADMITTED.
  public Admitted enter(String name, int slot) throws Exception {
    connect(name, slot);
    awaitControl(Welcome.class);
    send(new Ready(new byte[64]));
    return awaitControl(Admitted.class);
  }

  /// Handshake of an ordinary connection.
  void connect(String name, int slot) throws Exception {
    shake(
        Protocol.SUBPROTOCOL_CONNECT,
        Handshake.initiator(Suite.XXHFS, prologue(Protocol.SUBPROTOCOL_CONNECT, HOST), dev),
        new byte[0],
        new ConnectRequest(name, 1, 1, slot, new byte[16], "test", List.of(), new byte[0], ""));
  }

  static byte[] prologue(String subprotocol, String host) {
    return ("penstock/1 " + subprotocol + " " + host).getBytes(StandardCharsets.US_ASCII);
  }

  /// Everything up to message 3, which is sent.
  void shake(String subprotocol, Handshake handshake, byte[] first, ControlMessage third)
      throws IOException, HandshakeException, ProtocolException {
    String answer = peer.upgrade(subprotocol, "Broker.Example:8443", "");
    if (!answer.startsWith("HTTP/1.1 101")) {
      throw new IOException(answer);
    }
    peer.frame(RawPeer.BINARY, handshake.writeMessage(first));
    RawPeer.Received second = peer.read();
    if (second.firstByte() != RawPeer.BINARY) {
      throw new IOException("closed with " + second.status() + " " + second.reason());
    }
    node = Messages.decode(handshake.readMessage(second.payload()), NodeHello.class);
    peer.frame(RawPeer.BINARY, handshake.writeMessage(Messages.encode(third)));
    var established =
        new SessionCore.Established(
            Role.AGENT, handshake.split(), handshake.hash(), dev, handshake.remoteStatic());
    core =
        new SessionCore(
            established,
            Protocol.DEFAULT_MAX_STREAMS,
            new CreditPool(64 << 20),
            Clock.SYSTEM,
            work -> work.get().run(),
            new Scratch(),
            UnpooledByteBufAllocator.DEFAULT,
            this);
  }

  SessionCore core() {
    return Objects.requireNonNull(core, "no handshake yet");
  }

  NodeHello node() {
    return Objects.requireNonNull(node, "no handshake yet");
  }

  // The script's verbs.

  public void send(ControlMessage message) throws IOException {
    core().send(message);
    flush();
  }

  /// Sends all that waits.
  /// Queues a RECEIPT.
  public void answer(long sequence, DeliveryReceipt receipt) {
    byte[] body = Messages.encode(receipt);
    core()
        .streams()
        .session(
            Protocol.RECEIPT,
            0,
            Unpooled.buffer(8 + body.length).writeLong(sequence).writeBytes(body));
  }

  /// Asks for a document.
  public MuxStream ask(ControlMessage.ConfigurationRequest request, StreamListener reader) {
    ByteBuf head = Unpooled.buffer(256);
    new OpenHead(
            StreamKind.CONFIG,
            new Deadlines(0, 0, 0, 0),
            new RequestIds(0, 0, 0, 0, 0, 0),
            AsciiString.of(request.system()),
            AsciiString.EMPTY_STRING)
        .write(head);
    head.writeBytes(Messages.encode(request));
    return core().open(head, true, reader).orElseThrow();
  }

  public void flush() throws IOException {
    ByteBuf record = core().nextRecord();
    while (record != null) {
      peer.frame(RawPeer.BINARY, ByteBufUtil.getBytes(record));
      record.release();
      record = core().nextRecord();
    }
  }

  public <M extends ControlMessage> M awaitControl(Class<M> expected) throws Exception {
    int from = controls.size();
    while (controls.size() == from) {
      pump();
    }
    return expected.cast(controls.get(from));
  }

  public void awaitHeard(String what) throws Exception {
    while (!heard.contains(what)) {
      pump();
    }
  }

  /// Handles what comes until the condition holds.
  public void playUntil(BooleanSupplier condition) throws Exception {
    long deadline = System.nanoTime() + Duration.ofMillis(RawPeer.PATIENCE_MS).toNanos();
    while (!condition.getAsBoolean()) {
      if (peer.hasInput()) {
        pump();
      } else if (System.nanoTime() - deadline > 0) {
        throw new AssertionError("waited too long; heard " + heard);
      } else {
        LockSupport.parkNanos(1_000_000);
      }
    }
  }

  /// Reads and handles one WebSocket message.
  public void pump() throws IOException, ProtocolException {
    RawPeer.Received message = peer.read();
    messages++;
    if (message.firstByte() == RawPeer.CLOSE) {
      heard.add("websocket " + message.status() + " " + message.reason());
      return;
    }
    core().receive(Unpooled.wrappedBuffer(message.payload()));
    flush();
  }

  /// Handles what is there, or waits a little for it.
  public void pumpWithin(Duration within) throws IOException, ProtocolException {
    if (peer.hasInput()) {
      pump();
    } else {
      LockSupport.parkNanos(within.toNanos());
    }
  }

  /// Until the broker's WebSocket close.
  public void awaitWebSocketClose() throws Exception {
    while (heard.stream().noneMatch(one -> one.startsWith("websocket"))) {
      pump();
    }
  }

  // What the broker says.

  @Override
  public StreamListener onOpen(MuxStream stream, ByteBuf head, boolean end) {
    heard.add("open " + stream.id());
    return service.open(stream, head, end);
  }

  @Override
  public void onControl(ControlMessage message) {
    controls.add(message);
  }

  @Override
  public void onMessage(long sequence, ByteBuf body) {
    heard.add("message " + sequence);
    try {
      var one =
          new Mail(sequence, Messages.decodeDelivery(ByteBufUtil.getBytes(body)).orElseThrow());
      mail.add(one);
      onMail.accept(one);
    } catch (ProtocolException malformed) {
      throw new AssertionError(malformed);
    }
  }

  @Override
  public void onReceipt(long sequence, ByteBuf body) {
    heard.add("receipt " + sequence);
  }

  @Override
  public void onDrain(int spreadMs, int drainMs) {
    heard.add("drain " + spreadMs + " " + drainMs);
  }

  @Override
  public void onClose(ErrorCode code, int retryAfterMs, String text) {
    heard.add("close " + code + " " + retryAfterMs + " " + text);
  }

  @Override
  public void onRoundTrip(long nanos, long clockOffsetMs) {
    heard.add("pong");
  }

  @Override
  public void onFailure(ProtocolException failure) {
    heard.add("failure " + failure.code());
  }

  @Override
  public void outputWaiting() {
    // Everything is flushed after each step of the script.
  }

  /// Writes down what comes on a stream, and returns its credit.
  final class Recorder implements StreamListener {
    private final Supplier<MuxStream> stream;

    Recorder(MuxStream stream) {
      this(() -> stream);
    }

    Recorder(Supplier<MuxStream> stream) {
      this.stream = stream;
    }

    @Override
    public void onHead(ByteBuf head, boolean end) {
      heard.add("head " + stream.get().id() + " " + head.getUnsignedShort(0) + (end ? " end" : ""));
    }

    @Override
    public void onData(ByteBuf data, boolean end) {
      int bytes = data.readableBytes();
      heard.add("data " + stream.get().id() + " " + bytes + (end ? " end" : ""));
      stream.get().consumed(bytes);
    }

    @Override
    public void onTiming(Frame.Timing timing) {
      heard.add("timing " + timing.streamId());
    }

    @Override
    public void onReset(ErrorCode code, boolean untouched, String text) {
      heard.add("reset " + stream.get().id() + " " + code + (untouched ? " untouched" : ""));
    }
  }

  /// The connection ends without a word.
  public void hangUp() {
    close();
  }

  @Override
  public void close() {
    try {
      peer.close();
    } catch (IOException late) {
      throw new UncheckedIOException(late);
    }
  }
}
