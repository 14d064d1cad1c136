package io.penstock.loadtest.fault;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.loadtest.client.PublicApi;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;

@Isolated("it holds times against a limit")
@Timeout(900)
class RevocationIT {
  private static final Duration AT_ONCE = Duration.ofSeconds(1);
  private static final int REFUSED_FOR_GOOD = 4;

  @TempDir Path directory;

  @Test
  void revocationCutsARunningDownloadWipesTheAgentAndIsForGood() throws Exception {
    try (Plant plant = Plant.open(directory)) {
      PenstockProcess agent = plant.enroll();
      Path backup = directory.resolve("backup");
      UnlockRotationIT.copy(plant.agentData(), backup);
      InputStream body = plant.get("/slow-body?ms=50&chunks=100000").body();
      assertThat(body.read()).isPositive();
      CompletableFuture<Long> cutAt = CompletableFuture.supplyAsync(() -> readUntilCut(body));

      long askedAt = System.nanoTime();
      plant.api().post("/agents/" + Plant.AGENT + "/revoke", PublicApi.object());
      long answeredAt = System.nanoTime();

      long cut = cutAt.get(30, TimeUnit.SECONDS);
      System.out.printf(
          "revoked in %d ms, the download was cut %d ms after the call began%n",
          (answeredAt - askedAt) / 1_000_000, (cut - askedAt) / 1_000_000);
      assertThat(Duration.ofNanos(cut - askedAt)).isLessThan(AT_ONCE);
      assertThat(agent.awaitExit(Plant.PATIENCE)).isEqualTo(REFUSED_FOR_GOOD);
      assertThat(filesBut(plant.agentData(), "lock")).isZero();
      assertThat(plant.start(plant.known(plant.agentData())).awaitExit(Plant.PATIENCE)).isNotZero();
      assertThat(plant.start(plant.known(backup)).awaitExit(Plant.PATIENCE))
          .isEqualTo(REFUSED_FOR_GOOD);
      assertThat(plant.serves()).isFalse();
    }
  }

  /// An answer that ends in order would be a whole one to its reader.
  private static long readUntilCut(InputStream body) {
    try (body) {
      while (body.read() >= 0) {
        // The chunks are of no interest.
      }
    } catch (IOException cut) {
      return System.nanoTime();
    }
    throw new AssertionError("the download ended as if it were whole");
  }

  private static long filesBut(Path data, String name) throws IOException {
    try (Stream<Path> files = Files.list(data)) {
      return files.filter(file -> !file.endsWith(name)).count();
    }
  }
}
