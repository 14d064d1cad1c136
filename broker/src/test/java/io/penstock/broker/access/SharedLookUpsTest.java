package io.penstock.broker.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

class SharedLookUpsTest {
  private final SharedLookUps<String, String> lookUps =
      new SharedLookUps<>(Duration.ofSeconds(10), () -> new IllegalStateException("too late"));

  @Test
  void whoAsksMeanwhileWaitsForTheOneLookUp() throws InterruptedException {
    var goesOn = new CountDownLatch(1);
    var asked = new AtomicInteger();
    var answers = new ConcurrentLinkedQueue<String>();
    var threads = new ArrayList<Thread>();
    for (int i = 0; i < 8; i++) {
      threads.add(
          Thread.ofPlatform()
              .start(
                  () ->
                      answers.add(
                          lookUps.get(
                              "a",
                              () -> {
                                awaited(goesOn);
                                return "found " + asked.incrementAndGet();
                              }))));
    }
    // One looks, the others wait for it.
    while (!threads.stream().allMatch(SharedLookUpsTest::isWaiting)) {
      LockSupport.parkNanos(1_000_000);
    }

    assertThat(lookUps.get("b", () -> "another")).as("is not held up").isEqualTo("another");
    goesOn.countDown();

    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(answers).hasSize(8).containsOnly("found 1");
    assertThat(lookUps.get("a", () -> "anew")).as("nothing is kept").isEqualTo("anew");
  }

  private static boolean isWaiting(Thread thread) {
    return List.of(Thread.State.WAITING, Thread.State.TIMED_WAITING).contains(thread.getState());
  }

  @Test
  void whatTheLookUpThrowsIsNotKept() {
    assertThatThrownBy(
            () ->
                lookUps.get(
                    "a",
                    () -> {
                      throw new IllegalArgumentException("away");
                    }))
        .isInstanceOf(IllegalArgumentException.class);

    assertThat(lookUps.get("a", () -> "found")).isEqualTo("found");
  }

  private static void awaited(CountDownLatch latch) {
    try {
      assertThat(latch.await(10, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
