package io.penstock.loadtest.fault;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Configurations change without a pause while broker, agents and Postgres are killed at random and
/// half of the agents are offline, always others; [DeliveryHistory] judges what came of it.
///
/// `-Dpenstock.chaos.seed` repeats the plan of a run, though not its moments.
@Timeout(2400)
class DeliveryChaosIT {
  private static final Duration SLOWEST_ROUND = Duration.ofMinutes(5);

  @TempDir Path directory;

  /// @param agents of which half are offline
  /// @param each agents share a process
  /// @param authors each has its own systems, so that a system has one
  /// @param pauseMs of an author between two changes, at most
  /// @param changes that have to be acknowledged before it ends
  /// @param looks calls that have to see a version before it ends
  /// @param killMs between two kills, at most
  private record Scale(
      int agents,
      int each,
      int authors,
      int pauseMs,
      int changes,
      int looks,
      int killMs,
      Duration least,
      Duration most) {}

  private enum Victim {
    BROKER,
    AGENTS,
    POSTGRES
  }

  @Test
  void everyAcknowledgedChangeIsAppliedOnceInOrderAndNoneIsLost() throws Exception {
    run(
        new Scale(8, 2, 4, 100, 50, 20, 3_000, Duration.ofSeconds(10), Duration.ofMinutes(3)),
        ExternalPostgres.broughtAlong());
  }

  @Test
  @Tag("slow")
  void tenMinutesWithAHundredAgents() throws Exception {
    Path programs = ExternalPostgres.installed().orElse(ExternalPostgres.broughtAlong());
    run(
        new Scale(
            100,
            10,
            20,
            500,
            10_000,
            1_000,
            12_000,
            Duration.ofMinutes(10),
            Duration.ofMinutes(25)),
        programs);
  }

  private void run(Scale scale, Path programs) throws Exception {
    long seed = Long.getLong("penstock.chaos.seed", System.nanoTime());
    System.out.println("penstock.chaos.seed=" + seed);
    var random = new Random(seed);
    try (ExternalPostgres postgres = ExternalPostgres.start(programs);
        Plant plant =
            Plant.open(
                directory,
                launch ->
                    launch
                        .variable("PENSTOCK_DATABASE_URL", postgres.url())
                        .option("-XX:+UseSerialGC"));
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      long start = System.nanoTime();
      AgentHosts hosts = AgentHosts.enroll(plant, scale.agents(), scale.agents() / 2);
      while (hosts.online() < scale.agents() / 2) {
        hosts.startOne(scale.each(), random);
      }
      List<ChangingSystem> systems =
          hosts.records().stream().map(record -> new ChangingSystem(plant, record)).toList();
      System.out.println("enrolled after " + millisSince(start) + " ms");

      var work = new Work(plant, scale, systems);
      List<Future<?>> running = work.start(threads, random);
      Map<Victim, Integer> kills =
          new Killer(plant, postgres, hosts, scale, random).killUntil(work);
      work.stop();
      for (Future<?> each : running) {
        each.get(SLOWEST_ROUND.toSeconds(), TimeUnit.SECONDS);
      }
      long chaos = millisSince(start);
      System.out.println("chaos over after " + chaos + " ms: kills " + kills);

      hosts.startAll(scale.agents() / 2, random);
      plant.signIn();
      judge(plant, systems, kills);
      work.assertEnough();
      System.out.println("settled after " + (millisSince(start) - chaos) + " ms more");
    }
  }

  private static long millisSince(long start) {
    return (System.nanoTime() - start) / 1_000_000;
  }

  private static void judge(Plant plant, List<ChangingSystem> systems, Map<Victim, Integer> kills)
      throws IOException {
    List<String> problems = new ArrayList<>();
    List<String> unknown = new ArrayList<>();
    long acknowledged = 0;
    long looks = 0;
    for (ChangingSystem system : systems) {
      DeliveryHistory history = system.settle();
      problems.addAll(history.problems());
      acknowledged += history.acknowledged();
      looks += history.seen().size();
      history.unknown().forEach(number -> unknown.add(history.system() + " " + number));
    }
    System.out.printf(
        "%d acknowledged changes of %d systems, seen by %d calls; %d without a clear answer: %s%n",
        acknowledged, systems.size(), looks, unknown.size(), unknown);
    assertThat(problems).isEmpty();
    assertThat(kills).as("who was killed").containsOnlyKeys(Victim.values());
    assertThat(plant.alarms()).as("alarms, of which no kill is a reason").isEmpty();
  }

