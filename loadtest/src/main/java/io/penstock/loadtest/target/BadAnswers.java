package io.penstock.loadtest.target;

import java.util.Map;
import java.util.Optional;

/// Answers that break RFC 9112, by name; whoever passes them on would let two parsers read one
/// stream differently.
final class BadAnswers {
  private static final String CHUNKED = "Transfer-Encoding: chunked";
  private static final String ONE_CHUNK = "5\r\nhello\r\n0\r\n\r\n";

  private static final Map<String, String> ANSWERS =
      Map.ofEntries(
          Map.entry("two-lengths", ok("hello!", "Content-Length: 5", "Content-Length: 6")),
          Map.entry("length-list", ok("hello!", "Content-Length: 5, 6")),
          Map.entry("length-signed", ok("hello", "Content-Length: +5")),
          Map.entry("length-negative", ok("hello", "Content-Length: -5")),
          Map.entry("length-and-chunked", ok(ONE_CHUNK, "Content-Length: 5", CHUNKED)),
          Map.entry("chunk-prefix", ok(ONE_CHUNK, "Transfer-Encoding: chunk")),
          Map.entry("chunked-twice", ok(ONE_CHUNK, "Transfer-Encoding: chunked, chunked")),
          Map.entry("chunk-size", ok("zz\r\nhello\r\n0\r\n\r\n", CHUNKED)),
          Map.entry("chunk-size-huge", ok("fffffffffffffffff\r\nhello", CHUNKED)),
          Map.entry("obs-fold", ok("hello", "X-Folded: one", " two", "Content-Length: 5")),
          Map.entry("space-before-colon", ok("hello", "Content-Length : 5")),
          Map.entry("control-in-value", ok("hello", "X-Control: a\u0001b", "Content-Length: 5")),
          Map.entry("bare-cr", ok("hello", "X-Bare: a\rSet-Cookie: b=c", "Content-Length: 5")),
          Map.entry("no-http", "hello, this is no HTTP\r\n\r\n"),
          Map.entry("status-text", "HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n"),
          Map.entry("status-99", "HTTP/1.1 99 Low\r\nContent-Length: 0\r\n\r\n"),
          Map.entry("unasked-upgrade", "HTTP/1.1 101 Switch\r\nUpgrade: x\r\n\r\nhello"),
          Map.entry(
              "second-answer", ok("hello" + ok("s", "Content-Length: 1"), "Content-Length: 5")));

  static Optional<String> named(String name) {
    return Optional.ofNullable(ANSWERS.get(name));
  }

  private static String ok(String body, String... fields) {
    return "HTTP/1.1 200 OK\r\n" + String.join("\r\n", fields) + "\r\n\r\n" + body;
  }

  private BadAnswers() {}
}
