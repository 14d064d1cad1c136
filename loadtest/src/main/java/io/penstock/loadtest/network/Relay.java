package io.penstock.loadtest.network;

import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.concurrent.Future;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// One connection through the proxy: a socket to either side and two directions between them. On
/// the proxy's event loop.
final class Relay {
  private final Supplier<Network> line;
  private final SplittableRandom random;
  private final Channel dialler;
  private final OneWay there;
  private final OneWay back;
  private @Nullable Channel dialled;
  private @Nullable Future<?> resetting;
  private boolean over;

  /// @param dialler the accepted connection, of which nothing is read yet
  Relay(Supplier<Network> line, SplittableRandom random, Channel dialler) {
    this.line = line;
    this.random = random;
    this.dialler = dialler;
    // Its connect() was answered at once; the round trip that it takes on a real line comes here.
    long open = System.nanoTime() + line.get().delay().toNanos();
    there = new OneWay(this, line, new Arrivals(random.split()), open);
    back = new OneWay(this, line, new Arrivals(random.split()), open);
    dialler.pipeline().addLast(there);
  }

  OneWay there() {
    return there;
  }

  OneWay back() {
    return back;
  }

  OneWay against(OneWay one) {
    return one == there ? back : there;
  }

  boolean isOver() {
    return over;
  }

  /// The other side took the connection.
  void connected(Channel made) {
    dialled = made;
    if (over) {
      close();
      return;
    }
    there.connect(dialler, made);
    back.connect(made, dialler);
    lineChanged();
  }

  /// Nobody is there.
  void refused() {
    reset();
  }

  void lineChanged() {
    if (resetting != null) {
      resetting.cancel(false);
      resetting = null;
    }
    Network now = line.get();
    if (!over && !now.resetEvery().isZero()) {
      resetting =
          dialler
              .eventLoop()
              .schedule(this::reset, Arrivals.gap(random, now.resetEvery()), TimeUnit.NANOSECONDS);
    }
  }

  /// One side's end and all before it are in the other's socket; once both are, it is over.
  void delivered(Channel to) {
    if (there.isDelivered() && back.isDelivered()) {
      close();
    } else if (to instanceof DuplexChannel duplex) {
      var _ = duplex.shutdownOutput();
    }
  }

  /// Both sides see a broken connection, and what is on the way is lost.
  void reset() {
    abort(dialler);
    if (dialled != null) {
      abort(dialled);
    }
    close();
  }

  private static void abort(Channel channel) {
    if (channel.isOpen()) {
      channel.config().setOption(ChannelOption.SO_LINGER, 0);
    }
  }

  void close() {
    over = true;
    if (resetting != null) {
      resetting.cancel(false);
      resetting = null;
    }
    var _ = dialler.close();
    if (dialled != null) {
      var _ = dialled.close();
    }
    there.drop();
    back.drop();
  }
}
