package io.penstock.broker.edge;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.DefaultLastHttpContent;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseEncoder;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.util.concurrent.GlobalEventExecutor;
import io.penstock.broker.routing.Route;
import io.penstock.broker.routing.Routing;
import io.penstock.broker.tunnel.LiveSession;
import io.penstock.codec.Deadlines;
import io.penstock.codec.http.HeadLimits;
import io.penstock.codec.http.InvocationPath;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/// The edge on a loopback port, with everything behind it scripted.
final class EdgeRig implements AutoCloseable {
  static final String TOKEN = "good-token";

  private final EventLoopGroup connectionLoops =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final EventLoopGroup tunnelLoops =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final boolean twoLoops;
  private final DefaultChannelGroup connections =
      new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
  private final List<RawCaller> callers = new ArrayList<>();
  private final LinkedBlockingQueue<InvocationRecord> records = new LinkedBlockingQueue<>();

  volatile Route route = new Route.Unknown();
  volatile Caller caller = new Caller("svc-orders", (_, _) -> true);
  volatile RateLimit rateLimit = RateLimit.NONE;
  volatile Callers authentication = new OneToken();
  volatile EdgeSettings settings = EdgeSettings.DEFAULT;
  final ScriptedRouting routing = new ScriptedRouting();
  final AtomicInteger began = new AtomicInteger();

  private int port;

  EdgeRig(boolean twoLoops) {
    this.twoLoops = twoLoops;
  }

  EventLoop tunnelLoop() {
    return (twoLoops ? tunnelLoops : connectionLoops).next();
  }

  FakeTunnel tunnel(Consumer<FakeTunnel.Call> script) {
    var tunnel = new FakeTunnel(tunnelLoop(), script);
    route(tunnel);
    return tunnel;
  }

  void route(LiveSession... sessions) {
    route = new Route.Via(List.of(sessions));
  }

  void deadlines(int connectMs, int firstByteMs, int idleMs, int totalMs) {
    settings =
        new EdgeSettings(
            new Deadlines(connectMs, firstByteMs, idleMs, totalMs), settings.reconnectWait());
  }

  void reconnectWait(Duration wait) {
    settings = new EdgeSettings(settings.deadlines(), wait);
  }

  RawCaller caller() throws IOException {
    return caller(0);
  }

  RawCaller caller(int receiveBufferBytes) throws IOException {
    if (port == 0) {
      port = listen();
    }
    var connected = new RawCaller(port, receiveBufferBytes);
    callers.add(connected);
    return connected;
  }

  private int listen() {
    Channel server =
        new ServerBootstrap()
            .group(connectionLoops)
            .channel(NioServerSocketChannel.class)
            .childHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    connections.add(channel);
                    channel
                        .pipeline()
                        .addLast(new StrictRequestDecoder(HeadLimits.DEFAULT))
                        .addLast(new HttpResponseEncoder())
                        .addLast(newHandler());
                  }
                })
            .bind(InetAddress.getLoopbackAddress(), 0)
            .syncUninterruptibly()
            .channel();
    return ((InetSocketAddress) server.localAddress()).getPort();
  }

  private InvocationHandler newHandler() {
    return new InvocationEdge(
            authentication,
            routing,
            target -> InvocationPath.judge(target) == InvocationPath.Judgement.CLEAN,
            (who, site, system) -> rateLimit.secondsToWait(who, site, system),
            new Recorder(),
            settings,
            System::nanoTime)
        .newHandler();
  }

  Channel onlyConnection() {
    return connections.iterator().next();
  }

  /// Hands a request with its whole body to the handler, as the decoder would.
  void decoded(Channel connection, String method, String target, String body) {
    var request = new DefaultHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.valueOf(method), target);
    request.headers().set("Authorization", "Bearer " + TOKEN);
    request.headers().set("Content-Length", body.length());
    var content =
        new DefaultLastHttpContent(Unpooled.copiedBuffer(body, StandardCharsets.US_ASCII));
    connection.pipeline().fireChannelRead(request).fireChannelRead(content);
  }

  InvocationRecord record() throws InterruptedException {
    InvocationRecord record = records.poll(5, TimeUnit.SECONDS);
    if (record == null) {
      throw new AssertionError("no invocation ended");
    }
    return record;
  }

  static String get(String target) {
    return request("GET", target);
  }

  static String request(String method, String target, String... lines) {
    return authorized(method + " " + target + " HTTP/1.1", lines);
  }

  static String getHttp10(String target, String... lines) {
    return authorized("GET " + target + " HTTP/1.0", lines);
  }

  private static String authorized(String requestLine, String... lines) {
    var request = new StringBuilder();
    request.append(requestLine).append("\r\nHost: broker\r\n");
    request.append("Authorization: Bearer ").append(TOKEN).append("\r\n");
    for (String line : lines) {
      request.append(line).append("\r\n");
    }
    return request.append("\r\n").toString();
  }

  @Override
  public void close() throws IOException {
    for (RawCaller open : callers) {
      open.close();
    }
    connections.close().syncUninterruptibly();
    var _ = connectionLoops.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    var _ = tunnelLoops.shutdownGracefully(0, 1, TimeUnit.SECONDS);
  }

  private final class Recorder implements InvocationObserver {
    @Override
    public void began() {
      began.incrementAndGet();
    }

    @Override
    public void ended(InvocationRecord invocation) {
      records.add(invocation);
    }
  }

  private final class OneToken implements Callers {
    @Override
    public Optional<Caller> cached(BearerToken token) {
      return token.secret().equals(TOKEN) ? Optional.of(caller) : Optional.empty();
    }

    @Override
    public CompletionStage<CallerVerdict> authenticate(BearerToken token, SocketAddress remote) {
      return CompletableFuture.completedFuture(new CallerVerdict.Unknown());
    }
  }

  final class ScriptedRouting implements Routing {
    final LinkedBlockingQueue<String> asked = new LinkedBlockingQueue<>();
    final LinkedBlockingQueue<String> awaited = new LinkedBlockingQueue<>();
    volatile CompletableFuture<Void> change = new CompletableFuture<>();

    /// What happens elsewhere between a look at the routes and what is made of it.
    volatile Runnable meanwhile = () -> {};

    @Override
    public Route find(String site, String system, String method, String path) {
      asked.add(site + " " + system + " " + method + " " + path);
      Route found = route;
      meanwhile.run();
      return found;
    }

    @Override
    public CompletionStage<Void> awaitChange(String site, Duration within) {
      CompletableFuture<Void> listening = change.copy();
      awaited.add(site);
      return listening.completeOnTimeout(null, within.toMillis(), TimeUnit.MILLISECONDS);
    }

    @Override
    public void admitted(LiveSession session) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void rulesChanged(LiveSession session) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void closed(LiveSession session) {
      throw new UnsupportedOperationException();
    }
  }
}
