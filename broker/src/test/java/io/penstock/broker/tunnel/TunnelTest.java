package io.penstock.broker.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.ssl.SslContext;
import io.netty.util.AsciiString;
import io.penstock.broker.front.TestTls;
import io.penstock.codec.AnswerHead;
import io.penstock.codec.Deadlines;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Fields;
import io.penstock.codec.OpenHead;
import io.penstock.codec.RequestIds;
import io.penstock.codec.StreamKind;
import io.penstock.codec.message.ControlMessage;
import io.penstock.codec.message.ControlMessage.Admitted;
import io.penstock.codec.message.ControlMessage.Allow;
import io.penstock.codec.message.ControlMessage.EffectiveRules;
import io.penstock.codec.message.ControlMessage.Ready;
import io.penstock.codec.message.ControlMessage.SystemRules;
import io.penstock.codec.message.ControlMessage.UnlockCommit;
import io.penstock.codec.message.ControlMessage.Welcome;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A tunnel over loopback, from its upgrade to its end.
@Timeout(30)
class TunnelTest {
  private static final EffectiveRules RULES =
      new EffectiveRules(
          List.of(
              new SystemRules(
                  "erp", "http", true, List.of(new Allow(List.of("GET"), List.of("/**"))))));

  private final ManualClock clock = new ManualClock();
  private TunnelWorld world;

  @BeforeEach
  void start() throws Exception {
    world = new TunnelWorld(TunnelSettings.DEFAULTS, clock);
  }

  @AfterEach
  void stop() {
    world.close();
  }

  @Test
  void agentIsAdmittedAndTellsItsRules() throws Exception {
    try (MockAgent agent = MockAgent.admitted(world.port, "a1")) {
      LiveSession session = world.awaitSession();
      agent.send(RULES);
      world.await(() -> world.watched.contains("rules 1"));

      assertThat(agent.node().certificate()).isEqualTo("certificate");
      assertThat(session.rules()).isEqualTo(RULES);
      assertThat(session.admission().agent()).isEqualTo("a1");
      assertThat(session.remote().isLoopbackAddress()).isTrue();
      assertThat(world.endpoint.counters().handshakes()).isEqualTo(1);
    }
    world.await(() -> world.authority.told.contains("closed 1 the tunnel broke off"));
    assertThat(world.watched).containsExactly("admitted 1", "rules 1", "closed 1");
    assertThat(world.sessions.list()).isEmpty();
  }

  @Test
  void rulesThatArriveBeforeAdmissionAreNotLost() throws Exception {
    var commit = new CompletableFuture<Void>();
    world.authority.connecting =
        (attempt, channel) -> {
          channel.send(new Welcome(new byte[16], new byte[] {1}, 1_024, null));
          channel.receive(Ready.class, ScriptedAuthority.PATIENCE);
          channel.send(new Admitted(1, true, 1));
          channel.receive(UnlockCommit.class, ScriptedAuthority.PATIENCE);
          commit.orTimeout(10, TimeUnit.SECONDS).join();
          channel.admit(ScriptedAuthority.admission(attempt, 1));
        };
    try (MockAgent agent = MockAgent.admitted(world.port, "a1")) {
      agent.core().send(new UnlockCommit(2));
      agent.core().send(RULES);
      MuxStream probe = open(agent, StreamKind.DIAGNOSTIC, "penstock");
      agent.awaitHeard("head 1 204 end");
      commit.complete(null);
      world.await(() -> world.watched.contains("rules 1"));

      assertThat(world.awaitSession().rules()).isEqualTo(RULES);
      assertThat(probe.isClosed()).isTrue();
    }
  }

  @Test
  void probeOfTheAgentIsAnswered() throws Exception {
    try (MockAgent agent = MockAgent.admitted(world.port, "a1")) {
      open(agent, StreamKind.DIAGNOSTIC, "penstock");

      agent.awaitHeard("head 1 204 end");
    }
  }

  @Test
  void theStateOfAnAgentIsKept() throws Exception {
    try (MockAgent agent = MockAgent.admitted(world.port, "a1")) {
      LiveSession session = world.awaitSession();
      agent.send(new ControlMessage.StateReport(1, 7, List.of()));
      world.await(() -> world.deliveries.heard.contains("state 7"));

      assertThat(session.stateReport()).contains(new ControlMessage.StateReport(1, 7, List.of()));
    }
  }

