package io.penstock.loadtest.fault;

import io.penstock.loadtest.fleet.TestTls;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.net.SocketFactory;
import javax.net.ssl.SSLContext;

/// A company's reverse proxy: it ends TLS, and serves a broker under a path of its own host, which
/// it takes off. It may collect each answer, and pass it on when it is whole. One request to a
/// connection.
final class PathProxy implements AutoCloseable {
  private static final String PATH = "/penstock";
  private static final String END_OF_HEAD = "\r\n\r\n";
  private static final int MAX_HEAD_BYTES = 64 * 1024;

  private static final Duration LEAVES_WITHIN = Duration.ofSeconds(5);

  private final ServerSocket server;
  private final SocketFactory toBroker;
  private final int brokerPort;
  private final List<String> elsewhere = new CopyOnWriteArrayList<>();
  private volatile boolean collecting;

  private PathProxy(ServerSocket server, SocketFactory toBroker, int brokerPort) {
    this.server = server;
    this.toBroker = toBroker;
    this.brokerPort = brokerPort;
  }

  static PathProxy to(Plant plant, Path directory)
      throws IOException, GeneralSecurityException, InterruptedException {
    SSLContext tls = SSLContext.getInstance("TLS");
    tls.init(TestTls.localhost(directory).keys().getKeyManagers(), null, null);
    ServerSocket server =
        tls.getServerSocketFactory().createServerSocket(0, 100, InetAddress.getLoopbackAddress());
    var proxy =
        new PathProxy(
            server, LoginBrowser.trusting(plant.caFile()).getSocketFactory(), plant.port());
    Thread.ofVirtual().name("path-proxy").start(proxy::accept);
    return proxy;
  }

  URI url() {
    return URI.create("https://localhost:" + server.getLocalPort() + PATH + "/");
  }

  /// What was asked outside of the path, where other people's things are.
  List<String> elsewhere() {
    return elsewhere;
  }

  void collect(boolean answers) {
    collecting = answers;
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket client = server.accept();
        Thread.ofVirtual().start(() -> serve(client));
      } catch (IOException closed) {
        if (!server.isClosed()) {
          throw new UncheckedIOException(closed);
        }
      }
    }
  }

  private void serve(Socket client) {
    try (client) {
      InputStream in = client.getInputStream();
      String head = head(in);
      if (head.isEmpty()) {
        return;
      }
      String target = head.split(" ", 3)[1];
      if (target.startsWith(PATH + "/")) {
        forward(head, in, client);
      } else {
        elsewhere.add(target);
        client
            .getOutputStream()
            .write(
                text(
                    "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0"
                        + END_OF_HEAD));
        client.shutdownOutput();
        in.transferTo(OutputStream.nullOutputStream());
      }
    } catch (IOException _) {
      // Browsers connect ahead, and leave what they no longer need; who still waits sees the end.
    }
  }

  /// Empty where nothing comes.
  private static String head(InputStream in) throws IOException {
    var head = new ByteArrayOutputStream();
    while (head.size() < MAX_HEAD_BYTES) {
      int next = in.read();
      if (next < 0) {
        return "";
      }
      head.write(next);
      if (next == '\n' && head.toString(StandardCharsets.ISO_8859_1).endsWith(END_OF_HEAD)) {
        return head.toString(StandardCharsets.ISO_8859_1);
      }
    }
    throw new IOException("the head is too long");
  }

  private void forward(String head, InputStream body, Socket client) throws IOException {
    try (Socket broker = toBroker.createSocket("localhost", brokerPort)) {
      broker.getOutputStream().write(text(stripped(head)));
      Thread rest = Thread.ofVirtual().start(() -> pass(body, broker));
      InputStream answer = broker.getInputStream();
      OutputStream out = client.getOutputStream();
      if (collecting) {
        out.write(answer.readAllBytes());
      } else {
        answer.transferTo(out);
      }
      // Who closes with something unread resets the connection, and the browser loses the answer.
      client.shutdownOutput();
      leave(rest);
    }
  }

  private static void leave(Thread rest) {
    try {
      rest.join(LEAVES_WITHIN);
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
  }

  /// The rest of the request, until the browser leaves: then there is nobody to answer.
  private static void pass(InputStream body, Socket broker) {
    try (broker) {
      body.transferTo(broker.getOutputStream());
    } catch (IOException _) {
      // One side is gone, and with it the other.
    }
  }

  private static String stripped(String head) {
    return head.replaceFirst(" " + PATH + "/", " /")
        .replaceFirst("(?i)\r\nConnection: [^\r]*", "")
        .replaceFirst("\r\n", "\r\nConnection: close\r\n");
  }

  private static byte[] text(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  @Override
  public void close() throws IOException {
    server.close();
  }
}
