package io.penstock.broker.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ReadinessTest {
  private final AtomicLong now = new AtomicLong();
  private final AtomicInteger asked = new AtomicInteger();
  private volatile boolean answers = true;

  private void pass(Duration time) {
    now.addAndGet(time.toNanos());
  }

  @Test
  void anAnswerHoldsForASecond() {
    var readiness =
        new Readiness(
            () -> {
              asked.incrementAndGet();
              return answers;
            },
            now::get);
    for (int i = 0; i < 1_000; i++) {
      assertThat(readiness.isReady()).isTrue();
    }
    assertThat(asked).hasValue(1);
    answers = false;
    pass(Duration.ofMillis(999));
    assertThat(readiness.isReady()).isTrue();

    pass(Duration.ofMillis(1));

    assertThat(readiness.isReady()).isFalse();
    assertThat(asked).hasValue(2);
  }

  @Test
  void whileTheDatabaseHangsOneAsksAndTheOthersDoNotWait() throws Exception {
    var began = new CountDownLatch(1);
    var goesOn = new CountDownLatch(1);
    var readiness =
        new Readiness(
            () -> {
              if (asked.incrementAndGet() > 1) {
                began.countDown();
                awaited(goesOn);
                return false;
              }
              return true;
            },
            now::get);
    assertThat(readiness.isReady()).isTrue();
    pass(Duration.ofSeconds(2));

    CompletableFuture<Boolean> hanging = CompletableFuture.supplyAsync(readiness::isReady);
    awaited(began);
    for (int i = 0; i < 100; i++) {
      assertThat(readiness.isReady()).as("as it was").isTrue();
    }
    goesOn.countDown();

    assertThat(hanging.get(10, TimeUnit.SECONDS)).isFalse();
    assertThat(readiness.isReady()).isFalse();
    assertThat(asked).hasValue(2);
  }

  private static void awaited(CountDownLatch latch) {
    try {
      assertThat(latch.await(10, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
