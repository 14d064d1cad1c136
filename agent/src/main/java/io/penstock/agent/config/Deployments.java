package io.penstock.agent.config;

import io.netty.channel.EventLoop;
import io.penstock.agent.plugin.SystemCatalog;
import io.penstock.codec.message.ControlMessage.State;
import io.penstock.codec.message.ControlMessage.StateReport;
import io.penstock.codec.message.ControlMessage.SystemState;
import io.penstock.codec.seal.HeldVersion;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The versions that run. Changed by the configuration's thread, and ended once for all by [#wipe],
/// which may come on any; asked by any. What streams see changes on the event loop.
final class Deployments {
  private static final long LOOP_WITHIN_MS = 5_000;
  private static final Logger LOG = LoggerFactory.getLogger(Deployments.class);

  private final SystemCatalog catalog;
  private final EventLoop loop;
  private final StateKeeper keeper;
  private final ReentrantLock changing = new ReentrantLock();
  private final Map<String, Prepared> running = new ConcurrentHashMap<>();
  private final Map<String, SystemStatus> statuses = new ConcurrentSkipListMap<>();

  /// Prepared, and neither serving nor discarded yet.
  private final Set<Prepared> kept = Collections.newSetFromMap(new IdentityHashMap<>());

  private final AtomicLong memory = new AtomicLong();
  private boolean wiped;

  Deployments(SystemCatalog catalog, EventLoop loop, StateKeeper keeper) {
    this.catalog = catalog;
    this.loop = loop;
    this.keeper = keeper;
  }

  Optional<Prepared> running(String system) {
    return Optional.ofNullable(running.get(system));
  }

  Collection<Prepared> all() {
    return List.copyOf(running.values());
  }

  List<SystemStatus> statuses() {
    return List.copyOf(statuses.values());
  }

  Optional<SystemStatus> status(String system) {
    return Optional.ofNullable(statuses.get(system));
  }

  /// About how long EFFECTIVE_RULES would be with this version in it.
  int rulesBytesWith(Prepared next) {
    return catalog.rulesBytesWith(next.definition());
  }

  /// What is prepared belongs to the memory in which that began: [#forgetAll] and [#wipe] end it.
  long memory() {
    return memory.get();
  }

  /// Of everything prepared, before anybody else has it: until it serves or is discarded it is
  /// forgotten with the rest. Any thread.
  ///
  /// @param since the [#memory] in which its preparation began
  /// @return false: that is over, and `prepared` is discarded
  boolean keep(Prepared prepared, long since) {
    changing.lock();
    try {
      kept.add(prepared);
      if (wiped || since != memory.get()) {
        discard(prepared);
        return false;
      }
      return true;
    } finally {
      changing.unlock();
    }
  }

  /// Whether it still waits for [#swap].
  boolean isKept(Prepared prepared) {
    changing.lock();
    try {
      return kept.contains(prepared);
    } finally {
      changing.unlock();
    }
  }

  /// One that will not serve. Nothing happens to one that does, or that is discarded already.
  void discard(Prepared prepared) {
    if (discardInstance(prepared)) {
      prepared.wipe();
    }
  }

  /// The same for one whose secrets another still needs.
  ///
  /// @return false: it serves, or is discarded already
  boolean discardInstance(Prepared prepared) {
    changing.lock();
    try {
      if (!kept.remove(prepared)) {
        return false;
      }
    } finally {
      changing.unlock();
    }
    try {
      onLoop(() -> prepared.instance().close());
    } catch (RuntimeException bug) {
      LOG.error("{}: a discarded instance does not close", prepared.system(), bug);
    }
    return true;
  }

  /// New streams go to `next` from now on; what ran before finishes and is forgotten. Whatever
  /// goes wrong with one that does not serve, it is not left behind.
  ///
  /// @return false: `next` is forgotten already
  boolean swap(Prepared next) {
    changing.lock();
    try {
      if (!kept.contains(next)) {
        return false;
      }
      deploy(next);
      Prepared before = running.put(next.system(), next);
      if (before != null && !before.isSameOpened(next)) {
        before.wipe();
      }
      statuses.put(
          next.system(),
          new SystemStatus(next.system(), next.held(), State.LIVE, Optional.empty()));
      return true;
    } finally {
      changing.unlock();
    }
  }

  private void deploy(Prepared next) {
    try {
      onLoop(() -> catalog.deploy(next.definition(), next.instance()));
      kept.remove(next);
    } catch (RuntimeException failed) {
      boolean shared =
          running(next.system()).filter(before -> before.isSameOpened(next)).isPresent();
      if (shared) {
        discardInstance(next);
      } else {
        discard(next);
      }
      throw failed;
    }
  }

  /// Takes no calls, and stays known.
  void suspend(String system, String problem) {
    changing.lock();
    try {
      Prepared suspended = running.get(system);
      if (suspended != null) {
        onLoop(() -> catalog.suspend(system));
        statuses.put(
            system, new SystemStatus(system, suspended.held(), State.FAILED, Optional.of(problem)));
      }
    } finally {
      changing.unlock();
    }
  }

  void remove(String system) {
    changing.lock();
    try {
      forget(system);
      statuses.remove(system);
    } finally {
      changing.unlock();
    }
  }

  private void forget(String system) {
    Prepared removed = running.remove(system);
    if (removed != null) {
      onLoop(() -> catalog.remove(system));
      removed.wipe();
    }
  }

  /// A version does not run. Where an older one does, that one's state does not change.
  void failed(String system, HeldVersion held, State state, String problem) {
    statuses.compute(
        system,
        (_, before) ->
            before != null && running.containsKey(system)
                ? before.withProblem(problem)
                : new SystemStatus(system, held, state, Optional.of(problem)));
  }

  /// Everything in memory goes; the same may come again.
  void forgetAll(String why) {
    changing.lock();
    try {
      forgetKept();
      for (Prepared each : all()) {
        forget(each.system());
        statuses.put(
            each.system(),
            new SystemStatus(each.system(), each.held(), State.PENDING, Optional.of(why)));
      }
    } finally {
      changing.unlock();
    }
  }

  /// Everything in memory goes, and nothing comes any more.
  void wipe() {
    changing.lock();
    try {
      wiped = true;
      forgetKept();
      for (Prepared each : all()) {
        forget(each.system());
      }
      statuses.clear();
    } finally {
      changing.unlock();
    }
  }

  private void forgetKept() {
    memory.incrementAndGet();
    List.copyOf(kept).forEach(this::discard);
  }

  StateReport report() {
    AppliedState state = keeper.state();
    return new StateReport(
        state.incarnation(),
        state.sequence(),
        statuses().stream()
            .map(
                it ->
                    new SystemState(
                        it.system(),
                        it.held().version(),
                        it.held().headerSha256().bytes(),
                        it.state(),
                        state.floor(it.system()).map(HeldVersion::version).orElse(0L)))
            .toList());
  }

  private void onLoop(Runnable change) {
    var done = loop.submit(change);
    if (!done.awaitUninterruptibly(LOOP_WITHIN_MS, TimeUnit.MILLISECONDS)) {
      LOG.error("the event loop did not take a change of systems within {} ms", LOOP_WITHIN_MS);
      return;
    }
    if (!done.isSuccess()) {
      throw new IllegalStateException("a change of systems failed", done.cause());
    }
  }
}
