package io.penstock.broker.tunnel;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoop;
import io.penstock.broker.front.Ticker;
import io.penstock.codec.AnswerHead;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Fields;
import io.penstock.codec.OpenHead;
import io.penstock.codec.Protocol;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.StreamKind;
import io.penstock.codec.message.ControlMessage;
import io.penstock.codec.message.ControlMessage.EffectiveRules;
import io.penstock.codec.message.ControlMessage.IdentityNext;
import io.penstock.codec.message.ControlMessage.IdentityStored;
import io.penstock.codec.message.ControlMessage.Rewrapped;
import io.penstock.codec.message.ControlMessage.StateReport;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;
import io.penstock.codec.session.SessionCore;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One tunnel after its handshake: the session's state machine ([SessionCore]) on its WebSocket
/// ([TunnelSocket]), first in conversation with the authority, then admitted and carrying streams.
///
/// Everything happens on the tunnel's event loop; what other threads may read is volatile, what
/// they may ask is handed to the loop. It ends exactly once, by [#end]: by us (CLOSE), by the
/// agent's CLOSE, or by an abort. Netty: a write or close that fails ends the channel, which
/// channelInactive tells.
@SuppressWarnings("FutureReturnValueIgnored")
final class Session implements LiveSession, SessionCore.Listener, Stage, Ticker.Ticked {
  private static final EffectiveRules NO_RULES = new EffectiveRules(List.of());
  private static final int MAX_RECEIPT_BYTES = 8 * 1024;
  private static final Logger LOG = LoggerFactory.getLogger(Session.class);

  private final Tunnels tunnels;
  private final TunnelSocket socket;
  private final Ticker ticker;
  private final InetAddress remote;
  private final Instant connectedAt;
  private final SessionCore core;

  // The event loop's.
  private @Nullable Inbox inbox;
  private boolean streamsAllowed;
  private boolean ended;
  private boolean rulesTold;
  private boolean identityAsked;
  private @Nullable Probes probes;
  private @Nullable DocumentStreams documents;

  // Written by the event loop, read by all.
  private volatile ControlChannel.@Nullable Admission admission;
  private volatile EffectiveRules rules = NO_RULES;
  private volatile @Nullable StateReport stateReport;
  private volatile long roundTripNanos;
  private volatile boolean draining;
  private volatile boolean superseded;
  private volatile boolean open = true;

  Session(
      Tunnels tunnels,
      TunnelSocket socket,
      SessionCore.Established established,
      InetAddress remote,
      Inbox inbox) {
    this.tunnels = tunnels;
    this.socket = socket;
    this.remote = remote;
    this.inbox = inbox;
    connectedAt = Instant.ofEpochMilli(tunnels.clock().wallClockMs());
    TunnelLoop loop = tunnels.loops().of(socket.eventLoop());
    ticker = loop.ticker();
    core =
        new SessionCore(
            established,
            tunnels.settings().maxStreams(),
            tunnels.credit(),
            tunnels.clock(),
            loop.worker(),
            loop.scratch(),
            socket.context().alloc(),
            this);
    ticker.add(this);
  }

  // Records.

  @Override
  public void message(ByteBuf message) {
    try {
      core.receive(message);
    } catch (ProtocolException broken) {
      onFailure(broken);
    } catch (RuntimeException bug) {
      LOG.error("the session of {} fails", name(), bug);
      end(ErrorCode.INTERNAL, "internal error");
      socket.cut();
    }
  }

  @Override
  public @Nullable ByteBuf next() {
    return core.nextRecord(MessageEncoder.HEADER_ROOM);
  }

  @Override
  public void outputWaiting() {
    socket.flushSoon();
  }

  @Override
  public void tick() {
    try {
      core.tick();
      if (superseded && outstanding() == 0) {
        closeNow(ErrorCode.REPLACED, 0, "a newer session took over");
      }
    } catch (ProtocolException silent) {
      tunnels.counters().silent.increment();
      end(silent.code(), "the agent is silent");
      socket.cut();
    }
  }

  // What the agent says.

