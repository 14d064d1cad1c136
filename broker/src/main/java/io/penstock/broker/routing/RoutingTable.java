package io.penstock.broker.routing;

import io.penstock.broker.tunnel.LiveSession;
import io.penstock.broker.tunnel.SessionWatcher;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import java.util.function.IntUnaryOperator;
import java.util.function.LongSupplier;

/// Sites and their sessions in memory, one [Site] each, changed by one thread at a time; asking
/// takes no lock. Rules are compiled when an agent tells them, never by a call. A call goes to the
/// better of a few sessions chosen at random ([Choice]), and costs the same however many there are,
/// unless nearly each has rules of its own.
///
/// What is known of a site is what this broker saw since its start and was told by [#seed]:
///
/// - no agent of the site is known: [Route.Unknown];
/// - a live session serves the system: [Route.Via], or [Route.NotExposed] when no rule of any such
///   session allows the call;
/// - the last that any agent of the site said names the system, or an agent has said nothing yet,
///   so that nobody can tell: [Route.Offline], `reconnecting` for 10 s after a session of the site
///   closed, while one drains or has not told its rules, and for 30 s after the seed, the longest
///   that an agent waits between two attempts;
/// - otherwise no agent has it: [Route.Unknown].
public final class RoutingTable implements Routing, SessionWatcher {
  private static final long RECONNECTING_NANOS = Duration.ofSeconds(10).toNanos();
  private static final long STARTING_NANOS = Duration.ofSeconds(30).toNanos();

  private final LongSupplier nanoTime;
  private final Choice choice;
  private final ConcurrentHashMap<String, Site> sites = new ConcurrentHashMap<>();
  private final Waiters waiters = new Waiters();
  private volatile boolean stopping;

  public RoutingTable() {
    this(System::nanoTime, bound -> ThreadLocalRandom.current().nextInt(bound));
  }

  /// @param random as [Choice] needs it
  RoutingTable(LongSupplier nanoTime, IntUnaryOperator random) {
    this.nanoTime = nanoTime;
    choice = new Choice(random);
  }

  @Override
  public Route find(String site, String system, String method, String path) {
    Site known = sites.get(site);
    if (known == null) {
      return new Route.Unknown();
    }
    boolean served = false;
    List<LiveSession[]> allowing = new ArrayList<>(1);
    for (Offer offer : known.offers(system)) {
      LiveSession[] sessions = offer.sessions();
      served |= sessions.length > 0;
      if (sessions.length > 0 && offer.allows(method, path)) {
        allowing.add(sessions);
      }
    }
    if (served && allowing.isEmpty()) {
      return new Route.NotExposed();
    }
    List<LiveSession> serving = choice.of(allowing);
    return serving.isEmpty() ? absent(known, system, served) : new Route.Via(serving);
  }

  /// @param leaving whether sessions allow the call, none of which takes it
  private Route absent(Site known, String system, boolean leaving) {
    if (!leaving && !known.mayServe(system)) {
      return new Route.Unknown();
    }
    boolean awaited = known.awaitedUntilNanos() - nanoTime.getAsLong() > 0;
    return new Route.Offline(!stopping && (awaited || leaving || known.isUntold()));
  }

  /// Completes on the thread that made the change, or on a timer's: hop to your own. A change
  /// between [#find] and this call is missed, so ask [#find] again after it completes, whatever
  /// completed it.
  @Override
  public CompletionStage<Void> awaitChange(String site, Duration within) {
    CompletionStage<Void> change = waiters.await(site, within);
    if (stopping) {
      waiters.changed(site);
    }
    return change;
  }

  /// This broker takes no tunnels any more, so that nobody waits for one here. Those who do are
  /// told.
  public void stop() {
    stopping = true;
    sites.keySet().forEach(waiters::changed);
  }

  /// An approved agent of the database, at the broker's start or when it is approved: its site is
  /// known from now on.
  public void seed(String site, String agent) {
    change(
        site,
        known -> {
          known.agent(agent);
          known.awaitUntil(nanoTime.getAsLong() + STARTING_NANOS);
        });
  }

  /// An agent that will not come back: revoked, or moved to another site.
  public void forget(String site, String agent) {
    change(site, known -> known.forget(agent));
  }

  @Override
  public void admitted(LiveSession session) {
    boolean told = !session.rules().systems().isEmpty();
    change(site(session), known -> known.put(session, told));
  }

  @Override
  public void rulesChanged(LiveSession session) {
    change(
        site(session),
        known -> {
          if (known.has(session)) {
            known.put(session, true);
          }
        });
  }

  @Override
  public void closed(LiveSession session) {
    change(
        site(session),
        known -> {
          if (known.has(session)) {
            known.awaitUntil(nanoTime.getAsLong() + RECONNECTING_NANOS);
            known.remove(session);
          }
        });
  }

  private void change(String name, Consumer<Site> step) {
    sites.compute(
        name,
        (_, before) -> {
          Site site = before == null ? new Site(nanoTime.getAsLong()) : before;
          step.accept(site);
          return site.isForgotten() ? null : site;
        });
    waiters.changed(name);
  }

  private static String site(LiveSession session) {
    return session.admission().site();
  }
}
