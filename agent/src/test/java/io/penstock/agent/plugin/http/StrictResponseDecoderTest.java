package io.penstock.agent.plugin.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import io.penstock.agent.plugin.http.StrictResponseDecoder.RefusedResponse;
import io.penstock.codec.http.HeadLimits;
import io.penstock.codec.http.Refusal;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// What came out is written as words: `200`, `"body"`, `end`, `cut`, `raw "…"`, or a refusal's
/// name.
class StrictResponseDecoderTest {

  private final StrictResponseDecoder decoder = new StrictResponseDecoder(HeadLimits.DEFAULT);
  private final EmbeddedChannel channel = new EmbeddedChannel(decoder);

  @AfterEach
  void closeChannel() {
    channel.finishAndReleaseAll();
  }

  @Test
  void readsOneAnswerPerRequest() {
    decoder.expect(HttpMethod.GET, false);
    assertThat(receive("HTTP/1.1 200 OK|Content-Length: 3||abc"))
        .containsExactly("200", "\"abc\"", "end");
    assertThat(decoder.isIdle()).isTrue();

    decoder.expect(HttpMethod.POST, false);
    assertThat(receive("HTTP/1.1 200 OK|Transfer-Encoding: chunked||3|abc|0|ETag: x||"))
        .containsExactly("200", "\"abc\"", "end");
  }

