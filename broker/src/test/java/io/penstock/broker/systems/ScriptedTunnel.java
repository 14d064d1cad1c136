package io.penstock.broker.systems;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoop;
import io.penstock.broker.tunnel.ControlChannel;
import io.penstock.broker.tunnel.LiveSession;
import io.penstock.broker.tunnel.TestSessions;
import io.penstock.codec.AnswerHead;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Fields;
import io.penstock.codec.OpenHead;
import io.penstock.codec.Protocol;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.Role;
import io.penstock.codec.frame.FrameReader;
import io.penstock.codec.message.ControlMessage;
import io.penstock.codec.message.ControlMessage.EffectiveRules;
import io.penstock.codec.message.ControlMessage.StateReport;
import io.penstock.codec.message.ControlMessage.SystemTest;
import io.penstock.codec.message.Messages;
import io.penstock.codec.mux.CreditPool;
import io.penstock.codec.mux.Multiplexer;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/// A tunnel without sockets and keys: two real multiplexers back to back on one event loop. The
/// agent's end answers tests of systems by a script.
final class ScriptedTunnel implements LiveSession {
  /// What the agent does with a question.
  interface Script {
    void answer(OpenHead open, SystemTest test, MuxStream stream);
  }

  final CompletableFuture<ErrorCode> reset = new CompletableFuture<>();
  private final String agentName;
  private final int generation;
  private final EventLoop loop;
  private final Script script;
  private final Multiplexer broker;
  private final Multiplexer agent;
  private final FrameReader toBroker;
  private final FrameReader toAgent;
  private boolean pumping;
  volatile boolean draining;

  ScriptedTunnel(String agentName, int generation, EventLoop loop, Script script) {
    this.agentName = agentName;
    this.generation = generation;
    this.loop = loop;
    this.script = script;
    var pool = new CreditPool(1024 * 1024);
    broker = multiplexer(Role.BROKER, pool);
    agent = multiplexer(Role.AGENT, pool);
    toBroker = new FrameReader(broker::receive);
    toAgent = new FrameReader(agent::receive);
  }

  static void head(MuxStream stream, int status, boolean end) {
    ByteBuf head = Unpooled.buffer();
    new AnswerHead(status, 0, 0, new Fields(0)).write(head);
    stream.head(head, end);
  }

  private Multiplexer multiplexer(Role role, CreditPool pool) {
    return new Multiplexer(
        role,
        8,
        pool,
        System::nanoTime,
        ByteBufAllocator.DEFAULT,
        new Multiplexer.Listener() {
          @Override
          public StreamListener onOpen(MuxStream stream, ByteBuf head, boolean end)
              throws ProtocolException {
            return asked(stream, head, end);
          }

          @Override
          public void outputWaiting() {
            pumpSoon();
          }
        });
  }

  private StreamListener asked(MuxStream stream, ByteBuf head, boolean end)
      throws ProtocolException {
    OpenHead open = OpenHead.read(head);
    byte[] rest = new byte[head.readableBytes()];
    head.readBytes(rest);
    if (!end) {
      throw new AssertionError("a question with a body");
    }
    SystemTest test = Messages.decode(rest, SystemTest.class);
    // After OPEN was read to its end, as a real agent would.
    loop.execute(() -> script.answer(open, test, stream));
    return new StreamListener() {
      @Override
      public void onData(ByteBuf data, boolean last) {
        throw new AssertionError("a question with a body");
      }

      @Override
      public void onReset(ErrorCode code, boolean untouched, String text) {
        reset.complete(code);
      }
    };
  }

  private void pumpSoon() {
    if (!pumping) {
      pumping = true;
      loop.execute(this::pump);
    }
  }

  private void pump() {
    pumping = false;
    try {
      boolean busy = true;
      while (busy) {
        boolean up = carry(broker, toAgent);
        boolean down = carry(agent, toBroker);
        busy = up || down;
      }
    } catch (ProtocolException broken) {
      throw new AssertionError(broken);
    }
  }

  private static boolean carry(Multiplexer from, FrameReader to) throws ProtocolException {
    ByteBuf plaintext = Unpooled.buffer(Protocol.MAX_WRITTEN_PLAINTEXT_BYTES);
    from.fill(plaintext);
    if (!plaintext.isReadable()) {
      return false;
    }
    to.read(plaintext);
    plaintext.release();
    return true;
  }

  @Override
  public EventLoop eventLoop() {
    return loop;
  }

  @Override
  public Optional<MuxStream> open(ByteBuf head, boolean end, StreamListener user) {
    if (!loop.inEventLoop()) {
      throw new AssertionError("streams are opened on the session's loop");
    }
    return broker.open(head, end, user);
  }

  @Override
  public boolean draining() {
    return draining;
  }

  @Override
  public boolean isOpen() {
    return true;
  }

  @Override
  public ControlChannel.Admission admission() {
    return new ControlChannel.Admission(
        agentName,
        "plant",
        generation,
        0,
        1,
        new byte[16],
        Optional.empty(),
        TestSessions.KEY,
        TestSessions.HASH);
  }

  @Override
  public InetAddress remote() {
    return InetAddress.getLoopbackAddress();
  }

  @Override
  public Instant connectedAt() {
    return Instant.EPOCH;
  }

  @Override
  public EffectiveRules rules() {
    return new EffectiveRules(List.of());
  }

  @Override
  public Optional<StateReport> stateReport() {
    return Optional.empty();
  }

  @Override
  public boolean message(long sequence, byte[] body) {
    throw new AssertionError("tests of systems send no messages");
  }

  @Override
  public int outstanding() {
    return 0;
  }

  @Override
  public long roundTripNanos() {
    return 0;
  }

  @Override
  public void send(ControlMessage message) {
    throw new UnsupportedOperationException();
  }

  @Override
  public CompletionStage<Boolean> probe(Duration within) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void drain(Duration spread, Duration within) {}

  @Override
  public void close(ErrorCode code, String text) {
    loop.execute(
        () -> {
          broker.close(code, text);
          agent.close(code, text);
        });
  }
}
