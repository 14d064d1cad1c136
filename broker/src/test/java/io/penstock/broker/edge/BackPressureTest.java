package io.penstock.broker.edge;

import static io.penstock.broker.edge.EdgeRig.get;
import static io.penstock.broker.edge.EdgeRig.request;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/// Neither side can make the broker hold more than its credit.
@ParameterizedClass(name = "two loops: {0}")
@ValueSource(booleans = {false, true})
@Timeout(60)
class BackPressureTest {
  private static final long MEBIBYTE = 1024 * 1024;

  @Parameter boolean twoLoops;

  private EdgeRig rig = new EdgeRig(false);

  @BeforeEach
  void start() {
    rig = new EdgeRig(twoLoops);
  }

  @AfterEach
  void stop() throws IOException {
    rig.close();
  }

  /// Time passes, measured in calls of others, which must not suffer.
  private void serveOthers() throws IOException {
    RawCaller other = rig.caller();
    for (int i = 0; i < 300; i++) {
      assertThat(other.exchange(get("/invoke/plant/erp/")).status()).isEqualTo(200);
    }
  }

  private static void send(RawCaller caller, byte[] bytes) {
    try {
      caller.send(bytes);
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
  }

  private static boolean isSpecial(FakeTunnel.Call call) {
    return call.request.path().toString().equals("/special");
  }

  @Test
  void stopsASystemWhoseCallerDoesNotRead() throws Exception {
    FakeTunnel tunnel =
        rig.tunnel(
            call -> {
              call.head(200, !isSpecial(call));
              if (isSpecial(call)) {
                call.flood();
              }
            });
    RawCaller caller = rig.caller(16 * 1024).send(get("/invoke/plant/erp/special"));
    FakeTunnel.Call call = tunnel.call();

    serveOthers();
    long sent = call.sent.get();
    serveOthers();

    // What kernels buffer on loopback, the credit, and the sender's own queue.
    assertThat(call.sent.get()).isEqualTo(sent).isLessThan(12 * MEBIBYTE);
    assertThat(caller.head().status()).isEqualTo(200);
    while (call.sent.get() < sent + 20 * MEBIBYTE) {
      assertThat(caller.chunk()).isNotEmpty();
    }
  }

  @Test
  void stopsACallerWhoseSystemDoesNotRead() throws Exception {
    FakeTunnel tunnel =
        rig.tunnel(
            call -> {
              if (isSpecial(call)) {
                call.reads = false;
              } else {
                call.head(200, true);
              }
            });
    long size = 64 * MEBIBYTE;
    RawCaller caller =
        rig.caller().send(request("PUT", "/invoke/plant/erp/special", "Content-Length: " + size));
    var written = new AtomicLong();
    CompletableFuture<Void> upload =
        CompletableFuture.runAsync(
            () -> {
              byte[] piece = new byte[16 * 1024];
              while (written.get() < size) {
                send(caller, piece);
                written.addAndGet(piece.length);
              }
            });
    FakeTunnel.Call call = tunnel.call();

    serveOthers();
    long stuckAt = written.get();
    serveOthers();

    assertThat(written.get()).isEqualTo(stuckAt).isLessThan(24 * MEBIBYTE);
    // The agent was sent its initial credit and no more.
    assertThat(call.received.get()).isEqualTo(32 * 1024);

    call.read(true);
    upload.get(20, TimeUnit.SECONDS);
    call.body.get(20, TimeUnit.SECONDS);
    assertThat(call.received.get()).isEqualTo(size);
  }

  @Test
  void carriesALargeBodyEachWayUnchanged() throws Exception {
    long seed = new Random().nextLong();
    byte[] bytes = new byte[8 * 1024 * 1024];
    new Random(seed).nextBytes(bytes);
    rig.tunnel(call -> call.head(200, false, "Content-Length", "" + bytes.length).echo());
    RawCaller caller = rig.caller();
    CompletableFuture<Void> upload =
        CompletableFuture.runAsync(
            () -> {
              String head =
                  request("POST", "/invoke/plant/erp/", "Content-Length: " + bytes.length);
              send(caller, head.getBytes(US_ASCII));
              send(caller, bytes);
            });

    assertThat(caller.head().status()).isEqualTo(200);
    byte[] back = caller.exactly(bytes.length);

    assertThat(Arrays.equals(back, bytes)).as("seed %d", seed).isTrue();
    upload.get(5, TimeUnit.SECONDS);
  }

  @Test
  void leavesNoStreamBehind() throws Exception {
    FakeTunnel tunnel = rig.tunnel(call -> call.head(200, false).data("ok", true));
    RawCaller caller = rig.caller();

    for (int i = 0; i < 50; i++) {
      caller.exchange(get("/invoke/plant/erp/" + i));
    }

    assertThat(tunnel.brokerStreams()).isZero();
  }
}
