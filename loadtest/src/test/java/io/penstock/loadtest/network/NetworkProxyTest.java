package io.penstock.loadtest.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class NetworkProxyTest {
  private static final Duration NO = Duration.ZERO;
  private static final int WHOLE = 6_000_000;

  private final ServerSocket server = listening();
  private final NetworkProxy proxy = NetworkProxy.start(server.getLocalPort(), Network.NONE);

  private static ServerSocket listening() {
    try {
      return new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @AfterEach
  void close() throws IOException {
    proxy.close();
    server.close();
  }

  private static Network delay(int ms) {
    return new Network(Duration.ofMillis(ms), NO, 0, NO, NO, NO);
  }

  private Socket dial() throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), proxy.port());
    socket.setTcpNoDelay(true);
    return socket;
  }

  /// Whatever comes goes back, until the end comes.
  private void echo() {
    Thread.ofVirtual()
        .start(
            () -> {
              try (Socket socket = server.accept()) {
                socket.setTcpNoDelay(true);
                socket.getInputStream().transferTo(socket.getOutputStream());
              } catch (IOException broken) {
                // The other side sees it, too.
                return;
              }
            });
  }

  private static long roundTripNanos(Socket socket) throws IOException {
    long start = System.nanoTime();
    socket.getOutputStream().write(1);
    assertThat(socket.getInputStream().read()).isEqualTo(1);
    return System.nanoTime() - start;
  }

  private static double bestRoundTripMs(Socket socket) throws IOException {
    List<Long> times = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      times.add(roundTripNanos(socket));
    }
    return times.stream().mapToLong(Long::longValue).min().orElseThrow() / 1e6;
  }

  @Test
  void theDelayIsAddedToEachRoundTrip() throws Exception {
    echo();
    try (Socket socket = dial()) {
      assertThat(roundTripNanos(socket)).isPositive();
      proxy.line(delay(20));
      double at20 = bestRoundTripMs(socket);
      proxy.line(delay(80));
      double at80 = bestRoundTripMs(socket);

      assertThat(at20).isGreaterThanOrEqualTo(20);
      assertThat(at80).isGreaterThanOrEqualTo(80);
    }
  }

  @Test
  void theFirstBytesTakeTheRoundTripOfTheHandshakeAsWell() throws Exception {
    proxy.line(delay(100));
    echo();

    try (Socket socket = dial()) {
      assertThat(roundTripNanos(socket) / 1e6).isGreaterThanOrEqualTo(195);
      assertThat(roundTripNanos(socket) / 1e6).isGreaterThanOrEqualTo(100);
    }
  }

  @Test
  void bytesArriveWholeAndInOrderOverABadLine() throws Exception {
    proxy.line(
        new Network(
            Duration.ofMillis(20),
            Duration.ofMillis(10),
            20_000_000,
            Duration.ofMillis(200),
            Duration.ofMillis(30),
            NO));
    echo();
    byte[] sent = new byte[WHOLE];
    new SplittableRandom(1).nextBytes(sent);

    try (Socket socket = dial()) {
      CompletableFuture<Void> writing =
          CompletableFuture.runAsync(() -> write(socket, sent), command -> start(command));
      byte[] received = socket.getInputStream().readAllBytes();

      writing.get(10, TimeUnit.SECONDS);
      assertThat(received).isEqualTo(sent);
    }
  }

  private static void start(Runnable command) {
    Thread.ofVirtual().start(command);
  }

  /// In pieces of many sizes, and then the end.
  private static void write(Socket socket, byte[] bytes) {
    var random = new SplittableRandom(2);
    try {
      OutputStream out = socket.getOutputStream();
      int at = 0;
      while (at < bytes.length) {
        int piece = Math.min(bytes.length - at, 1 + random.nextInt(1 << random.nextInt(17)));
        out.write(bytes, at, piece);
        at += piece;
      }
      socket.shutdownOutput();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void aSlowLineTakesAsLongAsItsBytes() throws Exception {
    proxy.line(new Network(NO, NO, 1_000_000, NO, NO, NO));
    long start = System.nanoTime();
    try (Socket socket = dial();
        Socket accepted = server.accept()) {
      start(() -> write(socket, new byte[300_000]));
      assertThat(accepted.getInputStream().readAllBytes()).hasSize(300_000);
    }
    assertThat(Duration.ofNanos(System.nanoTime() - start))
        .isGreaterThanOrEqualTo(Duration.ofMillis(295));
  }

  /// What a sender gets rid of while nobody reads is what the proxy and the kernel's buffers hold.
  @Test
  void aReceiverThatDoesNotReadHoldsTheSenderUp() throws Exception {
    proxy.line(delay(20));
    try (SocketChannel channel =
            SocketChannel.open(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), proxy.port()));
        Selector selector = Selector.open();
        Socket accepted = server.accept()) {
      channel.configureBlocking(false);
      channel.register(selector, SelectionKey.OP_WRITE);
      long sent = 0;
      while (selector.select(500) > 0) {
        selector.selectedKeys().clear();
        sent += channel.write(ByteBuffer.allocate(256 << 10));
        assertThat(sent).isLessThan(100L << 20);
      }

      assertThat(sent).isGreaterThan(OneWay.MOST_BYTES);
      channel.shutdownOutput();
      assertThat(lengthOf(accepted.getInputStream())).isEqualTo(sent);
    }
  }

  private static long lengthOf(InputStream in) throws IOException {
    return in.transferTo(OutputStream.nullOutputStream());
  }

  @Test
  void oneSideMayEndBeforeTheOther() throws Exception {
    proxy.line(delay(20));
    try (Socket socket = dial();
        Socket accepted = server.accept()) {
      socket.getOutputStream().write("question".getBytes(java.nio.charset.StandardCharsets.UTF_8));
      socket.shutdownOutput();
      assertThat(accepted.getInputStream().readAllBytes()).hasSize(8);
      accepted.getOutputStream().write(new byte[100_000]);
      accepted.shutdownOutput();

      assertThat(socket.getInputStream().readAllBytes()).hasSize(100_000);
    }
  }

  /// Of each of them the question's end and the answer with its end meet in the proxy.
  @Test
  void manySmallAnswersArriveWholeThoughBothSidesEndAtOnce() throws Exception {
    byte[] answer = new byte[20_000];
    new SplittableRandom(3).nextBytes(answer);
    for (int i = 0; i < 100; i++) {
      try (Socket socket = dial();
          Socket accepted = server.accept()) {
        socket.getOutputStream().write(1);
        assertThat(accepted.getInputStream().read()).isEqualTo(1);
        socket.shutdownOutput();
        accepted.getOutputStream().write(answer);
        accepted.shutdownOutput();

        assertThat(socket.getInputStream().readAllBytes()).isEqualTo(answer);
      }
    }
  }

  @Test
  void aSlowReaderGetsAllThatCameBeforeTheEnd() throws Exception {
    byte[] sent = new byte[WHOLE];
    new SplittableRandom(4).nextBytes(sent);
    try (Socket socket = new Socket()) {
      socket.setReceiveBufferSize(4_096);
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), proxy.port()));
      try (Socket accepted = server.accept()) {
        socket.shutdownOutput();
        assertThat(accepted.getInputStream().read()).isEqualTo(-1);
        start(() -> write(accepted, sent));
        byte[] received = new byte[WHOLE];
        InputStream in = socket.getInputStream();
        int length = 0;
        for (int read = in.read(received, 0, 512);
            read > 0;
            read = in.read(received, length, Math.min(512, WHOLE - length))) {
          length += read;
        }

        assertThat(length).isEqualTo(WHOLE);
        assertThat(received).isEqualTo(sent);
      }
    }
  }

  @Test
  void aBreakAfterTheEndOfOneDirectionReachesTheOtherSide() throws Exception {
    Socket accepted;
    try (Socket socket = dial()) {
      accepted = server.accept();
      socket.shutdownOutput();
      assertThat(accepted.getInputStream().read()).isEqualTo(-1);
      socket.setSoLinger(true, 0);
    }

    try (accepted) {
      var broken = new CompletableFuture<Void>();
      start(() -> writeWithoutEnd(accepted, broken));
      assertThatThrownBy(() -> broken.get(20, TimeUnit.SECONDS))
          .hasCauseInstanceOf(IOException.class);
    }
  }

  private static void writeWithoutEnd(Socket socket, CompletableFuture<Void> broken) {
    byte[] piece = new byte[10_000];
    try {
      OutputStream out = socket.getOutputStream();
      while (!broken.isDone()) {
        out.write(piece);
      }
    } catch (IOException e) {
      broken.completeExceptionally(e);
    }
  }

  @Test
  void aResetOfOneSideReachesTheOther() throws Exception {
    proxy.line(delay(20));
    Socket accepted;
    try (Socket socket = dial()) {
      accepted = server.accept();
      new DataInputStream(passed(socket, accepted)).readFully(new byte[1]);
      socket.setSoLinger(true, 0);
    }

    try (accepted) {
      assertThatThrownBy(() -> accepted.getInputStream().read())
          .isInstanceOf(IOException.class)
          .hasMessageContaining("reset");
    }
  }

  /// A byte on its way, so that both sides know each other.
  private static InputStream passed(Socket from, Socket to) throws IOException {
    from.getOutputStream().write(1);
    return to.getInputStream();
  }

  @Test
  void connectionsAreResetAsOftenAsItSays() throws Exception {
    proxy.line(new Network(NO, NO, 0, NO, NO, Duration.ofMillis(200)));
    try (Socket socket = dial();
        Socket accepted = server.accept()) {
      assertThatThrownBy(() -> socket.getInputStream().read()).hasMessageContaining("reset");
      assertThatThrownBy(() -> accepted.getInputStream().read()).hasMessageContaining("reset");
    }
  }

  @Test
  void whereNobodyListensTheConnectionIsReset() throws Exception {
    server.close();
    try (Socket socket = dial()) {
      assertThatThrownBy(() -> socket.getInputStream().read()).hasMessageContaining("reset");
    }
  }
}
