package io.penstock.loadtest.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The broker dies again and again under load, while its database lives on.
@Tag("slow")
@Timeout(1800)
class BrokerKillUnderLoadIT {
  private static final int TRIALS = 10;
  private static final int GOOD_BEFORE_A_KILL = 100;

  @TempDir Path directory;
  private final AtomicLong good = new AtomicLong();
  private final AtomicLong cut = new AtomicLong();
  private final AtomicInteger shortOnes = new AtomicInteger();
  private final AtomicInteger next = new AtomicInteger();

  /// @param bodyBytes of each answer
  private record Load(int perSecond, int bodyBytes) {
    String path(int call) {
      return (call % 2 == 0 ? "/bytes/" : "/chunked/") + bodyBytes;
    }
  }

  @Test
  void agentsServeAgainByThemselvesAndNoCutAnswerLooksWhole() throws Exception {
    killAgainAndAgain(new Load(50, 300_000));
    assertThat(cut.get()).as("a kill in the middle of answers").isPositive();
  }

  /// How soon one agent serves again, without the load that a broker just started has to bear
  /// besides.
  @Test
  void oneAgentServesAgain() throws Exception {
    killAgainAndAgain(new Load(20, 1_024));
  }

  private void killAgainAndAgain(Load load) throws Exception {
    var programs = ExternalPostgres.installed();
    assumeTrue(programs.isPresent(), "needs an installed Postgres");
    try (ExternalPostgres postgres = ExternalPostgres.start(programs.get());
        Plant plant =
            Plant.open(
                directory, launch -> launch.variable("PENSTOCK_DATABASE_URL", postgres.url()));
        var callers = Executors.newVirtualThreadPerTaskExecutor();
        var clock = Executors.newSingleThreadScheduledExecutor()) {
      PenstockProcess agent = plant.enroll();
      var _ =
          clock.scheduleAtFixedRate(
              () -> callers.execute(() -> invoke(plant, load)),
              0,
              1_000_000 / load.perSecond(),
              TimeUnit.MICROSECONDS);
      List<Long> millis = new ArrayList<>();
      for (int trial = 0; trial < TRIALS; trial++) {
        millis.add(killAndServeAgain(plant));
      }
      clock.shutdownNow();
      System.out.printf(
          "ms from kill to the first good answer: %s; %d good answers, %d cut ones seen as cut%n",
          millis, good.get(), cut.get());
      assertThat(shortOnes).hasValue(0);
      assertThat(agent.isAlive()).isTrue();
      assertThat(plant.alarms()).isEmpty();
    }
  }

  private long killAndServeAgain(Plant plant) throws IOException {
    long enough = good.get() + GOOD_BEFORE_A_KILL;
    plant.await("answers flow", () -> good.get() >= enough);
    long start = System.nanoTime();
    plant.broker().kill();
    plant.broker().awaitExit(Plant.PATIENCE);
    long before = good.get();
    plant.restartBroker();
    plant.await("answers flow again", () -> good.get() > before);
    return (System.nanoTime() - start) / 1_000_000;
  }

  private void invoke(Plant plant, Load load) {
    HttpResponse<InputStream> answer;
    try {
      answer = plant.get(load.path(next.getAndIncrement()));
    } catch (IOException noAnswer) {
      return;
    }
    try (InputStream body = answer.body()) {
      int length = body.readAllBytes().length;
      if (answer.statusCode() != 200) {
        return;
      }
      if (length == load.bodyBytes()) {
        good.incrementAndGet();
      } else {
        shortOnes.incrementAndGet();
      }
    } catch (IOException seen) {
      cut.incrementAndGet();
    }
  }
}