  @Test
  void aStateBeforeAdmissionEndsTheSession() throws Exception {
    try (MockAgent agent = MockAgent.dial(world.port)) {
      agent.connect("a1", 0);
      agent.awaitControl(Welcome.class);
      agent.send(new ControlMessage.StateReport(1, 7, List.of()));
      agent.awaitWebSocketClose();

      assertThat(agent.heard).anyMatch(heard -> heard.startsWith("close PROTOCOL_ERROR"));
    }
  }

  @Test
  void otherStreamsOfAnAgentAreRefusedUntouched() throws Exception {
    try (MockAgent agent = MockAgent.admitted(world.port, "a1")) {
      open(agent, StreamKind.HTTP, "erp");
      open(agent, StreamKind.DIAGNOSTIC, "erp");

      agent.awaitHeard("reset 1 UNKNOWN_TARGET untouched");
      agent.awaitHeard("reset 3 UNKNOWN_TARGET untouched");
      assertThat(world.awaitSession().isOpen()).isTrue();
    }
  }

  @Test
  void streamBeforeAdmissionEndsTheSession() throws Exception {
    try (MockAgent agent = MockAgent.dial(world.port)) {
      agent.connect("a1", 0);
      agent.awaitControl(Welcome.class);

      open(agent, StreamKind.DIAGNOSTIC, "penstock");

      agent.awaitHeard("close PROTOCOL_ERROR 0 PROTOCOL_ERROR");
      agent.awaitWebSocketClose();
    }
  }

  @Test
  void rulesBeforeAdmissionEndTheSession() throws Exception {
    try (MockAgent agent = MockAgent.dial(world.port)) {
      agent.connect("a1", 0);
      agent.awaitControl(Welcome.class);

      agent.send(RULES);

      agent.awaitHeard("close PROTOCOL_ERROR 0 PROTOCOL_ERROR");
    }
  }

  @Test
  void pingIsAnsweredBeforeAdmission() throws Exception {
    try (MockAgent agent = MockAgent.dial(world.port)) {
      agent.connect("a1", 0);
      agent.core().ping();
      agent.flush();

      agent.awaitHeard("pong");
    }
  }

  @Test
  void anotherMessageThanExpectedIsRefused() throws Exception {
    try (MockAgent agent = MockAgent.dial(world.port)) {
      agent.connect("a1", 0);
      agent.awaitControl(Welcome.class);

      agent.send(new UnlockCommit(1));

      agent.awaitHeard("close PROTOCOL_ERROR 0 expected Ready");
      agent.awaitWebSocketClose();
      assertThat(agent.heard).last().isEqualTo("websocket 1000 ");
      world.await(() -> world.endpoint.counters().refused() == 1);
    }
  }

  @Test
  void moreControlMessagesThanTheInboxHoldsEndTheSession() throws Exception {
    var waits = new CompletableFuture<Boolean>();
    world.authority.connecting =
        (_, channel) -> waits.complete(channel.awaitClosed(Duration.ofSeconds(10)));
    try (MockAgent agent = MockAgent.dial(world.port)) {
      agent.connect("a1", 0);
      for (int i = 0; i < 17; i++) {
        agent.core().send(new UnlockCommit(i));
      }
      agent.flush();

      agent.awaitHeard("close RATE_EXCEEDED 0 RATE_EXCEEDED");
      assertThat(waits.get(10, TimeUnit.SECONDS)).isTrue();
    }
  }

  @Test
  void refusalCarriesCodeRetryAfterAndText() throws Exception {
    world.authority.connecting =
        (_, _) -> {
          throw new TunnelRefused(ErrorCode.UNAVAILABLE, 1_500, "later");
        };
    try (MockAgent agent = MockAgent.dial(world.port)) {
      agent.connect("a1", 0);

      agent.awaitHeard("close UNAVAILABLE 1500 later");
      agent.awaitWebSocketClose();
      agent.peer.frame(RawPeer.CLOSE, (byte) 3, (byte) 232);
      assertThat(agent.peer.awaitEnd()).isLessThan(Duration.ofSeconds(1));
    }
  }

