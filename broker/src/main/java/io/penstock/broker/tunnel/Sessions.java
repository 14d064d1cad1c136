package io.penstock.broker.tunnel;

import io.penstock.codec.ErrorCode;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The admitted sessions of this broker, one per agent and slot: the one with the highest epoch.
/// Thread-safe.
public final class Sessions {
  private record Slot(String agent, int number) {
    static Slot of(Session session) {
      return new Slot(session.admission().agent(), session.admission().slot());
    }
  }

  private static final Duration POLL = Duration.ofMillis(20);

  private final List<SessionWatcher> watchers = new CopyOnWriteArrayList<>();
  private final ConcurrentHashMap<Slot, Session> current = new ConcurrentHashMap<>();

  /// All that have not ended, those too that are superseded while their streams still run.
  private final ConcurrentHashMap<String, List<Session>> byAgent = new ConcurrentHashMap<>();

  public Sessions(SessionWatcher watcher) {
    watchers.add(watcher);
  }

  /// Before the first session: somebody else who hears of them.
  public void alsoTell(SessionWatcher watcher) {
    watchers.add(watcher);
  }

  /// All live sessions, in no order.
  public List<LiveSession> list() {
    return all().<LiveSession>map(session -> session).toList();
  }

  /// The live sessions of one agent.
  public List<LiveSession> of(String agent) {
    return List.copyOf(byAgent.getOrDefault(agent, List.of()));
  }

  private Stream<Session> all() {
    return byAgent.values().stream().flatMap(List::stream);
  }

  /// Ends all sessions of an agent: revoked, quarantined, disconnected by an operator. Its streams
  /// are cut at once, the connection within half a second, whether the agent reads or not.
  ///
  /// @return how many there were
  public int closeAgent(String agent, ErrorCode code, String text) {
    List<LiveSession> ofAgent = of(agent);
    ofAgent.forEach(session -> session.close(code, text));
    return ofAgent.size();
  }

  /// Sends DRAIN to all, and waits until no stream is left, at most `within`. Blocks: for a virtual
  /// thread. Agents dial anew at a random time within `spread`.
  ///
  /// @return whether all streams are done
  public boolean drain(Duration spread, Duration within) throws InterruptedException {
    List<Session> draining = all().toList();
    draining.forEach(session -> session.drain(spread, within));
    long deadline = System.nanoTime() + within.toNanos();
    while (draining.stream().anyMatch(session -> session.isOpen() && session.outstanding() > 0)) {
      if (System.nanoTime() - deadline >= 0) {
        return false;
      }
      Thread.sleep(POLL);
    }
    return true;
  }

  /// Sends CLOSE to all.
  public void closeAll(ErrorCode code, String text) {
    all().forEach(session -> session.close(code, text));
  }

  /// Fences by the session epoch (`docs/protocol.md`, section 8). On the session's event loop.
  void admit(Session session) {
    Slot slot = Slot.of(session);
    Session before = current.putIfAbsent(slot, session);
    while (before != null && !succeeds(slot, before, session)) {
      if (before.admission().sessionEpoch() >= session.admission().sessionEpoch()) {
        session.close(ErrorCode.REPLACED, "a newer session is there");
        return;
      }
      before = current.putIfAbsent(slot, session);
    }
    byAgent.merge(session.admission().agent(), List.of(session), Sessions::joined);
    // Only now: its agent always has one that lives.
    if (before != null) {
      before.supersede();
    }
    watchers.forEach(watcher -> watcher.admitted(session));
  }

  private boolean succeeds(Slot slot, Session before, Session session) {
    return before.admission().sessionEpoch() < session.admission().sessionEpoch()
        && current.replace(slot, before, session);
  }

  private static List<Session> joined(List<Session> those, List<Session> more) {
    return Stream.concat(those.stream(), more.stream()).toList();
  }

  void rulesChanged(Session session) {
    watchers.forEach(watcher -> watcher.rulesChanged(session));
  }

  /// On the session's event loop. The end of an older epoch leaves the newer one alone.
  void ended(Session session) {
    current.remove(Slot.of(session), session);
    byAgent.computeIfPresent(session.admission().agent(), (_, those) -> without(those, session));
    watchers.forEach(watcher -> watcher.closed(session));
  }

  private static @Nullable List<Session> without(List<Session> those, Session session) {
    List<Session> left = those.stream().filter(one -> one != session).toList();
    return left.isEmpty() ? null : left;
  }
}
