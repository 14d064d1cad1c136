package io.penstock.loadtest.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.util.AsciiString;
import io.penstock.codec.AnswerHead;
import io.penstock.codec.Deadlines;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Fields;
import io.penstock.codec.OpenHead;
import io.penstock.codec.Protocol;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.RequestHead;
import io.penstock.codec.RequestIds;
import io.penstock.codec.Role;
import io.penstock.codec.StreamKind;
import io.penstock.codec.frame.FrameReader;
import io.penstock.codec.message.ControlMessage.SystemRules;
import io.penstock.codec.mux.CreditPool;
import io.penstock.codec.mux.Multiplexer;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The answering system on the real state machines of both ends, without a socket: records move
/// when a test says so.
class EchoSystemTest {
  private static final int MAX_STREAMS = 8;

  private EchoSystem system = new EchoSystem(1_024);
  private final Multiplexer broker = multiplexer(Role.BROKER, (_, _, _) -> new Caller());
  private final Multiplexer agent =
      multiplexer(Role.AGENT, (stream, head, _) -> system.open(stream, head));
  private final FrameReader toBroker = new FrameReader(broker::receive);
  private final FrameReader toAgent = new FrameReader(agent::receive);

  private interface Opened {
    StreamListener open(MuxStream stream, ByteBuf head, boolean end) throws ProtocolException;
  }

  private static Multiplexer multiplexer(Role role, Opened opened) {
    return new Multiplexer(
        role,
        MAX_STREAMS,
        new CreditPool(1 << 26),
        System::nanoTime,
        ByteBufAllocator.DEFAULT,
        new Multiplexer.Listener() {
          @Override
          public StreamListener onOpen(MuxStream stream, ByteBuf head, boolean end)
              throws ProtocolException {
            return opened.open(stream, head, end);
          }

          @Override
          public void outputWaiting() {
            // The test looks by itself.
          }
        });
  }

  /// A caller that hears one answer; it may be one that does not read on.
  private static final class Caller implements StreamListener {
    private final List<Integer> statuses = new ArrayList<>();
    private final List<ErrorCode> resets = new ArrayList<>();
    private String contentLength = "";
    private long received;
    private long unread;
    private boolean ended;

    @Override
    public void onHead(ByteBuf head, boolean end) {
      try {
        AnswerHead answer = AnswerHead.read(head);
        statuses.add(answer.status());
        for (int i = 0; i < answer.fields().count(); i++) {
          if (answer.fields().name(i).toString().equals("content-length")) {
            contentLength = answer.fields().value(i).toString();
          }
        }
      } catch (ProtocolException bad) {
        throw new AssertionError(bad);
      }
      ended |= end;
    }

    @Override
    public void onData(ByteBuf data, boolean end) {
      received += data.readableBytes();
      unread += data.readableBytes();
      ended |= end;
    }

    @Override
    public void onReset(ErrorCode code, boolean untouched, String text) {
      resets.add(code);
    }

    /// Passes on what it has.
    void read(MuxStream stream) {
      int bytes = (int) unread;
      unread = 0;
      stream.consumed(bytes);
    }
  }

  private MuxStream open(Caller caller, String name, String method, boolean end) {
    ByteBuf head = Unpooled.buffer();
    new OpenHead(
            StreamKind.HTTP,
            Deadlines.DEFAULT,
            new RequestIds(1, 2, 3, 4, 5, 0),
            AsciiString.of(name),
            AsciiString.of("caller"))
        .write(head);
    new RequestHead(AsciiString.of(method), AsciiString.of("/any/path"), new Fields(0)).write(head);
    return broker.open(head, end, caller).orElseThrow();
  }

  /// Until neither has anything to say.
  private void settle() throws ProtocolException {
    while (move(broker, toAgent) || move(agent, toBroker)) {
      assertThat(agent.openStreams()).isLessThanOrEqualTo(MAX_STREAMS);
    }
  }

  private static boolean move(Multiplexer from, FrameReader to) throws ProtocolException {
    ByteBuf record = Unpooled.buffer();
    from.fill(record);
    if (!record.isReadable()) {
      return false;
    }
    to.read(record);
    return true;
  }

