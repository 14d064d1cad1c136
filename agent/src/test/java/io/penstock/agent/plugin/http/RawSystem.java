package io.penstock.agent.plugin.http;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;

/// An on-premise system whose every byte the test decides.
public final class RawSystem implements AutoCloseable {
  private static final int PATIENCE_MS = 10_000;

  private final ServerSocket server;

  public RawSystem() throws IOException {
    this(new ServerSocket(0, 50, InetAddress.getLoopbackAddress()));
  }

  RawSystem(ServerSocket server) throws IOException {
    this.server = server;
    server.setSoTimeout(PATIENCE_MS);
  }

  String url() {
    return "http://127.0.0.1:" + port();
  }

  public int port() {
    return server.getLocalPort();
  }

  Peer accept() throws IOException {
    return new Peer(server.accept());
  }

  /// The head of one request, which is answered; the connection is closed then.
  public String answered(String body) throws IOException {
    try (Peer peer = accept()) {
      String head = peer.readHead();
      peer.write(
          "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: "
              + body.length()
              + "\r\n\r\n"
              + body);
      return head;
    }
  }

  /// Takes one connection and answers one request on it; ends when the agent closes it.
  public void answerNext(String body) {
    try (Peer peer = accept()) {
      peer.readHead();
      peer.answer(body);
      var _ = peer.isClosedByAgent();
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
  }

  /// Whether nobody connects for a while.
  boolean isLeftAlone() throws IOException {
    server.setSoTimeout(150);
    try {
      server.accept().close();
      return false;
    } catch (SocketTimeoutException _) {
      return true;
    } finally {
      server.setSoTimeout(PATIENCE_MS);
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
  }

  /// The system's end of one connection.
  static final class Peer implements AutoCloseable {
    private final Socket socket;

    Peer(Socket socket) throws IOException {
      this.socket = socket;
      socket.setSoTimeout(PATIENCE_MS);
    }

    String readHead() throws IOException {
      return readUntil("\r\n\r\n");
    }

    String readUntil(String end) throws IOException {
      var read = new ByteArrayOutputStream();
      while (!read.toString(StandardCharsets.ISO_8859_1).endsWith(end)) {
        int b = socket.getInputStream().read();
        if (b < 0) {
          throw new EOFException("closed after: " + read.toString(StandardCharsets.ISO_8859_1));
        }
        read.write(b);
      }
      return read.toString(StandardCharsets.ISO_8859_1);
    }

    /// Reads much, and keeps nothing of it.
    void skipUntil(String end) throws IOException {
      var block = new byte[64 * 1024];
      String tail = "";
      while (!tail.endsWith(end)) {
        int length = socket.getInputStream().read(block);
        if (length < 0) {
          throw new EOFException("closed before the end");
        }
        int kept = Math.min(length, 16);
        tail += new String(block, length - kept, kept, StandardCharsets.ISO_8859_1);
        tail = tail.substring(Math.max(0, tail.length() - 16));
      }
    }

    String read(int bytes) throws IOException {
      return new String(socket.getInputStream().readNBytes(bytes), StandardCharsets.ISO_8859_1);
    }

    /// Reads to the end, which a reset is as well.
    boolean isClosedByAgent() {
      try {
        while (socket.getInputStream().read() >= 0) {
          // What was on its way does not matter.
        }
        return true;
      } catch (SocketTimeoutException _) {
        return false;
      } catch (IOException _) {
        return true;
      }
    }

    Peer write(String bytes) throws IOException {
      return write(bytes.getBytes(StandardCharsets.ISO_8859_1));
    }

    Peer write(byte[] bytes) throws IOException {
      socket.getOutputStream().write(bytes);
      return this;
    }

    void answer(String body) throws IOException {
      write("HTTP/1.1 200 OK\r\nContent-Length: " + body.length() + "\r\n\r\n" + body);
    }

    Socket socket() {
      return socket;
    }

    /// RST instead of FIN.
    void cut() throws IOException {
      socket.setSoLinger(true, 0);
      socket.close();
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }
}
