package io.penstock.agent.config;

import io.penstock.agent.config.Preparation.RefusedException;
import io.penstock.codec.message.ControlMessage.State;
import io.penstock.codec.seal.Receipt.Reason;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Looks after what runs, without another version: pauses an instance that fails again and again,
/// starts it anew afterwards or when somebody asks, and looks references up again. Of the
/// configuration's thread, but for the work it gives to the [Workshop].
final class InstanceCare {
  private static final Logger LOG = LoggerFactory.getLogger("agent");

  private final Preparation preparation;
  private final Deployments deployments;
  private final Announcements announcements;
  private final Workshop workshop;
  private final Duration refreshEvery;
  private final Retries pauses;
  private final Map<String, CrashBreaker> breakers = new HashMap<>();
  private long refreshedNanos = System.nanoTime();

  InstanceCare(
      Preparation preparation,
      Deployments deployments,
      Announcements announcements,
      Workshop workshop,
      Duration refreshEvery,
      RandomGenerator random) {
    this.preparation = preparation;
    this.deployments = deployments;
    this.announcements = announcements;
    this.workshop = workshop;
    this.refreshEvery = refreshEvery;
    pauses = new Retries(random);
  }

  /// Another version serves, or none.
  void replaced(String system) {
    pauses.done(system);
    breakers.remove(system);
  }

  void forgotten() {
    pauses.clear();
  }

  void attend(long nowNanos) {
    pauses.due(nowNanos).forEach(this::resume);
    if (nowNanos - refreshedNanos >= refreshEvery.toNanos()) {
      refreshedNanos = nowNanos;
      deployments.all().stream()
          .filter(Prepared::hasReferences)
          .filter(it -> !workshop.isBusy(it.system()))
          .forEach(this::refresh);
    }
  }

  /// Nanoseconds until [#attend] has something to do.
  long next(long nowNanos) {
    long refresh = refreshedNanos + refreshEvery.toNanos() - nowNanos;
    OptionalLong pause = pauses.next(nowNanos);
    return Math.min(refresh, pause.orElse(refresh));
  }

  void failed(Work.InstanceFailed failure, long nowNanos) {
    String system = failure.system();
    Optional<Prepared> running = deployments.running(system);
    if (running.isEmpty() || !running.get().instance().equals(failure.instance())) {
      return;
    }
    CrashBreaker breaker = breakers.computeIfAbsent(system, _ -> new CrashBreaker());
    if (deployments.status(system).filter(it -> it.state() == State.LIVE).isPresent()
        && breaker.failed(nowNanos)) {
      Duration pause = breaker.pause(nowNanos);
      LOG.error("{}: its plugin failed again and again; it pauses {} s", system, pause.toSeconds());
      deployments.suspend(
          system,
          Reason.CRASH_LOOP.text() + ": its plugin failed " + CrashBreaker.FAILURES + " times");
      pauses.at(system, nowNanos, pause);
      announcements.changed();
    }
  }

  /// After the pause of a crash loop.
  private void resume(String system) {
    var _ =
        anew(
            system,
            problem -> {
              long now = System.nanoTime();
              boolean suspended =
                  deployments.status(system).filter(it -> it.state() == State.FAILED).isPresent();
              if (problem.isPresent() && suspended) {
                deployments.suspend(system, problem.get());
                pauses.later(system, now, Retries.LONGEST);
                announcements.changed();
              } else {
                pauses.done(system);
                breakers.computeIfAbsent(system, _ -> new CrashBreaker()).resumed(now);
              }
              return "";
            });
  }

  /// What came of it, of each that runs.
  ///
  /// @param system empty = every one
  List<CompletableFuture<String>> restart(Optional<String> system) {
    var results = new ArrayList<CompletableFuture<String>>();
    for (Prepared each : deployments.all()) {
      String name = each.system();
      if (system.isEmpty() || system.get().equals(name)) {
        results.add(anew(name, problem -> name + ": " + problem.orElse("restarted")));
      }
    }
    return results;
  }

  /// The same version in a new instance, with what references say now.
  ///
  /// @param then on the configuration's thread; empty = it serves
  private CompletableFuture<String> anew(String system, Function<Optional<String>, String> then) {
    var told = new CompletableFuture<String>();
    workshop.begin(
        system,
        () -> {
          Started started = started(system);
          return () -> {
            try {
              told.complete(then.apply(serving(started)));
            } catch (RuntimeException bug) {
              LOG.error("{}: internal error", system, bug);
              told.complete(system + ": internal error");
            }
          };
        });
    return told;
  }

  private record Started(
      @Nullable Prepared before, @Nullable Prepared next, @Nullable String problem) {}

  private Started started(String system) {
    long memory = deployments.memory();
    Prepared before = deployments.running(system).orElse(null);
    if (before == null) {
      return new Started(null, null, "runs no longer");
    }
    try {
      return kept(before, preparation.restart(before), memory);
    } catch (RefusedException refused) {
      return new Started(before, null, refused.refusal().toString());
    } catch (RuntimeException bug) {
      LOG.error("{}: internal error", system, bug);
      return new Started(before, null, "internal error");
    }
  }

  private Started kept(Prepared before, Prepared next, long memory) {
    return deployments.keep(next, memory)
        ? new Started(before, next, null)
        : new Started(before, null, "was forgotten meanwhile");
  }

  /// Empty = it serves.
  private Optional<String> serving(Started started) {
    Prepared next = started.next();
    if (next == null) {
      return Optional.of(String.valueOf(started.problem()));
    }
    if (!isStill(started.before())) {
      deployments.discardInstance(next);
      return Optional.of("was replaced meanwhile");
    }
    if (!deployments.swap(next)) {
      return Optional.of("was forgotten meanwhile");
    }
    pauses.done(next.system());
    announcements.changed();
    return Optional.empty();
  }

  /// Meanwhile the system may have been forgotten, and come back.
  private boolean isStill(@Nullable Prepared before) {
    return before != null
        && deployments.running(before.system()).filter(before::isSameOpened).isPresent();
  }

  /// Values of references may have changed where they are kept.
  private void refresh(Prepared running) {
    String system = running.system();
    long memory = deployments.memory();
    workshop.begin(
        system,
        () -> {
          try {
            Preparation.Definition as = preparation.define(running.opened());
            if (Arrays.equals(as.digest(), running.digest())) {
              return () -> {};
            }
            Started started = kept(running, preparation.start(running.opened(), as), memory);
            return () -> refreshed(started, system);
          } catch (RefusedException refused) {
            return () -> notRefreshed(running, refused.refusal());
          }
        });
  }

  private void refreshed(Started started, String system) {
    if (serving(started).isEmpty()) {
      LOG.info("{}: the value of a reference changed; a new instance serves", system);
    }
  }

  /// What runs goes on with the values it has.
  private void notRefreshed(Prepared running, Refusal refusal) {
    if (isStill(running)) {
      LOG.warn("{}: its references: {}", running.system(), refusal);
      deployments.failed(running.system(), running.held(), State.FAILED, refusal.toString());
    }
  }
}
