package io.penstock.codec.frame;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Frame;
import io.penstock.codec.Protocol;
import io.penstock.codec.ProtocolException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FrameReaderTest {
  private final List<String> frames = new ArrayList<>();
  private final FrameReader reader = new FrameReader(frame -> frames.add(describe(frame)));

  @Test
  void skipsAFrameOfUnknownType() throws ProtocolException {
    read("7f 00 0003 00000009 aabbcc  08 00 0004 00000002 00000001");

    assertThat(frames).containsExactly("Credit[streamId=2, bytes=1]");
  }

  @Test
  void ignoresUnknownFlags() throws ProtocolException {
    read("08 f8 0004 00000002 00000001");

    assertThat(frames).containsExactly("Credit[streamId=2, bytes=1]");
  }

  @Test
  void joinsPiecesAcrossRecords() throws ProtocolException {
    read("03 04 0002 00000002 0102");
    read("03 04 0001 00000002 03");
    read("03 01 0002 00000002 0405  08 00 0004 00000002 00000001");

    assertThat(frames).containsExactly("Head 2 end=true 0102030405", "Credit[streamId=2, bytes=1]");
  }

  @Test
  void refusesAnotherFrameBetweenPieces() {
    assertRefused(
        ErrorCode.PROTOCOL_ERROR, "03 04 0002 00000002 0102  08 00 0004 00000002 00000001");
  }

  @Test
  void refusesAPieceOfAnotherStream() {
    assertRefused(ErrorCode.PROTOCOL_ERROR, "03 04 0002 00000002 0102  03 00 0002 00000004 0102");
  }

  @Test
  void refusesAHeadOverThirtyTwoKiB() throws ProtocolException {
    ByteBuf piece = Unpooled.buffer();
    FrameWriter.frame(
        piece, Protocol.HEAD, Protocol.MORE, 2, Unpooled.wrappedBuffer(new byte[16_000]), 16_000);

    reader.read(piece.duplicate());
    reader.read(piece.duplicate());

    assertThatExceptionOfType(ProtocolException.class)
        .isThrownBy(() -> reader.read(piece.duplicate()))
        .satisfies(it -> assertThat(it.code()).isEqualTo(ErrorCode.FRAME_SIZE));
  }

  @Test
  void moreOnDataIsIgnored() throws ProtocolException {
    read("04 04 0001 00000002 61  04 00 0001 00000002 62");

    assertThat(frames).containsExactly("Data 2 end=false 61", "Data 2 end=false 62");
  }

  @ParameterizedTest
  @CsvSource({
    "FRAME_SIZE, 04",
    "FRAME_SIZE, 04 00 0005 00000002 0102",
    "FRAME_SIZE, 08 00 0003 00000002 000001",
    "FRAME_SIZE, 08 00 0004 00000002 00000000",
    "FRAME_SIZE, 08 00 0004 00000002 80000000",
    "FRAME_SIZE, 07 00 0002 00000002 0001",
    "FRAME_SIZE, 09 00 0007 00000000 00000000000000",
    "FRAME_SIZE, 09 02 0008 00000000 0000000000000001",
    "FRAME_SIZE, 0e 00 0005 00000000 0001000000",
    "STREAM_ID, 04 00 0001 00000000 01",
    "STREAM_ID, 04 00 0001 80000000 01",
    "STREAM_ID, 01 00 0001 00000002 01",
    "STREAM_ID, 09 00 0008 00000001 0000000000000001",
  })
  void refusesAndNamesTheKind(ErrorCode code, String hex) {
    assertRefused(code, hex);
  }

  @Test
  void everyTruncationOfARecordIsRefusedOrWholeFrames() {
    ByteBuf record = Unpooled.buffer();
    FrameWriter.ping(record, 7);
    int firstEnds = record.readableBytes();
    FrameWriter.close(record, ErrorCode.SHUTDOWN, 100, "bye");

    for (int length = 0; length < record.readableBytes(); length++) {
      if (length == firstEnds) {
        continue;
      }
      ByteBuf cut = record.slice(0, length);
      assertThatExceptionOfType(ProtocolException.class)
          .as("cut to %d bytes", length)
          .isThrownBy(() -> reader.read(cut));
    }
  }

  @Test
  void textOfThePeerIsMadeHarmless() throws ProtocolException {
    ByteBuf record = Unpooled.buffer();
    FrameWriter.reset(record, 2, ErrorCode.INTERNAL, false, "a\r\nb\u001b[31m");

    reader.read(record);

    assertThat(frames).singleElement().asString().contains("text=a??b?[31m");
  }

  @Test
  void whatIsWrittenInPiecesReadsBackWhole() throws ProtocolException {
    long seed = new Random().nextLong();
    var random = new Random(seed);
    for (int round = 0; round < 200; round++) {
      byte[] payload = new byte[random.nextInt(1, Protocol.MAX_HEAD_BYTES)];
      random.nextBytes(payload);
      ByteBuf record = Unpooled.buffer();
      FrameWriter.pieces(
          record, Protocol.OPEN, Protocol.END, 2 * round + 2, Unpooled.wrappedBuffer(payload));

      reader.read(record);

      assertThat(frames.getLast())
          .as("seed %d, round %d", seed, round)
          .isEqualTo("Open " + (2 * round + 2) + " end=true " + HexFormat.of().formatHex(payload));
    }
  }

  private void assertRefused(ErrorCode code, String hex) {
    assertThatExceptionOfType(ProtocolException.class)
        .isThrownBy(() -> read(hex))
        .satisfies(it -> assertThat(it.code()).isEqualTo(code));
  }

  private void read(String hex) throws ProtocolException {
    reader.read(Unpooled.wrappedBuffer(HexFormat.of().parseHex(hex.replace(" ", ""))));
  }

  private static String describe(Frame frame) {
    return switch (frame) {
      case Frame.Data it ->
          "Data " + it.streamId() + " end=" + it.end() + " " + ByteBufUtil.hexDump(it.payload());
      case Frame.Head it ->
          "Head " + it.streamId() + " end=" + it.end() + " " + ByteBufUtil.hexDump(it.payload());
      case Frame.Open it ->
          "Open " + it.streamId() + " end=" + it.end() + " " + ByteBufUtil.hexDump(it.payload());
      default -> frame.toString();
    };
  }
}
