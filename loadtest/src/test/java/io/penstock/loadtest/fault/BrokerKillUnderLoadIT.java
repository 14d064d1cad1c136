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
  private static final int PER_SECOND = 50;
  private static final int BODY_BYTES = 300_000;
  private static final List<String> PATHS =
      List.of("/bytes/" + BODY_BYTES, "/chunked/" + BODY_BYTES);

  @TempDir Path directory;
  private final AtomicLong good = new AtomicLong();
  private final AtomicLong cut = new AtomicLong();
  private final AtomicInteger shortOnes = new AtomicInteger();
  private final AtomicInteger next = new AtomicInteger();

  @Test
  void agentsServeAgainByThemselvesAndNoCutAnswerLooksWhole() throws Exception {
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
              () -> callers.execute(() -> invoke(plant)),
              0,
              1_000_000 / PER_SECOND,
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
      assertThat(cut.get()).as("a kill in the middle of answers").isPositive();
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

  private void invoke(Plant plant) {
    HttpResponse<InputStream> answer;
    try {
      answer = plant.get(PATHS.get(next.getAndIncrement() % PATHS.size()));
    } catch (IOException noAnswer) {
      return;
    }
    try (InputStream body = answer.body()) {
      int length = body.readAllBytes().length;
      if (answer.statusCode() != 200) {
        return;
      }
      if (length == BODY_BYTES) {
        good.incrementAndGet();
      } else {
        shortOnes.incrementAndGet();
      }
    } catch (IOException seen) {
      cut.incrementAndGet();
    }
  }
}
