package io.penstock.codec.session;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Protocol;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.Role;
import io.penstock.codec.message.ControlMessage;
import io.penstock.codec.mux.CreditPool;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;
import io.penstock.codec.noise.Handshake;
import io.penstock.codec.noise.HandshakeException;
import io.penstock.codec.noise.StaticKeyPair;
import io.penstock.codec.noise.Suite;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/// What the codec costs of whole calls, at both ends: two sessions back to back, without sockets.
/// The broker opens streams, the agent answers each with a head, a body and its times.
@State(Scope.Thread)
public class SessionBench {
  private static final byte[] OPEN = new byte[300];
  private static final byte[] HEAD = new byte[200];

  @Param({"1024", "65536"})
  int bodyBytes;

  private final VirtualClock clock = new VirtualClock();
  private final End agent;
  private final End broker;
  private final byte[] body = new byte[64 * 1024];
  private int ended;

  public SessionBench() {
    StaticKeyPair brokerKeys = StaticKeyPair.generate();
    StaticKeyPair agentKeys = StaticKeyPair.generate();
    var initiator = Handshake.initiator(Suite.XXHFS, new byte[0], agentKeys);
    var responder = Handshake.responder(Suite.XXHFS, new byte[0], brokerKeys);
    try {
      responder.readMessage(initiator.writeMessage(new byte[0]));
      initiator.readMessage(responder.writeMessage(new byte[0]));
      responder.readMessage(initiator.writeMessage(new byte[0]));
    } catch (HandshakeException broken) {
      throw new IllegalStateException(broken);
    }
    agent = new End(Role.AGENT, initiator, agentKeys);
    broker = new End(Role.BROKER, responder, brokerKeys);
  }

  /// One call on an idle tunnel: a record there, and what its answer needs back.
  @Benchmark
  public int oneCall() throws ProtocolException {
    return calls(1);
  }

  /// Sixteen calls at once, whose frames share records.
  @Benchmark
  public int sixteenCalls() throws ProtocolException {
    return calls(16);
  }

  private int calls(int count) throws ProtocolException {
    clock.nanos += TimeUnit.MICROSECONDS.toNanos(10L * count);
    ended = 0;
    for (int i = 0; i < count; i++) {
      var answer = new Answer();
      answer.stream = broker.core.open(Unpooled.wrappedBuffer(OPEN), true, answer).orElseThrow();
    }
    boolean moved = true;
    while (moved) {
      moved = move(broker, agent);
      moved |= move(agent, broker);
    }
    if (ended != count) {
      throw new IllegalStateException("expected " + count + " answers, found " + ended);
    }
    return ended;
  }

  private static boolean move(End from, End to) throws ProtocolException {
    boolean moved = false;
    for (ByteBuf record = from.core.nextRecord(); record != null; record = from.core.nextRecord()) {
      to.core.receive(record);
      record.release();
      moved = true;
    }
    return moved;
  }

  /// The broker's reader of an answer, which passes everything on at once.
  private final class Answer implements StreamListener {
    @SuppressWarnings("NullAway.Init") // set as soon as the stream is there
    MuxStream stream;

    @Override
    public void onData(ByteBuf data, boolean end) {
      stream.consumed(data.readableBytes());
      if (end) {
        ended++;
      }
    }

    @Override
    public void onReset(ErrorCode code, boolean untouched, String text) {
      throw new IllegalStateException("reset " + code);
    }
  }

  /// The agent's side of a call: a source that stops while its stream is not writable.
  private final class Source implements StreamListener {
    private final MuxStream stream;
    private int left = bodyBytes;

    Source(MuxStream stream) {
      this.stream = stream;
    }

    void begin() {
      stream.head(Unpooled.wrappedBuffer(HEAD), false);
      stream.timing(1, 2, 3, 4);
      onWritable();
    }

    @Override
    public void onWritable() {
      while (left > 0 && stream.isWritable()) {
        int length = Math.min(left, Protocol.MAX_WRITTEN_PAYLOAD_BYTES);
        left -= length;
        stream.data(Unpooled.wrappedBuffer(body, 0, length), left == 0);
      }
    }

    @Override
    public void onData(ByteBuf data, boolean end) {
      throw new IllegalStateException("expected no body");
    }

    @Override
    public void onReset(ErrorCode code, boolean untouched, String text) {
      throw new IllegalStateException("reset " + code);
    }
  }

  private static final class VirtualClock implements Clock {
    long nanos = TimeUnit.HOURS.toNanos(1);

    @Override
    public long nanoTime() {
      return nanos;
    }

    @Override
    public long wallClockMs() {
      return TimeUnit.NANOSECONDS.toMillis(nanos);
    }
  }

  private final class End implements SessionCore.Listener {
    final SessionCore core;

    End(Role role, Handshake handshake, StaticKeyPair own) {
      core =
          new SessionCore(
              new SessionCore.Established(
                  role, handshake.split(), handshake.hash(), own, handshake.remoteStatic()),
              Protocol.DEFAULT_MAX_STREAMS,
              new CreditPool(64L << 20),
              clock,
              work -> work.get().run(),
              new Scratch(),
              ByteBufAllocator.DEFAULT,
              this);
    }

    @Override
    public StreamListener onOpen(MuxStream stream, ByteBuf head, boolean end) {
      var source = new Source(stream);
      source.begin();
      return source;
    }

    @Override
    public void onControl(ControlMessage message) {
      throw new IllegalStateException("expected no control message");
    }

    @Override
    public void onMessage(long sequence, ByteBuf body) {
      throw new IllegalStateException("expected no message");
    }

    @Override
    public void onReceipt(long sequence, ByteBuf body) {
      throw new IllegalStateException("expected no receipt");
    }

    @Override
    public void onDrain(int spreadMs, int drainMs) {
      throw new IllegalStateException("expected no drain");
    }

    @Override
    public void onClose(ErrorCode code, int retryAfterMs, String text) {
      throw new IllegalStateException("closed: " + code);
    }

    @Override
    public void onRoundTrip(long nanos, long clockOffsetMs) {
      throw new IllegalStateException("expected no round trip");
    }

    @Override
    public void onFailure(ProtocolException failure) {
      throw new IllegalStateException(failure);
    }

    @Override
    public void outputWaiting() {
      // Records move in the bench's own order.
    }
  }
}
