package io.penstock.codec.mux;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Frame;
import io.penstock.codec.Protocol;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.frame.FrameWriter;
import java.util.ArrayDeque;

/// One stream of a session, as its local user sees it. Owned by the session's event loop; every
/// method must be called there.
///
/// Sending: data waits here until there is credit and its turn has come; [#isWritable] turns false
/// above 32 KiB, and a source that respects it is never buffered without bound.
/// Receiving: the reader returns credit by [#consumed].
public final class MuxStream {
  private static final int HIGH_WATER_BYTES = 32 * 1024;
  private static final int LOW_WATER_BYTES = 16 * 1024;

  private final Multiplexer multiplexer;
  private final int id;
  private final ReceiveCredit receiveCredit;
  private StreamListener listener;

  // Sending.
  private final ArrayDeque<ByteBuf> data = new ArrayDeque<>(4);
  private final ArrayDeque<Outgoing> afterData = new ArrayDeque<>(2);
  private int queuedBytes;
  private int sendCredit = Protocol.INITIAL_CREDIT_BYTES;
  private boolean unwritable;
  private boolean endQueued;
  private boolean endSent;
  private boolean stopsPeer;
  boolean scheduled;

  // Receiving.
  private boolean peerEnded;

  private boolean closed;

  MuxStream(Multiplexer multiplexer, int id, CreditPool pool, StreamListener listener) {
    this.multiplexer = multiplexer;
    this.id = id;
    this.listener = listener;
    receiveCredit = new ReceiveCredit(pool);
  }

  public int id() {
    return id;
  }

  /// Reset, or ended in both directions: nothing can be sent or will arrive.
  public boolean isClosed() {
    return closed;
  }

  /// The peer has sent its END.
  public boolean peerEnded() {
    return peerEnded;
  }

  public boolean isWritable() {
    return !closed && !endQueued && !unwritable;
  }

  /// Sends a HEAD. Takes ownership of `head`.
  public void head(ByteBuf head, boolean end) {
    control(Protocol.HEAD, end, head);
  }

  /// Sends body bytes. Takes ownership of `bytes`; an empty buffer with `end` is fine.
  public void data(ByteBuf bytes, boolean end) {
    if (closed || endQueued) {
      bytes.release();
      return;
    }
    endQueued = end;
    int length = bytes.readableBytes();
    if (length == 0) {
      bytes.release();
    } else {
      data.add(bytes);
      queuedBytes += length;
      unwritable = queuedBytes >= HIGH_WATER_BYTES;
    }
    if (length > 0 || end) {
      multiplexer.schedule(this);
    }
  }

  /// Sends trailers, the end of our direction. Takes ownership of `fields`.
  public void trailers(ByteBuf fields) {
    control(Protocol.TRAILERS, true, fields);
  }

  /// Sends the agent's stamps in microseconds; before the frame that ends our direction.
  public void timing(long agentMicros, long connectMicros, long firstByteMicros, long totalMicros) {
    ByteBuf frame = Unpooled.buffer(Protocol.HEADER_BYTES + 16);
    FrameWriter.timing(frame, id, agentMicros, connectMicros, firstByteMicros, totalMicros);
    frame.skipBytes(Protocol.HEADER_BYTES);
    control(Protocol.TIMING, false, frame);
  }

  /// This side has answered and needs no more of the peer's body: RESET with NO_ERROR follows our
  /// END (section 5), at once or as soon as END is out. Until then the listener still hears what
  /// arrives.
  public void stopPeerAfterEnd() {
    stopsPeer = true;
    if (endSent && !closed) {
      endSent();
    }
  }

  /// Ends the stream at once in both directions; what waits to be sent is dropped. The listener
  /// hears nothing any more.
  public void reset(ErrorCode code, boolean untouched, String text) {
    if (closed) {
      return;
    }
    ByteBuf frame = Unpooled.buffer(64);
    FrameWriter.reset(frame, id, code, untouched, text);
    frame.skipBytes(Protocol.HEADER_BYTES);
    close();
    multiplexer.urgent(new Outgoing(Protocol.RESET, 0, id, frame));
  }

  /// The reader has passed on `bytes` of what [StreamListener#onData] brought.
  public void consumed(int bytes) {
    if (closed || bytes == 0) {
      return;
    }
    int grant = receiveCredit.consumed(bytes);
    if (grant > 0 && !peerEnded) {
      multiplexer.urgent(new Outgoing(Protocol.CREDIT, 0, id, Unpooled.buffer(4).writeInt(grant)));
    }
  }

  /// Bytes that arrived and were not consumed yet.
  public int bufferedBytes() {
    return receiveCredit.buffered();
  }

  /// Replaces the listener, for a stream whose reader is known only after its OPEN was read.
  public void listener(StreamListener next) {
    listener = next;
  }

  /// Sends OPEN, the first frame of a stream of ours.
  void opened(ByteBuf head, boolean end) {
    control(Protocol.OPEN, end, head);
  }

  /// The peer's OPEN has been read.
  void peerOpened(boolean end) {
    peerEnded = end;
  }