  @Test
  void peerThatNeverAnswersTheCloseIsGoneAfterTwoSeconds() throws Exception {
    world.authority.connecting =
        (_, _) -> {
          throw new TunnelRefused(ErrorCode.UNKNOWN_AGENT, 0, "who");
        };
    try (MockAgent agent = MockAgent.dial(world.port)) {
      agent.connect("a1", 0);
      agent.awaitWebSocketClose();

      assertThat(agent.peer.awaitEnd())
          .isBetween(Duration.ofMillis(1_500), Duration.ofMillis(3_500));
    }
  }

  @Test
  void bugOfTheAuthorityIsATransientRefusal() throws Exception {
    world.authority.connecting =
        (_, _) -> {
          throw new IllegalStateException("bug");
        };
    try (MockAgent agent = MockAgent.dial(world.port)) {
      agent.connect("a1", 0);

      agent.awaitHeard("close UNAVAILABLE 5000 try again later");
    }
  }

  @Test
  void streamRunsBothWays() throws Exception {
    try (MockAgent agent = MockAgent.admitted(world.port, "a1")) {
      agent.service = (stream, _, _) -> new Echo(stream);
      LiveSession session = world.awaitSession();
      var caller = new Caller();
      caller.open(session, Unpooled.copiedBuffer(new byte[100_000]));

      agent.playUntil(() -> session.outstanding() == 0);

      assertThat(caller.status).isEqualTo(200);
      assertThat(caller.ended).isTrue();
      assertThat(caller.receivedBytes.get()).isEqualTo(100_000);
    }
  }

  @Test
  void frameAfterTheAgentsCloseFindsNoStream() throws Exception {
    try (MockAgent agent = MockAgent.admitted(world.port, "a1")) {
      LiveSession session = world.awaitSession();
      var caller = new Caller();
      caller.open(session, Unpooled.EMPTY_BUFFER);
      agent.awaitHeard("open 2");

      agent.core().sendClose(ErrorCode.SHUTDOWN, 0, "bye");
      agent.flush();

      world.await(() -> caller.reset != null);
      assertThat(caller.reset).isEqualTo(ErrorCode.SYSTEM_CLOSED);
      world.await(() -> world.authority.told.contains("closed 1 the agent closed: SHUTDOWN"));
    }
  }

  @Test
  void abortCutsRunningStreams() throws Exception {
    var caller = new Caller();
    try (MockAgent agent = MockAgent.admitted(world.port, "a1")) {
      caller.open(world.awaitSession(), Unpooled.EMPTY_BUFFER);
      agent.awaitHeard("open 2");
    }

    world.await(() -> caller.reset != null);

    assertThat(caller.reset).isEqualTo(ErrorCode.SYSTEM_CLOSED);
    assertThat(caller.ended).isFalse();
  }

  @Test
  void silenceOfFifteenSecondsEndsTheSession() throws Exception {
    try (MockAgent agent = MockAgent.admitted(world.port, "a1")) {
      LiveSession session = world.awaitSession();
      var caller = new Caller();
      caller.open(session, Unpooled.EMPTY_BUFFER);
      agent.awaitHeard("open 2");
      // Nothing of the agent is on its way when the clock moves.
      CompletableFuture<Boolean> probe = probe(session);
      agent.playUntil(probe::isDone);

      clock.advance(Duration.ofSeconds(15));

      world.await(() -> !session.isOpen());
      assertThat(caller.reset).isEqualTo(ErrorCode.SILENT);
      assertThat(world.endpoint.counters().silent()).isEqualTo(1);
      agent.peer.awaitEnd();
    }
  }

  @Test
  void lessSilenceOnlyAsks() throws Exception {
    try (MockAgent agent = MockAgent.admitted(world.port, "a1")) {
      LiveSession session = world.awaitSession();

      for (int i = 0; i < 3; i++) {
        clock.advance(Duration.ofSeconds(14));
        CompletableFuture<Boolean> probe = probe(session);
        agent.playUntil(probe::isDone);
      }

      assertThat(session.isOpen()).isTrue();
    }
  }

