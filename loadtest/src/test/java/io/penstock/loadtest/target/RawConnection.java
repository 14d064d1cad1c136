package io.penstock.loadtest.target;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// A socket and bytes: what a client library would correct or hide, a test sends and sees as it is.
final class RawConnection implements AutoCloseable {
  private final Socket socket;
  private final InputStream in;

  record Head(String statusLine, List<String> lines) {
    int status() {
      return Integer.parseInt(statusLine.substring(9, 12));
    }

    String header(String name) {
      String start = name.toLowerCase(Locale.ROOT) + ":";
      return lines.stream()
          .filter(line -> line.toLowerCase(Locale.ROOT).startsWith(start))
          .map(line -> line.substring(start.length()).strip())
          .findFirst()
          .orElse("");
    }
  }

  RawConnection(int port) throws IOException {
    socket = new Socket(InetAddress.getLoopbackAddress(), port);
    socket.setSoTimeout(20_000);
    in = new BufferedInputStream(socket.getInputStream(), 64 << 10);
  }

  RawConnection send(String text) throws IOException {
    return send(text.getBytes(StandardCharsets.ISO_8859_1));
  }

  RawConnection send(byte[] bytes) throws IOException {
    socket.getOutputStream().write(bytes);
    return this;
  }

  RawConnection get(String target) throws IOException {
    return ask("GET", target);
  }

  /// The head of a request, with these fields beside Host.
  RawConnection ask(String method, String target, String... fields) throws IOException {
    StringBuilder head = new StringBuilder(method + " " + target + " HTTP/1.1\r\nHost: erp\r\n");
    for (String field : fields) {
      head.append(field).append("\r\n");
    }
    return send(head.append("\r\n").toString());
  }

  Head head() throws IOException {
    String statusLine = line();
    List<String> lines = new ArrayList<>();
    for (String line = line(); !line.isEmpty(); line = line()) {
      lines.add(line);
    }
    return new Head(statusLine, lines);
  }

  String line() throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int b = byteOrEnd(); b != '\n'; b = byteOrEnd()) {
      line.write(b);
    }
    return line.toString(StandardCharsets.ISO_8859_1).stripTrailing();
  }

  byte[] bytes(int length) throws IOException {
    byte[] bytes = in.readNBytes(length);
    if (bytes.length < length) {
      throw new EOFException("closed after " + bytes.length + " of " + length);
    }
    return bytes;
  }

  String text(int length) throws IOException {
    return new String(bytes(length), StandardCharsets.UTF_8);
  }

  String body(Head head) throws IOException {
    return text(Integer.parseInt(head.header("content-length")));
  }

  /// The chunks' data; the trailers stay to be read by [#head]-like calls of [#line].
  byte[] chunks() throws IOException {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    for (int size = chunkSize(); size > 0; size = chunkSize()) {
      body.write(bytes(size));
      line();
    }
    return body.toByteArray();
  }

  int chunkSize() throws IOException {
    return Integer.parseInt(line(), 16);
  }

  /// What comes until the peer closes.
  byte[] rest() throws IOException {
    return in.readAllBytes();
  }

  InputStream in() {
    return in;
  }

  private int byteOrEnd() throws IOException {
    int b = in.read();
    if (b < 0) {
      throw new EOFException("closed inside a line");
    }
    return b;
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
