package io.penstock.codec.session;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Frame;
import io.penstock.codec.Protocol;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.Role;
import io.penstock.codec.frame.FrameReader;
import io.penstock.codec.frame.FrameWriter;
import io.penstock.codec.message.ControlMessage;
import io.penstock.codec.message.Messages;
import io.penstock.codec.mux.CreditPool;
import io.penstock.codec.mux.Multiplexer;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;
import io.penstock.codec.noise.CipherState;
import io.penstock.codec.noise.PublicKey;
import io.penstock.codec.noise.RecordException;
import io.penstock.codec.noise.StaticKeyPair;
import io.penstock.codec.noise.Transport;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A session from its handshake's end on: records in, records out (`docs/protocol.md`, sections 3
/// to 8).
///
/// Owned by one event loop. The socket's side hands every WebSocket message to [#receive], calls
/// [#nextRecord] at the end of the tick after [Listener#outputWaiting] (and whenever the socket
/// takes more) until it returns null, calls [#tick] every [Protocol#TICK_MS], and ends the
/// connection when any of them throws: a session that threw is dead.
public final class SessionCore {

  /// What concerns more than one stream.
  public interface Listener {
    /// The peer opened a stream; `head` is its whole OPEN payload.
    StreamListener onOpen(MuxStream stream, ByteBuf head, boolean end) throws ProtocolException;

    void onControl(ControlMessage message) throws ProtocolException;

    void onMessage(long sequence, ByteBuf body) throws ProtocolException;

    void onReceipt(long sequence, ByteBuf body) throws ProtocolException;

    void onDrain(int spreadMs, int drainMs);

    /// The peer ends the session; its socket will close.
    void onClose(ErrorCode code, int retryAfterMs, String text);

    /// A PING was answered. `clockOffsetMs`: the peer's wall clock ahead of ours.
    void onRoundTrip(long nanos, long clockOffsetMs);

    /// The fresh handshake failed later than in [SessionCore#receive]: end the connection.
    void onFailure(ProtocolException failure);

    /// [SessionCore#nextRecord] has something again.
    void outputWaiting();
  }

  /// Who is talking and with which keys: the outcome of a handshake.
  ///
  /// @param hash handshake hash, 32 bytes
  public record Established(
      Role role, Transport keys, byte[] hash, StaticKeyPair own, PublicKey peer) {}

  private static final long FRESH_KEYS_AFTER_NANOS = TimeUnit.HOURS.toNanos(1);
  private static final long FRESH_KEYS_AFTER_BYTES = 64L << 30;

  private final Role role;
  private final Clock clock;
  private final Scratch scratch;
  private final ByteBufAllocator allocator;
  private final Listener listener;
  private final FrameReader reader = new FrameReader(this::frame);
  private final Multiplexer multiplexer;
  private final Liveness liveness;
  private final FreshKeys freshKeys;

  private byte[] hash;
  private CipherState send;
  private CipherState receive;
  private @Nullable CipherState nextSend;
  private @Nullable CipherState nextReceive;
  private @Nullable CipherState receiveAfterStep4;
  private byte @Nullable [] nextHash;
  private long keysSinceNanos;
  private long bytesUnderKeys;
  private int freshHandshakes;
  private boolean closed;

  public SessionCore(
      Established established,
      int maxStreams,
      CreditPool pool,
      Clock clock,
      Worker worker,
      Scratch scratch,
      ByteBufAllocator allocator,
      Listener listener) {
    role = established.role();
    hash = established.hash();
    send = established.keys().send();
    receive = established.keys().receive();
    this.clock = clock;
    this.scratch = scratch;
    this.allocator = allocator;
    this.listener = listener;
    long now = clock.nanoTime();
    liveness = new Liveness(now);
    keysSinceNanos = now;
    freshKeys = new FreshKeys(role, established.own(), established.peer(), worker);
    multiplexer =
        new Multiplexer(role, maxStreams, pool, clock::nanoTime, allocator, new StreamsOfPeer());
  }

  public Multiplexer streams() {
    return multiplexer;
  }

  public Optional<MuxStream> open(ByteBuf head, boolean end, StreamListener user) {
    return multiplexer.open(head, end, user);
  }

  public void send(ControlMessage message) {
    multiplexer.session(Protocol.CONTROL, 0, Unpooled.wrappedBuffer(Messages.encode(message)));
  }