  @Test
  void recordThatDoesNotOpenEndsTheSessionWithoutAWord() throws Exception {
    try (MockAgent agent = MockAgent.admitted(world.port, "a1")) {
      LiveSession session = world.awaitSession();

      agent.peer.frame(RawPeer.BINARY, new byte[40]);

      world.await(() -> !session.isOpen());
      while (agent.peer.hasInput()) {
        agent.pump();
      }
      assertThat(agent.heard).noneMatch(one -> one.startsWith("close"));
    }
  }

  @Test
  void newerEpochReplacesTheOlderOne() throws Exception {
    try (MockAgent old = MockAgent.admitted(world.port, "a1")) {
      world.awaitSession();
      try (MockAgent young = MockAgent.admitted(world.port, "a1")) {
        old.awaitHeard("close REPLACED 0 a newer session took over");
        world.await(() -> world.watched.contains("closed 1"));

        assertThat(world.sessions.list())
            .extracting(session -> session.admission().sessionEpoch())
            .containsExactly(2L);
        assertThat(young.heard).noneMatch(one -> one.startsWith("close"));
      }
    }
  }

  @Test
  void lateCloseOfAnOlderEpochLeavesTheNewerOneAlone() throws Exception {
    try (MockAgent old = MockAgent.admitted(world.port, "a1");
        MockAgent _ = MockAgent.admitted(world.port, "a1")) {
      world.await(() -> world.watched.contains("closed 1"));

      old.hangUp();

      world.await(() -> world.authority.told.stream().anyMatch(one -> one.startsWith("closed 1")));
      assertThat(world.sessions.of("a1")).hasSize(1);
      assertThat(world.watched).containsOnlyOnce("closed 1").doesNotContain("closed 2");
    }
  }

  @Test
  void sessionWithAnOlderEpochThanTheLiveOneIsClosed() throws Exception {
    world.authority.epochs.set(10);
    try (MockAgent _ = MockAgent.admitted(world.port, "a1")) {
      world.awaitSession();
      world.authority.epochs.set(4);
      try (MockAgent late = MockAgent.admitted(world.port, "a1")) {
        late.awaitHeard("close REPLACED 0 a newer session is there");
      }
      assertThat(world.sessions.list())
          .extracting(session -> session.admission().sessionEpoch())
          .containsExactly(11L);
    }
  }

  @Test
  void drainingSessionEndsWithItsLastStreamWhenReplaced() throws Exception {
    try (MockAgent old = MockAgent.admitted(world.port, "a1")) {
      LiveSession session = world.awaitSession();
      var caller = new Caller();
      caller.open(session, Unpooled.EMPTY_BUFFER);
      old.awaitHeard("open 2");
      old.core().drain(0, 5_000);
      old.flush();
      world.await(session::draining);
      try (MockAgent _ = MockAgent.admitted(world.port, "a1")) {
        world.await(() -> world.watched.contains("admitted 2"));
        assertThat(session.isOpen()).isTrue();
        assertThat(world.sessions.of("a1")).hasSize(2);

        session.eventLoop().execute(() -> caller.stream().reset(ErrorCode.CANCELLED, false, ""));

        old.awaitHeard("close REPLACED 0 a newer session took over");
        assertThat(world.sessions.of("a1")).hasSize(1);
      }
    }
  }

  @Test
  void revokedAgentThatDoesNotReadIsGoneWithinASecond() throws Exception {
    revokeWithoutReading(world, RawPeer.dial(world.port));
  }

  @Test
  void revokedAgentThatDoesNotReadIsGoneWithinASecondBehindTlsToo() throws Exception {
    SslContext tls = TestTls.serverContext();
    try (TunnelWorld secure = new TunnelWorld(TunnelSettings.DEFAULTS, clock, tls)) {
      revokeWithoutReading(secure, new RawPeer(TestTls.dial(secure.port)));
    }
  }

