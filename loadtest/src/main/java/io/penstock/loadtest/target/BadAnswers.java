package io.penstock.loadtest.target;

import java.util.Map;
import java.util.Optional;

/// Answers that break RFC 9112, by name; whoever passes them on would let two parsers read one
/// stream differently.
final class BadAnswers {
  private static final Map<String, String> ANSWERS =
      Map.ofEntries(
          Map.entry(
              "two-lengths",
              "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"),
          Map.entry("length-list", "HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello!"),
          Map.entry("length-signed", "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello"),
          Map.entry("length-negative", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello"),
          Map.entry(
              "length-and-chunked",
              "HTTP/1.1 200 OK\r\n"
                  + "Content-Length: 5\r\n"
                  + "Transfer-Encoding: chunked\r\n\r\n"
                  + "5\r\n"
                  + "hello\r\n"
                  + "0\r\n\r\n"),
          Map.entry(
              "chunk-prefix",
              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunk\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
          Map.entry(
              "chunked-twice",
              "HTTP/1.1 200 OK\r\n"
                  + "Transfer-Encoding: chunked, chunked\r\n\r\n"
                  + "5\r\n"
                  + "hello\r\n"
                  + "0\r\n\r\n"),
          Map.entry(
              "chunk-size",
              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n"),
          Map.entry(
              "chunk-size-huge",
              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello"),
          Map.entry(
              "obs-fold",
              "HTTP/1.1 200 OK\r\nX-Folded: one\r\n two\r\nContent-Length: 5\r\n\r\nhello"),
          Map.entry("space-before-colon", "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello"),
          Map.entry(
              "control-in-value",
              "HTTP/1.1 200 OK\r\nX-Control: a\u0001b\r\nContent-Length: 5\r\n\r\nhello"),
          Map.entry(
              "bare-cr",
              "HTTP/1.1 200 OK\r\nX-Bare: a\rSet-Cookie: b=c\r\nContent-Length: 5\r\n\r\nhello"),
          Map.entry("no-http", "hello, this is no HTTP\r\n\r\n"),
          Map.entry("status-text", "HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n"),
          Map.entry("status-99", "HTTP/1.1 99 Low\r\nContent-Length: 0\r\n\r\n"),
          Map.entry(
              "unasked-upgrade",
              "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nhello"),
          Map.entry(
              "second-answer",
              "HTTP/1.1 200 OK\r\n"
                  + "Content-Length: 5\r\n\r\n"
                  + "helloHTTP/1.1 200 OK\r\n"
                  + "Content-Length: 5\r\n\r\n"
                  + "stale"));

  static Optional<String> named(String name) {
    return Optional.ofNullable(ANSWERS.get(name));
  }

  private BadAnswers() {}
}
