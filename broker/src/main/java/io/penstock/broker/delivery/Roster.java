package io.penstock.broker.delivery;

import io.penstock.broker.tunnel.LiveSession;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// The live sessions of this node, by agent. Thread-safe.
final class Roster {
  private final ConcurrentHashMap<String, List<Attached>> byAgent = new ConcurrentHashMap<>();

  void add(LiveSession session) {
    byAgent.merge(session.admission().agent(), List.of(new Attached(session)), Roster::together);
  }

  private static List<Attached> together(List<Attached> before, List<Attached> more) {
    var all = new ArrayList<>(before);
    all.addAll(more);
    all.sort(Comparator.comparingInt(attached -> attached.session().admission().slot()));
    return List.copyOf(all);
  }

  void remove(LiveSession session) {
    byAgent.computeIfPresent(session.admission().agent(), (_, before) -> without(before, session));
  }

  private static @Nullable List<Attached> without(List<Attached> before, LiveSession session) {
    List<Attached> left =
        before.stream().filter(attached -> !attached.session().equals(session)).toList();
    return left.isEmpty() ? null : left;
  }

  /// Lowest slot first.
  List<Attached> of(String agent) {
    return byAgent.getOrDefault(agent, List.of());
  }

  Optional<Attached> find(LiveSession session) {
    return of(session.admission().agent()).stream()
        .filter(attached -> attached.session().equals(session))
        .findFirst();
  }

  /// The one session that messages go out on: the lowest slot that is live, in its newest epoch.
  Optional<Attached> chosen(String agent) {
    return of(agent).stream()
        .filter(attached -> attached.session().isOpen() && !attached.session().draining())
        .min(
            Comparator.comparingInt((Attached one) -> one.session().admission().slot())
                .thenComparing(
                    one -> one.session().admission().sessionEpoch(), Comparator.reverseOrder()));
  }

  boolean isEmpty() {
    return byAgent.isEmpty();
  }

  List<String> agents() {
    return List.copyOf(byAgent.keySet());
  }
}
