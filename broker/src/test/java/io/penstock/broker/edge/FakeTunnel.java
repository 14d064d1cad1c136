package io.penstock.broker.edge;

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
import io.penstock.codec.RequestHead;
import io.penstock.codec.Role;
import io.penstock.codec.frame.FrameReader;
import io.penstock.codec.message.ControlMessage;
import io.penstock.codec.message.ControlMessage.EffectiveRules;
import io.penstock.codec.mux.CreditPool;
import io.penstock.codec.mux.Multiplexer;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/// A tunnel without sockets and keys: two real multiplexers back to back on one event loop, frames
/// written and read as on the wire. The agent's end is a script.
final class FakeTunnel implements LiveSession {

  /// One stream as the agent sees it. Everything happens on the tunnel's loop; the fields that
  /// tests read are thread-safe.
  final class Call implements StreamListener {
    final OpenHead open;
    final RequestHead request;
    final MuxStream stream;
    final boolean withoutBody;
    final CompletableFuture<String> body = new CompletableFuture<>();
    final CompletableFuture<Fields> trailers = new CompletableFuture<>();
    final CompletableFuture<ErrorCode> reset = new CompletableFuture<>();
    final AtomicLong received = new AtomicLong();
    final AtomicLong sent = new AtomicLong();
    private final StringBuilder text = new StringBuilder();
    private Runnable onWritable = () -> {};
    private boolean echoes;

    /// Whether what arrives is passed on at once.
    volatile boolean reads = true;

    Call(OpenHead open, RequestHead request, MuxStream stream, boolean withoutBody) {
      this.open = open;
      this.request = request;
      this.stream = stream;
      this.withoutBody = withoutBody;
      if (withoutBody) {
        body.complete("");
      }
    }

    void whenRead(Consumer<String> then) {
      var _ = body.thenAccept(then);
    }

    Call head(int status, boolean end, String... namesAndValues) {
      return head(status, 0, 0, end, namesAndValues);
    }

    Call head(
        int status, long agentMicros, long systemMicros, boolean end, String... namesAndValues) {
      onLoop(
          () -> {
            ByteBuf head = Unpooled.buffer();
            new AnswerHead(status, agentMicros, systemMicros, fields(namesAndValues)).write(head);
            stream.head(head, end);
          });
      return this;
    }

    Call data(String bytes, boolean end) {
      onLoop(() -> stream.data(Unpooled.copiedBuffer(bytes, StandardCharsets.ISO_8859_1), end));
      return this;
    }

    Call trailers(String... namesAndValues) {
      onLoop(
          () -> {
            ByteBuf payload = Unpooled.buffer();
            fields(namesAndValues).write(payload);
            stream.trailers(payload);
          });
      return this;
    }

    Call reset(ErrorCode code, boolean untouched) {
      onLoop(() -> stream.reset(code, untouched, "by script"));
      return this;
    }

    /// Answers with what arrives, and reads no faster than that is taken.
    void echo() {
      onLoop(
          () -> {
            reads = false;
            onWritable = this::returnHeldCredit;
            echoes = true;
          });
    }

    private void returnHeldCredit() {
      stream.consumed(stream.bufferedBytes());
    }

    /// Answers with as much as anybody takes.
    void flood() {
      onLoop(
          () -> {
            onWritable = this::sendWhileWritable;
            sendWhileWritable();
          });
    }

    private void sendWhileWritable() {
      while (stream.isWritable()) {
        stream.data(Unpooled.wrappedBuffer(new byte[8 * 1024]), false);
        sent.addAndGet(8 * 1024);
      }
    }

    void read(boolean now) {
      onLoop(
          () -> {
            reads = now;
            if (now) {
              stream.consumed(stream.bufferedBytes());
            }
          });
    }

    String field(String name) {
      for (int i = 0; i < request.fields().count(); i++) {
        if (request.fields().name(i).toString().equalsIgnoreCase(name)) {
          return request.fields().value(i).toString();
        }
      }
      return "";
    }

    @Override
    public void onData(ByteBuf data, boolean end) {
      int bytes = data.readableBytes();
      received.addAndGet(bytes);
      if (received.get() < 100_000) {
        text.append(data.toString(StandardCharsets.ISO_8859_1));
      }
      if (echoes) {
        stream.data(data.retain(), end);
      }
      if (reads || (echoes && stream.isWritable())) {
        stream.consumed(stream.bufferedBytes());
      }
      if (end) {
        body.complete(text.toString());
      }
    }

