package io.penstock.agent.mock;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/// A corporate HTTP proxy: CONNECT with Basic, and nothing else.
public final class TestProxy implements AutoCloseable {
  private final ServerSocket server;
  private final String login;
  private final List<String> connects = new CopyOnWriteArrayList<>();

  public TestProxy(String user, String password) throws IOException {
    server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    login =
        "Basic "
            + Base64.getEncoder()
                .encodeToString((user + ":" + password).getBytes(StandardCharsets.UTF_8));
    Thread.ofVirtual().start(this::accept);
  }

  public int port() {
    return server.getLocalPort();
  }

  /// Request lines of those it let through.
  public List<String> connects() {
    return List.copyOf(connects);
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket client = server.accept();
        Thread.ofVirtual().start(() -> serve(client));
      } catch (IOException closed) {
        return;
      }
    }
  }

  private void serve(Socket client) {
    try (client) {
      // Byte by byte: what follows the head belongs to the tunnel.
      String head = readHead(client.getInputStream());
      OutputStream out = client.getOutputStream();
      if (!head.contains(": " + login + "\r\n")) {
        out.write(
            "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
                .getBytes(StandardCharsets.US_ASCII));
        return;
      }
      String requestLine = head.substring(0, head.indexOf('\r'));
      connects.add(requestLine);
      String authority = requestLine.split(" ", -1)[1];
      int colon = authority.lastIndexOf(':');
      try (Socket target =
          new Socket(
              authority.substring(0, colon), Integer.parseInt(authority.substring(colon + 1)))) {
        out.write("HTTP/1.1 200 OK\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        Thread back = Thread.ofVirtual().start(() -> copy(target, client));
        copy(client, target);
        back.join();
      }
    } catch (IOException | InterruptedException over) {
      // The tunnel is over.
    }
  }

  private static String readHead(InputStream in) throws IOException {
    var head = new StringBuilder();
    while (head.indexOf("\r\n\r\n") < 0) {
      int next = in.read();
      if (next < 0) {
        throw new IOException("closed within the head");
      }
      head.append((char) next);
    }
    return head.toString();
  }

  private static void copy(Socket from, Socket to) {
    try {
      from.getInputStream().transferTo(to.getOutputStream());
      to.shutdownOutput();
    } catch (IOException over) {
      // Either side is gone.
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
  }
}