  private static void revokeWithoutReading(TunnelWorld world, RawPeer peer) throws Exception {
    try (MockAgent agent = MockAgent.admitted(peer, "a1")) {
      LiveSession session = world.awaitSession();
      peer.socket().setReceiveBufferSize(4_096);
      var caller = new Caller();
      caller.open(session, Unpooled.EMPTY_BUFFER);
      agent.awaitHeard("open 2");
      caller.flood(session);

      long start = System.nanoTime();
      int closed = world.sessions.closeAgent("a1", ErrorCode.REVOKED, "revoked");
      world.await(() -> caller.reset != null);
      world.await(() -> world.endpoint.counters().open() == 0);

      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(1));
      assertThat(closed).isEqualTo(1);
      assertThat(caller.reset).isEqualTo(ErrorCode.REVOKED);
    }
  }

  @Test
  void framesOfOneTickShareAMessage() throws Exception {
    try (MockAgent agent = MockAgent.admitted(world.port, "a1")) {
      LiveSession session = world.awaitSession();
      CompletableFuture<Boolean> probe = probe(session);
      agent.playUntil(probe::isDone);
      int before = agent.messages;
      session
          .eventLoop()
          .execute(
              () -> {
                for (int i = 0; i < 50; i++) {
                  assertThat(session.open(Unpooled.buffer(8).writeLong(1), true, new Caller()))
                      .isPresent();
                }
              });

      agent.awaitHeard("open 100");

      assertThat(agent.messages - before).isEqualTo(1);
      assertThat(agent.heard).contains("open 2", "open 50");
    }
  }

  @Test
  void drainTellsAgentsAndWaitsForStreams() throws Exception {
    try (MockAgent agent = MockAgent.admitted(world.port, "a1")) {
      LiveSession session = world.awaitSession();
      var caller = new Caller();
      caller.open(session, Unpooled.EMPTY_BUFFER);
      agent.awaitHeard("open 2");
      CompletableFuture<Boolean> drained = new CompletableFuture<>();
      Thread.ofVirtual()
          .start(
              () -> {
                try {
                  drained.complete(
                      world.sessions.drain(Duration.ofSeconds(3), Duration.ofSeconds(8)));
                } catch (InterruptedException stopped) {
                  drained.completeExceptionally(stopped);
                }
              });

      agent.awaitHeard("drain 3000 8000");
      assertThat(session.draining()).isTrue();
      assertThat(refusesStreams(session)).isTrue();
      assertThat(drained).isNotDone();
      session.eventLoop().execute(() -> caller.stream().reset(ErrorCode.CANCELLED, false, ""));

      assertThat(drained.get(8, TimeUnit.SECONDS)).isTrue();
      world.sessions.closeAll(ErrorCode.SHUTDOWN, "the broker stops");
      agent.awaitHeard("close SHUTDOWN 0 the broker stops");
    }
  }

  @Test
  void drainEndsWhenItsTimeIsUp() throws Exception {
    try (MockAgent agent = MockAgent.admitted(world.port, "a1")) {
      new Caller().open(world.awaitSession(), Unpooled.EMPTY_BUFFER);
      agent.awaitHeard("open 2");

      boolean done = world.sessions.drain(Duration.ZERO, Duration.ofMillis(200));

      assertThat(done).isFalse();
    }
  }

  @Test
  void freshHandshakeInsideTheSessionSwitchesKeys() throws Exception {
    try (MockAgent agent = MockAgent.admitted(world.port, "a1")) {
      LiveSession session = world.awaitSession();

      agent.core().requestFreshKeys();
      agent.flush();
      open(agent, StreamKind.DIAGNOSTIC, "penstock");
      agent.awaitHeard("head 1 204 end");
      CompletableFuture<Boolean> probe = probe(session);
      agent.playUntil(probe::isDone);

      assertThat(probe.get()).isTrue();
    }
  }

  @Test
  void probeFailsWhenTheTunnelEnds() throws Exception {
    CompletableFuture<Boolean> probe;
    try (MockAgent _ = MockAgent.admitted(world.port, "a1")) {
      probe = probe(world.awaitSession());
    }

    assertThat(probe.get(5, TimeUnit.SECONDS)).isFalse();
  }

  @Test
  void admissionOfAClosedTunnelRegistersNothing() throws Exception {
    var begun = new CompletableFuture<Void>();
    var admitted = new CompletableFuture<LiveSession>();
    world.authority.connecting =
        (attempt, channel) -> {
          begun.complete(null);
          channel.awaitClosed(Duration.ofSeconds(10));
          admitted.complete(channel.admit(ScriptedAuthority.admission(attempt, 1)));
        };
    try (MockAgent agent = MockAgent.dial(world.port)) {
      agent.connect("a1", 0);
      begun.get(10, TimeUnit.SECONDS);
    }

    assertThat(admitted.get(10, TimeUnit.SECONDS).isOpen()).isFalse();
    assertThat(world.sessions.list()).isEmpty();
    assertThat(world.watched).isEmpty();
  }

  @Test
  void conversationThatEndsWithoutAdmissionEndsTheTunnel() throws Exception {
    world.authority.connecting = (_, _) -> {};
    try (MockAgent agent = MockAgent.dial(world.port)) {
      agent.connect("a1", 0);

      agent.awaitHeard("close NO_ERROR 0 ");
    }
  }

  /// Distinct from PINGs before it.
  private CompletableFuture<Boolean> probe(LiveSession session) {
    clock.advance(Duration.ofNanos(1));
    return session.probe(Duration.ofSeconds(10)).toCompletableFuture();
  }

  private static boolean refusesStreams(LiveSession session) throws Exception {
    var refused = new CompletableFuture<Boolean>();
    session
        .eventLoop()
        .execute(
            () -> refused.complete(session.open(Unpooled.buffer(8), true, new Caller()).isEmpty()));
    return refused.get(5, TimeUnit.SECONDS);
  }

  private static MuxStream open(MockAgent agent, StreamKind kind, String system) throws Exception {
    ByteBuf head = Unpooled.buffer();
    new OpenHead(
            kind,
            new Deadlines(1_000, 1_000, 1_000, 0),
            new RequestIds(1, 2, 3, 4, 5, (byte) 0),
            AsciiString.of(system),
            AsciiString.EMPTY_STRING)
        .write(head);
    MuxStream[] stream = new MuxStream[1];
    stream[0] = agent.core().open(head, true, agent.new Recorder(() -> stream[0])).orElseThrow();
    agent.flush();
    return stream[0];
  }

  /// Sends back what it gets.
  private record Echo(MuxStream stream) implements StreamListener {
    Echo {
      ByteBuf head = Unpooled.buffer();
      new AnswerHead(200, 0, 0, new Fields(0)).write(head);
      stream.head(head, false);
    }

    @Override
    public void onData(ByteBuf data, boolean end) {
      int bytes = data.readableBytes();
      stream.data(data.retain(), end);
      stream.consumed(bytes);
    }

    @Override
    public void onReset(ErrorCode code, boolean untouched, String text) {
      // Nothing to free.
    }
  }

  /// Who invokes, on the session's event loop.
  private static final class Caller implements StreamListener {
    private volatile @Nullable MuxStream opened;
    private final AtomicInteger receivedBytes = new AtomicInteger();
    volatile @Nullable ErrorCode reset;
    volatile int status;
    volatile boolean ended;

    void open(LiveSession session, ByteBuf body) throws Exception {
      var done = new CompletableFuture<MuxStream>();
      session
          .eventLoop()
          .execute(
              () -> {
                MuxStream stream =
                    session.open(Unpooled.buffer(8).writeLong(1), false, this).orElseThrow();
                if (body.isReadable()) {
                  stream.data(body, true);
                }
                opened = stream;
                done.complete(stream);
              });
      done.get(5, TimeUnit.SECONDS);
    }

    MuxStream stream() {
      return Objects.requireNonNull(opened, "not open yet");
    }

    /// Control messages until the connection takes no more.
    void flood(LiveSession session) throws Exception {
      var done = new CompletableFuture<Void>();
      session
          .eventLoop()
          .execute(
              () -> {
                for (int i = 0; i < 200; i++) {
                  session.send(new Welcome(new byte[16], new byte[16_000], 1, null));
                }
                session.eventLoop().execute(() -> done.complete(null));
              });
      done.get(5, TimeUnit.SECONDS);
    }

    @Override
    public void onHead(ByteBuf head, boolean end) {
      status = head.getUnsignedShort(0);
    }

    @Override
    public void onData(ByteBuf data, boolean end) {
      receivedBytes.addAndGet(data.readableBytes());
      ended |= end;
      stream().consumed(data.readableBytes());
    }

    @Override
    public void onReset(ErrorCode code, boolean untouched, String text) {
      reset = code;
    }
  }
}
