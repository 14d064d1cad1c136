package io.penstock.loadtest.network;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.concurrent.Future;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// One direction of a [Relay]: reads from one socket, and writes to the other when it is time.
///
/// What is on the way is bounded, as a TCP window bounds it: beyond, nothing more is read, and the
/// sender's own socket fills up. A receiver that does not read holds it up in the same way. All of
/// it runs on the proxy's event loop.
final class OneWay extends ChannelInboundHandlerAdapter {
  /// About the largest window that Linux gives a connection by itself.
  static final int MOST_BYTES = 4 << 20;

  private static final int FEWEST_BYTES = 16 << 10;

  /// Of a router in front of a slow line, beside what is on the line.
  private static final long ROUTER_QUEUE_NANOS = 100_000_000;

  /// So that tiny pieces stay bounded, too.
  private static final int MOST_PIECES = 16_384;

  private final Relay relay;
  private final Supplier<Network> line;
  private final Arrivals arrivals;
  private final Deque<Piece> onTheWay = new ArrayDeque<>();
  private final long notBeforeNanos;
  private @Nullable Channel from;
  private @Nullable Channel to;
  private @Nullable Future<?> timer;
  private long bytes;
  private boolean ended;
  private boolean delivered;

  /// Writing and flushing change whether the receiver's socket is writable, and so come back here.
  private boolean delivering;

  /// What travels.
  private sealed interface Piece {
    long dueNanos();

    record Bytes(long dueNanos, ByteBuf content) implements Piece {}

    /// The sender has said all.
    record End(long dueNanos) implements Piece {}

    /// The sender's connection broke.
    record Reset(long dueNanos) implements Piece {}
  }

  /// @param notBeforeNanos bytes that come earlier count as sent then
  OneWay(Relay relay, Supplier<Network> line, Arrivals arrivals, long notBeforeNanos) {
    this.relay = relay;
    this.line = line;
    this.arrivals = arrivals;
    this.notBeforeNanos = notBeforeNanos;
  }

  /// Both sockets are there: it begins to read.
  void connect(Channel source, Channel destination) {
    from = source;
    to = destination;
    readIfThereIsRoom();
    schedule();
  }

  /// Whether all was handed over, its end too.
  boolean isDelivered() {
    return delivered;
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    ByteBuf content = exact(context, (ByteBuf) message);
    bytes += content.readableBytes();
    enter(new Piece.Bytes(due(content.readableBytes()), content));
    if (isFull()) {
      context.channel().config().setAutoRead(false);
    }
  }

  /// Of a buffer with more room than content only the content is kept.
  private static ByteBuf exact(ChannelHandlerContext context, ByteBuf read) {
    if (read.readableBytes() >= read.capacity() / 2) {
      return read;
    }
    try {
      return context.alloc().buffer(read.readableBytes()).writeBytes(read);
    } finally {
      read.release();
    }
  }

  private long due(int length) {
    long sent = Math.max(System.nanoTime(), notBeforeNanos);
    return arrivals.arrivalNanos(line.get(), sent, length);
  }

  private boolean isFull() {
    return bytes >= most(line.get()) || onTheWay.size() >= MOST_PIECES;
  }

  /// On a slow line what its delay and the router's queue hold; on one without limit, the window.
  private static long most(Network line) {
    if (line.bytesPerSecond() == 0) {
      return MOST_BYTES;
    }
    double seconds = (line.delay().toNanos() + ROUTER_QUEUE_NANOS) / 1e9;
    return Math.clamp(Math.round(line.bytesPerSecond() * seconds), FEWEST_BYTES, MOST_BYTES);
  }

  private void enter(Piece piece) {
    onTheWay.add(piece);
    if (onTheWay.size() == 1) {
      schedule();
    }
  }

  private void schedule() {
    Piece first = onTheWay.peek();
    Channel destination = to;
    if (first != null && destination != null && timer == null) {
      long wait = Math.max(0, first.dueNanos() - System.nanoTime());
      timer = destination.eventLoop().schedule(this::itIsTime, wait, TimeUnit.NANOSECONDS);
    }
  }

  private void itIsTime() {
    timer = null;
    deliver();
  }

  /// Hands over what is due, as far as the receiver takes it.
  void deliver() {
    Channel destination = to;
    if (destination == null || delivering) {
      return;
    }
    delivering = true;
    deliver(destination);
    delivering = false;
    readIfThereIsRoom();
    if (destination.isWritable()) {
      schedule();
    }
  }

  private void deliver(Channel destination) {
    long now = System.nanoTime();
    while (!onTheWay.isEmpty()
        && onTheWay.element().dueNanos() <= now
        && takes(destination, onTheWay.element())) {
      handOver(onTheWay.remove(), destination);
    }
    destination.flush();
  }

  /// A reset needs no room, nor an end that is still to come.
  private static boolean takes(Channel destination, Piece piece) {
    return piece instanceof Piece.Reset || destination.isWritable();
  }

  private void handOver(Piece piece, Channel destination) {
    switch (piece) {
      case Piece.Bytes it -> {
        bytes -= it.content().readableBytes();
        var _ = destination.write(it.content());
      }
      case Piece.End _ ->
          destination
              .writeAndFlush(Unpooled.EMPTY_BUFFER)
              .addListener(taken -> ended(taken.isSuccess(), destination));
      case Piece.Reset _ -> relay.reset();
    }
  }

  /// The receiver's socket has taken all that came before the end, or broke and said so itself.
  private void ended(boolean taken, Channel destination) {
    if (taken && !relay.isOver()) {
      delivered = true;
      relay.delivered(destination);
    }
  }

  private void readIfThereIsRoom() {
    if (from != null && !ended && !isFull()) {
      from.config().setAutoRead(true);
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (event == ChannelInputShutdownEvent.INSTANCE && !ended) {
      ended = true;
      enter(new Piece.End(due(0)));
    }
  }

  /// The other direction writes to this socket.
  @Override
  public void channelWritabilityChanged(ChannelHandlerContext context) {
    relay.against(this).deliver();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable broken) {
    var _ = context.close();
  }

  /// Without an end before it, or with answers still to come, this is a break.
  @Override
  public void channelInactive(ChannelHandlerContext context) {
    OneWay answers = relay.against(this);
    answers.drop();
    boolean orderly = ended && answers.isDelivered();
    if (!orderly && !relay.isOver()) {
      ended = true;
      enter(new Piece.Reset(due(0)));
    }
  }

  /// Its receiver is gone.
  void drop() {
    for (Piece piece = onTheWay.poll(); piece != null; piece = onTheWay.poll()) {
      if (piece instanceof Piece.Bytes it) {
        it.content().release();
      }
    }
    bytes = 0;
  }
}
