package io.penstock.broker.routing;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import io.penstock.broker.tunnel.ControlChannel.Admission;
import io.penstock.broker.tunnel.LiveSession;
import io.penstock.broker.tunnel.TestSessions;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.message.ControlMessage;
import io.penstock.codec.message.ControlMessage.Allow;
import io.penstock.codec.message.ControlMessage.EffectiveRules;
import io.penstock.codec.message.ControlMessage.SystemRules;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class RoutingTableTest {
  private long nowNanos;
  private final Random random = new Random(20);
  private final RoutingTable table = new RoutingTable(() -> nowNanos, random::nextInt);

  @Test
  void siteThatNobodyServedIsUnknown() {
    assertThat(find("erp")).isEqualTo(new Route.Unknown());
  }

  @Test
  void liveSessionServesItsSystems() {
    Served session = serve("a1", rules("erp", true, "/api/**"));

    assertThat(find("erp")).isEqualTo(new Route.Via(List.of(session)));
    assertThat(find("crm")).isEqualTo(new Route.Unknown());
    assertThat(table.find("other", "erp", "GET", "/api/x")).isEqualTo(new Route.Unknown());
  }

  @Test
  void callOutsideTheRulesIsNotExposed() {
    serve("a1", rules("erp", true, "/api/**"));

    assertThat(table.find("plant", "erp", "GET", "/admin")).isEqualTo(new Route.NotExposed());
    assertThat(table.find("plant", "erp", "POST", "/api/x")).isEqualTo(new Route.NotExposed());
    assertThat(table.find("plant", "erp", "GET", "/api/../x")).isEqualTo(new Route.NotExposed());
  }

  @Test
  void newRulesReplaceTheOldOnes() {
    Served session = serve("a1", rules("erp", true, "/api/**"));
    session.rules = rules("crm", true, "/**");
    table.rulesChanged(session);

    assertThat(find("erp")).isEqualTo(new Route.Unknown());
    assertThat(find("crm")).isInstanceOf(Route.Via.class);
  }

  @Test
  void systemWithoutALiveInstanceIsOffline() {
    serve("a1", rules("erp", false, "/api/**"));

    assertThat(find("erp")).isEqualTo(new Route.Offline(false));
  }

  @Test
  void sessionThatHasNotToldItsRulesIsWorthWaitingFor() {
    Served session = new Served("a1", new EffectiveRules(List.of()));
    table.admitted(session);
    assertThat(find("erp")).isEqualTo(new Route.Offline(true));

    table.rulesChanged(session);
    assertThat(find("erp")).isEqualTo(new Route.Unknown());
  }

  @Test
  void closedSessionIsAwaitedForTenSeconds() {
    Served session = serve("a1", rules("erp", true, "/api/**"));
    session.open = false;
    table.closed(session);

    assertThat(find("erp")).isEqualTo(new Route.Offline(true));
    assertThat(find("crm")).isEqualTo(new Route.Unknown());
    nowNanos += Duration.ofSeconds(10).toNanos();
    assertThat(find("erp")).isEqualTo(new Route.Offline(false));
  }

  @Test
  void drainingSessionTakesNothingNew() {
    Served leaving = serve("a1", rules("erp", true, "/api/**"));
    leaving.draining = true;
    assertThat(find("erp")).isEqualTo(new Route.Offline(true));

    Served other = serve("a2", rules("erp", true, "/api/**"));
    assertThat(find("erp")).isEqualTo(new Route.Via(List.of(other)));
  }

  @Test
  void seededSiteIsOfflineUntilItsAgentTells() {
    table.seed("plant", "a1");
    assertThat(find("erp")).isEqualTo(new Route.Offline(true));
    nowNanos += Duration.ofSeconds(30).toNanos();
    assertThat(find("erp")).isEqualTo(new Route.Offline(false));

    serve("a1", rules("crm", true, "/**"));
    assertThat(find("erp")).isEqualTo(new Route.Unknown());
  }

  @Test
  void missingAgentOfALiveSiteMayServeWhatTheOtherDoesNot() {
    table.seed("plant", "a2");
    nowNanos += Duration.ofSeconds(30).toNanos();
    serve("a1", rules("erp", true, "/api/**"));

    assertThat(find("crm")).isEqualTo(new Route.Offline(false));
    assertThat(find("erp")).isInstanceOf(Route.Via.class);
  }

  @Test
  void forgottenAgentLeavesNothing() {
    table.seed("plant", "a1");
    table.forget("plant", "a1");

    assertThat(find("erp")).isEqualTo(new Route.Unknown());
  }

  @Test
  void leastOutstandingTimesLatencyComesFirst() {
    Served slow = serve("a1", rules("erp", true, "/api/**"));
    Served busy = serve("a2", rules("erp", true, "/api/**"));
    Served free = serve("a3", rules("erp", true, "/api/**"));
    slow.roundTripNanos = 50_000_000;
    busy.roundTripNanos = 1_000_000;
    busy.outstanding = 20;
    free.roundTripNanos = 10_000_000;

    assertThat(find("erp")).isEqualTo(new Route.Via(List.of(free, busy, slow)));
  }

  @Test
  void sessionsWithoutTheRuleAreLeftOut() {
    serve("a1", rules("erp", true, "/other/**"));
    Served allowing = serve("a2", rules("erp", true, "/api/**"));

    assertThat(find("erp")).isEqualTo(new Route.Via(List.of(allowing)));
  }

  @Test
  void aCallLooksAtAFewOfAThousandSessions() {
    List<Served> sessions = serveMany(1_000);

    for (int i = 0; i < 100; i++) {
      assertThat(((Route.Via) find("erp")).sessions()).hasSize(Choice.MOST).doesNotHaveDuplicates();
    }

    assertThat(sessions.stream().mapToInt(session -> session.looks).sum())
        .isEqualTo(100 * Choice.MOST);
  }

  @Test
  void aCallThatIsNotAllowedLooksAtNoSession() {
    List<Served> sessions = serveMany(1_000);

    assertThat(table.find("plant", "erp", "GET", "/admin")).isEqualTo(new Route.NotExposed());

    assertThat(sessions).allMatch(session -> session.looks == 0);
  }

  @Test
  void idleSessionsShareTheLoad() {
    serveMany(50);
    Map<LiveSession, Integer> calls = new HashMap<>();

    for (int i = 0; i < 50_000; i++) {
      calls.merge(((Route.Via) find("erp")).sessions().getFirst(), 1, Integer::sum);
    }

    assertThat(calls).hasSize(50);
    assertThat(calls.values()).allMatch(count -> count > 800 && count < 1_200);
  }

  @Test
  void twoIdleSessionsShareTheLoadToo() {
    List<Served> sessions = serveMany(2);
    int first = 0;

    for (int i = 0; i < 1_000; i++) {
      List<LiveSession> chosen = ((Route.Via) find("erp")).sessions();
      assertThat(chosen).containsExactlyInAnyOrderElementsOf(sessions);
      first += chosen.getFirst().equals(sessions.getFirst()) ? 1 : 0;
    }

    assertThat(first).isBetween(400, 600);
  }

  @Test
  void callsThatStayGoNearlyEvenlyToAll() {
    List<Served> sessions = serveMany(100);

    for (int i = 0; i < 1_000; i++) {
      ((Served) ((Route.Via) find("erp")).sessions().getFirst()).outstanding++;
    }

    assertThat(sessions).allMatch(session -> session.outstanding >= 7 && session.outstanding <= 12);
  }

  @Test
  void theOneSessionThatTakesStreamsIsFoundAmongAThousandThatDrain() {
    List<Served> sessions = serveMany(1_000);
    sessions.forEach(session -> session.draining = session != sessions.get(617));

    for (int i = 0; i < 50; i++) {
      assertThat(find("erp")).isEqualTo(new Route.Via(List.of(sessions.get(617))));
    }
    sessions.get(617).draining = true;
    assertThat(find("erp")).isEqualTo(new Route.Offline(true));
  }

  @Test
  void sessionsOfEveryRuleThatAllowsTheCallAreChosenFrom() {
    List<LiveSession> allowing = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      allowing.add(serve("narrow" + i, rules("erp", true, "/api/x")));
      allowing.add(serve("wide" + i, rules("erp", true, "/api/**")));
      serve("other" + i, rules("erp", true, "/other/" + i));
    }
    Map<LiveSession, Integer> calls = new HashMap<>();

    for (int i = 0; i < 2_000; i++) {
      calls.merge(((Route.Via) find("erp")).sessions().getFirst(), 1, Integer::sum);
    }

    assertThat(calls.keySet()).containsExactlyInAnyOrderElementsOf(allowing);
    assertThat(table.find("plant", "erp", "GET", "/api/y")).isInstanceOf(Route.Via.class);
    assertThat(table.find("plant", "erp", "GET", "/none")).isEqualTo(new Route.NotExposed());
  }

  @Test
  void sessionsThatCloseAreNoLongerChosen() {
    List<Served> sessions = serveMany(20);
    for (int i = 0; i < 19; i++) {
      table.closed(sessions.get(i));
    }

    assertThat(find("erp")).isEqualTo(new Route.Via(List.of(sessions.get(19))));
    table.closed(sessions.get(19));
    assertThat(find("erp")).isEqualTo(new Route.Offline(true));
  }

  @Test
  void theLastAgentThatNamedASystemTakesItsNameWithIt() {
    Served one = serve("a1", rules("erp", true, "/api/**"));
    Served other = serve("a2", rules("erp", true, "/api/**"));
    one.rules = rules("crm", true, "/**");
    table.rulesChanged(one);
    assertThat(find("erp")).isEqualTo(new Route.Via(List.of(other)));

    table.closed(other);
    nowNanos += Duration.ofSeconds(10).toNanos();
    assertThat(find("erp")).isEqualTo(new Route.Offline(false));
    table.forget("plant", "a2");
    assertThat(find("erp")).isEqualTo(new Route.Unknown());
  }

  private List<Served> serveMany(int count) {
    List<Served> sessions = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      sessions.add(serve("a" + i, rules("erp", true, "/api/**")));
    }
    return sessions;
  }

  @Test
  void lateCloseOfASessionThatWasNeverThereChangesNothing() {
    Served session = serve("a1", rules("erp", true, "/api/**"));

    table.closed(new Served("a1", rules("erp", true, "/api/**")));

    assertThat(find("erp")).isEqualTo(new Route.Via(List.of(session)));
  }

  @Test
  void changeOfASiteWakesItsWaiters() {
    CompletableFuture<Void> plant = wait("plant");
    CompletableFuture<Void> other = wait("other");

    serve("a1", rules("erp", true, "/**"));

    assertThat(plant).isDone();
    assertThat(other).isNotDone();
  }

  @Test
  void waitingEndsWithItsTime() throws Exception {
    table
        .awaitChange("plant", Duration.ofMillis(20))
        .toCompletableFuture()
        .get(5, TimeUnit.SECONDS);
  }

  @Test
  void nobodyWaitsForAnAgentOnceTheBrokerStops() {
    Served leaving = serve("a1", rules("erp", true, "/**"));
    leaving.draining = true;
    CompletableFuture<Void> before = wait("plant");

    table.stop();

    assertThat(before).isDone();
    assertThat(wait("plant")).isDone();
    assertThat(find("erp")).isEqualTo(new Route.Offline(false));
  }

  @Test
  void onlyAThousandWait() {
    for (int i = 0; i < 1_024; i++) {
      assertThat(wait("site" + i)).isNotDone();
    }
    assertThat(wait("one more")).isDone();

    table.seed("site7", "a");

    assertThat(wait("again")).isNotDone();
  }

  private CompletableFuture<Void> wait(String site) {
    return table.awaitChange(site, Duration.ofMinutes(1)).toCompletableFuture();
  }

  private Route find(String system) {
    return table.find("plant", system, "GET", "/api/x?q");
  }

  private Served serve(String agent, EffectiveRules rules) {
    Served session = new Served(agent, rules);
    table.admitted(session);
    table.rulesChanged(session);
    return session;
  }

  private static EffectiveRules rules(String system, boolean live, String path) {
    return new EffectiveRules(
        List.of(
            new SystemRules(
                system, "http", live, List.of(new Allow(List.of("GET"), List.of(path))))));
  }

  /// A session as routing sees it.
  private static final class Served implements LiveSession {
    private final Admission admission;
    EffectiveRules rules;
    int outstanding;
    long roundTripNanos;
    boolean draining;
    boolean open = true;
    int looks;

    Served(String agent, EffectiveRules rules) {
      admission =
          new Admission(
              agent,
              "plant",
              1,
              0,
              1,
              new byte[16],
              Optional.empty(),
              TestSessions.KEY,
              TestSessions.HASH);
      this.rules = rules;
    }

    @Override
    public Admission admission() {
      return admission;
    }

    @Override
    public EffectiveRules rules() {
      return rules;
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
      return outstanding;
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
      looks++;
      return open;
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
    public EventLoop eventLoop() {
      throw new UnsupportedOperationException("routing opens nothing");
    }

    @Override
    public Optional<MuxStream> open(ByteBuf head, boolean end, StreamListener user) {
      throw new UnsupportedOperationException("routing opens nothing");
    }

    @Override
    public void send(ControlMessage message) {
      throw new UnsupportedOperationException("routing says nothing");
    }

    @Override
    public CompletionStage<Boolean> probe(Duration within) {
      throw new UnsupportedOperationException("routing asks nothing");
    }

    @Override
    public void drain(Duration spread, Duration within) {}

    @Override
    public void close(ErrorCode code, String text) {
      throw new UnsupportedOperationException("routing closes nothing");
    }
  }
}
