package io.penstock.broker.live;

import io.penstock.broker.access.Scope;
import io.penstock.broker.delivery.DeliveryOperations;
import io.penstock.broker.live.LiveStream.End;
import io.penstock.broker.measure.HopArchive;
import io.penstock.broker.measure.HopTimes;
import io.penstock.broker.measure.Measuring;
import io.penstock.broker.measure.NodeStatus;
import io.penstock.broker.measure.SeriesKey;
import io.penstock.broker.store.AgentTable;
import io.penstock.broker.store.AgentTable.Agent;
import io.penstock.broker.store.AlarmTable;
import io.penstock.broker.store.AlarmTable.Alarm;
import io.penstock.broker.store.AlarmTable.Severity;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.StoreUnavailableException;
import io.penstock.broker.systems.SystemOperations;
import io.penstock.broker.tunnel.LiveSession;
import io.vertx.core.json.JsonObject;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Tells everybody who watches what changes, once a second: one [Feed] for each scope that somebody
/// watches with, read by any number of streams.
///
/// Ticks come from [Measuring]; what has to be asked of Postgres is asked by a thread of its own,
/// only while somebody watches, and ticks show what it found last.
public final class LiveFeed implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LiveFeed.class);
  static final int MAX_FEEDS = 32;
  private static final int FEED_BYTES = 4 << 20;
  private static final int POLL_SECONDS = 1;
  private static final Duration FLEET_AGE = Duration.ofMillis(1_900);
  private static final Duration FIRST_TICK = Duration.ofSeconds(3);

  private final Sources sources;
  private final Limits limits;
  private final Clock clock;
  private final String boot;
  private final AgentTable agentTable = new AgentTable();
  private final AlarmTable alarmTable = new AlarmTable();
  private final Map<Scope, Feed> feeds = new ConcurrentHashMap<>();
  private final Set<Seat> seats = ConcurrentHashMap.newKeySet();

  /// Places that are taken, by sign-in; guarded by itself, never while something is waited for.
  private final Map<UUID, Integer> ofSession = new HashMap<>();

  private int reserved;
  private final LongAdder dropped = new LongAdder();
  private final List<Alarm> changedAlarms = new ArrayList<>();
  private final ScheduledExecutorService poller =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("live-poll").factory());
  private volatile Fleet fleet = Fleet.UNKNOWN;
  private volatile Map<SeriesKey, HopTimes> worst = Map.of();
  private volatile boolean closed;
  private int feedNumber;

  /// @param streams of this node
  /// @param perSession of one sign-in
  public record Limits(int streams, int perSession) {}

  /// What is looked at.
  ///
  /// @param running invocations under way
  /// @param alarmJson as `/api/v1/alarms` shows them
  public record Sources(
      Database database,
      Supplier<List<LiveSession>> sessions,
      DeliveryOperations delivery,
      SystemOperations systems,
      Measuring measuring,
      HopArchive archive,
      NodeStatus status,
      AlarmSource alarms,
      LongSupplier running,
      Function<Alarm, JsonObject> alarmJson) {}

  public LiveFeed(Sources sources, Limits limits, Clock clock) {
    this.sources = sources;
    this.limits = limits;
    this.clock = clock;
    boot = Long.toString(clock.millis(), 36);
    sources.measuring().watch(this::tick);
  }

  public void start() {
    var _ = poller.scheduleWithFixedDelay(this::poll, 0, POLL_SECONDS, TimeUnit.SECONDS);
  }

  /// Streams now, and events that slow ones missed since the start.
  public NodeStatus.LiveUse use() {
    return new NodeStatus.LiveUse(seats.size(), dropped.sum());
  }

  // Streams.

  /// Why no stream is opened.
  public enum Refusal {
    TOO_MANY_OF_SESSION,
    TOO_MANY
  }

  /// What became of the wish to watch.
  public sealed interface Reservation {
    record Reserved(Seat seat) implements Reservation {}

    record Refused(Refusal why) implements Reservation {}
  }

  /// A place for one stream, from before its answer begins until its connection is gone.
  public final class Seat implements AutoCloseable {
    private final UUID session;
    private final Feed feed;
    private final Interest interest;
    private final long position;
    private final boolean resumed;
    private final Optional<String> gap;
    private final AtomicBoolean given = new AtomicBoolean(true);
    private volatile @Nullable End wanted;
    private volatile @Nullable Running running;

    private record Running(LiveStream stream, Executor executor) {}

    private Seat(
        UUID session,
        Feed feed,
        Interest interest,
        long position,
        boolean resumed,
        Optional<String> gap) {
      this.session = session;
      this.feed = feed;
      this.interest = interest;
      this.position = position;
      this.resumed = resumed;
      this.gap = gap;
    }

    /// On the connection's thread, once.
    ///
    /// @param executor runs on that thread
    public void begin(Outlet outlet, Executor executor) {
      var stream = new LiveStream(feed, interest, outlet, dropped, position);
      running = new Running(stream, executor);
      stream.begin(sources.status().node(), boot, resumed, gap.orElse(null), clock.millis());
      End before = closed ? End.SHUTDOWN : wanted;
      if (before != null) {
        stream.end(before);
      }
    }

    /// The connection takes more. On its thread.
    public void pump() {
      Running it = running;
      if (it != null) {
        it.stream.pump(clock.millis());
      }
    }

    /// Says why, and closes the stream.
    public void end(End why) {
      wanted = why;
      onStream(stream -> stream.end(why));
    }

    private void tick(long nowMs) {
      feed.used(interest, nowMs);
      onStream(stream -> stream.tick(nowMs));
    }

    private void onStream(Consumer<LiveStream> step) {
      Running it = running;
      if (it != null) {
        it.executor.execute(() -> step.accept(it.stream));
      }
    }

    /// The connection is gone, or never came.
    @Override
    public void close() {
      if (given.compareAndSet(true, false)) {
        Running it = running;
        if (it != null) {
          it.stream.gone();
        }
        seats.remove(this);
        release(session);
      }
    }
  }

  /// Blocks a moment where nobody has watched with this scope before.
  ///
  /// @param lastEventId the last event that was read, of this or an earlier stream
  public Reservation reserve(
      UUID session, Scope scope, Interest interest, Optional<String> lastEventId) {
    Optional<Refusal> refusal = take(session);
    if (refusal.isPresent()) {
      return new Reservation.Refused(refusal.get());
    }
    boolean seated = false;
    try {
      Optional<Feed> feed = feed(scope, interest);
      if (feed.isEmpty()) {
        return new Reservation.Refused(Refusal.TOO_MANY);
      }
      Seat seat = seat(session, feed.get(), interest, lastEventId);
      seats.add(seat);
      seated = true;
      return new Reservation.Reserved(seat);
    } finally {
      if (!seated) {
        release(session);
      }
    }
  }

  private Seat seat(UUID session, Feed feed, Interest interest, Optional<String> lastEventId) {
    long newest = feed.ring().newest();
    if (lastEventId.isEmpty()) {
      return new Seat(session, feed, interest, newest, false, Optional.empty());
    }
    Optional<Long> number = feed.number(lastEventId.get());
    if (number.isPresent() && feed.ring().reaches(number.get())) {
      return new Seat(session, feed, interest, number.get(), true, Optional.empty());
    }
    String gap =
        number.isPresent()
            ? "too-old"
            : lastEventId.get().startsWith(boot + "-") ? "unknown" : "restarted";
    return new Seat(session, feed, interest, newest, false, Optional.of(gap));
  }

  private Optional<Refusal> take(UUID session) {
    synchronized (ofSession) {
      int have = ofSession.getOrDefault(session, 0);
      if (have >= limits.perSession()) {
        return Optional.of(Refusal.TOO_MANY_OF_SESSION);
      }
      if (closed || reserved >= limits.streams()) {
        return Optional.of(Refusal.TOO_MANY);
      }
      ofSession.put(session, have + 1);
      reserved++;
      return Optional.empty();
    }
  }

  /// Also on event loops.
  private void release(UUID session) {
    synchronized (ofSession) {
      ofSession.computeIfPresent(session, (_, have) -> have == 1 ? null : have - 1);
      reserved--;
    }
  }

  /// The newest overview of a scope. Blocks until there is one; empty: it takes too long.
  public Optional<JsonObject> overview(Scope scope) throws InterruptedException {
    Optional<Feed> feed = feed(scope, new Interest(Set.of(), Optional.empty()));
    return feed.isEmpty() ? Optional.empty() : feed.get().newest(FIRST_TICK);
  }

  // Feeds.

  private Optional<Feed> feed(Scope scope, Interest interest) {
    Optional<Feed> known = knownFeed(scope, interest);
    return known.isPresent() ? known : newFeed(scope, interest);
  }

  /// Marks it as used in the same step, so that it is not forgotten just now.
  private Optional<Feed> knownFeed(Scope scope, Interest interest) {
    return Optional.ofNullable(
        feeds.computeIfPresent(
            scope,
            (_, feed) -> {
              feed.used(interest, clock.millis());
              return feed;
            }));
  }

  private synchronized Optional<Feed> newFeed(Scope scope, Interest interest) {
    Optional<Feed> meanwhile = knownFeed(scope, interest);
    if (meanwhile.isPresent()) {
      return meanwhile;
    }
    if (feeds.size() >= MAX_FEEDS) {
      return Optional.empty();
    }
    lookAtFleet();
    var feed = new Feed(boot + "-" + ++feedNumber, scope, FEED_BYTES, sources.alarmJson());
    feed.prime(fleet, sessions());
    feed.used(interest, clock.millis());
    feeds.put(scope, feed);
    return Optional.of(feed);
  }

  private void forgetFeeds(long unusedSinceMs) {
    for (Scope scope : feeds.keySet()) {
      feeds.computeIfPresent(scope, (_, feed) -> feed.isUnusedSince(unusedSinceMs) ? null : feed);
    }
  }

  private void tick(Measuring.Tick tick) {
    long nowMs = clock.millis();
    List<Alarm> alarms = takeAlarms();
    if (!feeds.isEmpty()) {
      forgetFeeds(nowMs - EventRing.MAX_AGE_MS);
      var now =
          new Feed.Surroundings(
              nowMs,
              fleet,
              sessions(),
              worst,
              tick.second(),
              tick.shown(),
              alarms,
              sources.running().getAsLong(),
              sources.status().now());
      feeds.values().forEach(feed -> feed.tick(now));
    }
    seats.forEach(seat -> seat.tick(nowMs));
  }

  private Map<String, List<LiveSession>> sessions() {
    return sources.sessions().get().stream()
        .collect(Collectors.groupingBy(session -> session.admission().agent()));
  }

  private List<Alarm> takeAlarms() {
    synchronized (changedAlarms) {
      List<Alarm> taken = List.copyOf(changedAlarms);
      changedAlarms.clear();
      return taken;
    }
  }

  // What Postgres knows.

  private void poll() {
    if (feeds.isEmpty()) {
      sources.alarms().skip();
      return;
    }
    try {
      if (clock.millis() - fleet.epochMs() >= FLEET_AGE.toMillis()) {
        lookAtFleet();
      }
      List<Alarm> changes = sources.alarms().changes();
      synchronized (changedAlarms) {
        changedAlarms.addAll(changes);
      }
      worst = sources.archive().lastMinutes();
    } catch (StoreUnavailableException away) {
      LOG.debug("the live feed shows what it knew: {}", away.getMessage());
    } catch (RuntimeException bug) {
      LOG.error("the live feed cannot look at the fleet", bug);
    }
  }

  private void lookAtFleet() {
    record Rows(List<Agent> agents, Map<Severity, Long> alarms) {}
    Rows rows =
        sources
            .database()
            .transaction(tx -> new Rows(agentTable.list(tx), alarmTable.countOpen(tx)));
    fleet =
        new Fleet(
            clock.millis(),
            rows.agents().stream().collect(Collectors.toMap(Agent::name, Function.identity())),
            sources.delivery().undelivered(),
            sources.systems().progress(),
            rows.alarms());
  }

  /// Streams are told, and their connections closed.
  @Override
  public void close() {
    closed = true;
    poller.shutdownNow();
    seats.forEach(seat -> seat.end(End.SHUTDOWN));
  }
}
