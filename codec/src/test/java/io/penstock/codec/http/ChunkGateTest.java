package io.penstock.codec.http;

import static io.penstock.codec.http.HeadGateRequestTest.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ChunkGateTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "0||",
        "00000000||",
        "5|hello|0||",
        "A|0123456789|a|0123456789|0||",
        "1;a|x|0||",
        "1;a=b;c|x|0;d=e||",
        "5|␍␊0␍␊|0||",
        "0|ETag: \"x\"|Server-Timing: a;dur=1||",
        "0|X_Y:|Content-MD5: x||",
      })
  void followsAWellFramedBodyToItsEnd(String body) {
    byte[] bytes = bytes(body);
    ByteBuf buffer = Unpooled.wrappedBuffer(bytes, bytes("GET /next"));
    ChunkGate gate = new ChunkGate(HeadLimits.DEFAULT);

    int stopped = gate.follow(buffer, 0, buffer.readableBytes());

    assertThat(gate.fault()).isEmpty();
    assertThat(gate.isDone()).isTrue();
    assertThat(stopped).isEqualTo(bytes.length);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '¦',
      ignoreLeadingAndTrailingWhitespace = false,
      value = {
        "BAD_CHUNK_SIZE¦|",
        "BAD_CHUNK_SIZE¦ 5|",
        "BAD_CHUNK_SIZE¦5 |",
        "BAD_CHUNK_SIZE¦5\t|",
        "BAD_CHUNK_SIZE¦5␊",
        "BAD_CHUNK_SIZE¦5␍x",
        "BAD_CHUNK_SIZE¦5\0|",
        "BAD_CHUNK_SIZE¦0x5|",
        "BAD_CHUNK_SIZE¦+5|",
        "BAD_CHUNK_SIZE¦-5|",
        "BAD_CHUNK_SIZE¦5_0|",
        "BAD_CHUNK_SIZE¦g|",
        "BAD_CHUNK_SIZE¦;a|",
        "BAD_CHUNK_SIZE¦80000000|",
        "BAD_CHUNK_SIZE¦ffffffff|",
        "BAD_CHUNK_SIZE¦000000005|",
        "BAD_CHUNK_SIZE¦100000005|",
        "BAD_CHUNK_SIZE¦1|x|||",
        "BAD_CHUNK_EXTENSION¦5;|",
        "BAD_CHUNK_EXTENSION¦5;=b|",
        "BAD_CHUNK_EXTENSION¦5;a=|",
        "BAD_CHUNK_EXTENSION¦5; a|",
        "BAD_CHUNK_EXTENSION¦5;a =b|",
        "BAD_CHUNK_EXTENSION¦5;a=\"b\"|",
        "BAD_CHUNK_EXTENSION¦5;a␊x|",
        "BAD_CHUNK_EXTENSION¦5;a=b=c|",
        "BAD_CHUNK_END¦1|xy",
        "BAD_CHUNK_END¦1|x␊",
        "BAD_CHUNK_END¦1|x␍z",
        "BAD_TRAILER¦0| A: b|",
        "BAD_TRAILER¦0|A : b|",
        "BAD_TRAILER¦0|: b|",
        "BAD_TRAILER¦0|A|",
        "BAD_TRAILER¦0|␊",
        "BAD_TRAILER¦0|A: b␊",
        "BAD_TRAILER¦0|A: b␍c",
        "BAD_TRAILER¦0|A: b| c",
        "BAD_TRAILER¦0|A: \u00e9|",
        "BAD_TRAILER¦0|␍x",
        "FORBIDDEN_TRAILER¦0|Content-Length: 5|",
        "FORBIDDEN_TRAILER¦0|transfer-encoding: chunked|",
        "FORBIDDEN_TRAILER¦0|Transfer_Encoding: chunked|",
        "FORBIDDEN_TRAILER¦0|Host: b|",
        "FORBIDDEN_TRAILER¦0|Authorization: b|",
        "FORBIDDEN_TRAILER¦0|A: b|Set-Cookie: b|",
        "FORBIDDEN_TRAILER¦0|Trailer: b|",
        "FORBIDDEN_TRAILER¦0|Penstock-Caller-And-A-Name-Longer-Than-Any: b|",
      })
  void stopsWhereParsersPart(Refusal refusal, String body) {
    ByteBuf buffer = Unpooled.wrappedBuffer(bytes(body));
    ChunkGate gate = new ChunkGate(HeadLimits.DEFAULT);

    gate.follow(buffer, 0, buffer.readableBytes());

    assertThat(gate.fault()).contains(refusal);
    assertThat(gate.isDone()).isFalse();
  }

  @Test
  void boundsChunkLinesAndTrailers() {
    HeadLimits limits = new HeadLimits(1000, 10, 20, 30);

    assertThat(fault(limits, "1;" + "a".repeat(17) + "|x|0||")).isEqualTo("none");
    assertThat(fault(limits, "1;" + "a".repeat(18) + "|x|0||")).isEqualTo("CHUNK_LINE_TOO_LONG");
    assertThat(fault(limits, "0|A: " + "b".repeat(24) + "||")).isEqualTo("none");
    assertThat(fault(limits, "0|A: " + "b".repeat(26) + "||")).isEqualTo("TRAILERS_TOO_LARGE");
  }

  @Test
  void seesTheSameInAnyPieces() {
    byte[] bytes = bytes("5;a=b|hello|10|0123456789abcdef|0|ETag: x|Q: y||");
    ByteBuf buffer = Unpooled.wrappedBuffer(bytes);
    for (int step = 1; step < bytes.length; step++) {
      ChunkGate gate = new ChunkGate(HeadLimits.DEFAULT);

      for (int from = 0; from < bytes.length; from += step) {
        int to = Math.min(from + step, bytes.length);
        assertThat(gate.isDone()).isFalse();
        assertThat(gate.follow(buffer, from, to)).isEqualTo(to);
      }

      assertThat(gate.isDone()).isTrue();
    }
  }

  @Test
  void jumpsOverDataWithoutReadingIt() {
    ByteBuf first = Unpooled.wrappedBuffer(bytes("7fffffff|"));
    ChunkGate gate = new ChunkGate(HeadLimits.DEFAULT);
    gate.follow(first, 0, first.readableBytes());

    int stopped = gate.follow(Unpooled.EMPTY_BUFFER, 0, Integer.MAX_VALUE);

    assertThat(stopped).isEqualTo(Integer.MAX_VALUE);
    assertThat(gate.fault()).isEmpty();
  }

  private static String fault(HeadLimits limits, String body) {
    ByteBuf buffer = Unpooled.wrappedBuffer(bytes(body));
    ChunkGate gate = new ChunkGate(limits);
    gate.follow(buffer, 0, buffer.readableBytes());
    return gate.fault().map(Enum::name).orElse("none");
  }
}