  /// Who changes systems and looks at them.
  private static final class Work {
    private final Plant plant;
    private final Scale scale;
    private final List<ChangingSystem> systems;
    private final AtomicInteger acknowledged = new AtomicInteger();
    private final AtomicInteger looks = new AtomicInteger();
    private final AtomicBoolean stopped = new AtomicBoolean();
    private final long start = System.nanoTime();

    Work(Plant plant, Scale scale, List<ChangingSystem> systems) {
      this.plant = plant;
      this.scale = scale;
      this.systems = systems;
    }

    List<Future<?>> start(ExecutorService threads, Random random) {
      List<Future<?>> running = new ArrayList<>();
      for (int author = 0; author < scale.authors(); author++) {
        List<ChangingSystem> own = new ArrayList<>();
        for (int i = author; i < systems.size(); i += scale.authors()) {
          own.add(systems.get(i));
        }
        var forAuthor = new Random(random.nextLong());
        var forLooker = new Random(random.nextLong());
        running.add(threads.submit(() -> change(own, forAuthor)));
        running.add(threads.submit(() -> look(own, forLooker)));
      }
      return running;
    }

    /// Enough time and enough changes, or too much time.
    boolean isDone() {
      long nanos = System.nanoTime() - start;
      return nanos > scale.most().toNanos()
          || (nanos > scale.least().toNanos()
              && acknowledged.get() >= scale.changes()
              && looks.get() >= scale.looks());
    }

    int looks() {
      return looks.get();
    }

    void stop() {
      stopped.set(true);
    }

    void assertEnough() {
      assertThat(acknowledged.get())
          .as("acknowledged changes within " + scale.most())
          .isGreaterThanOrEqualTo(scale.changes());
      assertThat(looks.get())
          .as("calls that saw a version within " + scale.most())
          .isGreaterThanOrEqualTo(scale.looks());
    }

    private Void change(List<ChangingSystem> own, Random random) throws InterruptedException {
      while (!stopped.get()) {
        ChangingSystem system = own.get(random.nextInt(own.size()));
        if (!system.change()) {
          signInAgain();
        } else if (system.isAcknowledged()) {
          acknowledged.incrementAndGet();
        }
        Thread.sleep(random.nextInt(scale.pauseMs()));
      }
      return null;
    }

    private synchronized void signInAgain() {
      try {
        plant.signIn();
      } catch (IOException notYet) {
        // The next change asks for it again.
      }
    }

    private Void look(List<ChangingSystem> own, Random random) throws InterruptedException {
      while (!stopped.get()) {
        if (own.get(random.nextInt(own.size())).look()) {
          looks.incrementAndGet();
        }
        Thread.sleep(random.nextInt(scale.pauseMs()));
      }
      return null;
    }
  }

  /// Whom SIGKILL hits, one after the other; each is brought up again.
  private static final class Killer {
    private final Plant plant;
    private final ExternalPostgres postgres;
    private final AgentHosts hosts;
    private final Scale scale;
    private final Random random;
    private final Map<Victim, Integer> kills = new EnumMap<>(Victim.class);

    Killer(Plant plant, ExternalPostgres postgres, AgentHosts hosts, Scale scale, Random random) {
      this.plant = plant;
      this.postgres = postgres;
      this.hosts = hosts;
      this.scale = scale;
      this.random = random;
    }

    /// Every victim in turn, in an order that is drawn anew each time; agents more often.
    ///
    /// The next one is hit once calls see versions again: on a slow machine nothing else would
    /// happen than starts.
    Map<Victim, Integer> killUntil(Work work) throws IOException, InterruptedException {
      List<Victim> turn = new ArrayList<>();
      while (!work.isDone() || kills.size() < Victim.values().length) {
        if (turn.isEmpty()) {
          turn.addAll(EnumSet.allOf(Victim.class));
          turn.add(Victim.AGENTS);
          Collections.shuffle(turn, random);
        }
        Thread.sleep(random.nextInt(scale.killMs() / 4, scale.killMs()));
        int before = work.looks();
        plant.await("calls see versions", () -> work.looks() > before);
        Victim victim = turn.removeLast();
        kill(victim);
        kills.merge(victim, 1, Integer::sum);
      }
      return kills;
    }

    private void kill(Victim victim) throws IOException {
      switch (victim) {
        case BROKER -> {
          plant.broker().kill();
          plant.broker().awaitExit(Plant.PATIENCE);
          plant.restartBroker();
          plant.await("the broker is back", () -> plant.api().isReady());
        }
        case POSTGRES -> {
          postgres.kill();
          postgres.restart();
        }
        case AGENTS -> {
          // Others come up while these stay away: who is offline changes.
          hosts.killOne(random);
          hosts.startOne(scale.each(), random);
        }
      }
    }
  }
}
