package io.penstock.broker.tunnel;

import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.ssl.SslContext;
import io.penstock.broker.front.Front;
import io.penstock.broker.front.FrontSettings;
import io.penstock.broker.front.PublicPort;
import io.penstock.broker.front.Ticker;
import io.penstock.codec.mux.CreditPool;
import io.penstock.codec.session.Clock;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/// A front with a tunnel endpoint on a loopback port, and an authority that a test scripts.
public final class TunnelWorld implements AutoCloseable {
  public final ScriptedAuthority authority = new ScriptedAuthority();
  final ConcurrentLinkedQueue<String> watched = new ConcurrentLinkedQueue<>();
  final RecordedDeliveries deliveries = new RecordedDeliveries();
  public final Sessions sessions = new Sessions(new Watcher());
  final TunnelEndpoint endpoint;
  public final int port;
  private final Front front;
  private final MultiThreadIoEventLoopGroup group;

  TunnelWorld() throws IOException {
    this(TunnelSettings.DEFAULTS, Clock.SYSTEM);
  }

  /// With a delivery behind its sessions.
  public TunnelWorld(Deliveries deliveries) throws IOException {
    this(TunnelSettings.DEFAULTS, Clock.SYSTEM, null, Optional.of(deliveries));
  }

  TunnelWorld(TunnelSettings settings, Clock clock) throws IOException {
    this(settings, clock, null);
  }

  TunnelWorld(TunnelSettings settings, Clock clock, @Nullable SslContext tls) throws IOException {
    this(settings, clock, tls, Optional.empty());
  }

  private TunnelWorld(
      TunnelSettings settings, Clock clock, @Nullable SslContext tls, Optional<Deliveries> real)
      throws IOException {
    group = new MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory());
    var tickers = new Ticker.Each();
    endpoint =
        new TunnelEndpoint(
            settings,
            authority,
            sessions,
            real.orElse(deliveries),
            new CreditPool(64 << 20),
            tickers,
            clock);
    var wiring =
        new Front.Wiring(
            () -> tls,
            HttpRequestDecoder::new,
            endpoint,
            ChannelInboundHandlerAdapter::new,
            _ -> false,
            Path.of("/nowhere"));
    front = new Front(FrontSettings.DEFAULTS, wiring, tickers);
    PublicPort bound = PublicPort.bind(group, "127.0.0.1", 0);
    front.serve(bound);
    port = bound.number();
  }

  private final class Watcher implements SessionWatcher {
    @Override
    public void admitted(LiveSession session) {
      watched.add("admitted " + session.admission().sessionEpoch());
    }

    @Override
    public void rulesChanged(LiveSession session) {
      watched.add("rules " + session.admission().sessionEpoch());
    }

    @Override
    public void closed(LiveSession session) {
      watched.add("closed " + session.admission().sessionEpoch());
    }
  }

  /// The only live session, once it is there.
  LiveSession awaitSession() {
    await(() -> !sessions.list().isEmpty());
    return sessions.list().getFirst();
  }

  void await(BooleanSupplier condition) {
    long deadline = System.nanoTime() + Duration.ofSeconds(10).toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - deadline > 0) {
        throw new AssertionError(
            "waited too long: watched " + watched + ", told " + List.copyOf(authority.told));
      }
      LockSupport.parkNanos(1_000_000);
    }
  }

  @Override
  public void close() {
    front.stopAccepting();
    endpoint.close();
    group.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
  }
}
