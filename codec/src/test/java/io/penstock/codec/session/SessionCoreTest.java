package io.penstock.codec.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.penstock.codec.Allocation;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.Role;
import io.penstock.codec.message.ControlMessage;
import io.penstock.codec.mux.CreditPool;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;
import io.penstock.codec.noise.Handshake;
import io.penstock.codec.noise.StaticKeyPair;
import io.penstock.codec.noise.Suite;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SessionCoreTest {
  private final TestClock clock = new TestClock();
  private End broker;
  private End agent;

  @BeforeEach
  void shakeHands() throws Exception {
    StaticKeyPair brokerKeys = StaticKeyPair.generate();
    StaticKeyPair agentKeys = StaticKeyPair.generate();
    var initiator = Handshake.initiator(Suite.XXHFS, new byte[0], agentKeys);
    var responder = Handshake.responder(Suite.XXHFS, new byte[0], brokerKeys);
    responder.readMessage(initiator.writeMessage(new byte[0]));
    initiator.readMessage(responder.writeMessage(new byte[0]));
    responder.readMessage(initiator.writeMessage(new byte[0]));
    agent = new End(Role.AGENT, initiator, agentKeys);
    broker = new End(Role.BROKER, responder, brokerKeys);
  }

  @Test
  void controlMessagesArriveInOrder() throws ProtocolException {
    broker.core.send(new ControlMessage.UnlockStored(1));
    broker.core.send(new ControlMessage.UnlockStored(2));

    settle();

    assertThat(agent.events)
        .containsExactly("UnlockStored[unlockEpoch=1]", "UnlockStored[unlockEpoch=2]");
  }

  @Test
  void aFlippedBitEndsTheSession() {
    broker.core.send(new ControlMessage.UnlockStored(1));
    ByteBuf record = broker.next();
    record.setByte(3, record.getByte(3) ^ 1);

    assertRefused(ErrorCode.BAD_RECORD, agent, record);
  }

  @Test
  void aRepeatedRecordEndsTheSession() throws ProtocolException {
    broker.core.send(new ControlMessage.UnlockStored(1));
    ByteBuf record = broker.next();
    agent.core.receive(record.duplicate());

    assertRefused(ErrorCode.BAD_RECORD, agent, record);
    assertThat(agent.events).hasSize(1);
  }

  @Test
  void aDroppedRecordEndsTheSession() {
    broker.core.send(new ControlMessage.UnlockStored(1));
    broker.next().release();
    broker.core.send(new ControlMessage.UnlockStored(2));

    assertRefused(ErrorCode.BAD_RECORD, agent, broker.next());
    assertThat(agent.events).isEmpty();
  }

  @Test
  void recordsFromDirectBuffersOpenToo() throws ProtocolException {
    broker.core.send(new ControlMessage.UnlockStored(1));
    ByteBuf heap = broker.next();
    ByteBuf direct = Unpooled.directBuffer().writeBytes(heap);

    agent.core.receive(direct);

    assertThat(agent.events).containsExactly("UnlockStored[unlockEpoch=1]");
  }

  @ParameterizedTest
  @ValueSource(ints = {64, 1_024, 16_000})
  void dataGoesThroughWithoutACopyOfItsOwn(int bytes) throws Exception {
    agent.served = Ignoring.INSTANCE;
    MuxStream stream =
        broker.core.open(Unpooled.buffer(1).writeByte(9), false, Ignoring.INSTANCE).orElseThrow();
    byte[] data = new byte[bytes];

    long allocated =
        Allocation.bytesPerCall(
            () -> {
              stream.data(Unpooled.wrappedBuffer(data), false);
              settle();
            });

    // Records come from a pool; two ciphers make themselves ready, and there are the frame's own
    // few objects.
    assertThat(allocated).isLessThan(6_000);
  }

  @Test
  void freshKeysLoseNothingThatIsUnderWay() throws ProtocolException {
    var body = new ByteArrayOutputStream();
    agent.served = new Collector(body);
    MuxStream stream =
        broker.core.open(Unpooled.buffer(1).writeByte(9), false, new Collector(body)).orElseThrow();
    byte[] expected = new byte[600_000];
    new java.util.Random(1).nextBytes(expected);

    for (int i = 0; i < 60; i++) {
      stream.data(Unpooled.copiedBuffer(expected, i * 10_000, 10_000), i == 59);
      if (i % 20 == 5) {
        agent.core.requestFreshKeys();
      }
      settle();
    }

    assertThat(body.toByteArray()).isEqualTo(expected);
    assertThat(agent.core.freshHandshakes()).isEqualTo(3);
    assertThat(broker.core.freshHandshakes()).isEqualTo(3);
  }

  @Test
  void freshKeysAreTakenEveryHour() throws ProtocolException {
    for (int minute = 0; minute < 61; minute++) {
      broker.core.ping();
      clock.nanos += TimeUnit.MINUTES.toNanos(1);
      broker.core.send(new ControlMessage.UnlockStored(minute));
      settle();
      agent.core.tick();
      settle();
    }

    assertThat(agent.core.freshHandshakes()).isEqualTo(1);
    assertThat(broker.core.freshHandshakes()).isEqualTo(1);
  }

  @Test
  void aRekeyStepOutOfTurnEndsTheSession() {
    ByteBuf payload = Unpooled.buffer().writeByte(3).writeBytes(new byte[64]);
    agent.core.streams().session(io.penstock.codec.Protocol.REKEY, 0, payload);

    assertRefused(ErrorCode.HANDSHAKE, broker, agent.next());
  }

  @Test
  void bothDirectionsRekeyAfterTheirMillionthRecord() throws ProtocolException {
    for (int i = 0; i < (1 << 20) + 3; i++) {
      broker.core.streams().session(io.penstock.codec.Protocol.PING, 2, pong());
      ByteBuf record = broker.next();
      agent.core.receive(record);
      record.release();
    }
    broker.core.send(new ControlMessage.UnlockStored(1));
    settle();

    assertThat(agent.events).containsExactly("UnlockStored[unlockEpoch=1]");
  }

  @Test
  void silenceIsAskedAfterFiveSecondsAndEndsBeforeFifteenHavePassed() throws ProtocolException {
    clock.nanos += TimeUnit.MILLISECONDS.toNanos(4_999);
    broker.core.tick();
    assertThat(broker.core.nextRecord()).isNull();

    clock.nanos += TimeUnit.MILLISECONDS.toNanos(1);
    broker.core.tick();
    assertThat(broker.core.nextRecord()).isNotNull();

    clock.nanos += TimeUnit.MILLISECONDS.toNanos(8_999);
    broker.core.tick();

    // The next look would come after the limit.
    clock.nanos += TimeUnit.MILLISECONDS.toNanos(1);
    assertThatExceptionOfType(ProtocolException.class)
        .isThrownBy(broker.core::tick)
        .satisfies(it -> assertThat(it.code()).isEqualTo(ErrorCode.SILENT));
  }

  @Test
  void ourOwnWritesDoNotHideASilentPeer() {
    for (int second = 0; second < 13; second++) {
      clock.nanos += TimeUnit.SECONDS.toNanos(1);
      broker.core.send(new ControlMessage.UnlockStored(second));
      broker.next().release();
    }
    clock.nanos += TimeUnit.SECONDS.toNanos(1);

    assertThatExceptionOfType(ProtocolException.class).isThrownBy(broker.core::tick);
  }

  @Test
  void aPingMeasuresRoundTripAndClockOffset() throws ProtocolException {
    broker.core.ping();
    ByteBuf ping = broker.next();
    agent.core.receive(ping);
    ByteBuf pong = agent.next();
    clock.nanos += TimeUnit.MILLISECONDS.toNanos(40);

    broker.core.receive(pong);

    assertThat(broker.events).containsExactly("round trip 40 ms");
  }

  @Test
  void anAnswerToNoPingMeasuresNothing() throws ProtocolException {
    agent.core.streams().session(io.penstock.codec.Protocol.PING, 2, pong());

    settle();

    assertThat(broker.events).isEmpty();
  }

  @Test
  void aFloodOfPingsThatIsNotReadEndsTheSession() {
    assertThatExceptionOfType(ProtocolException.class)
        .isThrownBy(
            () -> {
              for (int i = 0; i < 100_000; i++) {
                agent.core.ping();
                ByteBuf record = agent.next();
                broker.core.receive(record);
                record.release();
              }
            })
        .satisfies(it -> assertThat(it.code()).isEqualTo(ErrorCode.RATE_EXCEEDED));
  }

  @Test
  void closeCarriesCodeAndRetryAfter() throws ProtocolException {
    broker.core.sendClose(ErrorCode.UNAVAILABLE, 2_500, "database");

    settle();

    assertThat(agent.events).containsExactly("close UNAVAILABLE 2500 database");
  }

  private static ByteBuf pong() {
    return Unpooled.buffer(16).writeLong(0).writeLong(0);
  }

  private static void assertRefused(ErrorCode code, End end, ByteBuf record) {
    assertThatExceptionOfType(ProtocolException.class)
        .isThrownBy(() -> end.core.receive(record))
        .satisfies(it -> assertThat(it.code()).isEqualTo(code));
  }

  private void settle() throws ProtocolException {
    boolean moved = true;
    while (moved) {
      moved = move(broker, agent);
      moved |= move(agent, broker);
    }
  }

  private static boolean move(End from, End to) throws ProtocolException {
    ByteBuf record = from.core.nextRecord();
    if (record == null) {
      return false;
    }
    to.core.receive(record);
    record.release();
    return true;
  }

  private static final class TestClock implements Clock {
    long nanos = 1_000_000_000_000L;

    @Override
    public long nanoTime() {
      return nanos;
    }

    @Override
    public long wallClockMs() {
      return TimeUnit.NANOSECONDS.toMillis(nanos);
    }
  }

  private enum Ignoring implements StreamListener {
    INSTANCE;

    @Override
    public void onData(ByteBuf data, boolean end) {
      // Consumed by who asked.
    }

    @Override
    public void onReset(ErrorCode code, boolean untouched, String text) {
      throw new AssertionError("reset " + code);
    }
  }

  private record Collector(ByteArrayOutputStream body) implements StreamListener {
    @Override
    public void onData(ByteBuf data, boolean end) {
      body.writeBytes(ByteBufUtil.getBytes(data));
    }

    @Override
    public void onReset(ErrorCode code, boolean untouched, String text) {
      throw new AssertionError("reset " + code);
    }
  }

  private final class End implements SessionCore.Listener {
    final SessionCore core;
    final List<String> events = new ArrayList<>();
    StreamListener served = new Collector(new ByteArrayOutputStream());

    End(Role role, Handshake handshake, StaticKeyPair own) {
      core =
          new SessionCore(
              new SessionCore.Established(
                  role, handshake.split(), handshake.hash(), own, handshake.remoteStatic()),
              16,
              new CreditPool(1 << 20),
              clock,
              work -> work.get().run(),
              new Scratch(),
              ByteBufAllocator.DEFAULT,
              this);
    }

    ByteBuf next() {
      return Objects.requireNonNull(core.nextRecord());
    }

    @Override
    public StreamListener onOpen(MuxStream stream, ByteBuf head, boolean end) {
      return new StreamListener() {
        @Override
        public void onData(ByteBuf data, boolean ended) {
          int length = data.readableBytes();
          served.onData(data, ended);
          stream.consumed(length);
        }

        @Override
        public void onReset(ErrorCode code, boolean untouched, String text) {
          throw new AssertionError("reset " + code);
        }
      };
    }

    @Override
    public void onControl(ControlMessage message) {
      events.add(message.toString());
    }

    @Override
    public void onMessage(long sequence, ByteBuf body) {
      events.add("message " + sequence);
    }

    @Override
    public void onReceipt(long sequence, ByteBuf body) {
      events.add("receipt " + sequence);
    }

    @Override
    public void onDrain(int spreadMs, int drainMs) {
      events.add("drain");
    }

    @Override
    public void onClose(ErrorCode code, int retryAfterMs, String text) {
      events.add("close " + code + " " + retryAfterMs + " " + text);
    }

    @Override
    public void onRoundTrip(long nanos, long clockOffsetMs) {
      events.add("round trip " + TimeUnit.NANOSECONDS.toMillis(nanos) + " ms");
    }

    @Override
    public void onFailure(ProtocolException failure) {
      throw new AssertionError(failure);
    }

    @Override
    public void outputWaiting() {
      // The test moves records by itself.
    }
  }
}
