package io.penstock.codec.mux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Protocol;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.frame.FrameReader;
import io.penstock.codec.frame.FrameWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class MultiplexerTest {
  private final Pair pair = new Pair();
  private final Pair.Ear ear = new Pair.Ear(pair.broker);

  @Test
  void aWholeExchangeEndsInNoStreams() throws ProtocolException {
    MuxStream stream = pair.broker.open(ear, false);
    stream.data(bytes(10), true);
    pair.settle();
    Pair.Ear served = pair.agent.opened.getFirst();

    served.stream.head(bytes(3), false);
    served.stream.data(bytes(20), false);
    served.stream.timing(7, 0, 0, 0);
    served.stream.trailers(bytes(2));
    pair.settle();

    assertThat(served.data.size()).isEqualTo(10);
    assertThat(served.events).containsExactly("end");
    assertThat(ear.events).containsExactly("head", "timing 7", "trailers");
    assertThat(ear.data.size()).isEqualTo(20);
    assertThat(pair.broker.multiplexer.openStreams()).isZero();
    assertThat(pair.agent.multiplexer.openStreams()).isZero();
  }

  @Test
  void idsRiseByTwoAndKeepTheirParity() {
    assertThat(pair.broker.open(ear, true).id()).isEqualTo(2);
    assertThat(pair.broker.open(ear, true).id()).isEqualTo(4);
    assertThat(pair.agent.open(new Pair.Ear(pair.agent), true).id()).isEqualTo(1);
  }

  @Test
  void aSenderStopsAtItsCreditAndGoesOnWhenTheReaderReads() throws ProtocolException {
    pair.agent.autoConsume = false;
    MuxStream stream = pair.broker.open(ear, false);
    stream.data(bytes(100_000), false);
    pair.settle();
    Pair.Ear reader = pair.agent.opened.getFirst();

    assertThat(reader.data.size()).isEqualTo(Protocol.INITIAL_CREDIT_BYTES);
    assertThat(stream.isWritable()).isFalse();

    while (reader.held > 0) {
      reader.consumeHeld();
      pair.settle();
    }

    assertThat(reader.data.size()).isEqualTo(100_000);
    assertThat(ear.events).containsExactly("writable");
  }

  @Test
  void onlyAReaderThatKeepsUpGetsMoreThanItsInitialCredit() throws ProtocolException {
    MuxStream read = pair.broker.open(ear, false);
    pair.settle();
    pair.agent.autoConsume = true;
    long free = pair.agentPool.freeBytes();
    read.data(bytes(100_000_000), false);
    for (int roundTrip = 0; roundTrip < 30; roundTrip++) {
      pair.moveRecords(pair.broker, 1_000);
      pair.moveRecords(pair.agent, 1_000);
    }
    assertThat(free - pair.agentPool.freeBytes())
        .isEqualTo(Protocol.MAX_CREDIT_BYTES - Protocol.INITIAL_CREDIT_BYTES);

    long afterReader = pair.agentPool.freeBytes();
    pair.agent.autoConsume = false;
    MuxStream unread = pair.broker.open(new Pair.Ear(pair.broker), false);
    unread.data(bytes(1_000_000), false);
    pair.moveRecords(pair.broker, 1_000);
    pair.moveRecords(pair.agent, 1_000);
    assertThat(pair.agentPool.freeBytes()).isEqualTo(afterReader);

    read.reset(ErrorCode.CANCELLED, false, "");
    unread.reset(ErrorCode.CANCELLED, false, "");
    pair.settle();
    assertThat(pair.agentPool.freeBytes()).isEqualTo(free);
  }

  @Test
  void anEmptyPoolLeavesEveryStreamItsInitialCredit() throws ProtocolException {
    assertThat(pair.agentPool.take((int) pair.agentPool.freeBytes())).isTrue();
    MuxStream stream = pair.broker.open(ear, false);
    stream.data(bytes(500_000), true);

    pair.settle();

    assertThat(pair.agent.opened.getFirst().data.size()).isEqualTo(500_000);
  }

  @Test
  void dataBeyondTheCreditEndsTheSession() {
    pair.agent.autoConsume = false;
    ByteBuf record = openOf(2);
    for (int i = 0; i < 3; i++) {
      FrameWriter.frame(record, Protocol.DATA, 0, 2, bytes(16_000), 16_000);
    }

    assertRefused(ErrorCode.CREDIT_EXCEEDED, record);
  }

  @Test
  void aFrameOnAnIdThatWasNeverOpenedEndsTheSession() {
    ByteBuf record = Unpooled.buffer();
    FrameWriter.frame(record, Protocol.DATA, 0, 8, bytes(1), 1);

    assertRefused(ErrorCode.STREAM_ID, record);
  }

  @Test
  void anIdUsedTwiceEndsTheSession() {
    ByteBuf record = openOf(4);
    record.writeBytes(openOf(4));

    assertRefused(ErrorCode.STREAM_ID, record);
  }

  @Test
  void anIdOfOurOwnParityEndsTheSession() {
    assertRefused(ErrorCode.STREAM_ID, openOf(3));
  }

  @Test
  void lateFramesOfAClosedStreamAreDropped() throws ProtocolException {
    pair.agent.reader.read(openOf(2));
    pair.agent.opened.getFirst().stream.reset(ErrorCode.CANCELLED, false, "");
    ByteBuf late = Unpooled.buffer();
    FrameWriter.frame(late, Protocol.DATA, Protocol.END, 2, bytes(5), 5);
    FrameWriter.credit(late, 2, 1);
    FrameWriter.reset(late, 2, ErrorCode.NO_ERROR, false, "");

    pair.agent.reader.read(late);

    assertThat(pair.agent.opened.getFirst().events).isEmpty();
  }

  @Test
  void dataAfterEndResetsTheStreamOnly() throws ProtocolException {
    ByteBuf record = openOf(2);
    FrameWriter.frame(record, Protocol.DATA, Protocol.END, 2, bytes(1), 1);
    FrameWriter.frame(record, Protocol.DATA, 0, 2, bytes(1), 1);
    record.writeBytes(openOf(4));

    pair.agent.reader.read(record);

    assertThat(pair.agent.opened.get(0).events).containsExactly("end", "reset STREAM_STATE");
    assertThat(pair.agent.opened.get(1).events).isEmpty();
    assertThat(pair.agent.multiplexer.openStreams()).isEqualTo(1);
  }

  @Test
  void streamsBeyondTheLimitAreOverloadedAndUntouched() throws ProtocolException {
    var small = new Pair(2);
    var ears = new ArrayList<Pair.Ear>();
    for (int i = 0; i < 2; i++) {
      ears.add(new Pair.Ear(small.broker));
      small.broker.open(ears.getLast(), false);
    }
    assertThat(small.broker.multiplexer.open(bytes(1), false, ear)).isEmpty();
    ByteBuf record = openOf(2);
    record.writeBytes(openOf(4)).writeBytes(openOf(6));

    small.agent.reader.read(record);
    ByteBuf answer = Unpooled.buffer();
    small.agent.multiplexer.fill(answer);

    List<Object> frames = new ArrayList<>();
    new FrameReader(frames::add).read(answer);
    assertThat(frames)
        .singleElement()
        .hasToString(
            "Reset[streamId=6, code=OVERLOADED, untouched=true, text=more than 2 streams]");
  }

  @Test
  void aDrainingSideTakesNoNewStreamsAndFinishesRunningOnes() throws ProtocolException {
    MuxStream running = pair.broker.open(ear, false);
    pair.settle();
    pair.agent.multiplexer.drain();
    var late = new Pair.Ear(pair.broker);
    pair.broker.open(late, false);
    running.data(bytes(5), true);

    pair.settle();

    assertThat(late.events).containsExactly("reset DRAINING untouched");
    assertThat(pair.agent.opened.getFirst().events).containsExactly("end");
    assertThat(pair.agent.multiplexer.open(bytes(1), true, ear)).isEmpty();
  }

  @Test
  void aResetDropsWhatWaitsAndIsHeardOnce() throws ProtocolException {
    MuxStream stream = pair.broker.open(ear, false);
    ByteBuf waiting = bytes(1_000_000);
    stream.data(waiting.retain(), false);
    stream.reset(ErrorCode.CANCELLED, false, "caller went away");
    stream.reset(ErrorCode.INTERNAL, false, "again");

    pair.settle();

    assertThat(waiting.refCnt()).isEqualTo(1);
    assertThat(pair.agent.opened.getFirst().events).containsExactly("reset CANCELLED");
    assertThat(ear.events).isEmpty();
  }

  @Test
  void aFloodOfResetsEndsTheSession() {
    ByteBuf record = Unpooled.buffer();
    for (int id = 2; id < 8_000; id += 2) {
      record.writeBytes(openOf(id));
      FrameWriter.reset(record, id, ErrorCode.CANCELLED, false, "");
    }

    assertRefused(ErrorCode.RATE_EXCEEDED, record);
  }

  @Test
  void resetsWithinTheBudgetPass() throws ProtocolException {
    for (int id = 2; id < 8_000; id += 2) {
      ByteBuf record = openOf(id);
      FrameWriter.reset(record, id, ErrorCode.CANCELLED, false, "");
      pair.nowNanos += 1_000_000;
      pair.agent.reader.read(record);
    }

    assertThat(pair.agent.multiplexer.openStreams()).isZero();
  }

  @Test
  void urgentFramesLeaveBeforeData() throws ProtocolException {
    MuxStream bulk = pair.broker.open(ear, false);
    pair.settle();
    bulk.data(bytes(32_000), false);
    pair.broker.open(new Pair.Ear(pair.broker), true);

    pair.move(pair.broker);

    assertThat(pair.agent.opened).hasSize(2);
  }

  @Test
  void bulkStreamsTakeTurns() throws ProtocolException {
    for (int i = 0; i < 4; i++) {
      pair.broker.open(new Pair.Ear(pair.broker), false).data(bytes(32_768), false);
    }
    pair.moveRecords(pair.broker, 5);

    assertThat(pair.agent.opened)
        .extracting(it -> it.data.size())
        .allSatisfy(it -> assertThat(it).isBetween(1, 32_767));
  }

  @Test
  void noRecordIsLongerThanOneTlsRecordCarries() throws ProtocolException {
    pair.broker.multiplexer.session(Protocol.CONTROL, 0, bytes(200_000));
    for (int i = 0; i < 50; i++) {
      pair.broker.open(new Pair.Ear(pair.broker), false).data(bytes(32_768), false);
    }
    ByteBuf record = Unpooled.buffer();
    do {
      record.clear();
      pair.broker.multiplexer.fill(record);
      assertThat(record.readableBytes()).isLessThanOrEqualTo(Protocol.MAX_WRITTEN_PLAINTEXT_BYTES);
    } while (record.isReadable());
  }

  @Test
  void aHeadInPiecesIsNotInterrupted() throws ProtocolException {
    byte[] head = new byte[30_000];
    Arrays.fill(head, (byte) 7);
    MuxStream filler = pair.broker.open(ear, false);
    filler.data(bytes(32_000), false);
    pair.broker.multiplexer.open(Unpooled.wrappedBuffer(head), true, ear);

    pair.settle();

    assertThat(pair.agent.opened.get(1).head).isEqualTo(head);
  }

  @Test
  void outputIsAnnouncedOncePerFill() {
    pair.broker.open(ear, false);
    pair.broker.open(ear, false);
    int before = pair.broker.announcements;
    pair.broker.multiplexer.fill(Unpooled.buffer());
    pair.broker.open(ear, false);

    assertThat(before).isEqualTo(1);
    assertThat(pair.broker.announcements).isEqualTo(2);
  }

  @Test
  void aClosedSessionTellsEveryStream() throws ProtocolException {
    MuxStream stream = pair.broker.open(ear, false);
    stream.data(bytes(10), false);

    pair.broker.multiplexer.close(ErrorCode.SILENT, "gone");
    stream.data(bytes(10), true);

    assertThat(ear.events).containsExactly("reset SILENT");
    assertThat(pair.broker.multiplexer.hasOutput()).isFalse();
    assertThat(pair.broker.multiplexer.openStreams()).isZero();
  }

  @Test
  void randomTrafficArrivesWhole() throws ProtocolException {
    long seed = new Random().nextLong();
    var random = new Random(seed);
    var sent = new ArrayList<byte[]>();
    var streams = new ArrayList<MuxStream>();
    var offsets = new ArrayList<Integer>();
    for (int i = 0; i < 20; i++) {
      byte[] body = new byte[random.nextInt(300_000)];
      random.nextBytes(body);
      sent.add(body);
      offsets.add(0);
      streams.add(pair.broker.open(new Pair.Ear(pair.broker), false));
    }

    boolean open = true;
    while (open) {
      open = false;
      for (int i = 0; i < 20; i++) {
        int offset = offsets.get(i);
        int left = sent.get(i).length - offset;
        if (left > 0 && streams.get(i).isWritable()) {
          int part = random.nextInt(1, Math.min(left, 20_000) + 1);
          streams.get(i).data(Unpooled.wrappedBuffer(sent.get(i), offset, part), part == left);
          offsets.set(i, offset + part);
        }
        open |= left > 0;
      }
      if (random.nextBoolean()) {
        pair.move(pair.broker);
      }
      if (random.nextBoolean()) {
        pair.move(pair.agent);
      }
    }
    pair.settle();

    for (int i = 0; i < 20; i++) {
      assertThat(pair.agent.opened.get(i).data.toByteArray())
          .as("seed %d, stream %d", seed, i)
          .isEqualTo(sent.get(i));
    }
  }

  private void assertRefused(ErrorCode code, ByteBuf record) {
    assertThatExceptionOfType(ProtocolException.class)
        .isThrownBy(() -> pair.agent.reader.read(record))
        .satisfies(it -> assertThat(it.code()).isEqualTo(code));
  }

  private static ByteBuf openOf(int id) {
    ByteBuf record = Unpooled.buffer();
    FrameWriter.frame(record, Protocol.OPEN, 0, id, bytes(1), 1);
    return record;
  }

  private static ByteBuf bytes(int length) {
    return Unpooled.wrappedBuffer(new byte[length]);
  }
}
