package io.penstock.broker.routing;

import io.penstock.broker.tunnel.LiveSession;
import io.penstock.codec.message.ControlMessage.SystemRules;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/// What is known of one site at one moment; immutable, replaced by every change.
///
/// @param agents that belong to the site, live or not, and what they said last
/// @param members its sessions
/// @param awaitedUntilNanos until then an agent that is not here is thought to be on its way
record SiteView(Map<String, Said> agents, List<Member> members, long awaitedUntilNanos) {

  /// What an agent said that it serves, since this broker started.
  ///
  /// @param told false: nothing yet
  /// @param systems live or not
  record Said(boolean told, Set<String> systems) {
    static final Said NOTHING = new Said(false, Set.of());

    boolean mayServe(String system) {
      return !told || systems.contains(system);
    }
  }

  static SiteView empty(long nowNanos) {
    return new SiteView(Map.of(), List.of(), nowNanos);
  }

  /// A session and what it serves, new or anew.
  SiteView with(Member member) {
    String agent = member.session().admission().agent();
    Said before = agents.get(agent);
    Said now = before == null || member.told() ? said(member) : before;
    return new SiteView(
        now.equals(before) ? agents : agents(all -> all.put(agent, now)),
        withMember(member),
        awaitedUntilNanos);
  }

  private static Said said(Member member) {
    return member.told()
        ? new Said(
            true,
            member.session().rules().systems().stream()
                .map(SystemRules::system)
                .collect(Collectors.toUnmodifiableSet()))
        : Said.NOTHING;
  }

  SiteView without(LiveSession session, long awaitedUntil) {
    return new SiteView(agents, withoutMember(session), awaitedUntil);
  }

  SiteView withAgent(String agent, long awaitedUntil) {
    return new SiteView(agents(all -> all.putIfAbsent(agent, Said.NOTHING)), members, awaitedUntil);
  }

  SiteView withoutAgent(String agent) {
    return new SiteView(agents(all -> all.remove(agent)), members, awaitedUntilNanos);
  }

  private Map<String, Said> agents(Consumer<Map<String, Said>> change) {
    var next = new HashMap<>(agents);
    change.accept(next);
    return Map.copyOf(next);
  }

  // A site may have thousands of agents that come at once: arrays are copied, nothing else is made
  // for each member.

  private List<Member> withMember(Member member) {
    int at = indexOf(member.session());
    var next = new ArrayList<Member>(members.size() + 1);
    next.addAll(members);
    if (at < 0) {
      next.add(member);
    } else {
      next.set(at, member);
    }
    return Collections.unmodifiableList(next);
  }

  private List<Member> withoutMember(LiveSession session) {
    int at = indexOf(session);
    if (at < 0) {
      return members;
    }
    var next = new ArrayList<>(members);
    next.remove(at);
    return Collections.unmodifiableList(next);
  }

  private int indexOf(LiveSession session) {
    for (int i = 0; i < members.size(); i++) {
      if (members.get(i).session().equals(session)) {
        return i;
      }
    }
    return -1;
  }

  boolean isForgotten() {
    return agents.isEmpty() && members.isEmpty();
  }

  boolean has(LiveSession session) {
    return indexOf(session) >= 0;
  }

  /// Whether any agent of the site serves it, when last heard, or has not been heard.
  boolean mayServe(String system) {
    return agents.values().stream().anyMatch(said -> said.mayServe(system));
  }
}
