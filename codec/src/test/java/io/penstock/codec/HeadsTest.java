package io.penstock.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.util.AsciiString;
import org.junit.jupiter.api.Test;

class HeadsTest {
  private static final RequestIds IDS =
      new RequestIds(0x0011223344556677L, 0x8899aabbccddeeffL, 1, 2, 3, 1);

  @Test
  void openReadsBackAsWritten() throws ProtocolException {
    var open =
        new OpenHead(
            StreamKind.HTTP,
            new Deadlines(5_000, 60_000, 300_000, 0),
            IDS,
            AsciiString.of("erp"),
            AsciiString.of("billing"));
    var request =
        new RequestHead(
            AsciiString.of("POST"),
            AsciiString.of("/api/orders?x=1"),
            new Fields().add("Accept", "*/*").add("accept", "b").add("X-Latin", "caf\u00e9"));
    ByteBuf wire = Unpooled.buffer();
    open.write(wire);
    request.write(wire);

    OpenHead openRead = OpenHead.read(wire);
    RequestHead requestRead = RequestHead.read(wire);

    assertThat(openRead).isEqualTo(open);
    assertThat(requestRead.method().toString()).isEqualTo("POST");
    assertThat(requestRead.path().toString()).isEqualTo("/api/orders?x=1");
    assertThat(requestRead.fields().count()).isEqualTo(3);
    assertThat(requestRead.fields().name(1)).hasToString("accept");
    assertThat(((AsciiString) requestRead.fields().value(2)).array()[3]).isEqualTo((byte) 0xe9);
    assertThat(wire.isReadable()).isFalse();
  }

  @Test
  void everyTruncationOfOpenIsRefused() {
    ByteBuf wire = Unpooled.buffer();
    new OpenHead(
            StreamKind.HTTP, Deadlines.DEFAULT, IDS, AsciiString.of("erp"), AsciiString.of("me"))
        .write(wire);
    new RequestHead(AsciiString.of("GET"), AsciiString.of("/a"), new Fields().add("a", "b"))
        .write(wire);

    for (int length = 0; length < wire.readableBytes(); length++) {
      ByteBuf cut = wire.slice(0, length);
      assertThatExceptionOfType(ProtocolException.class)
          .as("cut to %d bytes", length)
          .isThrownBy(
              () -> {
                OpenHead.read(cut);
                RequestHead.read(cut);
              });
    }
  }

  @Test
  void refusesAFieldThatWouldSplitAMessage() {
    for (String value : new String[] {"a\r\nEvil: 1", "a\nb", "a\u0000b", "a\u007f"}) {
      ByteBuf wire = Unpooled.buffer();
      new AnswerHead(200, 0, 0, new Fields().add("X", value)).write(wire);

      assertThatExceptionOfType(ProtocolException.class)
          .isThrownBy(() -> AnswerHead.read(wire))
          .satisfies(it -> assertThat(it.code().ends()).isEqualTo(ErrorCode.Ends.STREAM));
    }
  }

  @Test
  void refusesAFieldNameThatIsNoToken() {
    for (String name : new String[] {"", "a b", "a:", "a\r\n", "\u00e9"}) {
      ByteBuf wire = Unpooled.buffer();
      new AnswerHead(200, 0, 0, new Fields().add(name, "v")).write(wire);

      assertThatExceptionOfType(ProtocolException.class).isThrownBy(() -> AnswerHead.read(wire));
    }
  }

  @Test
  void aFieldCountThatLiesIsSeenBeforeAnythingIsAllocated() {
    ByteBuf wire = Unpooled.buffer().writeShort(65_535).writeInt(0);

    assertThatExceptionOfType(ProtocolException.class).isThrownBy(() -> Fields.read(wire));
  }

  @Test
  void refusesAStatusThatIsNone() {
    for (int status : new int[] {0, 99, 600, 65_535}) {
      ByteBuf wire = Unpooled.buffer().writeShort(status).writeLong(0).writeShort(0);

      assertThatExceptionOfType(ProtocolException.class).isThrownBy(() -> AnswerHead.read(wire));
    }
  }

  @Test
  void theShorterDeadlineWinsAndZeroIsNone() {
    var system = new Deadlines(5_000, 0, 300, 0);
    var call = new Deadlines(0, 2_000, 400, 9_000);

    assertThat(system.atMost(call)).isEqualTo(new Deadlines(5_000, 2_000, 300, 9_000));
  }

  @Test
  void traceparentIsThatOfTheTraceContext() {
    assertThat(IDS.traceparent())
        .isEqualTo("00-00000000000000010000000000000002-0000000000000003-01");
    assertThat(IDS.requestId()).isEqualTo("00112233445566778899aabbccddeeff");
  }
}