  /// Says that this side goes away: no new streams from now on.
  public void drain(int spreadMs, int drainMs) {
    multiplexer.drain();
    multiplexer.session(Protocol.DRAIN, 0, Unpooled.buffer(8).writeInt(spreadMs).writeInt(drainMs));
  }

  /// Queues CLOSE as the last frame. The socket's side flushes, then closes.
  public void sendClose(ErrorCode code, int retryAfterMs, String text) {
    ByteBuf frame = Unpooled.buffer(64);
    FrameWriter.close(frame, code, retryAfterMs, text);
    multiplexer.session(Protocol.CLOSE, 0, frame.skipBytes(Protocol.HEADER_BYTES));
  }

  public void ping() {
    long now = clock.nanoTime();
    liveness.pingSent(now);
    multiplexer.session(Protocol.PING, 0, Unpooled.buffer(8).writeLong(now));
  }

  /// The connection is over: every stream hears `code`. Calling it again does nothing.
  public void close(ErrorCode code, String text) {
    if (!closed) {
      closed = true;
      reader.close();
      multiplexer.close(code, text);
    }
  }

  /// Opens one record and acts on its frames. The caller keeps owning `record`.
  public void receive(ByteBuf record) throws ProtocolException {
    int length = record.readableBytes();
    if (length < Protocol.HEADER_BYTES + Protocol.TAG_BYTES || length > Protocol.MAX_RECORD_BYTES) {
      throw new ProtocolException(
          ErrorCode.BAD_RECORD, "expected a record of 24 to 65535 bytes, found " + length);
    }
    ByteBuf plaintext = allocator.heapBuffer(length - Protocol.TAG_BYTES);
    try {
      plaintext.writerIndex(open(record, length, plaintext));
      bytesUnderKeys += length;
      liveness.recordReceived(clock.nanoTime());
      reader.read(plaintext);
      multiplexer.requireReadingPeer();
    } finally {
      plaintext.release();
    }
    if (nextReceive != null) {
      receive = nextReceive;
      nextReceive = null;
    }
  }

  @SuppressWarnings("ReferenceEquality") // whether it is the same memory
  private int open(ByteBuf record, int length, ByteBuf plaintext) throws ProtocolException {
    byte[] in;
    int offset;
    // Not within one array, as two buffers of a pool may be: the JDK would make another of its
    // length first.
    if (record.hasArray() && record.array() != plaintext.array()) {
      in = record.array();
      offset = record.arrayOffset() + record.readerIndex();
    } else {
      in = scratch.ciphertext;
      offset = 0;
      record.getBytes(record.readerIndex(), in, 0, length);
    }
    try {
      int opened = receive.open(in, offset, length, plaintext.array(), plaintext.arrayOffset());
      rekeyWhenDue(receive);
      return opened;
    } catch (RecordException bad) {
      throw new ProtocolException(ErrorCode.BAD_RECORD, "a record does not open");
    }
  }

  /// The next record to write, or null when nothing waits. The caller owns it.
  public @Nullable ByteBuf nextRecord() {
    return nextRecord(0);
  }

  /// As [#nextRecord()], with `headRoom` bytes free before the record's first, for the header of a
  /// WebSocket message.
  public @Nullable ByteBuf nextRecord(int headRoom) {
    ByteBuf plaintext = scratch.plaintext.clear();
    multiplexer.fill(plaintext);
    int length = plaintext.readableBytes();
    if (length == 0) {
      return null;
    }
    ByteBuf record = allocator.heapBuffer(headRoom + length + Protocol.TAG_BYTES);
    int sealed =
        send.seal(
            plaintext.array(),
            plaintext.arrayOffset(),
            length,
            record.array(),
            record.arrayOffset() + headRoom);
    record.setIndex(headRoom, headRoom + sealed);
    bytesUnderKeys += sealed;
    rekeyWhenDue(send);
    if (nextSend != null && multiplexer.lastFrameWasRekey()) {
      send = nextSend;
      nextSend = null;
      keysSwitched();
    }
    return record;
  }

  private static void rekeyWhenDue(CipherState cipher) {
    if (cipher.nonce() % Protocol.REKEY_RECORDS == 0) {
      cipher.rekey();
    }
  }

