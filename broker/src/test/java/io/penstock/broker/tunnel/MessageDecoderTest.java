package io.penstock.broker.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.penstock.codec.Protocol;
import java.io.ByteArrayOutputStream;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MessageDecoderTest {
  private static final int CONTINUATION = 0x00;
  private static final int FIRST_PIECE = 0x02;
  private static final int LAST_PIECE = 0x80;

  private final MessageDecoder decoder = new MessageDecoder();
  private final EmbeddedChannel channel = new EmbeddedChannel(decoder);

  @AfterEach
  void finish() {
    channel.finishAndReleaseAll();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 7, 8, 9, 125, 126, 127, 1_000, 65_535})
  void wholeMessageIsUnmasked(int length) {
    decoder.liftBudget();
    byte[] payload = random(length);

    channel.writeInbound(Unpooled.wrappedBuffer(RawPeer.masked(RawPeer.BINARY, payload)));

    assertThat(message()).isEqualTo(payload);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 5, 1_000})
  void bytesMayArriveInAnyPieces(int step) {
    decoder.liftBudget();
    byte[] payload = random(3_000);
    byte[] frames = RawPeer.masked(RawPeer.BINARY, payload);

    for (int at = 0; at < frames.length; at += step) {
      int length = Math.min(step, frames.length - at);
      channel.writeInbound(Unpooled.copiedBuffer(frames, at, length));
    }

    assertThat(message()).isEqualTo(payload);
  }

  @Test
  void piecesOfAMessageAreJoinedAroundControlFrames() {
    write(FIRST_PIECE, 1, 2);
    write(RawPeer.PING, 9);
    write(CONTINUATION, 3);
    write(LAST_PIECE, 4, 5);

    assertThat(channel.<SocketEvent.Ping>readInbound().payload().release()).isTrue();
    assertThat(message()).containsExactly(1, 2, 3, 4, 5);
  }

  @ParameterizedTest
  @CsvSource({
    "0x81, 1003", // text
    "0x01, 1003", // first piece of text
    "0xc2, 1002", // compressed
    "0xa2, 1002",
    "0x92, 1002",
    "0x83, 1002", // unknown opcodes
    "0x8b, 1002",
    "0x80, 1002", // continuation of nothing
    "0x00, 1002",
    "0x09, 1002", // PING in pieces
    "0x08, 1002",
  })
  void refusesByTheFirstByte(int first, int status) {
    write(first);

    assertThat(violation()).isEqualTo(status);
  }

  @Test
  void refusesUnmaskedFrames() {
    channel.writeInbound(Unpooled.wrappedBuffer(new byte[] {(byte) RawPeer.BINARY, 1, 1}));

    assertThat(violation()).isEqualTo(1002);
  }

  @Test
  void refusesANewMessageWithinAnother() {
    write(FIRST_PIECE, 1);
    write(RawPeer.BINARY, 1);

    assertThat(violation()).isEqualTo(1002);
  }

  @Test
  void refusesLongControlFrames() {
    channel.writeInbound(Unpooled.wrappedBuffer(RawPeer.masked(RawPeer.PING, new byte[126])));

    assertThat(violation()).isEqualTo(1002);
  }

  @Test
  void refusesLengthsNotInTheirShortestForm() {
    channel.writeInbound(Unpooled.wrappedBuffer(new byte[] {(byte) 0x82, (byte) 0xfe, 0, 125}));

    assertThat(violation()).isEqualTo(1002);
  }

  @Test
  void refusesALongLengthByTwoBytes() {
    channel.writeInbound(Unpooled.wrappedBuffer(new byte[] {(byte) 0x82, (byte) 0xff}));

    assertThat(violation()).isEqualTo(1009);
  }

  @Test
  void piecesCountTogether() {
    decoder.liftBudget();
    channel.writeInbound(Unpooled.wrappedBuffer(RawPeer.masked(FIRST_PIECE, new byte[65_535])));
    write(CONTINUATION);
    assertThat(channel.<Object>readInbound()).isNull();

    write(LAST_PIECE, 1);

    assertThat(violation()).isEqualTo(1009);
  }

  @Test
  void aMillionTinyPiecesTakeNoMoreThanAMessage() {
    decoder.liftBudget();
    write(FIRST_PIECE, 1);
    var pieces = new ByteArrayOutputStream();
    for (int i = 0; i < 1_000; i++) {
      pieces.writeBytes(RawPeer.masked(CONTINUATION));
      pieces.writeBytes(RawPeer.masked(CONTINUATION, (byte) i));
    }

    int sent = 1;
    while (channel.inboundMessages().isEmpty()) {
      channel.writeInbound(Unpooled.wrappedBuffer(pieces.toByteArray().clone()));
      sent += 1_000;
    }

    assertThat(violation()).isEqualTo(1009);
    assertThat(sent).isBetween(Protocol.MAX_RECORD_BYTES, Protocol.MAX_RECORD_BYTES + 1_000);
  }

  @Test
  void handshakeMayTakeEightKibibytesInAll() {
    channel.writeInbound(Unpooled.wrappedBuffer(RawPeer.masked(RawPeer.BINARY, new byte[4_000])));
    assertThat(message()).hasSize(4_000);
    channel.writeInbound(Unpooled.wrappedBuffer(RawPeer.masked(RawPeer.BINARY, new byte[4_176])));
    assertThat(message()).hasSize(4_176);

    write(RawPeer.BINARY);

    assertThat(violation()).isEqualTo(1009);
  }

  @Test
  void handshakeIsRefusedByTheHeaderOfATooLongMessage() {
    channel.writeInbound(
        Unpooled.wrappedBuffer(RawPeer.masked(RawPeer.BINARY, new byte[8_185]), 0, 4));

    assertThat(violation()).isEqualTo(1009);
  }

  @ParameterizedTest
  @CsvSource({
    "03e8, 1000",
    "03eb, 1003",
    "0bb8, 3000",
    "1387, 4999",
    "03f3, 1011",
    "03e861, 1000",
  })
  void readsCloseStatus(String payload, int status) {
    closeFrame(payload);

    assertThat(channel.<Object>readInbound()).isEqualTo(new SocketEvent.Closing(status));
  }

  @ParameterizedTest
  @CsvSource({
    "03, 1002", // half a status
    "0000, 1002",
    "03e7, 1002", // 999
    "03ec, 1002", // 1004
    "03ed, 1002", // 1005 never travels
    "03ee, 1002",
    "03f7, 1002", // 1015
    "07d0, 1002", // 2000
    "1388, 1002", // 5000
    "03e8c328, 1007", // no UTF-8
    "03e8ff, 1007",
  })
  void refusesBadCloseFrames(String payload, int status) {
    closeFrame(payload);

    assertThat(violation()).isEqualTo(status);
  }

  @Test
  void emptyCloseHasNoStatus() {
    write(RawPeer.CLOSE);

    assertThat(channel.<Object>readInbound()).isEqualTo(new SocketEvent.Closing(1005));
  }

  @Test
  void nothingIsReadAfterAViolation() {
    write(0x81);
    write(RawPeer.BINARY, 1);

    assertThat(violation()).isEqualTo(1003);
    assertThat(channel.<Object>readInbound()).isNull();
  }

  private void closeFrame(String payload) {
    channel.writeInbound(
        Unpooled.wrappedBuffer(RawPeer.masked(RawPeer.CLOSE, ByteBufUtil.decodeHexDump(payload))));
  }

  private void write(int first, int... payload) {
    byte[] bytes = new byte[payload.length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) payload[i];
    }
    channel.writeInbound(Unpooled.wrappedBuffer(RawPeer.masked(first, bytes)));
  }

  private byte[] message() {
    ByteBuf message = channel.readInbound();
    try {
      return ByteBufUtil.getBytes(message);
    } finally {
      message.release();
    }
  }

  private int violation() {
    return channel.<SocketEvent.Violation>readInbound().status();
  }

  private static byte[] random(int length) {
    byte[] bytes = new byte[length];
    new Random(length).nextBytes(bytes);
    return bytes;
  }
}