    @Override
    public void onTrailers(ByteBuf payload) {
      body.complete(text.toString());
      try {
        trailers.complete(Fields.read(payload));
      } catch (ProtocolException bad) {
        trailers.completeExceptionally(bad);
      }
    }

    @Override
    public void onReset(ErrorCode code, boolean untouched, String why) {
      reset.complete(code);
    }

    @Override
    public void onWritable() {
      onWritable.run();
    }
  }

  private final EventLoop loop;
  private final Consumer<Call> script;
  private final Multiplexer broker;
  private final Multiplexer agent;
  private final FrameReader toBroker;
  private final FrameReader toAgent;
  private final LinkedBlockingQueue<Call> calls = new LinkedBlockingQueue<>();
  private boolean pumping;
  private volatile boolean open = true;
  volatile boolean draining;

  FakeTunnel(EventLoop loop, Consumer<Call> script) {
    this(loop, 1_024, script);
  }

  FakeTunnel(EventLoop loop, int maxStreams, Consumer<Call> script) {
    this.loop = loop;
    this.script = script;
    var pool = new CreditPool(1024 * 1024);
    broker =
        new Multiplexer(
            Role.BROKER,
            maxStreams,
            pool,
            System::nanoTime,
            ByteBufAllocator.DEFAULT,
            new Multiplexer.Listener() {
              @Override
              public StreamListener onOpen(MuxStream stream, ByteBuf head, boolean end) {
                throw new AssertionError("the agent opens nothing here");
              }

              @Override
              public void outputWaiting() {
                pumpSoon();
              }
            });
    agent =
        new Multiplexer(
            Role.AGENT,
            maxStreams,
            pool,
            System::nanoTime,
            ByteBufAllocator.DEFAULT,
            new Multiplexer.Listener() {
              @Override
              public StreamListener onOpen(MuxStream stream, ByteBuf head, boolean end)
                  throws ProtocolException {
                return opened(stream, head, end);
              }

              @Override
              public void outputWaiting() {
                pumpSoon();
              }
            });
    toBroker = new FrameReader(broker::receive);
    toAgent = new FrameReader(agent::receive);
  }

  private StreamListener opened(MuxStream stream, ByteBuf head, boolean end)
      throws ProtocolException {
    var call = new Call(OpenHead.read(head), RequestHead.read(head), stream, end);
    calls.add(call);
    script.accept(call);
    return call;
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
      while (open && busy) {
        boolean up = carry(broker, toAgent);
        boolean down = carry(agent, toBroker);
        busy = up || down;
      }
    } catch (ProtocolException broken) {
      throw new AssertionError(broken);
    }
  }

  private static boolean carry(Multiplexer from, FrameReader to) throws ProtocolException {
    ByteBuf record = Unpooled.buffer(Protocol.MAX_WRITTEN_PLAINTEXT_BYTES);
    from.fill(record);
    if (!record.isReadable()) {
      return false;
    }
    // As in a session, the record is gone after the call unless somebody kept it.
    to.read(record);
    record.release();
    return true;
  }

  /// The next stream that the agent saw.
  Call call() throws InterruptedException {
    Call call = calls.poll(5, TimeUnit.SECONDS);
    if (call == null) {
      throw new AssertionError("no call arrived at the agent");
    }
    return call;
  }

  boolean sawNoCall() {
    return calls.isEmpty();
  }

  /// The tunnel breaks.
  void lose(ErrorCode code) {
    onLoop(
        () -> {
          open = false;
          broker.close(code, "lost");
          agent.close(code, "lost");
        });
  }

  int brokerStreams() throws Exception {
    return loop.submit(broker::openStreams).get(5, TimeUnit.SECONDS);
  }

  private void onLoop(Runnable step) {
    if (loop.inEventLoop()) {
      step.run();
    } else {
      loop.execute(step);
    }
  }

  static Fields fields(String... namesAndValues) {
    var fields = new Fields();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      fields.add(namesAndValues[i], namesAndValues[i + 1]);
    }
    return fields;
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
    if (draining || !open) {
      head.release();
      return Optional.empty();
    }
    return broker.open(head, end, user);
  }

  @Override
  public boolean draining() {
    return draining;
  }

  @Override
  public boolean isOpen() {
    return open;
  }

  @Override
  public ControlChannel.Admission admission() {
    return new ControlChannel.Admission(
        "agent-1",
        "plant",
        1,
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
  public Optional<ControlMessage.StateReport> stateReport() {
    return Optional.empty();
  }

  @Override
  public boolean message(long sequence, byte[] body) {
    throw new UnsupportedOperationException("no messages here");
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
    lose(code);
  }
}