  @Test
  void answersAtOnceWithAsManyBytesAsWasSaid() throws Exception {
    var caller = new Caller();
    open(caller, "echo", "GET", true);

    settle();

    assertThat(caller.statuses).containsExactly(200);
    assertThat(caller.contentLength).isEqualTo("1024");
    assertThat(caller.received).isEqualTo(1_024);
    assertThat(caller.ended).isTrue();
    assertThat(broker.openStreams()).isZero();
    assertThat(agent.openStreams()).isZero();
  }

  @Test
  void answersOfOneMomentLeaveInOneRecord() throws Exception {
    system = new EchoSystem(100);
    for (int i = 0; i < MAX_STREAMS; i++) {
      open(new Caller(), "echo", "GET", true);
    }

    assertThat(move(broker, toAgent)).isTrue();
    assertThat(move(agent, toBroker)).isTrue();

    assertThat(broker.openStreams()).isZero();
    assertThat(move(agent, toBroker)).isFalse();
  }

  @Test
  void anAnswerMayBeEmpty() throws Exception {
    system = new EchoSystem(0);
    var caller = new Caller();
    open(caller, "echo", "GET", true);

    settle();

    assertThat(caller.ended).isTrue();
    assertThat(caller.received).isZero();
    assertThat(agent.openStreams()).isZero();
  }

  @Test
  void aLargeAnswerWaitsForCreditAndGoesOnWithIt() throws Exception {
    system = new EchoSystem(1_000_000);
    var caller = new Caller();
    MuxStream stream = open(caller, "echo", "GET", true);
    settle();
    assertThat(caller.received).isEqualTo(Protocol.INITIAL_CREDIT_BYTES);

    for (int reads = 0; !caller.ended && reads < 1_000; reads++) {
      caller.read(stream);
      settle();
    }

    assertThat(caller.received).isEqualTo(1_000_000);
    assertThat(caller.ended).isTrue();
    assertThat(agent.openStreams()).isZero();
  }

  @Test
  void aCallerThatGoesAwayEndsAnAnswerThatWaits() throws Exception {
    system = new EchoSystem(1_000_000);
    MuxStream stream = open(new Caller(), "echo", "GET", true);
    settle();
    assertThat(agent.openStreams()).isEqualTo(1);

    stream.reset(ErrorCode.CANCELLED, false, "gone");
    settle();

    assertThat(agent.openStreams()).isZero();
    assertThat(agent.hasOutput()).isFalse();
  }

  @Test
  void whatComesWithARequestIsReadAndItsCreditGivenBack() throws Exception {
    var caller = new Caller();
    MuxStream stream = open(caller, "echo", "GET", false);

    stream.data(Unpooled.wrappedBuffer(new byte[1_000_000]), true);
    settle();

    assertThat(caller.received).isEqualTo(1_024);
    assertThat(caller.resets).isEmpty();
    assertThat(broker.openStreams()).isZero();
    assertThat(agent.openStreams()).isZero();
  }

  @Test
  void whatItDoesNotServeIsRefusedAsRealAgentsDo() throws Exception {
    var other = new Caller();
    var post = new Caller();
    open(other, "erp", "GET", true);
    open(post, "echo", "POST", true);

    settle();

    assertThat(other.resets).containsExactly(ErrorCode.UNKNOWN_TARGET);
    assertThat(post.resets).containsExactly(ErrorCode.NOT_EXPOSED);
    assertThat(agent.openStreams()).isZero();
  }

  @Test
  void tellsOneSystemThatGetsMayReach() {
    List<SystemRules> systems = system.rules().systems();

    assertThat(systems).hasSize(1);
    assertThat(systems.getFirst().system()).isEqualTo("echo");
    assertThat(systems.getFirst().live()).isTrue();
    assertThat(systems.getFirst().allow().getFirst().methods()).containsExactly("GET");
    assertThat(systems.getFirst().allow().getFirst().paths()).containsExactly("/**");
  }
}
