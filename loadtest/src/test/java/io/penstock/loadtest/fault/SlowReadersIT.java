package io.penstock.loadtest.fault;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import javax.net.ssl.SSLSocketFactory;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A thousand downloads that hardly anybody reads go through one tunnel, and a small request beside
/// them must not notice.
@Tag("slow")
@Timeout(900)
class SlowReadersIT {
  private static final int DOWNLOADS = 1_000;
  private static final int NEVER_READ = 100;
  private static final int PIECE_BYTES = 8 << 10;
  private static final Duration PAUSE = Duration.ofMillis(500);
  private static final int RECEIVE_BUFFER_BYTES = 64 << 10;
  private static final int SMALL_REQUESTS = 200;
  private static final long MOST_RESIDENT_BYTES = 900L << 20;

  @TempDir Path directory;

  @Test
  void aThousandSlowDownloadsLeaveASmallRequestQuickAndMemoryBounded() throws Exception {
    try (Plant plant = Plant.open(directory, launch -> launch.heap("256m"))) {
      PenstockProcess agent = plant.enroll(launch -> launch.heap("256m"));
      long[] alone = smallRequests(plant);
      AtomicBoolean over = new AtomicBoolean();
      AtomicInteger failed = new AtomicInteger();
      CountDownLatch begun = new CountDownLatch(DOWNLOADS);
      List<Socket> open = openAll(plant);
      try {
        for (int i = 0; i < DOWNLOADS; i++) {
          Socket socket = open.get(i);
          boolean reads = i >= NEVER_READ;
          if (!reads) {
            begun.countDown();
            continue;
          }
          Thread.ofVirtual().start(() -> readSlowly(socket, begun, over, failed));
        }
        assertThat(begun.await(4, TimeUnit.MINUTES)).as("every download has begun").isTrue();
        long[] beside = smallRequests(plant);
        System.out.printf(
            "small request alone p50 %d ms p99 %d ms; beside %d downloads p50 %d ms p99 %d ms;"
                + " resident broker %d MiB, agent %d MiB; %d failed%n",
            at(alone, 50),
            at(alone, 99),
            DOWNLOADS,
            at(beside, 50),
            at(beside, 99),
            plant.broker().residentBytes() >> 20,
            agent.residentBytes() >> 20,
            failed.get());
        assertThat(failed).hasValue(0);
        assertThat(at(beside, 99)).isLessThan(500);
        assertThat(plant.broker().residentBytes()).isLessThan(MOST_RESIDENT_BYTES);
        assertThat(agent.residentBytes()).isLessThan(MOST_RESIDENT_BYTES);
      } finally {
        over.set(true);
        for (Socket socket : open) {
          socket.close();
        }
      }
      assertThat(plant.serves()).isTrue();
    }
  }

  private static List<Socket> openAll(Plant plant) throws Exception {
    SSLSocketFactory sockets = SmugglingIT.trusting(plant.caFile());
    List<Socket> open = new ArrayList<>();
    byte[] request =
        "GET /invoke%s/bytes/10000000 HTTP/1.1\r\nHost: localhost:%d\r\nAuthorization: Bearer %s\r\n\r\n"
            .formatted(Plant.SYSTEM_PATH, plant.port(), plant.serviceToken())
            .getBytes(StandardCharsets.US_ASCII);
    for (int i = 0; i < DOWNLOADS; i++) {
      Socket socket = sockets.createSocket();
      // Its own kernel would hold the rest of the body for a caller on another machine.
      socket.setReceiveBufferSize(RECEIVE_BUFFER_BYTES);
      socket.connect(new InetSocketAddress("localhost", plant.port()));
      open.add(socket);
      socket.getOutputStream().write(request);
      socket.getOutputStream().flush();
    }
    return open;
  }

  private static void readSlowly(
      Socket socket, CountDownLatch begun, AtomicBoolean over, AtomicInteger failed) {
    byte[] piece = new byte[PIECE_BYTES];
    boolean first = true;
    try {
      InputStream in = socket.getInputStream();
      while (!over.get()) {
        int read = in.readNBytes(piece, 0, piece.length);
        if (first && !new String(piece, 0, 12, StandardCharsets.US_ASCII).equals("HTTP/1.1 200")) {
          failed.incrementAndGet();
        }
        if (first) {
          begun.countDown();
          first = false;
        }
        if (read < piece.length) {
          failed.incrementAndGet();
          return;
        }
        LockSupport.parkNanos(PAUSE.toNanos());
      }
    } catch (IOException e) {
      if (!over.get()) {
        failed.incrementAndGet();
      }
    }
  }

  private static long[] smallRequests(Plant plant) {
    long[] millis = new long[SMALL_REQUESTS];
    for (int i = 0; i < SMALL_REQUESTS; i++) {
      long start = System.nanoTime();
      assertThat(plant.serves()).isTrue();
      millis[i] = (System.nanoTime() - start) / 1_000_000;
    }
    Arrays.sort(millis);
    return millis;
  }

  private static long at(long[] sorted, int percent) {
    return sorted[sorted.length * percent / 100];
  }
}