  @Test
  void refusesBytesThatNoRequestAskedFor() {
    decoder.expect(HttpMethod.GET, false);

    List<String> words =
        receive("HTTP/1.1 200 OK|Content-Length: 3||abcHTTP/1.1 200 OK|Content-Length: 0||");

    assertThat(words).containsExactly("200", "\"abc\"", "end", "UNSOLICITED_ANSWER");
    assertThat(decoder.isIdle()).isFalse();
    assertThatThrownBy(() -> decoder.expect(HttpMethod.GET, false))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void refusesToBeAskedTwiceAtATime() {
    decoder.expect(HttpMethod.GET, false);

    assertThatThrownBy(() -> decoder.expect(HttpMethod.GET, false))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void readsNoBodyBehindTheAnswerToHead() {
    decoder.expect(HttpMethod.HEAD, false);
    assertThat(receive("HTTP/1.1 200 OK|Content-Length: 3||")).containsExactly("200", "end");

    decoder.expect(HttpMethod.HEAD, false);
    assertThat(receive("HTTP/1.1 200 OK|Transfer-Encoding: chunked||"))
        .containsExactly("200", "end");

    decoder.expect(HttpMethod.HEAD, false);
    assertThat(receive("HTTP/1.1 200 OK|Content-Length: 3||abc"))
        .containsExactly("200", "end", "UNSOLICITED_ANSWER");
  }

  @Test
  void readsNoBodyBehindNotModified() {
    decoder.expect(HttpMethod.GET, false);

    assertThat(receive("HTTP/1.1 304 Not Modified|Content-Length: 3||"))
        .containsExactly("304", "end");
    assertThat(decoder.isIdle()).isTrue();
  }

  @Test
  void passesInterimAnswersBeforeTheFinalOne() {
    decoder.expect(HttpMethod.PUT, false);

    assertThat(
            receive(
                "HTTP/1.1 100 Continue||HTTP/1.1 103 Early Hints|Link: x||HTTP/1.1 204 No"
                    + " Content||"))
        .containsExactly("100", "end", "103", "end", "204", "end");
    assertThat(decoder.isIdle()).isTrue();
  }

  @Test
  void refusesEndlessInterimAnswers() {
    decoder.expect(HttpMethod.GET, false);

    assertThat(receive("HTTP/1.1 100 Continue||".repeat(17)))
        .endsWith("100", "end", "TOO_MANY_INTERIM_ANSWERS");
  }

  @Test
  void endsABodyWithTheConnectionOnlyWhereNothingElseEndsIt() {
    decoder.expect(HttpMethod.GET, false);
    assertThat(receive("HTTP/1.0 200 OK||abc")).containsExactly("200", "\"abc\"");

    channel.finish();

    assertThat(read()).containsExactly("end");
    assertThat(decoder.isIdle()).isFalse();
  }

  @Test
  void neverEndsABodyThatWasCut() {
    for (String answer :
        List.of(
            "HTTP/1.1 200 OK|Content-Length: 9||abc",
            "HTTP/1.1 200 OK|Content-Length: 9||",
            "HTTP/1.1 200 OK|Transfer-Encoding: chunked||3|abc|",
            "HTTP/1.1 200 OK|Transfer-Encoding: chunked||3|abc|0|",
            "HTTP/1.1 200 OK|Transfer-Encoding: chunked||3|abc|zz")) {
      StrictResponseDecoder other = new StrictResponseDecoder(HeadLimits.DEFAULT);
      other.expect(HttpMethod.GET, false);
      EmbeddedChannel cut = new EmbeddedChannel(other);
      cut.writeInbound(Unpooled.wrappedBuffer(bytes(answer)));
      cut.finish();

      assertThat(read(cut)).as(answer).endsWith("cut").doesNotContain("end");
    }
  }

  @Test
  void passesRawBytesAfterAnUpgradeThatWasAskedFor() {
    decoder.expect(HttpMethod.GET, true);

    assertThat(
            receive(
                "HTTP/1.1 101 Switching Protocols|Connection: upgrade|Upgrade: websocket||\0\1"))
        .containsExactly("101", "end", "raw \"\0\1\"");
    assertThat(receive("HTTP/1.1 200 OK||")).containsExactly("raw \"HTTP/1.1 200 OK\r\n\r\n\"");
  }

  @Test
  void passesRawBytesAfterASuccessfulConnect() {
    decoder.expect(HttpMethod.CONNECT, false);

    assertThat(receive("HTTP/1.1 200 Fine||x")).containsExactly("200", "end", "raw \"x\"");
  }

  @Test
  void readsARefusedConnectAsAnAnswer() {
    decoder.expect(HttpMethod.CONNECT, false);

    assertThat(receive("HTTP/1.1 407 No|Content-Length: 1||x"))
        .containsExactly("407", "\"x\"", "end");
    assertThat(decoder.isIdle()).isTrue();
  }

  @Test
  void refusesASwitchThatNobodyAskedFor() {
    decoder.expect(HttpMethod.GET, false);

    assertThat(receive("HTTP/1.1 101 Switching Protocols|Upgrade: h2c||"))
        .containsExactly("UNASKED_SWITCH");
  }

  @Test
  void refusesAHeadOverTheLimit() {
    decoder.expect(HttpMethod.GET, false);

    assertThat(receive("HTTP/1.1 200 OK|X: " + "x".repeat(32 * 1024)))
        .containsExactly("HEAD_TOO_LARGE");
  }

  /// An answer to GET with fields that Netty alone would take for a sixteen-byte body.
  @Test
  void refusesTheHiddenBodyOfAWithdrawnWebSocketDraft() {
    decoder.expect(HttpMethod.GET, true);

    assertThat(
            receive(
                "HTTP/1.1 101 WS|Upgrade: websocket|Sec-WebSocket-Origin: a|Sec-WebSocket-Location:"
                    + " b||"))
        .containsExactly(Refusal.HIDDEN_BODY.name());
  }

  private List<String> receive(String bytes) {
    channel.writeInbound(Unpooled.wrappedBuffer(bytes(bytes)));
    return read();
  }

  private List<String> read() {
    return read(channel);
  }

  private static List<String> read(EmbeddedChannel channel) {
    List<String> words = new ArrayList<>();
    for (Object message = channel.readInbound(); message != null; message = channel.readInbound()) {
      addWords(message, words);
      ReferenceCountUtil.release(message);
    }
    return words;
  }

  private static void addWords(Object message, List<String> words) {
    switch (message) {
      case RefusedResponse refused -> words.add(refused.refusal().name());
      case HttpResponse response -> words.add(Integer.toString(response.status().code()));
      case HttpContent content when content.decoderResult().isFailure() -> words.add("cut");
      case HttpContent content -> {
        if (content.content().isReadable()) {
          words.add('"' + content.content().toString(ISO_8859_1) + '"');
        }
        if (content instanceof LastHttpContent) {
          words.add("end");
        }
      }
      case ByteBuf raw -> words.add("raw \"" + raw.toString(ISO_8859_1) + '"');
      default -> throw new AssertionError("unexpected " + message);
    }
  }

  /// `|` stands for CRLF.
  private static byte[] bytes(String text) {
    return text.replace("|", "\r\n").getBytes(ISO_8859_1);
  }
}
