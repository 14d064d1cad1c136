package io.penstock.broker.front;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.nio.NioIoHandler;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PublicPortTest {
  private static final int PATIENCE_MS = 20_000;

  private final MultiThreadIoEventLoopGroup group =
      new MultiThreadIoEventLoopGroup(
          1, Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());

  @AfterEach
  void stop() {
    group.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
  }

  private static Socket dial(PublicPort port) throws IOException {
    var socket = new Socket(InetAddress.getLoopbackAddress(), port.number());
    socket.setSoTimeout(PATIENCE_MS);
    return socket;
  }

  private static void greet(Channel channel) {
    var _ = channel.writeAndFlush(Unpooled.copiedBuffer("hello", StandardCharsets.US_ASCII));
  }

  /// Who is accepted too early is closed by it.
  @Test
  void whoDialsBeforeItIsServedWaits() throws Exception {
    try (PublicPort port = PublicPort.bind(group, "127.0.0.1", 0);
        Socket early = dial(port);
        Socket second = dial(port)) {
      port.open(channel -> channel.eventLoop().execute(() -> greet(channel)));

      assertThat(early.getInputStream().readNBytes(5)).asString().isEqualTo("hello");
      assertThat(second.getInputStream().readNBytes(5)).asString().isEqualTo("hello");
    }
  }

  @Test
  void whoWaitsHearsOfTheEnd() throws Exception {
    PublicPort port = PublicPort.bind(group, "127.0.0.1", 0);
    try (Socket early = dial(port)) {
      port.close();

      assertThatThrownBy(
              () -> {
                if (early.getInputStream().read() < 0) {
                  throw new IOException("closed");
                }
              })
          .isInstanceOf(IOException.class)
          .isNotInstanceOf(java.net.SocketTimeoutException.class);
    }
  }

  @Test
  void aPortThatIsTakenIsNamed() throws Exception {
    try (PublicPort port = PublicPort.bind(group, "127.0.0.1", 0)) {
      assertThatThrownBy(() -> PublicPort.bind(group, "127.0.0.1", port.number()))
          .isInstanceOf(IOException.class)
          .hasMessage("cannot listen on 127.0.0.1:" + port.number());
    }
  }
}
