package io.penstock.broker.front;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The one public port. Accepts, counts, lifts TLS off, and gives each connection a [Dispatcher].
/// Thread-safe. Netty: a write or close that fails ends the channel, which channelInactive tells.
@SuppressWarnings("FutureReturnValueIgnored")
public final class Front {
  /// Who answers, and how requests are read.
  ///
  /// @param tls empty = cleartext, for tests; asked for every connection, so that a renewed
  ///     certificate needs no restart
  /// @param decoder a new request decoder (a `HttpRequestDecoder`) for one connection
  /// @param tunnel takes `/tunnel/v1`
  /// @param edge a new handler for the invocations of one connection: reads `HttpRequest` and
  ///     `HttpContent` (and what else the decoder says), one exchange at a time, and writes
  ///     `HttpResponse` and `HttpContent`; releases what it reads, flushes what it writes
  /// @param ingressHost whether a Host field belongs to the ingress domain
  /// @param apiSocket unix socket of the API's web server
  public record Wiring(
      Supplier<@Nullable SslContext> tls,
      Supplier<ChannelHandler> decoder,
      UpgradeEndpoint tunnel,
      Supplier<ChannelHandler> edge,
      Predicate<String> ingressHost,
      Path apiSocket) {}

  private final FrontSettings settings;
  private final Wiring wiring;
  private final Ticker.Each tickers;
  private final FrontCounters counters = new FrontCounters();
  private final Ceiling connections;
  private final FrontServices services;
  private @Nullable PublicPort listening;

  public Front(FrontSettings settings, Wiring wiring, Ticker.Each tickers) {
    this(settings, wiring, tickers, Doorkeeper.OPEN);
  }

  public Front(FrontSettings settings, Wiring wiring, Ticker.Each tickers, Doorkeeper doorkeeper) {
    this.settings = settings;
    this.wiring = wiring;
    this.tickers = tickers;
    connections = new Ceiling(settings.maxConnections(), settings.maxConnectionsPerAddress());
    services =
        new FrontServices(
            settings,
            counters,
            wiring.tunnel(),
            wiring.edge(),
            this::newForwarder,
            wiring.ingressHost(),
            doorkeeper,
            System::nanoTime);
  }

  private ChannelHandler newForwarder() {
    return new ApiForwarder(wiring.apiSocket(), services);
  }

  /// Accepts what comes to the port.
  public synchronized void serve(PublicPort port) {
    listening = port;
    port.open(this::accept);
  }

  /// New connections are refused from now on; open ones go on.
  public synchronized void stopAccepting() {
    if (listening != null) {
      listening.close();
      listening = null;
    }
  }

  public FrontCounters.Snapshot counters() {
    return counters.snapshot();
  }

  private void accept(Channel channel) {
    InetAddress peer = Peer.of(channel);
    if (!services.doorkeeper().admitsConnection(peer)) {
      channel.close();
      return;
    }
    switch (connections.take(peer)) {
      case FULL -> {
        counters.overTotal.increment();
        channel.close();
      }
      case FULL_FOR_ADDRESS -> {
        counters.overAddress.increment();
        channel.close();
      }
      case TAKEN -> {
        counters.connections.increment();
        counters.open.increment();
        channel.closeFuture().addListener(_ -> closed(peer));
        addHandlers(channel);
      }
    }
  }

  private void closed(InetAddress peer) {
    connections.release(peer);
    counters.open.decrement();
  }

  private void addHandlers(Channel channel) {
    ChannelPipeline pipeline = channel.pipeline();
    SslContext tls = wiring.tls().get();
    if (tls != null) {
      SslHandler handler = tls.newHandler(channel.alloc());
      handler.setHandshakeTimeoutMillis(settings.tlsHandshake().toMillis());
      pipeline.addLast(handler);
    }
    ChannelHandler decoder = wiring.decoder().get();
    var encoder = new ResponseEncoder();
    Ticker ticker = tickers.of(channel.eventLoop());
    pipeline.addLast(decoder, encoder, new Dispatcher(services, ticker, decoder, encoder));
  }
}
