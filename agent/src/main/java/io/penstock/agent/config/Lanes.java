package io.penstock.agent.config;

import io.penstock.agent.config.Attempts.Outcome;
import io.penstock.agent.config.Attempts.Wanted;
import io.penstock.agent.link.ConfigurationLine;
import io.penstock.codec.message.ConfigurationDocument;
import io.penstock.codec.seal.HeadManifest;
import io.penstock.codec.seal.HeldVersion;
import io.penstock.codec.seal.Receipt.Reason;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// Brings each system to the version it should run: first its messages, in their order, then what
/// the newest head lists. Systems do not wait for each other. Of the configuration's thread.
final class Lanes {
  /// A head usually comes with a message about what it changes, which has the document and wants
  /// the receipt; who runs another version meanwhile waits for it so long.
  static final Duration FOLLOW_AFTER = Duration.ofSeconds(1);

  private final NewestHead newest;
  private final Freshness freshness;
  private final Attempts attempts;
  private final Application application;
  private final Deployments deployments;
  private final Announcements announcements;
  private final Verdicts verdicts;
  private final Workshop workshop;
  private final Retries retries;
  private final Map<String, Lane> lanes = new HashMap<>();
  private final AtomicInteger waiting = new AtomicInteger();

  Lanes(
      NewestHead newest,
      Freshness freshness,
      Attempts attempts,
      Application application,
      Deployments deployments,
      Announcements announcements,
      Verdicts verdicts,
      Workshop workshop,
      RandomGenerator random) {
    this.newest = newest;
    this.freshness = freshness;
    this.attempts = attempts;
    this.application = application;
    this.deployments = deployments;
    this.announcements = announcements;
    this.verdicts = verdicts;
    this.workshop = workshop;
    retries = new Retries(random);
  }

  /// Messages that are not answered yet. Any thread.
  int waiting() {
    return waiting.get();
  }

  void ask(Asked message) {
    lane(message.system()).asked.add(message);
    waiting.incrementAndGet();
    look(message.system(), System.nanoTime(), true);
  }

  /// Its messages come again on another.
  void lost(ConfigurationLine line) {
    for (Lane lane : lanes.values()) {
      int before = lane.asked.size();
      lane.asked.removeIf(it -> it.line().equals(line));
      waiting.addAndGet(lane.asked.size() - before);
    }
  }

  /// A tunnel: its keys may be others, and what failed is tried anew.
  void admitted() {
    lanes.values().forEach(it -> it.refused = null);
    retries.clear();
    follow(true);
  }

  /// A newer head may have been accepted.
  void headShown() {
    follow(false);
  }

  void forgotten() {
    retries.clear();
  }

  void attend(long nowNanos) {
    retries.due(nowNanos).forEach(system -> look(system, nowNanos, false));
  }

  OptionalLong next(long nowNanos) {
    return retries.next(nowNanos);
  }

  /// The [Workshop] is idle again for it.
  void idle(String system) {
    look(system, System.nanoTime(), false);
  }

  // By the head.

  private void follow(boolean startsNow) {
    Optional<HeadManifest> head = newest.get();
    if (head.isEmpty()) {
      return;
    }
    lanes.entrySet().removeIf(it -> isOver(it.getKey(), it.getValue(), head.get()));
    long now = System.nanoTime();
    for (Map.Entry<String, HeadManifest.Entry> each : head.get().systems().entrySet()) {
      String system = each.getKey();
      HeldVersion listed = each.getValue().held();
      Lane lane = lane(system);
      if (!listed.equals(lane.tried)) {
        retries.done(system);
        lane.tried = listed;
      }
      boolean missing =
          each.getValue() instanceof HeadManifest.Listed && deployments.running(system).isEmpty();
      if (!application.isDone(system, each.getValue())
          && !(startsNow && missing)
          && lane.asked.isEmpty()
          && !retries.isKnown(system)) {
        retries.at(system, now, FOLLOW_AFTER);
      }
      look(system, now, false);
    }
  }

  private boolean isOver(String system, Lane lane, HeadManifest head) {
    return lane.asked.isEmpty() && !workshop.isBusy(system) && !head.systems().containsKey(system);
  }

  // One system.

  private Lane lane(String system) {
    return lanes.computeIfAbsent(system, _ -> new Lane());
  }

  /// What is next for a system, unless something is under way.
  ///
  /// @param hurries a pause does not count
  private void look(String system, long nowNanos, boolean hurries) {
    Lane lane = lane(system);
    while (!workshop.isBusy(system)) {
      Asked next = lane.asked.peek();
      if (next == null) {
        followHead(system, lane, nowNanos);
        return;
      }
      if (next.line().isOpen() && !answeredAtOnce(next)) {
        if (hurries || !retries.isPausing(system, nowNanos)) {
          begin(lane, next, wanted(next.line(), system, next.held(newest), next.document()));
        }
        return;
      }
      lane.asked.poll();
      waiting.decrementAndGet();
    }
  }

