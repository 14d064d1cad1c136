package io.penstock.broker.edge;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import io.penstock.broker.edge.StrictRequestDecoder.RefusedRequest;
import io.penstock.codec.http.HeadLimits;
import io.penstock.codec.http.Refusal;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StrictRequestDecoderTest {

  private final StrictRequestDecoder decoder = new StrictRequestDecoder(HeadLimits.DEFAULT);
  private final EmbeddedChannel channel = new EmbeddedChannel(decoder);

  @AfterEach
  void closeChannel() {
    channel.finishAndReleaseAll();
  }

  @Test
  void readsPipelinedRequestsOneAfterTheOther() {
    List<Object> messages =
        send(
            "POST /a HTTP/1.1|Host: a|Content-Length: 3||abc"
                + "PUT /b HTTP/1.1|Host: a|Transfer-Encoding: chunked||2|de|1;x=y|f|0|ETag: t||"
                + "GET /c HTTP/1.1|Host: a||");

    assertThat(requests(messages)).containsExactly("/a", "/b", "/c");
    assertThat(body(messages)).isEqualTo("abcdef");
    assertThat(messages).filteredOn(LastHttpContent.class::isInstance).hasSize(3);
    LastHttpContent secondEnd = (LastHttpContent) messages.get(messages.size() - 3);
    assertThat(secondEnd.trailingHeaders().get("ETag")).isEqualTo("t");
  }

  @Test
  void passesBodiesOnInPiecesOfOneFrame() {
    List<Object> messages =
        send("POST /a HTTP/1.1|Host: a|Content-Length: 40000||" + "x".repeat(40_000));

    assertThat(contents(messages))
        .extracting(content -> content.content().readableBytes())
        .containsExactly(16_384, 16_384, 7_232);
  }

  @Test
  void refusesWithStatusAndFixedSentenceAndDropsTheRest() {
    List<Object> messages = send("GET /secret HTTP/1.1|Host: a|Host: b||GET / HTTP/1.1|Host: a||");

    assertThat(messages).containsExactly(new RefusedRequest(Refusal.HOST_COUNT));
    assertThat(((RefusedRequest) messages.getFirst()).status()).isEqualTo(400);
    assertThat(messages.toString()).doesNotContain("secret");
    assertThat(send("GET / HTTP/1.1|Host: a||")).isEmpty();
  }

  @Test
  void refusesTheSecondRequestWithoutHarmToTheFirst() {
    List<Object> messages = send("GET /a HTTP/1.1|Host: a||GET /b HTTP/1.1||");

    assertThat(requests(messages)).containsExactly("/a");
    assertThat(messages.getLast()).isEqualTo(new RefusedRequest(Refusal.HOST_COUNT));
  }

  @Test
  void refusesAnEndlessHeadAtItsLimit() {
    List<Object> messages = new ArrayList<>(send("GET / HTTP/1.1|Host: a|"));
    String line = "X-Filler: " + "x".repeat(1012) + "|";
    int sent = 0;
    while (messages.isEmpty() && sent < 100) {
      messages.addAll(send(line));
      sent++;
    }

    assertThat(messages).containsExactly(new RefusedRequest(Refusal.HEAD_TOO_LARGE));
    assertThat(((RefusedRequest) messages.getFirst()).status()).isEqualTo(431);
    assertThat(sent).isEqualTo(32);
  }

  @Test
  void passesAHeadOfJustTheLimit() {
    String start = "GET / HTTP/1.1|Host: a|X: ";
    int filler = HeadLimits.DEFAULT.headBytes() - bytes(start).length - 4;

    assertThat(requests(send(start + "x".repeat(filler) + "||"))).containsExactly("/");
    assertThat(send(start + "x".repeat(filler + 1) + "||"))
        .containsExactly(new RefusedRequest(Refusal.HEAD_TOO_LARGE));
  }

  @Test
  void toleratesOneEmptyLineBeforeARequestAndNoMore() {
    assertThat(requests(send("|GET /a HTTP/1.1|Host: a|||GET /b HTTP/1.1|Host: a||")))
        .containsExactly("/a", "/b");
    assertThat(send("||GET /a HTTP/1.1|Host: a||"))
        .containsExactly(new RefusedRequest(Refusal.BAD_METHOD));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "PRI * HTTP/2.0||SM||",
        "PRI /x HTTP/1.1|Host: a||GET /b HTTP/1.1|Host: a||",
        "Pri * HTTP/1.1|Host: a||"
      })
  void refusesThePrefaceOfHttp2AndReadsNothingBehindIt(String preface) {
    List<Object> messages = send(preface);

    assertThat(messages).containsExactly(new RefusedRequest(Refusal.RESERVED_METHOD));
    assertThat(((RefusedRequest) messages.getFirst()).status()).isEqualTo(400);
  }

  @Test
  void breaksOffAMalformedChunkWithoutEverEndingTheRequest() {
    List<Object> messages =
        send("POST /a HTTP/1.1|Host: a|Transfer-Encoding: chunked||3|abc|0x3|abc|0||");

    assertThat(messages).noneMatch(LastHttpContent.class::isInstance);
    HttpContent broken = (HttpContent) messages.getLast();
    assertThat(broken.decoderResult().isFailure()).isTrue();
    assertThat(broken.decoderResult().cause()).hasMessage(Refusal.BAD_CHUNK_SIZE.sentence());
    assertThat(send("0||GET / HTTP/1.1|Host: a||")).isEmpty();
  }

  @Test
  void breaksOffABodyThatTheCloseCuts() {
    for (String framing :
        List.of(
            "Content-Length: 10||abc",
            "Transfer-Encoding: chunked||3|abc|",
            "Transfer-Encoding: chunked||3|abc|0|")) {
      EmbeddedChannel cut = new EmbeddedChannel(new StrictRequestDecoder(HeadLimits.DEFAULT));
      cut.writeInbound(Unpooled.wrappedBuffer(bytes("POST /a HTTP/1.1|Host: a|" + framing)));
      cut.finish();
      List<Object> messages = read(cut);

      assertThat(messages).as(framing).noneMatch(LastHttpContent.class::isInstance);
      assertThat(((HttpContent) messages.getLast()).decoderResult().cause())
          .as(framing)
          .hasMessage(Refusal.CLOSED_WITHIN_BODY.sentence());
    }
  }

  @Test
  void saysNothingAboutAHeadThatTheCloseCuts() {
    send("GET /a HTTP/1.1|Host: a|");

    channel.finish();

    assertThat(read(channel)).isEmpty();
  }

  @Test
  void handsHeldBytesToWhoeverTakesTheConnectionOver() {
    List<Object> messages = send("CONNECT erp.site:3200 HTTP/1.1|Host: erp.site:3200||GET / raw");
    assertThat(messages).hasSize(2);

    channel.pipeline().remove(decoder);

    ByteBuf raw = channel.readInbound();
    assertThat(raw.toString(ISO_8859_1)).isEqualTo("GET / raw");
    raw.release();
  }

  @Test
  void readsOnAfterARefusedUpgrade() throws Exception {
    assertThat(requests(send("GET /a HTTP/1.1|Host: a|Connection: upgrade|Upgrade: h2c||")))
        .containsExactly("/a");
    assertThat(send("GET /b HTTP/1.1|Host: a||GET /c HT")).isEmpty();

    decoder.resume();

    assertThat(requests(read(channel))).containsExactly("/b");
    assertThat(requests(send("TP/1.1|Host: a||"))).containsExactly("/c");
  }

  @Test
  void resumesWithNothingHeld() throws Exception {
    send("GET /a HTTP/1.1|Host: a|Upgrade: h2c||");

    decoder.resume();
    decoder.resume();

    assertThat(requests(send("GET /b HTTP/1.1|Host: a||"))).containsExactly("/b");
  }

  @Test
  void refusesTooMuchBeforeTheSwitch() {
    send("CONNECT a:1 HTTP/1.1|Host: a:1||");

    assertThat(send("x".repeat(65_536))).isEmpty();
    assertThat(send("x")).containsExactly(new RefusedRequest(Refusal.BODY_WITHOUT_MEANING));
  }

  /// Netty's own handlers reset the decoder when an expectation fails.
  @Test
  void cannotBeMadeToTakeABodyForARequest() {
    send("POST /a HTTP/1.1|Host: a|Content-Length: 100||");

    assertThatThrownBy(decoder::reset).isInstanceOf(UnsupportedOperationException.class);
  }

  private List<Object> send(String bytes) {
    channel.writeInbound(Unpooled.wrappedBuffer(bytes(bytes)));
    return read(channel);
  }

  /// What came out, with contents copied so that nothing needs a release.
  private static List<Object> read(EmbeddedChannel channel) {
    List<Object> messages = new ArrayList<>();
    for (Object message = channel.readInbound(); message != null; message = channel.readInbound()) {
      if (message instanceof HttpContent content) {
        messages.add(content.replace(Unpooled.copiedBuffer(content.content())));
        if (content.decoderResult().isFailure()) {
          ((HttpContent) messages.getLast()).setDecoderResult(content.decoderResult());
        }
        ReferenceCountUtil.release(message);
      } else {
        messages.add(message);
      }
    }
    return messages;
  }

  private static List<String> requests(List<Object> messages) {
    return messages.stream()
        .filter(HttpRequest.class::isInstance)
        .map(request -> ((HttpRequest) request).uri())
        .toList();
  }

  private static List<HttpContent> contents(List<Object> messages) {
    return messages.stream()
        .filter(HttpContent.class::isInstance)
        .map(HttpContent.class::cast)
        .toList();
  }

  private static String body(List<Object> messages) {
    StringBuilder body = new StringBuilder();
    contents(messages).forEach(content -> body.append(content.content().toString(ISO_8859_1)));
    return body.toString();
  }

  /// `|` stands for CRLF.
  private static byte[] bytes(String text) {
    return text.replace("|", "\r\n").getBytes(ISO_8859_1);
  }
}
