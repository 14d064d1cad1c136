package io.penstock.agent.plugin.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.penstock.agent.link.TrustedTls;
import io.penstock.codec.message.ControlMessage.TestStage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;

/// Whether a system can be reached: `dns`, `tcp`, `tls` for https, and `http`, which is one GET of
/// the base path with the credentials and without a body. Stops at the first stage that fails; each
/// has five seconds. Blocks, on sockets of its own, so that no call of others waits for it.
final class HttpTest {
  private static final Duration STAGE_WITHIN = Duration.ofSeconds(5);
  private static final int MAX_STATUS_LINE = 8 * 1024;
  private static final int MAX_DETAIL_CHARS = 300;
  private static final Pattern STATUS_LINE = Pattern.compile("HTTP/1\\.[01] ([1-5]\\d\\d)( .*)?");

  private final HttpSettings settings;
  private final Origin origin;
  private final List<TestStage> stages = new ArrayList<>();

  HttpTest(HttpSettings settings) {
    this.settings = settings;
    origin = settings.origin();
  }

  /// What a stage found, which did not fail.
  private record Found<T>(T value, String detail) {}

  private interface Step<T> {
    Found<T> take() throws IOException;
  }

  /// The stage that is told failed.
  private static final class StageFailed extends Exception {
    StageFailed() {
      super("told as a stage", null, false, false);
    }
  }

  List<TestStage> run() {
    try {
      InetAddress[] addresses = stage("dns", this::resolve);
      try (Socket plain = stage("tcp", () -> connect(addresses))) {
        if (origin.tls()) {
          try (SSLSocket secured = stage("tls", () -> secure(plain))) {
            stage("http", () -> get(secured));
          }
        } else {
          stage("http", () -> get(plain));
        }
      }
    } catch (StageFailed | IOException _) {
      // Told by its stage; a socket that does not close any more changes nothing.
    }
    return List.copyOf(stages);
  }

  private <T> T stage(String name, Step<T> step) throws StageFailed {
    long startNanos = System.nanoTime();
    try {
      Found<T> found = step.take();
      told(name, true, startNanos, found.detail());
      return found.value();
    } catch (IOException failed) {
      told(name, false, startNanos, reason(failed));
      throw new StageFailed();
    }
  }

  private void told(String name, boolean ok, long startNanos, String detail) {
    long micros = TimeUnit.NANOSECONDS.toMicros(System.nanoTime() - startNanos);
    String line = detail.replaceAll("\\p{Cntrl}+", " ");
    stages.add(
        new TestStage(
            name, ok, micros, line.substring(0, Math.min(line.length(), MAX_DETAIL_CHARS))));
  }

  private static String reason(IOException failed) {
    return switch (failed) {
      case SocketTimeoutException _ ->
          "expected an answer within " + STAGE_WITHIN.toSeconds() + " s, found silence";
      case UnknownHostException _ -> "the name has no address";
      case SSLException it -> "the handshake failed: " + it.getMessage();
      default -> String.valueOf(failed.getMessage());
    };
  }

  /// The system's resolver knows no deadline.
  private Found<InetAddress[]> resolve() throws IOException {
    var asked = new FutureTask<InetAddress[]>(() -> InetAddress.getAllByName(origin.host()));
    Thread.ofVirtual().name("resolve").start(asked);
    try {
      InetAddress[] addresses = asked.get(STAGE_WITHIN.toMillis(), TimeUnit.MILLISECONDS);
      return new Found<>(
          addresses, Arrays.stream(addresses).map(InetAddress::getHostAddress).toList().toString());
    } catch (TimeoutException _) {
      throw new SocketTimeoutException();
    } catch (ExecutionException _) {
      throw new UnknownHostException();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw new IOException("the test was stopped");
    }
  }

  private Found<Socket> connect(InetAddress[] addresses) throws IOException {
    long untilNanos = System.nanoTime() + STAGE_WITHIN.toNanos();
    IOException last = new IOException("no address");
    for (InetAddress address : addresses) {
      var socket = new Socket();
      try {
        socket.connect(new InetSocketAddress(address, origin.port()), leftMs(untilNanos));
        return new Found<>(socket, address.getHostAddress() + " port " + origin.port());
      } catch (IOException refused) {
        last = refused;
        socket.close();
      }
    }
    throw last;
  }

  private static int leftMs(long untilNanos) throws SocketTimeoutException {
    long left = TimeUnit.NANOSECONDS.toMillis(untilNanos - System.nanoTime());
    if (left <= 0) {
      throw new SocketTimeoutException();
    }
    return (int) left;
  }

  private Found<SSLSocket> secure(Socket plain) throws IOException {
    var context = TrustedTls.of(settings.caFile().stream().toList()).clientContext();
    plain.setSoTimeout((int) STAGE_WITHIN.toMillis());
    var secured =
        (SSLSocket)
            context.getSocketFactory().createSocket(plain, origin.host(), origin.port(), true);
    SSLParameters parameters = secured.getSSLParameters();
    parameters.setEndpointIdentificationAlgorithm("HTTPS");
    parameters.setProtocols(new String[] {"TLSv1.3", "TLSv1.2"});
    secured.setSSLParameters(parameters);
    secured.startHandshake();
    return new Found<>(secured, secured.getSession().getProtocol());
  }

  private Found<Integer> get(Socket socket) throws IOException {
    socket.getOutputStream().write(request());
    String line = statusLine(socket);
    var parsed = STATUS_LINE.matcher(line);
    if (!parsed.matches()) {
      throw new IOException("expected an answer in HTTP/1.1, found something else");
    }
    int status = Integer.parseInt(parsed.group(1));
    if (status == 401 || status == 403) {
      throw new IOException("the system refuses these credentials: status " + status);
    }
    if (status >= 500) {
      throw new IOException("the system fails: status " + status);
    }
    return new Found<>(status, "status " + status);
  }

  private byte[] request() {
    ByteBuf out = Unpooled.buffer(512);
    String path = origin.basePath() + "/";
    out.writeCharSequence(
        "GET " + path + " HTTP/1.1\r\nHost: " + origin.authority() + "\r\n",
        StandardCharsets.US_ASCII);
    settings.credentials().write(out);
    out.writeCharSequence("Connection: close\r\n\r\n", StandardCharsets.US_ASCII);
    return ByteBufUtil.getBytes(out);
  }

  private static String statusLine(Socket socket) throws IOException {
    long untilNanos = System.nanoTime() + STAGE_WITHIN.toNanos();
    var line = new ByteArrayOutputStream();
    InputStream in = socket.getInputStream();
    while (line.size() < MAX_STATUS_LINE) {
      socket.setSoTimeout(leftMs(untilNanos));
      int next = in.read();
      if (next < 0) {
        throw new IOException("the system closed the connection without an answer");
      }
      if (next == '\n') {
        return line.toString(StandardCharsets.ISO_8859_1).stripTrailing();
      }
      line.write(next);
    }
    throw new IOException("expected a status line, found a longer one than HTTP has");
  }
}
