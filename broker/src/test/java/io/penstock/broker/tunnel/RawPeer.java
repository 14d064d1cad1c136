package io.penstock.broker.tunnel;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/// The agent's end of a connection as bytes: speaks HTTP and WebSocket by hand, so that a test can
/// break every rule.
final class RawPeer implements AutoCloseable {
  static final int PATIENCE_MS = 10_000;

  private final Socket socket;
  private final DataInputStream in;
  private final OutputStream out;

  RawPeer(Socket socket) throws IOException {
    this.socket = socket;
    socket.setSoTimeout(PATIENCE_MS);
    socket.setTcpNoDelay(true);
    in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
    out = socket.getOutputStream();
  }

  static RawPeer dial(int port) throws IOException {
    return new RawPeer(new Socket(InetAddress.getLoopbackAddress(), port));
  }

  /// Status and fields of the answer to an upgrade request.
  String upgrade(String subprotocol) throws IOException {
    return upgrade(subprotocol, "Broker.Example:8443", "");
  }

  String upgrade(String subprotocol, String host, String moreFields) throws IOException {
    text(
        "GET /tunnel/v1 HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                .formatted(host)
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            + "Sec-WebSocket-Protocol: %s\r\n%s\r\n".formatted(subprotocol, moreFields));
    return head();
  }

  void text(String text) throws IOException {
    bytes(text.getBytes(StandardCharsets.ISO_8859_1));
  }

  void bytes(byte... bytes) throws IOException {
    out.write(bytes);
    out.flush();
  }

  /// Up to and with the empty line.
  String head() throws IOException {
    var head = new StringBuilder();
    while (head.indexOf("\r\n\r\n") < 0) {
      head.append((char) in.readUnsignedByte());
    }
    return head.toString();
  }

  String body(int bytes) throws IOException {
    return new String(in.readNBytes(bytes), StandardCharsets.UTF_8);
  }

  // WebSocket.

  static final int BINARY = 0x82;
  static final int CLOSE = 0x88;
  static final int PING = 0x89;
  static final int PONG = 0x8a;

  /// One masked frame.
  void frame(int firstByte, byte... payload) throws IOException {
    bytes(masked(firstByte, payload));
  }

  static byte[] masked(int firstByte, byte... payload) {
    byte[] mask = {0x12, (byte) 0xf4, 0x56, 0x78};
    var frame = ByteBuffer.allocate(payload.length + 14);
    frame.put((byte) firstByte);
    if (payload.length < 126) {
      frame.put((byte) (0x80 | payload.length));
    } else if (payload.length < 65_536) {
      frame.put((byte) (0x80 | 126)).putShort((short) payload.length);
    } else {
      frame.put((byte) (0x80 | 127)).putLong(payload.length);
    }
    frame.put(mask);
    for (int i = 0; i < payload.length; i++) {
      frame.put((byte) (payload[i] ^ mask[i % 4]));
    }
    byte[] bytes = new byte[frame.position()];
    frame.flip().get(bytes);
    return bytes;
  }

  /// A frame of the broker. `status`: of a close frame.
  record Received(int firstByte, byte[] payload) {
    int status() {
      return ByteBuffer.wrap(payload).getShort() & 0xffff;
    }

    String reason() {
      return new String(payload, 2, payload.length - 2, StandardCharsets.UTF_8);
    }
  }

  Received read() throws IOException {
    int first = in.readUnsignedByte();
    int length = in.readUnsignedByte();
    if ((length & 0x80) != 0) {
      throw new IOException("a broker's frames are not masked");
    }
    length = length == 126 ? in.readUnsignedShort() : length;
    return new Received(first, in.readNBytes(length));
  }

  /// Skips to the close frame.
  Received readClose() throws IOException {
    Received received = read();
    while (received.firstByte() != CLOSE) {
      received = read();
    }
    return received;
  }

  boolean hasInput() throws IOException {
    return in.available() > 0;
  }

  void timeout(Duration timeout) throws IOException {
    socket.setSoTimeout((int) timeout.toMillis());
  }

  /// Reads until the broker closes the connection.
  ///
  /// @return how long it took
  Duration awaitEnd() throws IOException {
    long start = System.nanoTime();
    try {
      while (in.read() >= 0) {
        // What still comes does not matter.
      }
    } catch (EOFException | SocketException reset) {
      // Gone, too.
    }
    return Duration.ofNanos(System.nanoTime() - start);
  }

  Socket socket() {
    return socket;
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
