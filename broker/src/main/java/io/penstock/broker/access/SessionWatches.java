package io.penstock.broker.access;

import io.penstock.broker.access.AccessNews.News;
import io.penstock.broker.access.Standings.Standing;
import io.penstock.broker.store.StoreUnavailableException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// For what outlives one request, such as a live feed: tells it when the sign-in behind it is over,
/// or may do something else than when it began. At once by news, without it four seconds later at
/// the latest, as long as [#check] is called every two seconds. Thread-safe.
public final class SessionWatches {
  private static final Logger LOG = LoggerFactory.getLogger(SessionWatches.class);
  private static final Duration WITHIN = Duration.ofSeconds(2);
  private static final int MAX_WATCHES = 4_096;

  private final Standings standings;
  private final Set<Watch> watches = ConcurrentHashMap.newKeySet();
  private final AtomicInteger count = new AtomicInteger();
  private final AtomicBoolean checkIsDue = new AtomicBoolean();

  SessionWatches(Standings standings, AccessNews news) {
    this.standings = standings;
    news.listen(this::heard);
  }

  /// Why what somebody was allowed to begin may not go on.
  public enum End {
    /// Signed out, expired, disabled, or gone.
    SESSION_OVER,
    /// Signed in, with another role or other agents.
    RIGHTS_CHANGED
  }

  /// One thing that goes on as long as somebody is signed in.
  public final class Watch implements AutoCloseable {
    private final UUID session;
    private final Actor actor;
    private final Consumer<End> over;

    private Watch(Actor actor, Consumer<End> over) {
      this.session = actor.session();
      this.actor = actor;
      this.over = over;
    }

    private boolean mayGoOn(Optional<Standing> now) {
      return now.filter(
              it ->
                  it.email().equals(actor.name())
                      && it.role() == actor.role()
                      && it.scope().equals(actor.scope()))
          .isPresent();
    }

    /// It came to its end by itself.
    @Override
    public void close() {
      if (watches.remove(this)) {
        count.decrementAndGet();
      }
    }
  }

  /// @param over called at most once, on a virtual thread: end it. Whoever it was for may come
  ///     again and is judged anew
  /// @return empty when too many are watched already: do not begin
  public Optional<Watch> watch(Actor actor, Runnable over) {
    return watch(actor, _ -> over.run());
  }

  /// [#watch(Actor, Runnable)] for somebody who wants to know why.
  public Optional<Watch> watch(Actor actor, Consumer<End> over) {
    if (count.incrementAndGet() > MAX_WATCHES) {
      count.decrementAndGet();
      return Optional.empty();
    }
    var watch = new Watch(actor, over);
    watches.add(watch);
    // What happened since the actor was authenticated went past this watch.
    checkSoon();
    return Optional.of(watch);
  }

  private void heard(News it) {
    switch (it) {
      case News.OfSession _, News.OfUser _, News.Anything _ -> checkSoon();
      case News.OfService _, News.OfBlocks _, News.OfChange _ -> {}
    }
  }

  private void checkSoon() {
    if (!watches.isEmpty() && checkIsDue.compareAndSet(false, true)) {
      Thread.ofVirtual().name("session-watches").start(this::check);
    }
  }

  /// Looks at all of them. Blocks.
  public void check() {
    checkIsDue.set(false);
    List<Watch> all = List.copyOf(watches);
    if (all.isEmpty()) {
      return;
    }
    List<UUID> sessions = all.stream().map(watch -> watch.session).distinct().toList();
    Map<UUID, Optional<Standing>> now;
    try {
      now = standings.of(sessions, WITHIN);
    } catch (StoreUnavailableException away) {
      LOG.warn("cannot look whether sessions are live: {}", away.getMessage());
      return;
    }
    all.stream()
        .filter(watch -> !watch.mayGoOn(now.getOrDefault(watch.session, Optional.empty())))
        .forEach(
            watch ->
                end(
                    watch,
                    now.getOrDefault(watch.session, Optional.empty()).isPresent()
                        ? End.RIGHTS_CHANGED
                        : End.SESSION_OVER));
  }

  private void end(Watch watch, End why) {
    if (!watches.remove(watch)) {
      return;
    }
    count.decrementAndGet();
    try {
      watch.over.accept(why);
    } catch (RuntimeException bug) {
      LOG.error("what a session carried could not be ended", bug);
    }
  }
}