  /// Time passes. Throws SILENT when the peer is gone.
  public void tick() throws ProtocolException {
    long now = clock.nanoTime();
    switch (liveness.check(now)) {
      case ALIVE -> {}
      case PING -> ping();
      case DEAD ->
          throw new ProtocolException(
              ErrorCode.SILENT,
              "nothing was received for almost " + Protocol.DEAD_AFTER_MS + " ms");
    }
    boolean old =
        now - keysSinceNanos >= FRESH_KEYS_AFTER_NANOS || bytesUnderKeys >= FRESH_KEYS_AFTER_BYTES;
    if (old && role == Role.AGENT) {
      requestFreshKeys();
    }
  }

  /// Agent: starts a fresh handshake inside the session, unless one is under way.
  public void requestFreshKeys() {
    if (!freshKeys.underWay() && receiveAfterStep4 == null) {
      freshKeys.begin(hash, this::answerRekey, listener::onFailure);
    }
  }

  private void frame(Frame frame) throws ProtocolException {
    if (nextReceive != null) {
      throw new ProtocolException(
          ErrorCode.HANDSHAKE, "expected no frame behind REKEY in its record");
    }
    switch (frame) {
      case Frame.Control it -> receiveControl(it);
      case Frame.Ping it ->
          multiplexer.session(
              Protocol.PING,
              Protocol.ACK,
              Unpooled.buffer(16).writeLong(it.opaque()).writeLong(clock.wallClockMs()));
      case Frame.Pong it -> receivePong(it);
      case Frame.Message it -> listener.onMessage(it.sequence(), it.body());
      case Frame.Receipt it -> listener.onReceipt(it.sequence(), it.body());
      case Frame.Rekey it -> receiveRekey(it);
      case Frame.Drain it -> {
        multiplexer.drain();
        listener.onDrain(it.spreadMs(), it.drainMs());
      }
      case Frame.Close it -> listener.onClose(it.code(), it.retryAfterMs(), it.text());
      default -> multiplexer.receive(frame);
    }
  }

  private void receiveRekey(Frame.Rekey rekey) throws ProtocolException {
    if (role == Role.AGENT && rekey.step() == 4) {
      if (receiveAfterStep4 == null) {
        throw new ProtocolException(ErrorCode.HANDSHAKE, "REKEY step 4 before step 3");
      }
      nextReceive = receiveAfterStep4;
      receiveAfterStep4 = null;
      return;
    }
    byte[] message = ByteBufUtil.getBytes(rekey.handshakeMessage());
    freshKeys.received(rekey.step(), message, hash, this::answerRekey, listener::onFailure);
  }

  private void answerRekey(FreshKeys.Outcome outcome) {
    if (closed) {
      return;
    }
    ByteBuf payload = Unpooled.buffer(1 + outcome.message().length);
    multiplexer.session(
        Protocol.REKEY, 0, payload.writeByte(outcome.step()).writeBytes(outcome.message()));
    Transport keys = outcome.keys();
    if (keys == null) {
      return;
    }
    nextSend = keys.send();
    nextHash = outcome.hash();
    if (role == Role.BROKER) {
      nextReceive = keys.receive();
    } else {
      receiveAfterStep4 = keys.receive();
    }
  }

  /// How many fresh handshakes this session has had.
  int freshHandshakes() {
    return freshHandshakes;
  }

  private void keysSwitched() {
    freshHandshakes++;
    if (nextHash != null) {
      hash = nextHash;
      nextHash = null;
    }
    keysSinceNanos = clock.nanoTime();
    bytesUnderKeys = 0;
  }

  private void receiveControl(Frame.Control frame) throws ProtocolException {
    Optional<ControlMessage> message = Messages.decode(ByteBufUtil.getBytes(frame.payload()));
    if (message.isPresent()) {
      listener.onControl(message.get());
    }
  }

  private void receivePong(Frame.Pong pong) {
    long roundTrip = liveness.pongReceived(pong.opaque(), clock.nanoTime());
    if (roundTrip >= 0) {
      long halfMs = TimeUnit.NANOSECONDS.toMillis(roundTrip / 2);
      listener.onRoundTrip(roundTrip, pong.wallClockMs() + halfMs - clock.wallClockMs());
    }
  }

  private final class StreamsOfPeer implements Multiplexer.Listener {
    @Override
    public StreamListener onOpen(MuxStream stream, ByteBuf head, boolean end)
        throws ProtocolException {
      return listener.onOpen(stream, head, end);
    }

    @Override
    public void outputWaiting() {
      listener.outputWaiting();
    }
  }
}
