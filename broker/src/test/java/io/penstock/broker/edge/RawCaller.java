package io.penstock.broker.edge;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// A caller that writes and reads bytes, so that nothing polite happens behind a test's back.
final class RawCaller implements AutoCloseable {

  /// @param lines header lines as they came
  record Head(int status, List<String> lines) {
    String field(String name) {
      List<String> values = fields(name);
      return values.isEmpty() ? "" : values.getFirst();
    }

    List<String> fields(String name) {
      String prefix = name.toLowerCase(Locale.ROOT) + ":";
      return lines.stream()
          .filter(line -> line.toLowerCase(Locale.ROOT).startsWith(prefix))
          .map(line -> line.substring(prefix.length()).strip())
          .toList();
    }
  }

  record Answer(Head head, String body, List<String> trailers) {
    int status() {
      return head.status();
    }

    String field(String name) {
      return head.field(name);
    }
  }

  private final Socket socket;
  private final InputStream in;

  RawCaller(int port) throws IOException {
    this(port, 0);
  }

  RawCaller(int port, int receiveBufferBytes) throws IOException {
    socket = new Socket();
    if (receiveBufferBytes > 0) {
      socket.setReceiveBufferSize(receiveBufferBytes);
    }
    socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 5_000);
    socket.setSoTimeout(10_000);
    socket.setTcpNoDelay(true);
    in = new BufferedInputStream(socket.getInputStream());
  }

  RawCaller send(String bytes) throws IOException {
    return send(bytes.getBytes(StandardCharsets.ISO_8859_1));
  }

  RawCaller send(byte[] bytes) throws IOException {
    socket.getOutputStream().write(bytes);
    socket.getOutputStream().flush();
    return this;
  }

  Answer exchange(String request) throws IOException {
    return send(request).answer();
  }

  Answer answer() throws IOException {
    return answer(true);
  }

  /// @param hasBody false for the answer to a HEAD
  Answer answer(boolean hasBody) throws IOException {
    Head head = head();
    boolean empty = !hasBody || head.status() == 204 || head.status() == 304;
    if (empty) {
      return new Answer(head, "", List.of());
    }
    if (head.field("transfer-encoding").equals("chunked")) {
      return chunked(head);
    }
    String length = head.field("content-length");
    byte[] body = length.isEmpty() ? in.readAllBytes() : exactly(Integer.parseInt(length));
    return new Answer(head, latin1(body), List.of());
  }

  Head head() throws IOException {
    String statusLine = line();
    var lines = new ArrayList<String>();
    for (String line = line(); !line.isEmpty(); line = line()) {
      lines.add(line);
    }
    return new Head(Integer.parseInt(statusLine.split(" ", 3)[1]), lines);
  }

  private Answer chunked(Head head) throws IOException {
    var body = new StringBuilder();
    for (String chunk = chunk(); !chunk.isEmpty(); chunk = chunk()) {
      body.append(chunk);
    }
    var trailers = new ArrayList<String>();
    for (String line = line(); !line.isEmpty(); line = line()) {
      trailers.add(line);
    }
    return new Answer(head, body.toString(), trailers);
  }

  /// One chunk; the last one is empty.
  String chunk() throws IOException {
    int length = Integer.parseInt(line(), 16);
    if (length == 0) {
      return "";
    }
    byte[] bytes = exactly(length);
    line();
    return latin1(bytes);
  }

  byte[] exactly(int length) throws IOException {
    byte[] bytes = in.readNBytes(length);
    if (bytes.length < length) {
      throw new EOFException("closed after " + bytes.length + " of " + length + " bytes");
    }
    return bytes;
  }

  /// Whether the other side closes now, without another byte.
  boolean isAtEnd() throws IOException {
    return in.read() < 0;
  }

  private String line() throws IOException {
    var line = new ByteArrayOutputStream();
    while (true) {
      int next = in.read();
      if (next < 0) {
        throw new EOFException("closed within a line");
      }
      if (next == '\n') {
        String text = line.toString(StandardCharsets.ISO_8859_1);
        return text.substring(0, text.length() - 1);
      }
      line.write(next);
    }
  }

  private static String latin1(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
