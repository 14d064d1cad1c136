package io.penstock.agent.link;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.handler.proxy.HttpProxyHandler;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.netty.resolver.NoopAddressResolverGroup;
import io.netty.util.AttributeKey;
import io.netty.util.concurrent.Future;
import io.penstock.codec.Protocol;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Dials a broker up to an open WebSocket, stage by stage, each with its own deadline.
/// Straight-line
/// code for the slot's thread; the channel itself lives on the event loop.
final class Dialer {
  /// No stage waits longer; a broker that accepts TCP and never answers is seen in this time.
  ///
  /// @param upgrade from our request to the 101
  record Deadlines(Duration dns, Duration tcp, Duration proxy, Duration tls, Duration upgrade) {
    static final Deadlines DEFAULT =
        new Deadlines(
            Duration.ofSeconds(5),
            Duration.ofSeconds(5),
            Duration.ofSeconds(10),
            Duration.ofSeconds(10),
            Duration.ofSeconds(10));
  }

  /// Not looked for in the pipeline: a closed channel's is empty.
  private static final AttributeKey<HttpProxyHandler> PROXY = AttributeKey.valueOf("proxy");
  private static final String GUARD = "guard";
  private static final int LOW_WATER_BYTES = 64 * 1024;
  private static final int HIGH_WATER_BYTES = 128 * 1024;

  private final Loop loop;
  private final Optional<ProxySettings> proxy;
  private final Deadlines deadlines;

  Dialer(Loop loop, Optional<ProxySettings> proxy, Deadlines deadlines) {
    this.loop = loop;
    this.proxy = proxy;
    this.deadlines = deadlines;
  }

  RecordSocket dial(BrokerAddress broker, SslContext tls, String subprotocol)
      throws LinkFailure, InterruptedException {
    InetAddress[] addresses =
        resolve(proxy.map(it -> it.address().hostName()).orElse(broker.hostName()));
    Channel channel = connect(broker, addresses);
    boolean open = false;
    try {
      awaitProxy(channel);
      startTls(channel, broker, tls);
      RecordSocket socket = upgrade(channel, broker, subprotocol);
      open = true;
      return socket;
    } finally {
      if (!open) {
        var _ = channel.close();
      }
    }
  }