  @Override
  public StreamListener onOpen(MuxStream stream, ByteBuf head, boolean end)
      throws ProtocolException {
    if (!streamsAllowed) {
      throw new ProtocolException(ErrorCode.PROTOCOL_ERROR, "expected no OPEN before ADMITTED");
    }
    OpenHead opened = OpenHead.read(head);
    if (opened.kind() == StreamKind.CONFIG) {
      return documents().open(stream, head);
    }
    boolean probe =
        opened.kind() == StreamKind.DIAGNOSTIC
            && opened.system().contentEquals(StreamKind.PROBE_SYSTEM);
    if (!probe) {
      throw new ProtocolException(ErrorCode.UNKNOWN_TARGET, "expected a probe or a document");
    }
    ByteBuf answer = stream.allocator().heapBuffer(16);
    new AnswerHead(204, 0, 0, new Fields(0)).write(answer);
    stream.head(answer, true);
    return new Probe(stream);
  }

  private DocumentStreams documents() {
    DocumentStreams made = documents;
    if (made == null) {
      made = new DocumentStreams(this, asked -> tunnels.deliveries().requested(this, asked));
      documents = made;
      if (admission != null) {
        made.admit();
      }
    }
    return made;
  }

  /// The data-path probe of an agent; what it sends besides is dropped.
  private record Probe(MuxStream stream) implements StreamListener {
    @Override
    public void onData(ByteBuf data, boolean end) {
      stream.consumed(data.readableBytes());
    }

    @Override
    public void onReset(ErrorCode code, boolean untouched, String text) {
      // It has its answer.
    }
  }

  @Override
  public void onControl(ControlMessage message) throws ProtocolException {
    if (message instanceof EffectiveRules told) {
      receiveRules(told);
      return;
    }
    if (message instanceof StateReport told) {
      receiveState(told);
      return;
    }
    if (message instanceof Rewrapped told) {
      receiveRewrapped(told);
      return;
    }
    if (message instanceof IdentityNext wanted) {
      receiveIdentity(wanted);
      return;
    }
    boolean agents =
        switch (message) {
          case ControlMessage.ProofAnswer _,
              ControlMessage.Ready _,
              ControlMessage.UnlockNext _,
              ControlMessage.UnlockCommit _ ->
              true;
          default -> false;
        };
    Inbox listening = inbox;
    if (!agents || listening == null) {
      throw new ProtocolException(
          ErrorCode.PROTOCOL_ERROR, "unexpected " + message.getClass().getSimpleName());
    }
    if (!listening.offer(message)) {
      throw new ProtocolException(ErrorCode.RATE_EXCEEDED, "too many control messages wait");
    }
  }

  private void receiveRules(EffectiveRules told) throws ProtocolException {
    if (!streamsAllowed) {
      throw new ProtocolException(
          ErrorCode.PROTOCOL_ERROR, "expected no EFFECTIVE_RULES before ADMITTED");
    }
    rules = told;
    rulesTold = true;
    if (admission != null) {
      tunnels.sessions().rulesChanged(this);
    }
  }

  private void receiveState(StateReport told) throws ProtocolException {
    if (!streamsAllowed) {
      throw new ProtocolException(
          ErrorCode.PROTOCOL_ERROR, "expected no STATE_REPORT before ADMITTED");
    }
    stateReport = told;
    if (admission != null) {
      tunnels.deliveries().stateReported(this, told);
    }
  }

  private void receiveRewrapped(Rewrapped told) throws ProtocolException {
    if (admission == null) {
      throw new ProtocolException(
          ErrorCode.PROTOCOL_ERROR, "expected no REWRAPPED before ADMITTED");
    }
    tunnels.deliveries().rewrapped(this, told);
  }

  /// One at a time, which is all that an agent needs.
  private void receiveIdentity(IdentityNext wanted) throws ProtocolException {
    if (admission == null || identityAsked) {
      throw new ProtocolException(
          ErrorCode.PROTOCOL_ERROR, "expected one IDENTITY_NEXT at a time, after ADMITTED");
    }
    identityAsked = true;
    Thread.ofVirtual().name("identity-next").start(() -> replaceIdentity(wanted));
  }

  private void replaceIdentity(IdentityNext wanted) {
    try {
      tunnels.authority().identityNext(this, wanted);
    } catch (RuntimeException bug) {
      LOG.error("the new identity keys of {} are not stored", name(), bug);
      send(new IdentityStored(wanted.signingKey(), "internal error"));
    }
    onLoop(() -> identityAsked = false);
  }

  @Override
  public void onMessage(long sequence, ByteBuf body) throws ProtocolException {
    throw new ProtocolException(ErrorCode.PROTOCOL_ERROR, "expected no MESSAGE of an agent");
  }

