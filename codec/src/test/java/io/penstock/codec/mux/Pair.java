package io.penstock.codec.mux;

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
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;

/// A broker's and an agent's multiplexer, back to back without encryption; records move when the
/// test says so.
final class Pair {
  long nowNanos;
  final CreditPool brokerPool = new CreditPool(64 * 1024 * 1024);
  final CreditPool agentPool = new CreditPool(64 * 1024 * 1024);
  final Side broker;
  final Side agent;

  Pair() {
    this(Protocol.DEFAULT_MAX_STREAMS);
  }

  Pair(int maxStreams) {
    broker = new Side(Role.BROKER, maxStreams, brokerPool);
    agent = new Side(Role.AGENT, maxStreams, agentPool);
  }

  /// One end: its multiplexer and the streams that the peer opened here.
  final class Side implements Multiplexer.Listener {
    final Multiplexer multiplexer;
    final FrameReader reader;
    final List<Ear> opened = new ArrayList<>();
    int announcements;
    boolean autoConsume = true;

    Side(Role role, int maxStreams, CreditPool pool) {
      multiplexer =
          new Multiplexer(role, maxStreams, pool, () -> nowNanos, ByteBufAllocator.DEFAULT, this);
      reader = new FrameReader(multiplexer::receive);
    }

    @Override
    public StreamListener onOpen(MuxStream stream, ByteBuf head, boolean end) {
      var ear = new Ear(this);
      ear.stream = stream;
      ear.head = ByteBufUtil.getBytes(head);
      opened.add(ear);
      return ear;
    }

    @Override
    public void outputWaiting() {
      announcements++;
    }

    MuxStream open(Ear ear, boolean end) {
      MuxStream stream =
          multiplexer.open(Unpooled.wrappedBuffer(new byte[] {1}), end, ear).orElseThrow();
      ear.stream = stream;
      return stream;
    }
  }

  /// Hears one stream and remembers.
  static final class Ear implements StreamListener {
    private final Side side;

    @SuppressWarnings("NullAway.Init") // set as soon as the stream is there
    MuxStream stream;

    byte[] head = {};
    final ByteArrayOutputStream data = new ByteArrayOutputStream();
    final List<String> events = new ArrayList<>();
    int held;

    Ear(Side side) {
      this.side = side;
    }

    @Override
    public void onHead(ByteBuf bytes, boolean end) {
      events.add("head" + (end ? " end" : ""));
    }

    @Override
    public void onData(ByteBuf bytes, boolean end) {
      int length = bytes.readableBytes();
      data.writeBytes(ByteBufUtil.getBytes(bytes));
      if (end) {
        events.add("end");
      }
      if (side.autoConsume) {
        stream.consumed(length);
      } else {
        held += length;
      }
    }

    @Override
    public void onTrailers(ByteBuf fields) {
      events.add("trailers");
    }

    @Override
    public void onTiming(Frame.Timing timing) {
      events.add("timing " + timing.agentMicros());
    }

    @Override
    public void onReset(ErrorCode code, boolean untouched, String text) {
      events.add("reset " + code + (untouched ? " untouched" : ""));
    }

    @Override
    public void onWritable() {
      events.add("writable");
    }

    void consumeHeld() {
      int bytes = held;
      held = 0;
      stream.consumed(bytes);
    }
  }

  /// Moves one record of `from`; false when there was none.
  boolean move(Side from) throws ProtocolException {
    Side to = from == broker ? agent : broker;
    ByteBuf record = Unpooled.buffer();
    from.multiplexer.fill(record);
    if (!record.isReadable()) {
      return false;
    }
    to.reader.read(record);
    return true;
  }

  /// Moves at most `records` records of `from`.
  void moveRecords(Side from, int records) throws ProtocolException {
    for (int i = 0; i < records; i++) {
      move(from);
    }
  }

  /// Moves records until both ends are quiet.
  void settle() throws ProtocolException {
    boolean moved = true;
    while (moved) {
      moved = move(broker);
      moved |= move(agent);
    }
  }
}
