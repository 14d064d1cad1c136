package io.penstock.broker.front;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/// An HTTP/1.1 client that writes what it is told and reads strictly.
final class Client implements AutoCloseable {
  private static final int PATIENCE_MS = 10_000;

  private final Socket socket;
  private final DataInputStream in;

  Client(Socket socket) throws IOException {
    this.socket = socket;
    socket.setSoTimeout(PATIENCE_MS);
    in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
  }

  static Client dial(int port) throws IOException {
    return new Client(new Socket(InetAddress.getLoopbackAddress(), port));
  }

  /// A head of these lines.
  static String lines(String... lines) {
    return String.join("\r\n", lines) + "\r\n\r\n";
  }

  Socket socket() {
    return socket;
  }

  void send(String text) throws IOException {
    send(text.getBytes(StandardCharsets.ISO_8859_1));
  }

  void send(byte[] bytes) throws IOException {
    socket.getOutputStream().write(bytes);
    socket.getOutputStream().flush();
  }

  /// A whole answer; names in lower case.
  record Response(String head, String body) {
    int status() {
      return Integer.parseInt(head.substring(9, 12));
    }

    String field(String name) {
      int at = head.indexOf("\r\n" + name + ": ");
      return at < 0 ? "" : head.substring(at + name.length() + 4, head.indexOf("\r\n", at + 2));
    }
  }

  /// Up to and with the empty line, in lower case.
  String head() throws IOException {
    var head = new StringBuilder();
    while (head.indexOf("\r\n\r\n") < 0) {
      head.append((char) in.readUnsignedByte());
    }
    return head.toString().toLowerCase(Locale.ROOT);
  }

  Response response() throws IOException {
    var head = new Response(head(), "");
    String length = head.field("content-length");
    if (head.field("transfer-encoding").equals("chunked")) {
      return new Response(head.head(), chunks());
    }
    return new Response(head.head(), length.isEmpty() ? "" : text(Integer.parseInt(length)));
  }

  private String chunks() throws IOException {
    var body = new StringBuilder();
    String chunk = chunk();
    while (!chunk.isEmpty()) {
      body.append(chunk);
      chunk = chunk();
    }
    return body.toString();
  }

  /// One chunk; empty at the end, after which the empty line is read too.
  String chunk() throws IOException {
    String chunk = text(Integer.parseInt(line(), 16));
    line();
    return chunk;
  }

  private String line() throws IOException {
    var line = new StringBuilder();
    while (line.indexOf("\r\n") < 0) {
      line.append((char) in.readUnsignedByte());
    }
    return line.substring(0, line.length() - 2);
  }

  private String text(int length) throws IOException {
    byte[] bytes = in.readNBytes(length);
    if (bytes.length < length) {
      throw new IOException("cut after " + bytes.length + " of " + length + " bytes");
    }
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /// Reads whatever comes until the connection ends.
  ///
  /// @return how many bytes that was
  long awaitEnd() throws IOException {
    long count = 0;
    try {
      while (in.read() >= 0) {
        count++;
      }
    } catch (SocketException reset) {
      // Ended, too.
    }
    return count;
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