  @Override
  public void onReceipt(long sequence, ByteBuf body) throws ProtocolException {
    if (admission == null) {
      throw new ProtocolException(ErrorCode.PROTOCOL_ERROR, "expected no RECEIPT without MESSAGE");
    }
    int length = body.readableBytes();
    if (length > MAX_RECEIPT_BYTES) {
      throw new ProtocolException(
          ErrorCode.PROTOCOL_ERROR,
          "expected a receipt of at most " + MAX_RECEIPT_BYTES + " bytes, found " + length);
    }
    if (!tunnels.deliveries().receipt(this, sequence, ByteBufUtil.getBytes(body))) {
      throw new ProtocolException(ErrorCode.RATE_EXCEEDED, "too many receipts wait");
    }
  }

  /// The agent goes away: no new streams for it.
  @Override
  public void onDrain(int spreadMs, int drainMs) {
    draining = true;
  }

  @Override
  public void onClose(ErrorCode code, int retryAfterMs, String text) {
    // Not within the record that said so: its other frames must find a session.
    onLoop(
        () -> {
          end(ErrorCode.SYSTEM_CLOSED, "the agent closed: " + code);
          socket.close(MessageDecoder.NORMAL, "", TunnelSocket.CloseWithin.NORMAL);
        });
  }

  @Override
  public void onRoundTrip(long nanos, long clockOffsetMs) {
    long before = roundTripNanos;
    roundTripNanos = before == 0 ? nanos : before + (nanos - before) / 8;
    completeProbes(true);
  }

  @Override
  public void onFailure(ProtocolException failure) {
    tunnels.counters().protocolErrors.increment();
    LOG.info("the session of {} breaks: {}", name(), failure.getMessage());
    if (failure.code() == ErrorCode.BAD_RECORD) {
      end(failure.code(), "a record does not open");
      socket.cut();
    } else {
      closeNow(failure.code(), 0, failure.code().name());
    }
  }

  // The authority.

  /// Called once, by the authority's conversation.
  void admit(ControlChannel.Admission granted) {
    assert eventLoop().inEventLoop();
    admission = granted;
    streamsAllowed = true;
    if (open) {
      tunnels.counters().admitted.increment();
      tunnels.sessions().admit(this);
      if (rulesTold) {
        tunnels.sessions().rulesChanged(this);
      }
      if (stateReport != null) {
        tunnels.deliveries().stateReported(this, stateReport);
      }
      if (documents != null) {
        documents.admit();
      }
      core.ping();
    }
  }

  /// The authority has nothing left to say: an admitted session goes on, any other is over.
  void conversationOver() {
    assert eventLoop().inEventLoop();
    inbox = null;
    if (admission == null) {
      closeNow(ErrorCode.NO_ERROR, 0, "");
    }
  }

  void refused(TunnelRefused refused) {
    assert eventLoop().inEventLoop();
    tunnels.counters().refused.increment();
    closeNow(refused.code(), refused.retryAfterMs(), String.valueOf(refused.getMessage()));
  }

  /// Ends without a word in the tunnel, like a handshake that failed.
  void denyIn(long delayNanos, String text) {
    assert eventLoop().inEventLoop();
    tunnels.counters().refused.increment();
    eventLoop().schedule(() -> deny(text), delayNanos, TimeUnit.NANOSECONDS);
  }

  private void deny(String text) {
    end(ErrorCode.ENROLL_DENIED, text);
    socket.close(MessageDecoder.POLICY, text, TunnelSocket.CloseWithin.NORMAL);
  }

  // LiveSession.

  @Override
  public ControlChannel.Admission admission() {
    ControlChannel.Admission granted = admission;
    if (granted == null) {
      throw new IllegalStateException("not admitted");
    }
    return granted;
  }

  @Override
  public InetAddress remote() {
    return remote;
  }

  @Override
  public Instant connectedAt() {
    return connectedAt;
  }

  @Override
  public EventLoop eventLoop() {
    return socket.eventLoop();
  }

  @Override
  public Optional<MuxStream> open(ByteBuf head, boolean end, StreamListener user) {
    assert eventLoop().inEventLoop();
    if (!open || draining || admission == null) {
      head.release();
      return Optional.empty();
    }
    return core.open(head, end, user);
  }

  @Override
  public EffectiveRules rules() {
    return rules;
  }