  /// The resolver of the JDK blocks as long as it likes: it gets a thread of its own.
  private InetAddress[] resolve(String host) throws LinkFailure, InterruptedException {
    var lookup = new FutureTask<>(() -> InetAddress.getAllByName(host));
    Thread.ofVirtual().name("dns").start(lookup);
    try {
      return lookup.get(deadlines.dns().toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException _) {
      throw LinkFailure.at(
          Stage.DNS,
          "expected addresses of " + host + " within " + deadlines.dns().toMillis() + " ms");
    } catch (ExecutionException failure) {
      String why =
          failure.getCause() instanceof UnknownHostException
              ? "no such name"
              : LinkFailure.printable(String.valueOf(failure.getCause()));
      throw LinkFailure.at(Stage.DNS, "expected addresses of " + host + ", found " + why);
    } finally {
      lookup.cancel(true);
    }
  }

  /// The first address that takes a connection.
  private Channel connect(BrokerAddress broker, InetAddress[] addresses)
      throws LinkFailure, InterruptedException {
    int port = proxy.map(it -> it.address().port()).orElse(broker.port());
    LinkFailure last = LinkFailure.at(Stage.TCP, "no address to connect to");
    for (InetAddress address : addresses) {
      var target = new InetSocketAddress(address, port);
      ChannelFuture connected = start(broker, target);
      try {
        if (connected.await(deadlines.tcp().toMillis() + 1_000) && connected.isSuccess()) {
          return connected.channel();
        }
      } catch (InterruptedException stopped) {
        var _ = connected.channel().close();
        throw stopped;
      }
      var _ = connected.channel().close();
      last =
          LinkFailure.at(
              Stage.TCP,
              "expected a connection to " + printable(target) + ", found " + why(connected));
    }
    throw last;
  }

  private ChannelFuture start(BrokerAddress broker, InetSocketAddress target) {
    var bootstrap =
        new Bootstrap()
            .group(loop.eventLoop())
            .channel(loop.channelType())
            .resolver(NoopAddressResolverGroup.INSTANCE)
            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) deadlines.tcp().toMillis())
            .option(ChannelOption.TCP_NODELAY, true)
            .option(ChannelOption.SO_KEEPALIVE, true)
            .option(
                ChannelOption.WRITE_BUFFER_WATER_MARK,
                new WriteBufferWaterMark(LOW_WATER_BYTES, HIGH_WATER_BYTES));
    Loop.limitUnsentBytes(bootstrap, loop.channelType());
    Optional<HttpProxyHandler> through = proxy.map(it -> proxyHandler(it, target));
    return bootstrap
        .handler(
            new ChannelInitializer<>() {
              @Override
              protected void initChannel(Channel channel) {
                through.ifPresent(
                    handler -> {
                      channel.attr(PROXY).set(handler);
                      channel.pipeline().addLast(handler);
                    });
                channel.pipeline().addLast(GUARD, new StageByStage());
              }
            })
        .connect(
            through.isEmpty()
                ? target
                : InetSocketAddress.createUnresolved(broker.hostName(), broker.port()));
  }

  private HttpProxyHandler proxyHandler(ProxySettings settings, InetSocketAddress address) {
    HttpProxyHandler handler =
        settings
            .login()
            .map(login -> new HttpProxyHandler(address, login.user(), login.password()))
            .orElseGet(() -> new HttpProxyHandler(address));
    handler.setConnectTimeoutMillis(deadlines.proxy().toMillis());
    return handler;
  }

  /// A pipeline that is filled stage by stage. The future of each stage tells what went wrong.
  private static final class StageByStage extends ChannelInboundHandlerAdapter {
    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      var _ = context.close();
    }
  }

  private void awaitProxy(Channel channel) throws LinkFailure, InterruptedException {
    HttpProxyHandler handler = channel.attr(PROXY).get();
    if (handler == null) {
      return;
    }
    Future<Channel> through = handler.connectFuture();
    if (!through.await(deadlines.proxy().toMillis() + 1_000) || !through.isSuccess()) {
      throw LinkFailure.at(
          Stage.PROXY, "expected the proxy's CONNECT to succeed, found " + proxyStatus(through));
    }
  }

  /// Netty's message ends with the status; what stands before it names the account.
  private static String proxyStatus(Future<Channel> through) {
    String message = why(through);
    int status = message.indexOf("status: ");
    if (status >= 0) {
      return message.substring(status + "status: ".length());
    }
    return message.endsWith("timeout") ? "no answer in time" : "a broken connection";
  }

  private void startTls(Channel channel, BrokerAddress broker, SslContext tls)
      throws LinkFailure, InterruptedException {
    SslHandler handler = tls.newHandler(ByteBufAllocator.DEFAULT, broker.hostName(), broker.port());
    handler.setHandshakeTimeoutMillis(deadlines.tls().toMillis());
    try {
      channel.pipeline().addBefore(GUARD, "tls", handler);
    } catch (NoSuchElementException _) {
      // Netty takes a closed channel's handlers away, the guard too.
      throw LinkFailure.at(
          Stage.TLS, "expected TLS 1.3 with " + broker + ", found a closed connection");
    }
    Future<Channel> done = handler.handshakeFuture();
    if (!done.await(deadlines.tls().toMillis() + 1_000) || !done.isSuccess()) {
      throw LinkFailure.at(Stage.TLS, "expected TLS 1.3 with " + broker + ", found " + why(done));
    }
  }

  private RecordSocket upgrade(Channel channel, BrokerAddress broker, String subprotocol)
      throws LinkFailure, InterruptedException {
    var socket = new RecordSocket(channel, subprotocol.equals(Protocol.SUBPROTOCOL_ENROLL));
    var upgrade = new Upgrade(broker, subprotocol, socket);
    channel.eventLoop().execute(() -> upgrade.start(channel));
    try {
      upgrade.outcome().get(deadlines.upgrade().toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException _) {
      throw LinkFailure.at(
          Stage.UPGRADE,
          "expected an answer to the WebSocket upgrade within "
              + deadlines.upgrade().toMillis()
              + " ms, found silence");
    } catch (ExecutionException failure) {
      throw failure.getCause() instanceof LinkFailure known
          ? known
          : LinkFailure.at(Stage.UPGRADE, LinkFailure.printable(String.valueOf(failure)));
    }
    return socket;
  }

  private static String printable(InetSocketAddress address) {
    return address.getAddress().getHostAddress() + ":" + address.getPort();
  }

  /// The innermost cause says most.
  private static String why(Future<?> future) {
    Throwable cause = future.cause();
    if (cause == null) {
      return "no answer in time";
    }
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    String message = cause.getMessage();
    return message == null || message.isBlank()
        ? cause.getClass().getSimpleName()
        : LinkFailure.printable(message);
  }
}
