package io.penstock.agent.mock;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/// An on-premise system on a raw socket: a script per connection, which reads and writes bytes as
/// it likes.
public final class RawSystem implements AutoCloseable {
  private final ServerSocket server;
  private final Script script;
  private final AtomicInteger connections = new AtomicInteger();
  private final List<String> requests = new CopyOnWriteArrayList<>();
  private final List<Socket> open = new CopyOnWriteArrayList<>();

  /// What one connection does; the connection closes when it returns.
  @FunctionalInterface
  public interface Script {
    void run(Peer peer) throws IOException, InterruptedException;
  }

  /// One accepted connection.
  public final class Peer {
    private final Socket socket;
    private final InputStream in;
    private final OutputStream out;
    private final int number;

    Peer(Socket socket, int number) throws IOException {
      this.socket = socket;
      this.number = number;
      in = new BufferedInputStream(socket.getInputStream(), 64 * 1024);
      out = socket.getOutputStream();
    }

    /// 1 = the first connection.
    public int number() {
      return number;
    }

    /// A request's head, with its empty line.
    public String readHead() throws IOException {
      var head = new StringBuilder();
      while (head.indexOf("\r\n\r\n") < 0) {
        int next = in.read();
        if (next < 0) {
          throw new IOException("closed within a head");
        }
        head.append((char) next);
      }
      requests.add(head.toString());
      return head.toString();
    }

    public String read(int bytes) throws IOException {
      return new String(in.readNBytes(bytes), StandardCharsets.ISO_8859_1);
    }

    /// A chunked body as it stands on the wire, up to its last empty line.
    public String readChunked() throws IOException {
      var body = new StringBuilder();
      while (!body.toString().endsWith("0\r\n\r\n")
          && !body.toString().matches("(?s).*\r\n0\r\n.*\r\n\r\n")) {
        int next = in.read();
        if (next < 0) {
          throw new IOException("closed within a body");
        }
        body.append((char) next);
      }
      return body.toString();
    }

    public long skip(long bytes) throws IOException {
      long left = bytes;
      byte[] buffer = new byte[64 * 1024];
      while (left > 0) {
        int read = in.read(buffer, 0, (int) Math.min(left, buffer.length));
        if (read < 0) {
          break;
        }
        left -= read;
      }
      return bytes - left;
    }

    public void write(String text) throws IOException {
      out.write(text.getBytes(StandardCharsets.ISO_8859_1));
      out.flush();
    }

    public void write(byte[] bytes) throws IOException {
      out.write(bytes);
      out.flush();
    }

    /// Waits for the agent to close.
    public void awaitClose() throws IOException {
      while (in.read() >= 0) {
        // Whatever still comes.
      }
    }

    /// Ends with RST instead of FIN.
    public void abort() throws IOException {
      socket.setSoLinger(true, 0);
      socket.close();
    }
  }

  public RawSystem(Script script) throws IOException {
    this(new ServerSocket(0, 200, InetAddress.getLoopbackAddress()), script);
  }

  public RawSystem(ServerSocket server, Script script) {
    this.server = server;
    this.script = script;
    Thread.ofVirtual().start(this::accept);
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket socket = server.accept();
        open.add(socket);
        var peer = new Peer(socket, connections.incrementAndGet());
        Thread.ofVirtual().start(() -> run(peer));
      } catch (IOException closed) {
        return;
      }
    }
  }

  private void run(Peer peer) {
    try (peer.socket) {
      script.run(peer);
    } catch (IOException | InterruptedException over) {
      // The agent closed, or the test is over.
    }
  }

  public int port() {
    return server.getLocalPort();
  }

  public int connections() {
    return connections.get();
  }

  public List<String> requests() {
    return List.copyOf(requests);
  }

  @Override
  public void close() throws IOException {
    server.close();
    for (Socket socket : open) {
      socket.close();
    }
  }
}
