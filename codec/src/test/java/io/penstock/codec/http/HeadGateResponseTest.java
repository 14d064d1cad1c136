package io.penstock.codec.http;

import static io.penstock.codec.http.HeadGateRequestTest.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HeadGateResponseTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '¦',
      value = {
        "UntilClose¦ORDINARY¦HTTP/1.1 200 OK||",
        "UntilClose¦ORDINARY¦HTTP/1.0 200 OK||",
        "UntilClose¦ORDINARY¦HTTP/1.1 200||",
        "UntilClose¦ORDINARY¦HTTP/1.1 200 ||",
        "UntilClose¦ORDINARY¦HTTP/1.1 500 Ung\u00fcltig||",
        "UntilClose¦CONNECT¦HTTP/1.1 407 No||",
        "Length¦ORDINARY¦HTTP/1.1 200 OK|Content-Length: 5||",
        "Chunked¦ORDINARY¦HTTP/1.1 200 OK|Transfer-Encoding: chunked||",
        "Chunked¦CONNECT¦HTTP/1.1 502 No|Transfer-Encoding: chunked||",
        "None¦ORDINARY¦HTTP/1.1 200 OK|Content-Length: 0||",
        "None¦ORDINARY¦HTTP/1.1 100 Continue||",
        "None¦ORDINARY¦HTTP/1.1 204 No Content||",
        "None¦ORDINARY¦HTTP/1.1 204 No Content|Content-Length: 0||",
        "None¦ORDINARY¦HTTP/1.1 304 Not Modified|Content-Length: 5||",
        "None¦ORDINARY¦HTTP/1.1 304 Not Modified|Transfer-Encoding: chunked||",
        "None¦HEAD¦HTTP/1.1 200 OK|Content-Length: 5||",
        "None¦HEAD¦HTTP/1.1 200 OK|Transfer-Encoding: chunked||",
        "None¦CONNECT¦HTTP/1.1 200 OK||",
        "None¦UPGRADE¦HTTP/1.1 101 Switching Protocols|Upgrade: websocket||",
        "Length¦UPGRADE¦HTTP/1.1 200 OK|Content-Length: 5||",
      })
  void findsTheEndOfTheBody(String framing, Asked asked, String head) {
    Verdict verdict = judge(asked, head);

    assertThat(verdict).isInstanceOf(Verdict.Accepted.class);
    assertThat(((Verdict.Accepted) verdict).framing().getClass().getSimpleName())
        .isEqualTo(framing);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '¦',
      value = {
        "BAD_STATUS_LINE¦ORDINARY¦HTTP/1.1  200 OK||",
        "BAD_STATUS_LINE¦ORDINARY¦HTTP/1.1||",
        "BAD_STATUS_LINE¦ORDINARY¦HTTP/1.1 20||",
        "BAD_STATUS_LINE¦ORDINARY¦HTTP/1.1 2000 OK||",
        "BAD_STATUS_LINE¦ORDINARY¦HTTP/1.1 2x0 OK||",
        "BAD_STATUS_LINE¦ORDINARY¦HTTP/1.1 099 OK||",
        "BAD_STATUS_LINE¦ORDINARY¦HTTP/1.1 600 OK||",
        "BAD_STATUS_LINE¦ORDINARY¦HTTP/1.1 200\tOK||",
        "BAD_STATUS_LINE¦ORDINARY¦HTTP/1.1 200 O\0K||",
        "BAD_STATUS_LINE¦ORDINARY¦HTTP/1.1 200 OK␍X: y||",
        "BAD_VERSION¦ORDINARY¦ICY/1.1 200 OK||",
        "UNKNOWN_VERSION¦ORDINARY¦HTTP/2.0 200 OK||",
        "OBS_FOLD¦ORDINARY¦HTTP/1.1 200 OK|X: y| z||",
        "BAD_FIELD_NAME¦ORDINARY¦HTTP/1.1 200 OK|Content-Length : 5||",
        "LOOKALIKE_NAME¦ORDINARY¦HTTP/1.1 200 OK|Content_Length: 5||",
        "TWO_FRAMINGS¦ORDINARY¦HTTP/1.1 200 OK|Content-Length: 5|Transfer-Encoding: chunked||",
        "TWO_FRAMINGS¦HEAD¦HTTP/1.1 200 OK|Content-Length: 5|Transfer-Encoding: chunked||",
        "TRANSFER_ENCODING_ON_HTTP_1_0¦ORDINARY¦HTTP/1.0 200 OK|Transfer-Encoding: chunked||",
        "BAD_TRANSFER_ENCODING¦ORDINARY¦HTTP/1.1 200 OK|Transfer-Encoding: identity||",
        "REPEATED_CONTENT_LENGTH¦ORDINARY¦HTTP/1.1 200 OK|Content-Length: 5|Content-Length: 5||",
        "BODY_ON_BODILESS_STATUS¦ORDINARY¦HTTP/1.1 204 No|Content-Length: 5||",
        "BODY_ON_BODILESS_STATUS¦ORDINARY¦HTTP/1.1 204 No|Transfer-Encoding: chunked||",
        "BODY_ON_BODILESS_STATUS¦ORDINARY¦HTTP/1.1 103 Hints|Content-Length: 5||",
        "BODY_ON_BODILESS_STATUS¦CONNECT¦HTTP/1.1 200 OK|Content-Length: 5||",
        "UNASKED_SWITCH¦ORDINARY¦HTTP/1.1 101 Switching Protocols|Upgrade: h2c||",
        "HIDDEN_BODY¦UPGRADE¦HTTP/1.1 101 WS|Sec-WebSocket-Origin: a|Sec-WebSocket-Location: b||",
      })
  void refusesAnswersThatTwoParsersCouldReadDifferently(Refusal refusal, Asked asked, String head) {
    assertThat(judge(asked, head)).isEqualTo(new Verdict.Refused(refusal));
  }

  @Test
  void refusesEveryTruncation() {
    byte[] head = bytes("HTTP/1.1 200 OK|Content-Length: 5|X: y||");

    for (int length = 0; length < head.length; length++) {
      Verdict verdict =
          HeadGate.response(
              Unpooled.wrappedBuffer(head), 0, length, Asked.ORDINARY, HeadLimits.DEFAULT);

      assertThat(verdict).as("%d bytes", length).isInstanceOf(Verdict.Refused.class);
    }
  }

  private static Verdict judge(Asked asked, String head) {
    byte[] bytes = bytes(head);
    return HeadGate.response(
        Unpooled.wrappedBuffer(bytes), 0, bytes.length, asked, HeadLimits.DEFAULT);
  }
}
