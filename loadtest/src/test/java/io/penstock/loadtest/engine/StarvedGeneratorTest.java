package io.penstock.loadtest.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import io.penstock.loadtest.rate.Rate;
import io.penstock.loadtest.watch.Bottleneck;
import io.penstock.loadtest.watch.GeneratorUse;
import io.penstock.loadtest.watch.GeneratorWatch;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A generator that has no time marks its run invalid.
@Timeout(60)
class StarvedGeneratorTest {
  private final StallingServer server = new StallingServer();
  private final Engine engine = Engine.of(1);

  @AfterEach
  void close() {
    engine.close();
    server.close();
  }

  private FlowResult run(double perSecond) throws Exception {
    Flow flow =
        new Flow(
            "small",
            new Pace.Open(new Rate.Constant(perSecond)),
            8,
            List.of(new Request("GET", "/1k", 0, 1)),
            Duration.ofSeconds(10),
            0);
    Endpoint endpoint = Endpoint.of("stalling", server.url(), new Endpoint.Trust.Usual(), Map.of());
    return engine
        .run(endpoint, List.of(flow), Duration.ofSeconds(2), new Progress())
        .get()
        .getFirst();
  }

  @Test
  void aLoopThatSomethingElseKeepsBusyIsFoundOut() throws Exception {
    EventLoop loop = engine.loops().getFirst();
    ScheduledFuture<?> hog = loop.scheduleAtFixedRate(() -> burn(48), 0, 50, TimeUnit.MILLISECONDS);
    GeneratorWatch watch = GeneratorWatch.start(engine.threadIds());

    FlowResult result = run(200);

    GeneratorUse use = watch.stop();
    hog.cancel(false);
    assertThat(
            Bottleneck.USUAL.ofFlow(
                "small", result.lateness(), result.recording().total().response()))
        .as("lateness p99 %s ns", result.lateness().getValueAtPercentile(99))
        .isNotEmpty();
    assertThat(use.busiest()).isGreaterThan(0.3);
  }

  private static void burn(int millis) {
    long end = System.nanoTime() + millis * 1_000_000L;
    while (System.nanoTime() < end) {
      Thread.onSpinWait();
    }
  }
}
