package io.penstock.loadtest.fault;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.json.JsonMapper;
import io.penstock.loadtest.target.BodyPattern;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.Locale;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Bodies far larger than the memory of those that pass them on.
@Tag("slow")
@Timeout(1800)
class LargeBodyIT {
  private static final long BYTES = Long.getLong("penstock.large.body", 5L << 30);
  private static final long MOST_RESIDENT_BYTES = 700L << 20;

  @TempDir Path directory;

  @Test
  void fiveGigabytesEachWayThroughSmallHeaps() throws Exception {
    try (Plant plant = Plant.open(directory, launch -> launch.heap("256m"))) {
      PenstockProcess agent = plant.enroll(launch -> launch.heap("256m"));

      long start = System.nanoTime();
      download(plant);
      report("down", start, plant, agent);
      start = System.nanoTime();
      upload(plant);
      report("up", start, plant, agent);

      assertThat(plant.broker().residentBytes()).isLessThan(MOST_RESIDENT_BYTES);
      assertThat(agent.residentBytes()).isLessThan(MOST_RESIDENT_BYTES);
    }
  }

  private static void download(Plant plant) throws IOException {
    HttpResponse<InputStream> answer = plant.get("/bytes/" + BYTES);
    assertThat(answer.statusCode()).isEqualTo(200);
    byte[] buffer = new byte[256 << 10];
    long offset = 0;
    try (InputStream body = answer.body()) {
      for (int read = body.read(buffer); read >= 0; read = body.read(buffer)) {
        assertThat(BodyPattern.mismatch(offset, buffer, read)).isNegative();
        offset += read;
      }
    }
    assertThat(offset).isEqualTo(BYTES);
  }

  private static void upload(Plant plant) throws IOException {
    HttpResponse<InputStream> answer =
        plant
            .api()
            .invoke(
                plant.serviceToken(),
                "PUT",
                Plant.SYSTEM_PATH + "/upload",
                BodyPublishers.fromPublisher(
                    BodyPublishers.ofInputStream(() -> new Zeros(BYTES)), BYTES));
    try (InputStream body = answer.body()) {
      assertThat(JsonMapper.builder().build().readTree(body).path("bytes").asLong())
          .isEqualTo(BYTES);
    }
  }

  private static void report(String way, long startNanos, Plant plant, PenstockProcess agent) {
    double seconds = (System.nanoTime() - startNanos) / 1e9;
    System.out.printf(
        Locale.ROOT,
        "%s: %d bytes in %.1f s, %.0f MB/s, resident broker %d MiB, agent %d MiB%n",
        way,
        BYTES,
        seconds,
        BYTES / 1e6 / seconds,
        plant.broker().residentBytes() >> 20,
        agent.residentBytes() >> 20);
  }

  /// That many zero bytes.
  private static final class Zeros extends InputStream {
    private long left;

    Zeros(long left) {
      this.left = left;
    }

    @Override
    public int read() {
      return left-- > 0 ? 0 : -1;
    }

    @Override
    public int read(byte[] into, int from, int length) {
      if (left <= 0) {
        return -1;
      }
      int count = (int) Math.min(left, length);
      java.util.Arrays.fill(into, from, from + count, (byte) 0);
      left -= count;
      return count;
    }
  }
}