  private void followHead(String system, Lane lane, long nowNanos) {
    HeadManifest.Entry entry = newest.get().map(it -> it.systems().get(system)).orElse(null);
    if (entry == null || application.isDone(system, entry)) {
      retries.done(system);
      // Said once; and again after a refusal that has passed, or on a tunnel that took it along.
      if (entry instanceof HeadManifest.Listed && !verdicts.isSuspended(system)) {
        verdicts.applied(system, entry.held());
      }
      return;
    }
    HeldVersion listed = entry.held();
    if (retries.isPausing(system, nowNanos) || listed.equals(lane.refused)) {
      return;
    }
    Optional<ConfigurationLine> line = announcements.anyLine();
    if (freshness.isStale() || line.isEmpty()) {
      verdicts.pending(
          system, listed, freshness.isStale() ? "the newest head has expired" : "no tunnel");
      return;
    }
    if (entry instanceof HeadManifest.Listed) {
      verdicts.pending(system, listed, "is being fetched");
      begin(lane, null, wanted(line.get(), system, listed, null));
    } else {
      application.remove(system, listed);
      verdicts.applied(system, listed);
    }
  }

  /// False: it takes an attempt.
  private boolean answeredAtOnce(Asked asked) {
    String system = asked.system();
    HeldVersion held = asked.held(newest);
    if (asked.badHead().isPresent()) {
      verdicts.refused(asked, held, asked.badHead().get());
      return true;
    }
    if (asked.isRemoval()) {
      remove(asked, held);
      return true;
    }
    if (deployments.running(system).filter(it -> it.held().equals(held)).isEmpty()) {
      return false;
    }
    // The same version again: the same word, and no second effect.
    if (verdicts.isSuspended(system)) {
      verdicts.refused(
          asked,
          held,
          new Refusal(Reason.CRASH_LOOP, "its plugin failed again and again; it pauses"));
    } else {
      verdicts.applied(asked, held);
    }
    return true;
  }

  private void remove(Asked asked, HeldVersion tombstone) {
    Optional<Refusal> refusal =
        application.notRemoved(asked.line(), asked.system(), asked.version());
    if (refusal.isPresent()) {
      verdicts.refused(asked, tombstone, refusal.get());
    } else {
      application.remove(asked.system(), tombstone);
      verdicts.applied(asked, tombstone);
    }
  }

  // An attempt.

  private Wanted wanted(
      ConfigurationLine line,
      String system,
      HeldVersion held,
      @Nullable ConfigurationDocument document) {
    return new Wanted(line, system, held, document, deployments.memory());
  }

  /// @param asked null = the head asks
  private void begin(Lane lane, @Nullable Asked asked, Wanted wanted) {
    workshop.begin(
        wanted.system(),
        () -> {
          Outcome outcome = attempts.of(wanted);
          return () -> settle(lane, asked, wanted, outcome);
        });
  }

  private void settle(Lane lane, @Nullable Asked asked, Wanted wanted, Outcome outcome) {
    switch (outcome) {
      case Outcome.Ready(Prepared prepared) -> {
        if (application.isForgotten(prepared)) {
          return;
        }
        Optional<Refusal> refusal = application.swapped(wanted.line(), prepared);
        if (refusal.isEmpty()) {
          lane.refused = null;
          retries.done(wanted.system());
        }
        over(lane, asked, wanted, prepared.held(), refusal.orElse(null));
      }
      case Outcome.Refused(HeldVersion held, Refusal refusal) ->
          over(lane, asked, wanted, held, refusal);
      // The next tunnel brings it again.
      case Outcome.Forgotten _ -> {}
      case Outcome.NotFetched(String why) -> notFetched(lane, asked, wanted, why);
    }
  }

  /// The message stays, and the tunnel with all its calls.
  private void notFetched(Lane lane, @Nullable Asked asked, Wanted wanted, String why) {
    String system = wanted.system();
    HeldVersion held = wanted.held();
    boolean listed = newest.get().flatMap(it -> it.listed(system)).filter(held::equals).isPresent();
    if (asked != null && !listed) {
      over(lane, asked, wanted, held, notListed(held.version()));
      return;
    }
    verdicts.notFetched(system, held, why);
    retries.later(system, System.nanoTime(), Retries.LONGEST_OF_A_FETCH);
  }

  private static Refusal notListed(long version) {
    return new Refusal(Reason.NOT_LISTED, "the head does not list version " + version);
  }

  /// @param refusal null = it serves
  private void over(
      Lane lane,
      @Nullable Asked asked,
      Wanted wanted,
      HeldVersion held,
      @Nullable Refusal refusal) {
    String system = wanted.system();
    if (refusal != null) {
      tryAgain(lane, system, held, refusal);
    }
    Asked first = lane.asked.peek();
    boolean answers =
        asked == null ? first != null && first.isAbout(held, newest) : asked.equals(first);
    if (answers && first != null) {
      lane.asked.poll();
      waiting.decrementAndGet();
    }
    if (answers && first != null && refusal != null) {
      verdicts.refused(first, held, refusal);
    } else if (answers && first != null) {
      verdicts.applied(first, held);
    } else if (refusal != null) {
      // By the hash that the head lists: what came instead may have any.
      verdicts.refused(system, wanted.held(), refusal);
    } else {
      verdicts.applied(system, held);
    }
  }

  private void tryAgain(Lane lane, String system, HeldVersion held, Refusal refusal) {
    Optional<HeldVersion> listed =
        newest.get().flatMap(it -> it.listed(system)).filter(it -> it.version() == held.version());
    if (listed.isEmpty()) {
      // The head asks for another.
      return;
    }
    if (refusal.mayPass() || !listed.get().equals(held)) {
      retries.later(system, System.nanoTime(), Retries.LONGEST);
    } else {
      retries.done(system);
      lane.refused = held;
    }
  }
}
