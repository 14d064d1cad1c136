package io.penstock.codec.mux;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.util.collection.IntObjectHashMap;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Frame;
import io.penstock.codec.Protocol;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.Role;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Optional;
import java.util.function.LongSupplier;

/// The streams of one session (`docs/protocol.md`, section 5): who may open what, what each may
/// send, and in which order frames leave.
///
/// A pure state machine, owned by the session's event loop: frames come in by [#receive], records
/// go out by [#fill], everything else is a call of a stream's user. It never writes by itself; it
/// tells
/// [Listener#outputWaiting] once when there is something to write, and the session calls [#fill] at
/// the end of its tick while the socket takes more.
///
/// Invariants: an id is used once; a stream is in `streams` exactly while it is not closed, and in
/// `ready` at most once (`scheduled`); urgent frames keep their order.
public final class Multiplexer {

  /// What concerns the session as a whole.
  public interface Listener {
    /// The peer opened `stream`. Returns who hears of it; may reset the stream before returning.
    StreamListener onOpen(MuxStream stream, ByteBuf head, boolean end) throws ProtocolException;

    /// There is something to write again.
    void outputWaiting();
  }

  /// Frames of a session that are not DATA may wait up to this; a peer that makes us answer faster
  /// than it reads ends its session.
  private static final int MAX_URGENT_BYTES = 1024 * 1024 + Protocol.MAX_CONTROL_BYTES;

  private static final int TURN_BYTES = 16 * 1024;
  private static final int WORTHWHILE_BYTES = 512;

  private static final int RESETS_PER_SECOND = 2_000;
  private static final int OPENS_PER_SECOND = 10_000;

  private final Role role;
  private final int maxStreams;
  private final CreditPool pool;
  private final LongSupplier nanoTime;
  private final ByteBufAllocator allocator;
  private final Listener listener;

  private final IntObjectHashMap<MuxStream> streams = new IntObjectHashMap<>(16);
  private final ArrayDeque<Outgoing> urgent = new ArrayDeque<>();
  private final ArrayDeque<MuxStream> ready = new ArrayDeque<>();
  private final ArrayList<MuxStream> writable = new ArrayList<>(4);
  private final RateBudget resets;
  private final RateBudget opens;

  private int urgentBytes;
  private int nextId;
  private int highestPeerId;
  private boolean draining;
  private boolean announced;
  private boolean lastFrameWasRekey;
  private boolean closed;

  public Multiplexer(
      Role role,
      int maxStreams,
      CreditPool pool,
      LongSupplier nanoTime,
      ByteBufAllocator allocator,
      Listener listener) {
    this.role = role;
    this.maxStreams = maxStreams;
    this.pool = pool;
    this.nanoTime = nanoTime;
    this.allocator = allocator;
    this.listener = listener;
    nextId = role.firstStreamId();
    resets = new RateBudget(RESETS_PER_SECOND, nanoTime.getAsLong());
    opens = new RateBudget(OPENS_PER_SECOND, nanoTime.getAsLong());
  }

  public int openStreams() {
    return streams.size();
  }

  public int maxStreams() {
    return maxStreams;
  }

  /// Ids are used once: a session whose ids are spent opens nothing more, and its agent should dial
  /// anew.
  public boolean idsSpent() {
    return nextId < 0;
  }

  ByteBufAllocator allocator() {
    return allocator;
  }

  /// Opens a stream. Takes ownership of `head`. Empty when this session has no room, is draining or
  /// over: try another.
  public Optional<MuxStream> open(ByteBuf head, boolean end, StreamListener user) {
    if (closed || draining || idsSpent() || streams.size() >= maxStreams) {
      head.release();
      return Optional.empty();
    }
    var stream = new MuxStream(this, nextId, pool, user);
    nextId += 2;
    streams.put(stream.id(), stream);
    stream.opened(head, end);
    return Optional.of(stream);
  }

  /// From now on neither side's new streams are taken; running ones go on.
  public void drain() {
    draining = true;
  }

  /// Queues a frame of the session itself. Takes ownership of `payload`.
  public void session(int type, int flags, ByteBuf payload) {
    urgent(new Outgoing(type, flags, 0, payload));
  }

  /// A frame of a stream. Frames of the session (stream 0) are not for here.
  public void receive(Frame frame) throws ProtocolException {
    if (frame instanceof Frame.Open open) {
      receiveOpen(open);
      return;
    }
    if (frame instanceof Frame.Reset) {
      spend(resets, "RESETs");
    }
    MuxStream stream = streams.get(frame.streamId());
    if (stream != null) {
      stream.receive(frame);
    } else {
      requireUsed(frame.streamId());
    }
  }

  /// Refuses a peer that makes us answer faster than it reads. Asked after every record.
  public void requireReadingPeer() throws ProtocolException {
    if (urgentBytes > MAX_URGENT_BYTES) {
      throw new ProtocolException(
          ErrorCode.RATE_EXCEEDED,
          "expected at most " + MAX_URGENT_BYTES + " bytes waiting, found " + urgentBytes);
    }
  }

  /// Bytes of frames that wait before all DATA.
  public int urgentBytes() {
    return urgentBytes;
  }