  /// HEAD, TRAILERS and TIMING: at once while no data waits in front of them, else behind it.
  private void control(int type, boolean end, ByteBuf payload) {
    if (closed || endQueued) {
      payload.release();
      return;
    }
    endQueued = end;
    var frame = new Outgoing(type, end ? Protocol.END : 0, id, payload);
    if (data.isEmpty() && afterData.isEmpty()) {
      sendControl(frame);
    } else {
      afterData.add(frame);
    }
  }

  private void sendControl(Outgoing frame) {
    multiplexer.urgent(frame);
    if ((frame.flags() & Protocol.END) != 0) {
      endSent();
    }
  }

  // What the multiplexer asks.

  boolean hasSendable() {
    if (closed || endSent) {
      return false;
    }
    return data.isEmpty() ? endQueued && afterData.isEmpty() : sendCredit > 0;
  }

  /// Writes one DATA frame of at most `room` payload bytes, as credit allows.
  void writeData(ByteBuf out, int room) {
    int length = Math.min(Math.min(queuedBytes, sendCredit), room);
    boolean last = length == queuedBytes && endQueued && afterData.isEmpty();
    int header = out.writerIndex();
    FrameWriter.frame(out, Protocol.DATA, last ? Protocol.END : 0, id, Unpooled.EMPTY_BUFFER, 0);
    int left = length;
    while (left > 0) {
      ByteBuf first = data.element();
      int part = Math.min(left, first.readableBytes());
      out.writeBytes(first, part);
      left -= part;
      if (!first.isReadable()) {
        data.remove().release();
      }
    }
    out.setShort(header + 2, length);
    sendCredit -= length;
    queuedBytes -= length;
    if (sendCredit == 0 && queuedBytes > 0) {
      out.setByte(header + 1, Protocol.WANT);
    }
    if (last) {
      endSent();
      return;
    }
    while (data.isEmpty() && !afterData.isEmpty()) {
      sendControl(afterData.remove());
    }
    becomeWritable();
  }

  private void becomeWritable() {
    if (unwritable && queuedBytes <= LOW_WATER_BYTES && !endQueued) {
      unwritable = false;
      multiplexer.announceWritable(this);
    }
  }

  void announceWritable() {
    if (isWritable()) {
      listener.onWritable();
    }
  }

  private void endSent() {
    endSent = true;
    if (stopsPeer && !peerEnded) {
      reset(ErrorCode.NO_ERROR, false, "");
    } else {
      closeWhenBothEnded();
    }
  }

  private void closeWhenBothEnded() {
    if (endSent && peerEnded) {
      close();
    }
  }

  /// Frees what waits; the session forgets the stream.
  void close() {
    if (closed) {
      return;
    }
    closed = true;
    data.forEach(ByteBuf::release);
    data.clear();
    afterData.forEach(frame -> frame.payload().release());
    afterData.clear();
    queuedBytes = 0;
    receiveCredit.close();
    multiplexer.forget(this);
  }

  /// A frame of the peer on this stream.
  void receive(Frame frame) throws ProtocolException {
    switch (frame) {
      case Frame.Data it -> receiveData(it);
      case Frame.Head it -> {
        if (mayReceive()) {
          ended(it.end());
          listener.onHead(it.payload(), it.end());
          closeWhenBothEnded();
        }
      }
      case Frame.Trailers it -> {
        if (mayReceive()) {
          ended(true);
          listener.onTrailers(it.payload());
          closeWhenBothEnded();
        }
      }
      case Frame.Timing it -> listener.onTiming(it);
      case Frame.Credit it -> receiveCredit(it.bytes());
      case Frame.Reset it -> {
        close();
        listener.onReset(it.code(), it.untouched(), it.text());
      }
      default -> throw new IllegalStateException("not a frame of a stream: " + frame.getClass());
    }
  }

  private void receiveData(Frame.Data frame) throws ProtocolException {
    int length = frame.payload().readableBytes();
    if (!receiveCredit.received(length)) {
      throw new ProtocolException(
          ErrorCode.CREDIT_EXCEEDED,
          "stream " + id + ": " + length + " bytes are more than its credit");
    }
    if (mayReceive()) {
      ended(frame.end());
      if (frame.want()) {
        receiveCredit.wanted();
      }
      listener.onData(frame.payload(), frame.end());
      closeWhenBothEnded();
    }
  }

  private void receiveCredit(int bytes) throws ProtocolException {
    if (sendCredit > Protocol.MAX_CREDIT_BYTES - bytes) {
      throw new ProtocolException(
          ErrorCode.PROTOCOL_ERROR,
          "stream "
              + id
              + ": expected credit of at most "
              + Protocol.MAX_CREDIT_BYTES
              + " bytes in all");
    }
    sendCredit += bytes;
    multiplexer.schedule(this);
  }

  private void ended(boolean end) {
    peerEnded |= end;
  }

  /// A frame after the peer's END: the stream is reset on both ends.
  private boolean mayReceive() {
    if (!peerEnded) {
      return true;
    }
    reset(ErrorCode.STREAM_STATE, false, "frame after END");
    listener.onReset(ErrorCode.STREAM_STATE, false, "frame after END");
    return false;
  }

  void abort(ErrorCode code, boolean untouched, String text) {
    if (!closed) {
      close();
      listener.onReset(code, untouched, text);
    }
  }

  /// Buffers for the owner of this stream.
  public ByteBufAllocator allocator() {
    return multiplexer.allocator();
  }
}
