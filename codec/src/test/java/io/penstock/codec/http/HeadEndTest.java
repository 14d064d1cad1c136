package io.penstock.codec.http;

import static io.penstock.codec.http.HeadGateRequestTest.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.penstock.codec.http.HeadEnd.Progress;
import org.junit.jupiter.api.Test;

class HeadEndTest {

  @Test
  void findsTheEndByteByByteAndAfterCompaction() {
    byte[] head = bytes("GET / HTTP/1.1|Host: a||");
    ByteBuf buffer = Unpooled.buffer().writeZero(5).skipBytes(5);
    HeadEnd end = new HeadEnd(100);

    for (int i = 0; i < head.length - 1; i++) {
      buffer.writeByte(head[i]);
      assertThat(end.search(buffer)).isEqualTo(Progress.INCOMPLETE);
      buffer.discardReadBytes();
    }
    buffer.writeByte(head[head.length - 1]).writeBytes(bytes("body|||"));

    assertThat(end.search(buffer)).isEqualTo(Progress.COMPLETE);
    assertThat(end.length()).isEqualTo(head.length);
  }

  @Test
  void tellsABareLineFeedAtOnce() {
    assertThat(search("GET / HTTP/1.1\nHo", 100)).isEqualTo(Progress.BARE_LINE_END);
    assertThat(search("GET / HTTP/1.1|\n", 100)).isEqualTo(Progress.BARE_LINE_END);
    assertThat(search("\n", 100)).isEqualTo(Progress.BARE_LINE_END);
  }

  @Test
  void stopsAtTheLimit() {
    assertThat(search("GET / HTTP/1.1|Host: a||", 24)).isEqualTo(Progress.TOO_LARGE);
    assertThat(search("GET / HTTP/1.1|Host: a||", 27)).isEqualTo(Progress.COMPLETE);
    assertThat(search("x".repeat(99), 100)).isEqualTo(Progress.INCOMPLETE);
    assertThat(search("x".repeat(100), 100)).isEqualTo(Progress.TOO_LARGE);
  }

  @Test
  void beginsAnewAfterReset() {
    HeadEnd end = new HeadEnd(100);
    ByteBuf buffer = Unpooled.wrappedBuffer(bytes("A: b||C: d|E: f||"));
    end.search(buffer);
    buffer.skipBytes(end.length());

    end.reset();

    assertThat(end.search(buffer)).isEqualTo(Progress.COMPLETE);
    assertThat(end.length()).isEqualTo(buffer.readableBytes());
  }

  private static Progress search(String bytes, int limit) {
    return new HeadEnd(limit).search(Unpooled.wrappedBuffer(bytes(bytes)));
  }
}
