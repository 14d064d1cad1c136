package io.penstock.codec.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HeadGateRequestTest {

  private static final HeadLimits LIMITS = HeadLimits.DEFAULT;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "GET / HTTP/1.1|Host: a||",
        "GET / HTTP/1.0|Host: a||",
        "GET /a/b?c=//d\\..{} HTTP/1.1|Host: a||",
        "GET /a HTTP/1.1|Host:a||",
        "GET /a HTTP/1.1|Host: \t a \t||",
        "GET /a HTTP/1.1|HOST: a||",
        "GET /a HTTP/1.1|Host: erp.plant-1.example.com:8443||",
        "GET /a HTTP/1.1|Host: [2001:db8::1]:443||",
        "GET /a HTTP/1.1|Host: [::ffff:10.0.0.1]||",
        "GET http://A.example/x?y HTTP/1.1|Host: a.example||",
        "GET HTTPS://a:443 HTTP/1.1|Host: a:443||",
        "OPTIONS * HTTP/1.1|Host: a||",
        "CONNECT erp.site:3200 HTTP/1.1|Host: erp.site:3200||",
        "CONNECT erp.site:3200 HTTP/1.1|Host: erp.site||",
        "CONNECT erp.site:3200 HTTP/1.1|Host: erp.site|Content-Length: 0||",
        "M-SEARCH /a HTTP/1.1|Host: a||",
        "GET /a HTTP/1.1|Host: a|Empty:||",
        "GET /a HTTP/1.1|Host: a|api_key: 1|X.Y: 2||",
        "GET /a HTTP/1.1|Host: a|Connection: keep-alive, X-Own||",
        "GET /a HTTP/1.1|Host: a|Connection: upgrade|Upgrade: websocket||",
        "POST /a HTTP/1.1|Host: a|Content-Length: 0||",
        "PUT /a HTTP/1.1|Host: a|Expect: 100-Continue|Content-Length: 0||",
      })
  void acceptsHeadsThatEveryParserReadsAlike(String head) {
    assertThat(judge(head)).isEqualTo(new Verdict.Accepted(Framing.NONE));
  }

  @ParameterizedTest
  @ValueSource(strings = {"1", "42", "999999999999999999"})
  void acceptsAPlainContentLength(String length) {
    Verdict verdict = judge("POST / HTTP/1.1|Host: a|Content-Length: " + length + "||");

    assertThat(verdict).isEqualTo(new Verdict.Accepted(new Framing.Length(Long.parseLong(length))));
  }

  @ParameterizedTest
  @ValueSource(strings = {"chunked", "Chunked", "CHUNKED", "\tchunked \t"})
  void acceptsExactlyOneChunked(String value) {
    Verdict verdict = judge("POST / HTTP/1.1|Host: a|Transfer-Encoding:" + value + "||");

    assertThat(verdict).isEqualTo(new Verdict.Accepted(Framing.CHUNKED));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '¦',
      ignoreLeadingAndTrailingWhitespace = false,
      value = {
        // Line ends and folds.
        "BARE_LINE_END¦GET / HTTP/1.1|Host: a␊||",
        "BARE_LINE_END¦GET / HTTP/1.1|Host: a|X: b␍Y: c||",
        "BARE_LINE_END¦GET / HTTP/1.1|Host: a|X: b␊Transfer-Encoding: chunked||",
        "BARE_LINE_END¦GET / HTTP/1.1|Host: a|X␍: b||",
        "BARE_LINE_END¦GET / HTTP/1.1|Host: a|X␊: b||",
        "BARE_LINE_END¦GET / HTTP/1.1|Host: a|␍X: b||",
        "OBS_FOLD¦GET / HTTP/1.1|Host: a|X: b| c||",
        "OBS_FOLD¦GET / HTTP/1.1|Host: a|X: b|\tTransfer-Encoding: chunked||",
        "OBS_FOLD¦GET / HTTP/1.1| Host: a||",
        // Names and values.
        "BAD_FIELD_NAME¦GET / HTTP/1.1|Host : a||",
        "BAD_FIELD_NAME¦GET / HTTP/1.1|Host\t: a||",
        "BAD_FIELD_NAME¦GET / HTTP/1.1|Host: a|: b||",
        "BAD_FIELD_NAME¦GET / HTTP/1.1|Host: a|no colon||",
        "BAD_FIELD_NAME¦GET / HTTP/1.1|Host: a|nocolon||",
        "BAD_FIELD_NAME¦GET / HTTP/1.1|Host: a|X(Y): b||",
        "BAD_FIELD_NAME¦GET / HTTP/1.1|Host: a|X\0: b||",
        "BAD_FIELD_NAME¦GET / HTTP/1.1|Host: a|X\u00e9: b||",
        "BAD_FIELD_VALUE¦GET / HTTP/1.1|Host: a|X: b\0||",
        "BAD_FIELD_VALUE¦GET / HTTP/1.1|Host: a|X: \u000bb||",
        "BAD_FIELD_VALUE¦GET / HTTP/1.1|Host: a|X: b\u007f||",
        "BAD_FIELD_VALUE¦GET / HTTP/1.1|Host: a|X: caf\u00e9||",
        "LOOKALIKE_NAME¦GET / HTTP/1.1|Host: a|content_length: 5||",
        "LOOKALIKE_NAME¦GET / HTTP/1.1|Host: a|Transfer_Encoding: chunked||",
        "LOOKALIKE_NAME¦GET / HTTP/1.1|Host: a|transfer.encoding: chunked||",
        "LOOKALIKE_NAME¦GET / HTTP/1.1|Host: a|Penstock_Caller: admin||",
        "LOOKALIKE_NAME¦GET / HTTP/1.1|Host: a|X_Forwarded_For: 127.0.0.1||",
        // Request line.
        "BAD_METHOD¦ GET / HTTP/1.1|Host: a||",
        "BAD_METHOD¦|GET / HTTP/1.1|Host: a||",
        "BAD_METHOD¦G(T / HTTP/1.1|Host: a||",
        "BAD_METHOD¦GET\t/ HTTP/1.1|Host: a||",
        "BAD_METHOD¦GET||",
        "RESERVED_METHOD¦PRI * HTTP/2.0||",
        "RESERVED_METHOD¦PRI * HTTP/1.1|Host: a||",
        "RESERVED_METHOD¦PRI /x HTTP/1.1|Host: a||",
        "RESERVED_METHOD¦pri /x HTTP/1.1|Host: a||",
        "BAD_METHOD¦ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1|Host: a||",
        "BAD_REQUEST_LINE¦GET  / HTTP/1.1|Host: a||",
        "BAD_REQUEST_LINE¦GET /\tHTTP/1.1|Host: a||",
        "BAD_REQUEST_LINE¦GET /|Host: a||",
        "BAD_REQUEST_LINE¦GET /\u00e9 HTTP/1.1|Host: a||",
        "BAD_VERSION¦GET /  HTTP/1.1|Host: a||",
        "BAD_VERSION¦GET / HTTP/1.1 |Host: a||",
        "BAD_VERSION¦GET / HTTP/1.11|Host: a||",
        "BAD_VERSION¦GET / http/1.1|Host: a||",
        "BAD_VERSION¦GET / ICE/1.01|Host: a||",
        "BAD_VERSION¦GET / HTTP/1.1␊|Host: a||",
        "BAD_VERSION¦GET / HTTP/1.1␍|Host: a||",
        "BAD_VERSION¦GET / HTTP|Host: a||",
        "BAD_VERSION¦GET / HTTP/1,1|Host: a||",
        "UNKNOWN_VERSION¦GET / HTTP/2.0|Host: a||",
        "UNKNOWN_VERSION¦GET / HTTP/1.2|Host: a||",
        "UNKNOWN_VERSION¦GET / HTTP/0.9|Host: a||",
        "FRAGMENT_IN_TARGET¦GET /a#b HTTP/1.1|Host: a||",
        "BAD_TARGET¦GET a HTTP/1.1|Host: a||",
        "BAD_TARGET¦GET * HTTP/1.1|Host: a||",
        "BAD_TARGET¦OPTIONS *x HTTP/1.1|Host: a||",
        "BAD_TARGET¦GET //a/b HTTP/1.1|Host: a||",
        "BAD_TARGET¦GET a:80 HTTP/1.1|Host: a:80||",
        "BAD_TARGET¦GET ftp://a/ HTTP/1.1|Host: a||",
        "BAD_TARGET¦CONNECT /a HTTP/1.1|Host: a||",
        "BAD_TARGET¦CONNECT a HTTP/1.1|Host: a||",
        "BAD_TARGET¦connect /a HTTP/1.1|Host: a||",
        "OTHER_AUTHORITY¦GET http://b/ HTTP/1.1|Host: a||",
        "OTHER_AUTHORITY¦GET http://a:80/ HTTP/1.1|Host: a||",
        "OTHER_AUTHORITY¦GET http://u@a/ HTTP/1.1|Host: a||",
        "OTHER_AUTHORITY¦GET http:///a HTTP/1.1|Host: a||",
        "OTHER_AUTHORITY¦CONNECT b:1 HTTP/1.1|Host: a:1||",
        "OTHER_AUTHORITY¦CONNECT a:1 HTTP/1.1|Host: a:2||",
        // Host.
        "HOST_COUNT¦GET / HTTP/1.1||",
        "HOST_COUNT¦GET / HTTP/1.0||",
        "HOST_COUNT¦GET / HTTP/1.1|Host: a|Host: a||",
        "HOST_COUNT¦GET / HTTP/1.1|Host: a|host: b||",
        "BAD_HOST¦GET / HTTP/1.1|Host:||",
        "BAD_HOST¦GET / HTTP/1.1|Host: a b||",
        "BAD_HOST¦GET / HTTP/1.1|Host: a, b||",
        "BAD_HOST¦GET / HTTP/1.1|Host: a/b||",
        "BAD_HOST¦GET / HTTP/1.1|Host: u@a||",
        "BAD_HOST¦GET / HTTP/1.1|Host: a%2eb||",
        "BAD_HOST¦GET / HTTP/1.1|Host: a:||",
        "BAD_HOST¦GET / HTTP/1.1|Host: a:99999||",
        "BAD_HOST¦GET / HTTP/1.1|Host: a:1x||",
        "BAD_HOST¦GET / HTTP/1.1|Host: [::1||",
        "BAD_HOST¦GET / HTTP/1.1|Host: [fe80::1%25eth0]||",
        "BAD_HOST¦GET / HTTP/1.1|Host: [::1]x||",
        // Framing.
        "BAD_TRANSFER_ENCODING¦POST / HTTP/1.1|Host: a|Transfer-Encoding: gzip, chunked||",
        "BAD_TRANSFER_ENCODING¦POST / HTTP/1.1|Host: a|Transfer-Encoding: chunked, identity||",
        "BAD_TRANSFER_ENCODING¦POST / HTTP/1.1|Host: a|Transfer-Encoding: identity||",
        "BAD_TRANSFER_ENCODING¦POST / HTTP/1.1|Host: a|Transfer-Encoding: chunk||",
        "BAD_TRANSFER_ENCODING¦POST / HTTP/1.1|Host: a|Transfer-Encoding: c||",
        "BAD_TRANSFER_ENCODING¦POST / HTTP/1.1|Host: a|Transfer-Encoding:||",
        "BAD_TRANSFER_ENCODING¦POST / HTTP/1.1|Host: a|Transfer-Encoding: \"chunked\"||",
        "BAD_TRANSFER_ENCODING¦POST / HTTP/1.1|Host: a|Transfer-Encoding: chunked;q=1||",
        "BAD_TRANSFER_ENCODING¦POST / HTTP/1.1|Host: a|Transfer-Encoding: ,chunked||",
        "REPEATED_TRANSFER_ENCODING¦POST / HTTP/1.1|Host: a|Transfer-Encoding:"
            + " chunked|Transfer-Encoding: chunked||",
        "TRANSFER_ENCODING_ON_HTTP_1_0¦POST / HTTP/1.0|Host: a|Transfer-Encoding: chunked||",
        "TWO_FRAMINGS¦POST / HTTP/1.1|Host: a|Transfer-Encoding: chunked|Content-Length: 5||",
        "TWO_FRAMINGS¦POST / HTTP/1.1|Host: a|Content-Length: 0|Transfer-Encoding: chunked||",
        "REPEATED_CONTENT_LENGTH¦POST / HTTP/1.1|Host: a|Content-Length: 5|Content-Length: 5||",
        "REPEATED_CONTENT_LENGTH¦POST / HTTP/1.1|Host: a|Content-Length: 5|content-length: 6||",
        "BAD_CONTENT_LENGTH¦POST / HTTP/1.1|Host: a|Content-Length: 5, 5||",
        "BAD_CONTENT_LENGTH¦POST / HTTP/1.1|Host: a|Content-Length: +5||",
        "BAD_CONTENT_LENGTH¦POST / HTTP/1.1|Host: a|Content-Length: -0||",
        "BAD_CONTENT_LENGTH¦POST / HTTP/1.1|Host: a|Content-Length: 0x5||",
        "BAD_CONTENT_LENGTH¦POST / HTTP/1.1|Host: a|Content-Length: 010||",
        "BAD_CONTENT_LENGTH¦POST / HTTP/1.1|Host: a|Content-Length: 5 5||",
        "BAD_CONTENT_LENGTH¦POST / HTTP/1.1|Host: a|Content-Length:||",
        "BAD_CONTENT_LENGTH¦POST / HTTP/1.1|Host: a|Content-Length: 1000000000000000000||",
        "CONNECTION_NAMES_FRAMING¦GET / HTTP/1.1|Host: a|Connection: close, Content-Length||",
        "CONNECTION_NAMES_FRAMING¦GET / HTTP/1.1|Host: a|Connection: host||",
        "CONNECTION_NAMES_FRAMING¦GET / HTTP/1.1|Host: a|Connection: x;transfer_encoding||",
        "BODY_WITHOUT_MEANING¦POST / HTTP/1.1|Host: a|Upgrade: h2c|Content-Length: 5||",
        "BODY_WITHOUT_MEANING¦GET / HTTP/1.1|Host: a|Upgrade: websocket|Transfer-Encoding:"
            + " chunked||",
        "BODY_WITHOUT_MEANING¦CONNECT a:1 HTTP/1.1|Host: a:1|Content-Length: 5||",
        "BODY_WITHOUT_MEANING¦TRACE / HTTP/1.1|Host: a|Content-Length: 5||",
        "HIDDEN_BODY¦GET / HTTP/1.1|Host: a|Sec-WebSocket-Key1: 1|Sec-WebSocket-Key2: 2||",
        "BAD_EXPECTATION¦POST / HTTP/1.1|Host: a|Expect: y 100-continue||",
        "BAD_EXPECTATION¦POST / HTTP/1.1|Host: a|Expect: 100-continue|Expect: 100-continue||",
      })
  void refusesWhatTwoParsersCouldReadDifferently(Refusal refusal, String head) {
    assertThat(judge(head)).isEqualTo(new Verdict.Refused(refusal));
  }

  @Test
  void refusesAHeadOverTheLimitWith431() {
    String head = "GET / HTTP/1.1|Host: a|X: " + "x".repeat(LIMITS.headBytes()) + "||";

    assertThat(judge(head)).isEqualTo(new Verdict.Refused(Refusal.HEAD_TOO_LARGE));
    assertThat(Refusal.HEAD_TOO_LARGE.status()).isEqualTo(431);
  }

  @Test
  void countsFieldsUpToTheLimit() {
    String most = "GET / HTTP/1.1|Host: a|" + "X: y|".repeat(LIMITS.fields() - 1);

    assertThat(judge(most + "|")).isEqualTo(new Verdict.Accepted(Framing.NONE));
    assertThat(judge(most + "X: y||")).isEqualTo(new Verdict.Refused(Refusal.TOO_MANY_FIELDS));
  }

  @Test
  void refusesEveryByteThatIsNoTokenCharacterInAName() {
    String token = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    for (int b = 0; b < 256; b++) {
      ByteBuf head =
          Unpooled.copiedBuffer(
              "GET / HTTP/1.1\r\nHost: a\r\nQ" + (char) b + "Q: v\r\n\r\n", ISO_8859_1);

      boolean accepted = judge(head) instanceof Verdict.Accepted;

      assertThat(accepted).as("byte 0x%02x", b).isEqualTo(b == ':' || token.indexOf(b) >= 0);
    }
  }

  @Test
  void refusesEveryControlAndNonAsciiByteInAValue() {
    for (int b = 0; b < 256; b++) {
      ByteBuf head =
          Unpooled.copiedBuffer(
              "GET / HTTP/1.1\r\nHost: a\r\nQ: q" + (char) b + "q\r\n\r\n", ISO_8859_1);

      boolean accepted = judge(head) instanceof Verdict.Accepted;

      assertThat(accepted).as("byte 0x%02x", b).isEqualTo(b == '\t' || (b >= 0x20 && b < 0x7f));
    }
  }

  @Test
  void refusesEveryPunctuationTwinOfAKnownName() {
    for (char c : "!#$%&'*+.^_`|~".toCharArray()) {
      ByteBuf head =
          Unpooled.copiedBuffer(
              "GET / HTTP/1.1\r\nHost: a\r\nContent" + c + "Length: 1\r\n\r\n", ISO_8859_1);

      assertThat(judge(head)).isEqualTo(new Verdict.Refused(Refusal.LOOKALIKE_NAME));
    }
  }

  @Test
  void refusesEveryTruncation() {
    byte[] head = bytes("POST /a HTTP/1.1|Host: a|Content-Length: 5|X: y||");

    for (int length = 0; length < head.length; length++) {
      Verdict verdict = HeadGate.request(Unpooled.wrappedBuffer(head), 0, length, LIMITS);

      assertThat(verdict).as("%d bytes", length).isInstanceOf(Verdict.Refused.class);
    }
  }

  @Test
  void refusesBytesBehindTheEmptyLine() {
    assertThat(judge("GET / HTTP/1.1|Host: a||GET /b HTTP/1.1|Host: a||"))
        .isInstanceOf(Verdict.Refused.class);
  }

  @Test
  void judgesDirectAndOffsetBuffersAlike() {
    byte[] head = bytes("POST /a HTTP/1.1|Host: a|Content-Length: 5||");
    ByteBuf direct = Unpooled.directBuffer().writeZero(7).writeBytes(head).writeZero(3);
    ByteBuf heap =
        Unpooled.buffer().writeZero(7).writeBytes(head).writeZero(3).slice(2, head.length + 6);

    assertThat(HeadGate.request(direct, 7, head.length, LIMITS))
        .isEqualTo(new Verdict.Accepted(new Framing.Length(5)));
    assertThat(HeadGate.request(heap, 5, head.length, LIMITS))
        .isEqualTo(new Verdict.Accepted(new Framing.Length(5)));
    assertThat(direct.readerIndex()).isZero();
    direct.release();
  }

  @Test
  void knowsEveryNameOfItsListInAnyCase() {
    for (KnownField field : KnownField.values()) {
      if (field == KnownField.OTHER) {
        continue;
      }
      byte[] name = field.name().replace('_', '-').getBytes(ISO_8859_1);

      assertThat(name.length).isLessThanOrEqualTo(KnownField.LONGEST);
      assertThat(find(name)).isEqualTo(field);
    }
  }

  private static KnownField find(byte[] name) {
    int hash = 0;
    for (byte b : name) {
      hash = KnownField.hash(hash, Octets.fold(b));
    }
    return KnownField.find(name, 0, name.length, hash);
  }

  private static Verdict judge(String head) {
    return judge(Unpooled.wrappedBuffer(bytes(head)));
  }

  private static Verdict judge(ByteBuf head) {
    return HeadGate.request(head, 0, head.readableBytes(), LIMITS);
  }

  /// `|` stands for CRLF, `␍` and `␊` for one of its halves (CSV sources end records there).
  static byte[] bytes(String head) {
    return head.replace("|", "\r\n").replace('␍', '\r').replace('␊', '\n').getBytes(ISO_8859_1);
  }
}
