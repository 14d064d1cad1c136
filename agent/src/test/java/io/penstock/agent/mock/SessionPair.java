package io.penstock.agent.mock;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.EventLoop;
import io.netty.util.AsciiString;
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
import io.penstock.codec.message.ControlMessage;
import io.penstock.codec.mux.CreditPool;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;
import io.penstock.codec.noise.Handshake;
import io.penstock.codec.noise.HandshakeException;
import io.penstock.codec.noise.StaticKeyPair;
import io.penstock.codec.noise.Suite;
import io.penstock.codec.session.Clock;
import io.penstock.codec.session.Scratch;
import io.penstock.codec.session.SessionCore;
import org.jspecify.annotations.Nullable;

/// A broker's and an agent's session back to back on one event loop, without sockets: what one
/// writes at the end of its tick the other reads in the next.
public final class SessionPair {
  private final EventLoop loop;
  private final Scratch scratch = new Scratch();
  private final Side broker;
  private final Side agent;

  /// Where the agent's streams go.
  @FunctionalInterface
  public interface Target {
    StreamListener open(OpenHead head, ByteBuf rest, boolean end, MuxStream stream)
        throws ProtocolException;
  }

  public SessionPair(EventLoop loop, Target target) throws HandshakeException {
    this.loop = loop;
    StaticKeyPair ours = StaticKeyPair.generate();
    StaticKeyPair theirs = StaticKeyPair.generate();
    Handshake dialler = Handshake.initiator(Suite.XXHFS, new byte[0], ours);
    Handshake answerer = Handshake.responder(Suite.XXHFS, new byte[0], theirs);
    answerer.readMessage(dialler.writeMessage(new byte[0]));
    dialler.readMessage(answerer.writeMessage(new byte[0]));
    answerer.readMessage(dialler.writeMessage(new byte[0]));
    agent =
        new Side(
            new SessionCore.Established(
                Role.AGENT, dialler.split(), dialler.hash(), ours, dialler.remoteStatic()),
            target);
    broker =
        new Side(
            new SessionCore.Established(
                Role.BROKER, answerer.split(), answerer.hash(), theirs, answerer.remoteStatic()),
            (head, rest, end, stream) -> {
              throw new IllegalStateException("the agent opens nothing here");
            });
    agent.peer = broker;
    broker.peer = agent;
  }

  public EventLoop eventLoop() {
    return loop;
  }

  /// Opens a GET whose caller reads nothing from the start.
  public Call callOfNonReader(String path) {
    var call = new Call(loop).stopReading();
    loop.execute(
        () ->
            open(
                call,
                StreamKind.HTTP,
                "erp",
                "svc",
                request("GET", path),
                Deadlines.DEFAULT,
                true));
    return call;
  }

  /// Opens an http stream from the broker's side; `request` is ended if `end`.
  public Call call(RequestHead request, Deadlines deadlines, boolean end) {
    return call(StreamKind.HTTP, "erp", "svc", request, deadlines, end);
  }

  public Call call(
      StreamKind kind,
      String system,
      String caller,
      RequestHead request,
      Deadlines deadlines,
      boolean end) {
    var call = new Call(loop);
    loop.execute(() -> open(call, kind, system, caller, request, deadlines, end));
    return call;
  }

  private void open(
      Call call,
      StreamKind kind,
      String system,
      String caller,
      RequestHead request,
      Deadlines deadlines,
      boolean end) {
    ByteBuf head = ByteBufAllocator.DEFAULT.heapBuffer();
    new OpenHead(
            kind,
            deadlines,
            new RequestIds(1, 2, 3, 4, 5, 1),
            AsciiString.of(system),
            AsciiString.of(caller))
        .write(head);
    request.write(head);
    call.opened(broker.core.open(head, end, call).orElseThrow());
  }

  public static RequestHead request(String method, String path, String... fields) {
    var list = new Fields();
    for (int i = 0; i < fields.length; i += 2) {
      list.add(AsciiString.of(fields[i]), AsciiString.of(fields[i + 1]));
    }
    return new RequestHead(AsciiString.of(method), AsciiString.of(path), list);
  }

  /// Streams that the agent's side still knows. On the event loop.
  public int agentStreams() {
    return agent.core.streams().openStreams();
  }

  private final class Side implements SessionCore.Listener {
    private final SessionCore core;
    private final Target target;
    private @Nullable Side peer;

    Side(SessionCore.Established established, Target target) {
      this.target = target;
      core =
          new SessionCore(
              established,
              Protocol.DEFAULT_MAX_STREAMS,
              new CreditPool(1 << 26),
              Clock.SYSTEM,
              work -> loop.execute(work.get()),
              scratch,
              ByteBufAllocator.DEFAULT,
              this);
    }

    @Override
    public void outputWaiting() {
      loop.execute(this::flush);
    }

    private void flush() {
      for (ByteBuf record = core.nextRecord(); record != null; record = core.nextRecord()) {
        ByteBuf sent = record;
        loop.execute(() -> deliver(sent));
      }
    }

    private void deliver(ByteBuf record) {
      try {
        if (peer != null) {
          peer.core.receive(record);
        }
      } catch (ProtocolException broken) {
        throw new IllegalStateException(broken);
      } finally {
        record.release();
      }
    }

    @Override
    public StreamListener onOpen(MuxStream stream, ByteBuf head, boolean end)
        throws ProtocolException {
      OpenHead open = OpenHead.read(head);
      return target.open(open, head, end, stream);
    }

    @Override
    public void onControl(ControlMessage message) {}

    @Override
    public void onMessage(long sequence, ByteBuf body) {}

    @Override
    public void onReceipt(long sequence, ByteBuf body) {}

    @Override
    public void onDrain(int spreadMs, int drainMs) {}

    @Override
    public void onClose(ErrorCode code, int retryAfterMs, String text) {}

    @Override
    public void onRoundTrip(long nanos, long clockOffsetMs) {}

    @Override
    public void onFailure(ProtocolException failure) {
      throw new IllegalStateException(failure);
    }
  }
}
