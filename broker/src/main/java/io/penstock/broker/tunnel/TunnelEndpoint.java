package io.penstock.broker.tunnel;

import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.handler.codec.http.HttpRequest;
import io.penstock.broker.front.Ceiling;
import io.penstock.broker.front.Peer;
import io.penstock.broker.front.Ticker;
import io.penstock.broker.front.UpgradeEndpoint;
import io.penstock.broker.tunnel.TunnelAuthority.NodeCredentials;
import io.penstock.codec.mux.CreditPool;
import io.penstock.codec.session.Clock;
import java.net.InetAddress;

/// Makes tunnels of upgrade requests on `/tunnel/v1`. Thread-safe; each request is judged on its
/// connection's event loop.
public final class TunnelEndpoint implements UpgradeEndpoint, AutoCloseable {
  private static final WriteBufferWaterMark WATER_MARK =
      new WriteBufferWaterMark(64 * 1024, 192 * 1024);

  private static final int RETRY_AFTER_SECONDS = 1;

  private final Tunnels tunnels;
  private volatile boolean accepting = true;

  /// @param credit what all streams of the process may promise to their peers
  public TunnelEndpoint(
      TunnelSettings settings,
      TunnelAuthority authority,
      Sessions sessions,
      Deliveries deliveries,
      CreditPool credit,
      Ticker.Each tickers,
      Clock clock) {
    var workers = new HandshakeWorkers(settings.handshakes());
    tunnels =
        new Tunnels(
            settings,
            authority,
            sessions,
            deliveries,
            new TunnelCounters(),
            credit,
            clock,
            workers,
            new TunnelLoop.Each(workers, tickers),
            new Ceiling(settings.handshakes(), settings.handshakesPerAddress()));
  }

  public TunnelCounters.Snapshot counters() {
    return tunnels.counters().snapshot();
  }

  /// From now on every upgrade gets 503: this broker goes away.
  public void stopAccepting() {
    accepting = false;
  }

  @Override
  public Decision decide(HttpRequest request, Channel channel) {
    TunnelCounters counters = tunnels.counters();
    UpgradeRequest upgrade = UpgradeRequest.of(request).orElse(null);
    if (upgrade == null) {
      counters.refusedRequests.increment();
      return new Decision.Refused(400, "Not a tunnel of a known version", 0);
    }
    NodeCredentials node = tunnels.authority().node();
    InetAddress remote = Peer.clientOf(channel);
    boolean room = accepting && counters.open.get() < tunnels.settings().tunnels();
    if (!room || tunnels.handshakes().take(remote) != Ceiling.Verdict.TAKEN) {
      counters.refusedForLoad.increment();
      return new Decision.Refused(503, "Too many tunnels at once", RETRY_AFTER_SECONDS);
    }
    counters.upgrades.increment();
    return new Decision.Accepted(
        upgrade.accepted(), pipeline -> install(pipeline, upgrade, node, remote));
  }

  private void install(
      ChannelPipeline pipeline, UpgradeRequest upgrade, NodeCredentials node, InetAddress remote) {
    pipeline.channel().config().setOption(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER_MARK);
    var decoder = new MessageDecoder();
    var socket = new TunnelSocket(decoder, tunnels.counters());
    pipeline.addLast(decoder, socket);
    socket.stage(new HandshakeStage(tunnels, socket, upgrade, node, remote));
  }

  /// Ends the handshakes' threads; tunnels end with their event loops.
  @Override
  public void close() {
    stopAccepting();
    tunnels.workers().close();
  }
}
