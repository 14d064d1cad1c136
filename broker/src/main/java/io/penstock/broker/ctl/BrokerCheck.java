package io.penstock.broker.ctl;

import io.penstock.codec.Protocol;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import javax.net.ssl.SSLSocket;

/// What an agent will meet on its way: DNS, TCP, TLS, then the broker's health, its clock, and its
/// tunnel endpoint.
final class BrokerCheck {
  private static final Duration CLOCK_TOLERANCE = Duration.ofSeconds(30);
  private static final int MAX_HEAD_LINES = 100;

  private final URI url;
  private final Clock clock;
  private final WayToBroker way;

  BrokerCheck(URI url, Optional<String> caPem, Clock clock) {
    this.url = url;
    this.clock = clock;
    this.way = new WayToBroker(url, caPem, clock);
  }

  List<Finding> look() {
    List<Finding> findings = new ArrayList<>(way.walk());
    if (findings.getLast().failed()) {
      return findings;
    }
    findings.addAll(health());
    if (!findings.getLast().failed()) {
      findings.add(tunnel());
    }
    return findings;
  }

  /// True if a Penstock broker answers there; a doctor asks before it calls a port taken by a
  /// stranger.
  static boolean answers(URI url, Optional<String> caPem, Clock clock) {
    BrokerCheck check = new BrokerCheck(url, caPem, clock);
    return check.health().stream().noneMatch(Finding::failed);
  }

  private List<Finding> health() {
    String expected = "200 from /health/ready";
    try {
      Head head = exchange("GET /health/ready HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n");
      if (head.status() == 200) {
        return List.of(Finding.ok("HTTP", expected, "200"), clock(head));
      }
      return List.of(
          Finding.fail("HTTP", expected, String.valueOf(head.status()), "see the broker's log"));
    } catch (IOException e) {
      return List.of(Finding.fail("HTTP", expected, reason(e), "see the broker's log"));
    }
  }

  private Finding clock(Head head) {
    String expected = "this clock within " + CLOCK_TOLERANCE.toSeconds() + " s of the broker's";
    Optional<Instant> theirs = head.date();
    if (theirs.isEmpty()) {
      return Finding.warn("clock", expected, "no Date in its answer", "compare the clocks by hand");
    }
    Duration apart = Duration.between(theirs.get(), clock.instant());
    String found = apart.toSeconds() + " s";
    if (apart.abs().compareTo(CLOCK_TOLERANCE) > 0) {
      return Finding.warn("clock", expected, found, "set this machine's clock, for example by NTP");
    }
    return Finding.ok("clock", expected, found);
  }

  /// Only that an upgrade is answered: the handshake behind it needs an agent's keys.
  private Finding tunnel() {
    String expected = "an answer to a WebSocket upgrade at /tunnel/v1";
    byte[] nonce = new byte[16];
    new SecureRandom().nextBytes(nonce);
    String request =
        """
        GET /tunnel/v1 HTTP/1.1\r
        Host: %%s\r
        Connection: Upgrade\r
        Upgrade: websocket\r
        Sec-WebSocket-Version: 13\r
        Sec-WebSocket-Key: %s\r
        Sec-WebSocket-Protocol: %s\r
        \r
        """
            .formatted(Base64.getEncoder().encodeToString(nonce), Protocol.SUBPROTOCOL_CONNECT);
    try {
      Head head = exchange(request);
      if (head.status() == HttpStatus.SWITCHING_PROTOCOLS) {
        return Finding.ok("WebSocket", expected, "101");
      }
      return Finding.warn(
          "WebSocket",
          expected,
          String.valueOf(head.status()),
          "a proxy may not pass WebSockets, or the broker takes no tunnels now");
    } catch (IOException e) {
      return Finding.fail(
          "WebSocket", expected, reason(e), "a proxy in the way may not pass WebSockets");
    }
  }

  private Head exchange(String request) throws IOException {
    try (SSLSocket socket = way.secure()) {
      String authority = url.getPort() == -1 ? url.getHost() : url.getHost() + ":" + url.getPort();
      socket
          .getOutputStream()
          .write(request.formatted(authority).getBytes(StandardCharsets.US_ASCII));
      return Head.read(
          new BufferedReader(
              new InputStreamReader(socket.getInputStream(), StandardCharsets.ISO_8859_1)));
    }
  }

  private static String reason(IOException e) {
    return e instanceof SocketTimeoutException ? "silence" : String.valueOf(e.getMessage());
  }

  /// Status and headers of an answer.
  private record Head(int status, Map<String, String> headers) {

    static Head read(BufferedReader reader) throws IOException {
      String statusLine = reader.readLine();
      if (statusLine == null || !statusLine.matches("HTTP/1\\.1 [1-5][0-9][0-9]( .*)?")) {
        throw new IOException(statusLine == null ? "the connection was closed" : "not HTTP/1.1");
      }
      Map<String, String> headers = new TreeMap<>();
      for (int i = 0; i < MAX_HEAD_LINES; i++) {
        String line = reader.readLine();
        if (line == null || line.isEmpty()) {
          break;
        }
        int colon = line.indexOf(':');
        if (colon > 0) {
          headers.put(
              line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).strip());
        }
      }
      return new Head(Integer.parseInt(statusLine.substring(9, 12)), headers);
    }

    Optional<Instant> date() {
      String text = headers.get("date");
      if (text == null) {
        return Optional.empty();
      }
      try {
        return Optional.of(Instant.from(DateTimeFormatter.RFC_1123_DATE_TIME.parse(text)));
      } catch (DateTimeException notADate) {
        return Optional.empty();
      }
    }
  }
}
