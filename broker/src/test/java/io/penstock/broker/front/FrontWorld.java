package io.penstock.broker.front;

import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.ssl.SslContext;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/// A front on a loopback port.
final class FrontWorld implements AutoCloseable {
  private final MultiThreadIoEventLoopGroup group =
      new MultiThreadIoEventLoopGroup(
          2, Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
  private @Nullable Front front;
  private int port;
  private @Nullable SslContext tls;
  private Doorkeeper doorkeeper = Doorkeeper.OPEN;
  private Path apiSocket = Path.of("/nowhere/api.sock");

  FrontWorld tls(SslContext context) {
    tls = context;
    return this;
  }

  FrontWorld doorkeeper(Doorkeeper keeper) {
    doorkeeper = keeper;
    return this;
  }

  FrontWorld api(Path socket) {
    apiSocket = socket;
    return this;
  }

  FrontWorld start(FrontSettings settings) throws IOException {
    var wiring =
        new Front.Wiring(
            () -> tls,
            HttpRequestDecoder::new,
            (_, _) -> new UpgradeEndpoint.Decision.Refused(400, "no tunnels here", 0),
            FrontTest.SayingEdge::new,
            host -> host.endsWith(".ingress.example"),
            apiSocket);
    front = new Front(settings, wiring, new Ticker.Each(), doorkeeper);
    PublicPort bound = PublicPort.bind(group, "127.0.0.1", 0);
    front.serve(bound);
    port = bound.number();
    return this;
  }

  Front front() {
    if (front == null) {
      throw new IllegalStateException("not started");
    }
    return front;
  }

  int port() {
    return port;
  }

  Client dial() throws IOException {
    return Client.dial(port);
  }

  boolean isAccepting() {
    try (Socket _ = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return true;
    } catch (IOException refused) {
      return false;
    }
  }

  FrontCounters.Snapshot counters() {
    return front().counters();
  }

  void await(BooleanSupplier condition) {
    long deadline = System.nanoTime() + Duration.ofSeconds(10).toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - deadline > 0) {
        throw new AssertionError("waited too long: " + counters());
      }
      LockSupport.parkNanos(1_000_000);
    }
  }

  @Override
  public void close() {
    group.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
  }
}
