package io.penstock.broker.tunnel;

import io.netty.channel.EventLoop;
import io.penstock.broker.front.Ticker;
import io.penstock.codec.session.Scratch;
import io.penstock.codec.session.Worker;
import java.util.concurrent.ConcurrentHashMap;

/// What all tunnels of one event loop share, so that an idle one holds none of it.
record TunnelLoop(Scratch scratch, Worker worker, Ticker ticker) {

  /// One per event loop. Thread-safe.
  static final class Each {
    private final ConcurrentHashMap<EventLoop, TunnelLoop> byLoop = new ConcurrentHashMap<>();
    private final HandshakeWorkers workers;
    private final Ticker.Each tickers;

    Each(HandshakeWorkers workers, Ticker.Each tickers) {
      this.workers = workers;
      this.tickers = tickers;
    }

    TunnelLoop of(EventLoop loop) {
      return byLoop.computeIfAbsent(loop, this::make);
    }

    private TunnelLoop make(EventLoop loop) {
      return new TunnelLoop(new Scratch(), workers.returningTo(loop), tickers.of(loop));
    }
  }
}
