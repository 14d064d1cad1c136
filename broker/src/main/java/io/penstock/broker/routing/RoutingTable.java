package io.penstock.broker.routing;

import io.penstock.broker.tunnel.LiveSession;
import io.penstock.broker.tunnel.SessionWatcher;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;

/// Sites and their sessions in memory, one immutable [SiteView] each, replaced on change; asking
/// takes no lock. Rules are compiled when an agent tells them, never by a call.
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

  private static final Comparator<Choice> CHEAPEST = Comparator.comparingDouble(Choice::cost);

  private final LongSupplier nanoTime;
  private final ConcurrentHashMap<String, SiteView> sites = new ConcurrentHashMap<>();
  private final Waiters waiters = new Waiters();
  private volatile boolean stopping;

  public RoutingTable() {
    this(System::nanoTime);
  }

  RoutingTable(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
  }

  /// Cost is asked once per choice: it changes while others work.
  private record Choice(LiveSession session, double cost) {}

  @Override
  public Route find(String site, String system, String method, String path) {
    SiteView view = sites.get(site);
    if (view == null) {
      return new Route.Unknown();
    }
    List<LiveSession> serving = serving(view, system, method, path);
    return serving.isEmpty() ? absent(view, system, method, path) : new Route.Via(serving);
  }

  private static List<LiveSession> serving(
      SiteView view, String system, String method, String path) {
    List<Member> members = view.members();
    if (members.size() == 1) {
      Member only = members.getFirst();
      boolean serves = only.takesStreams() && only.allows(system, method, path);
      return serves ? List.of(only.session()) : List.of();
    }
    var choices = new ArrayList<Choice>(members.size());
    for (Member member : members) {
      if (member.takesStreams() && member.allows(system, method, path)) {
        choices.add(new Choice(member.session(), member.cost()));
      }
    }
    choices.sort(CHEAPEST);
    return choices.stream().map(Choice::session).toList();
  }

  private Route absent(SiteView view, String system, String method, String path) {
    boolean served = false;
    boolean allowed = false;
    boolean untold = false;
    for (Member member : view.members()) {
      served |= member.serves(system);
      allowed |= member.allows(system, method, path);
      untold |= !member.told();
    }
    if (served && !allowed) {
      return new Route.NotExposed();
    }
    if (!served && !view.mayServe(system)) {
      return new Route.Unknown();
    }
    boolean awaited = view.awaitedUntilNanos() - nanoTime.getAsLong() > 0;
    return new Route.Offline(!stopping && (awaited || allowed || untold));
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
    change(site, view -> view.withAgent(agent, nanoTime.getAsLong() + STARTING_NANOS));
  }

  /// An agent that will not come back: revoked, or moved to another site.
  public void forget(String site, String agent) {
    change(site, view -> view.withoutAgent(agent));
  }

  @Override
  public void admitted(LiveSession session) {
    boolean told = !session.rules().systems().isEmpty();
    change(site(session), view -> view.with(Member.of(session, told)));
  }

  @Override
  public void rulesChanged(LiveSession session) {
    change(site(session), view -> view.has(session) ? view.with(Member.of(session, true)) : view);
  }

  @Override
  public void closed(LiveSession session) {
    change(
        site(session),
        view ->
            view.has(session)
                ? view.without(session, nanoTime.getAsLong() + RECONNECTING_NANOS)
                : view);
  }

  private void change(String site, UnaryOperator<SiteView> step) {
    sites.compute(
        site,
        (_, before) -> {
          SiteView view = before == null ? SiteView.empty(nanoTime.getAsLong()) : before;
          SiteView next = step.apply(view);
          return next.isForgotten() ? null : next;
        });
    waiters.changed(site);
  }

  private static String site(LiveSession session) {
    return session.admission().site();
  }
}