  private void receiveOpen(Frame.Open open) throws ProtocolException {
    int id = open.streamId();
    if (role.opens(id) || id <= highestPeerId) {
      throw new ProtocolException(
          ErrorCode.STREAM_ID,
          "expected an id of the peer above " + highestPeerId + ", found " + id);
    }
    spend(opens, "OPENs");
    highestPeerId = id;
    var stream = new MuxStream(this, id, pool, Unheard.INSTANCE);
    streams.put(id, stream);
    if (draining) {
      stream.reset(ErrorCode.DRAINING, true, "draining");
    } else if (streams.size() > maxStreams) {
      stream.reset(ErrorCode.OVERLOADED, true, "more than " + maxStreams + " streams");
    } else {
      acceptOpen(stream, open);
    }
  }

  private void acceptOpen(MuxStream stream, Frame.Open open) throws ProtocolException {
    stream.peerOpened(open.end());
    try {
      stream.listener(listener.onOpen(stream, open.payload(), open.end()));
    } catch (ProtocolException bad) {
      if (bad.code().ends() != ErrorCode.Ends.STREAM) {
        throw bad;
      }
      stream.reset(bad.code(), true, "OPEN refused");
    }
  }

  private void spend(RateBudget budget, String what) throws ProtocolException {
    if (!budget.spend(nanoTime.getAsLong())) {
      throw new ProtocolException(ErrorCode.RATE_EXCEEDED, "too many " + what + " a second");
    }
  }

  /// Late frames of closed streams are dropped; an id that was never opened is the peer's error.
  private void requireUsed(int id) throws ProtocolException {
    boolean used = role.opens(id) ? id < nextId || idsSpent() : id <= highestPeerId;
    if (!used) {
      throw new ProtocolException(
          ErrorCode.STREAM_ID, "expected the id of an opened stream, found " + id);
    }
  }

  public boolean hasOutput() {
    return !urgent.isEmpty() || !ready.isEmpty();
  }

  /// Appends whole frames to the empty buffer `out`, at most
  /// [Protocol#MAX_WRITTEN_PLAINTEXT_BYTES]. Nothing appended = nothing to send.
  /// A REKEY frame ends its record (section 3).
  public void fill(ByteBuf out) {
    announced = false;
    lastFrameWasRekey = false;
    if (fillUrgent(out)) {
      fillData(out);
    }
    announceWritable();
  }

  /// What the last [#fill] ended with.
  public boolean lastFrameWasRekey() {
    return lastFrameWasRekey;
  }

  /// True when everything urgent is out and there may be room for more.
  private boolean fillUrgent(ByteBuf out) {
    while (!urgent.isEmpty()) {
      Outgoing first = urgent.element();
      int before = first.payload().readableBytes();
      boolean whole = first.write(out, Protocol.MAX_WRITTEN_PLAINTEXT_BYTES);
      if (!whole) {
        urgentBytes -= before - first.payload().readableBytes();
        return false;
      }
      urgentBytes -= before + Protocol.HEADER_BYTES;
      urgent.remove();
      if (first.type() == Protocol.REKEY) {
        lastFrameWasRekey = true;
        return false;
      }
    }
    return true;
  }

  private void fillData(ByteBuf out) {
    while (urgent.isEmpty() && !ready.isEmpty()) {
      int room = Protocol.MAX_WRITTEN_PLAINTEXT_BYTES - out.readableBytes() - Protocol.HEADER_BYTES;
      if (room < WORTHWHILE_BYTES) {
        return;
      }
      MuxStream stream = ready.remove();
      stream.scheduled = false;
      if (stream.hasSendable()) {
        stream.writeData(out, Math.min(room, TURN_BYTES));
        schedule(stream);
      }
    }
  }

  void schedule(MuxStream stream) {
    if (!stream.scheduled && stream.hasSendable()) {
      stream.scheduled = true;
      ready.add(stream);
      announceOutput();
    }
  }

  void urgent(Outgoing frame) {
    if (closed) {
      frame.payload().release();
      return;
    }
    urgentBytes += frame.payload().readableBytes() + Protocol.HEADER_BYTES;
    urgent.add(frame);
    announceOutput();
  }

  private void announceOutput() {
    if (!announced && !closed) {
      announced = true;
      listener.outputWaiting();
    }
  }

  /// Users hear of it after the record is filled, so that what they write joins the next one.
  void announceWritable(MuxStream stream) {
    writable.add(stream);
  }

  private void announceWritable() {
    for (int i = 0; i < writable.size(); i++) {
      writable.get(i).announceWritable();
    }
    writable.clear();
  }

  void forget(MuxStream stream) {
    streams.remove(stream.id());
  }

  /// The session is over: every stream hears `code`; nothing is written any more.
  public void close(ErrorCode code, String text) {
    if (closed) {
      return;
    }
    closed = true;
    for (MuxStream stream : streams.values().toArray(new MuxStream[0])) {
      stream.abort(code, false, text);
    }
    urgent.forEach(frame -> frame.payload().release());
    urgent.clear();
    ready.clear();
    urgentBytes = 0;
  }

  /// Stands in while a stream's OPEN is being read.
  private enum Unheard implements StreamListener {
    INSTANCE;

    @Override
    public void onData(ByteBuf data, boolean end) {
      throw new IllegalStateException("DATA before OPEN was read");
    }

    @Override
    public void onReset(ErrorCode code, boolean untouched, String text) {
      // Nobody has begun anything for this stream.
    }
  }
}
