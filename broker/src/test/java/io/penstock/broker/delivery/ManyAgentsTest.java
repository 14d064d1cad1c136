package io.penstock.broker.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.tunnel.MockAgent;
import io.penstock.broker.tunnel.MockAgent.Mail;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Many agents at once; what it prints is a measurement, what it asserts is order.
class ManyAgentsTest {
  private static final int AGENTS = 200;
  private static final int MESSAGES = 50;

  @TempDir Path directory;

  @Test
  void eachAgentHearsItsMessagesInOrder() throws Exception {
    try (var rig = new DeliveryRig(directory.resolve("data"));
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      rig.paused = true;
      rig.start();
      List<String> names = new ArrayList<>();
      for (int i = 0; i < AGENTS; i++) {
        names.add("agent-" + i);
        rig.agent(names.getLast());
      }
      for (String name : names) {
        rig.database()
            .run(
                tx -> {
                  for (int i = 0; i < MESSAGES; i++) {
                    rig.queueInstruction(tx, name);
                  }
                });
      }
      var over = new AtomicBoolean();
      List<Future<List<Long>>> heard = new ArrayList<>();
      double seconds;
      try {
        for (String name : names) {
          MockAgent agent = rig.connect(name);
          rig.applyAll(agent, name);
          heard.add(threads.submit(() -> play(agent, over)));
        }

        long began = System.nanoTime();
        rig.delivery().start();
        DeliveryRig.await(() -> rig.delivery().counters().acknowledged() == AGENTS * MESSAGES);
        seconds = (System.nanoTime() - began) / 1e9;
      } finally {
        over.set(true);
      }

      System.out.printf(
          "%d agents, %d messages delivered and acknowledged in %.2f s: %.0f/s%n",
          AGENTS, AGENTS * MESSAGES, seconds, AGENTS * MESSAGES / seconds);
      for (Future<List<Long>> one : heard) {
        assertThat(one.get()).isEqualTo(LongStream.rangeClosed(1, MESSAGES).boxed().toList());
      }
      assertThat(rig.undelivered()).isZero();
    }
  }

  /// Reads and answers until all is over.
  private static List<Long> play(MockAgent agent, AtomicBoolean over) throws Exception {
    try (agent) {
      while (!over.get()) {
        agent.pumpWithin(Duration.ofMillis(5));
      }
      return agent.mail.stream().map(Mail::sequence).toList();
    }
  }
}
