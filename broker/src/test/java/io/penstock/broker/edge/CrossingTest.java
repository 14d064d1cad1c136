package io.penstock.broker.edge;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class CrossingTest {
  private final MultiThreadIoEventLoopGroup group =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final EventLoop loop = group.next();

  @AfterEach
  void stop() {
    var _ = group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
  }

  @Test
  void keepsOrderAndLosesNothing() throws Exception {
    int messages = 200_000;
    var arrived = new ArrayList<Object>(messages);
    var done = new CountDownLatch(1);
    var crossing =
        new Crossing(
            loop,
            false,
            message -> {
              assertThat(loop.inEventLoop()).isTrue();
              arrived.add(message);
              if (arrived.size() == messages) {
                done.countDown();
              }
            });

    for (int i = 0; i < messages; i++) {
      crossing.post(i);
    }

    assertThat(done.await(20, TimeUnit.SECONDS)).isTrue();
    for (int i = 0; i < messages; i++) {
      assertThat(arrived.get(i)).isEqualTo(i);
    }
  }

  @Test
  void takesOneTaskForABurst() throws Exception {
    var blocked = new CountDownLatch(1);
    var arrived = new ArrayList<Object>();
    loop.execute(() -> await(blocked));
    var crossing = new Crossing(loop, false, arrived::add);

    for (int i = 0; i < 100; i++) {
      crossing.post(i);
    }
    var arrivedBeforeMarker = loop.submit(() -> List.copyOf(arrived));
    crossing.post(100);
    blocked.countDown();

    // The task of the first message took the last one with it, ahead of the marker.
    assertThat(arrivedBeforeMarker.get(5, TimeUnit.SECONDS)).hasSize(101);
  }

  @Test
  void isACallOnTheSameLoop() throws Exception {
    var arrived = new ArrayList<Object>();
    var crossing = new Crossing(loop, true, arrived::add);

    int size =
        loop.submit(
                () -> {
                  crossing.post("x");
                  return arrived.size();
                })
            .get(5, TimeUnit.SECONDS);

    assertThat(size).isEqualTo(1);
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(5, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
