package io.penstock.broker.routing;

import io.penstock.broker.tunnel.LiveSession;
import io.penstock.codec.message.ControlMessage.Allow;
import io.penstock.codec.message.ControlMessage.EffectiveRules;
import io.penstock.codec.message.ControlMessage.SystemRules;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// What is known of one site. Changed by one thread at a time, as [RoutingTable] sees to; asked by
/// any thread without a lock, meanwhile, too.
///
/// A site may have thousands of agents, most of which serve the same systems under the same rules:
/// what is asked by calls is kept once for all that say the same, so that neither a call nor an
/// agent's coming looks at each of the others. A session that changes is among the new before it is
/// gone from the old, so that no call finds it in neither.
final class Site {
  // Of whoever changes it.

  private final Map<String, Said> agents = new HashMap<>();
  private final Map<LiveSession, Member> members = new HashMap<>();
  private final Map<Offer.Terms, Offer> offers = new HashMap<>();

  // Of everybody.

  private final ConcurrentHashMap<Said, Count> saying = new ConcurrentHashMap<>();
  private final ConcurrentHashMap<String, List<Offer>> bySystem = new ConcurrentHashMap<>();
  private final AtomicInteger untold = new AtomicInteger();
  private volatile long awaitedUntilNanos;

  /// What an agent said that it serves, since this broker started.
  ///
  /// @param told false: nothing yet
  /// @param systems live or not
  private record Said(boolean told, Set<String> systems) {
    static final Said NOTHING = new Said(false, Set.of());

    static Said of(EffectiveRules rules) {
      return new Said(
          true,
          rules.systems().stream()
              .map(SystemRules::system)
              .collect(Collectors.toUnmodifiableSet()));
    }

    boolean mayServe(String system) {
      return !told || systems.contains(system);
    }
  }

  /// @param said the one that all of them keep
  private record Count(Said said, int agents) {}

  Site(long nowNanos) {
    awaitedUntilNanos = nowNanos;
  }

  /// Until then an agent that is not here is thought to be on its way.
  void awaitUntil(long nanos) {
    awaitedUntilNanos = nanos;
  }

  /// An agent of the site, here or not.
  void agent(String agent) {
    if (!agents.containsKey(agent)) {
      says(agent, Said.NOTHING);
    }
  }

  void forget(String agent) {
    uncount(agents.remove(agent));
  }

  private void says(String agent, Said said) {
    Count count =
        saying.merge(
            said, new Count(said, 1), (before, _) -> new Count(before.said(), before.agents() + 1));
    uncount(agents.put(agent, count.said()));
  }

  private void uncount(@Nullable Said said) {
    if (said != null) {
      saying.computeIfPresent(
          said,
          (_, count) -> count.agents() == 1 ? null : new Count(count.said(), count.agents() - 1));
    }
  }

  /// A session and what it serves, new or anew.
  void put(LiveSession session, boolean told) {
    String agent = session.admission().agent();
    if (told) {
      says(agent, Said.of(session.rules()));
    } else {
      agent(agent);
    }
    Member before = members.get(session);
    var now = new Member(told, told ? offers(session.rules()) : List.of());
    List<Offer> old = before == null ? List.of() : before.offers();
    now.offers().stream().filter(offer -> !old.contains(offer)).forEach(it -> it.add(session));
    members.put(session, now);
    untold.addAndGet(waits(now) - waits(before));
    leave(session, old, now.offers());
  }

  void remove(LiveSession session) {
    Member before = members.remove(session);
    if (before != null) {
      untold.addAndGet(-waits(before));
      leave(session, before.offers(), List.of());
    }
  }

  private static int waits(@Nullable Member member) {
    return member == null || member.told() ? 0 : 1;
  }

  private List<Offer> offers(EffectiveRules rules) {
    Map<String, List<Allow>> live = new LinkedHashMap<>();
    for (SystemRules one : rules.systems()) {
      if (one.live()) {
        live.put(one.system(), one.allow());
      }
    }
    return live.entrySet().stream().map(one -> offer(one.getKey(), one.getValue())).toList();
  }

  private Offer offer(String system, List<Allow> allow) {
    return offers.computeIfAbsent(
        new Offer.Terms(system, allow),
        terms -> {
          var made = new Offer(terms);
          bySystem.merge(system, List.of(made), Site::both);
          return made;
        });
  }

  private static List<Offer> both(List<Offer> some, List<Offer> others) {
    var all = new ArrayList<>(some);
    all.addAll(others);
    return List.copyOf(all);
  }

  /// An offer that is nobody's any more goes with the last.
  private void leave(LiveSession session, Collection<Offer> old, Collection<Offer> kept) {
    for (Offer offer : old) {
      if (!kept.contains(offer)) {
        offer.remove(session);
        if (offer.isEmpty()) {
          offers.remove(offer.terms());
          bySystem.computeIfPresent(offer.terms().system(), (_, all) -> without(offer, all));
        }
      }
    }
  }

  private static @Nullable List<Offer> without(Offer offer, List<Offer> all) {
    List<Offer> others = all.stream().filter(one -> one != offer).toList();
    return others.isEmpty() ? null : others;
  }

  boolean has(LiveSession session) {
    return members.containsKey(session);
  }

  boolean isForgotten() {
    return agents.isEmpty() && members.isEmpty();
  }

  // What calls ask.

  /// Of a system: live, whatever is allowed on it.
  List<Offer> offers(String system) {
    return bySystem.getOrDefault(system, List.of());
  }

  /// Whether any agent of the site serves it, when last heard, or has not been heard.
  boolean mayServe(String system) {
    return saying.keySet().stream().anyMatch(said -> said.mayServe(system));
  }

  /// Whether a session is here whose agent has not said yet what it serves.
  boolean isUntold() {
    return untold.get() > 0;
  }

  long awaitedUntilNanos() {
    return awaitedUntilNanos;
  }
}