  @Override
  public Optional<StateReport> stateReport() {
    return Optional.ofNullable(stateReport);
  }

  /// From another thread an estimate, which is all that routing needs.
  @Override
  public int outstanding() {
    return core.streams().openStreams();
  }

  @Override
  public long roundTripNanos() {
    return roundTripNanos;
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
  public void send(ControlMessage message) {
    onLoop(
        () -> {
          // From here on the agent may open streams, before `admit` was called or not.
          streamsAllowed |= message instanceof ControlMessage.Admitted;
          core.send(message);
        });
  }

  @Override
  public boolean message(long sequence, byte[] body) {
    return onLoop(
        () -> {
          if (open) {
            ByteBuf payload = Unpooled.buffer(Long.BYTES + body.length);
            core.streams()
                .session(Protocol.MESSAGE, 0, payload.writeLong(sequence).writeBytes(body));
          }
        });
  }

  @Override
  public CompletionStage<Boolean> probe(Duration within) {
    var answered = new CompletableFuture<Boolean>();
    if (!onLoop(() -> probeNow(answered, within))) {
      answered.complete(false);
    }
    return answered;
  }

  private void probeNow(CompletableFuture<Boolean> answered, Duration within) {
    if (probes == null) {
      probes = new Probes();
    }
    if (!open || !probes.add(answered)) {
      answered.complete(false);
      return;
    }
    answered.completeOnTimeout(false, within.toNanos(), TimeUnit.NANOSECONDS);
    core.ping();
  }

  private void completeProbes(boolean answered) {
    if (probes != null) {
      probes.complete(answered);
    }
  }

  @Override
  public void close(ErrorCode code, String text) {
    onLoop(() -> closeNow(code, 0, text));
  }

  @Override
  public void drain(Duration spread, Duration within) {
    onLoop(
        () -> {
          draining = true;
          core.drain((int) spread.toMillis(), (int) within.toMillis());
        });
  }

  /// A newer session of the same agent and slot is admitted. Make-before-break cuts nothing: one
  /// that drains ends with its last stream.
  void supersede() {
    tunnels.counters().replaced.increment();
    if (draining) {
      superseded = true;
    } else {
      close(ErrorCode.REPLACED, "a newer session took over");
    }
  }

  // The end.

  private void closeNow(ErrorCode code, int retryAfterMs, String text) {
    assert eventLoop().inEventLoop();
    if (ended) {
      return;
    }
    core.sendClose(code, retryAfterMs, text);
    sendUrgent();
    end(code, text);
    boolean atOnce = code == ErrorCode.REVOKED || code == ErrorCode.QUARANTINED;
    socket.close(
        MessageDecoder.NORMAL,
        "",
        atOnce ? TunnelSocket.CloseWithin.AT_ONCE : TunnelSocket.CloseWithin.NORMAL);
  }

  /// Everything up to CLOSE, even when the connection takes no more; it is bounded.
  private void sendUrgent() {
    while (core.streams().urgentBytes() > 0) {
      ByteBuf record = next();
      if (record == null) {
        return;
      }
      socket.send(record);
    }
  }

  /// The socket is gone. Without CLOSE before it this is an abort (section 8).
  @Override
  public void closed() {
    end(ErrorCode.SYSTEM_CLOSED, "the tunnel broke off");
  }

  private void end(ErrorCode code, String reason) {
    assert eventLoop().inEventLoop();
    if (ended) {
      return;
    }
    ended = true;
    open = false;
    ticker.remove(this);
    core.close(code, reason);
    completeProbes(false);
    if (inbox != null) {
      inbox.close();
      inbox = null;
    }
    if (admission != null) {
      LOG.info("the session of {} ends: {}", name(), reason);
      tunnels.sessions().ended(this);
      Thread.ofVirtual().name("tunnel-closed").start(() -> tellAuthority(reason));
    }
  }

  private void tellAuthority(String reason) {
    try {
      tunnels.authority().closed(this, reason);
    } catch (RuntimeException bug) {
      LOG.error("the end of the session of {} is not recorded", name(), bug);
    }
  }

  /// See [TunnelSocket#onLoop].
  boolean onLoop(Runnable step) {
    return socket.onLoop(step);
  }

  private String name() {
    ControlChannel.Admission granted = admission;
    return granted == null
        ? remote.getHostAddress()
        : granted.agent() + "/" + granted.slot() + "@" + granted.sessionEpoch();
  }
}
