package io.penstock.broker.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.tunnel.MockAgent;
import io.penstock.broker.tunnel.MockAgent.Mail;
import io.penstock.codec.message.DeliveryReceipt;
import io.penstock.codec.seal.Receipt;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.LongStream;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.io.TempDir;

/// Many agents at once; what it prints is a measurement, what it asserts is order.
class ManyAgentsTest {
  private static final int AGENTS = Integer.getInteger("penstock.test.agents", 200);
  private static final int MESSAGES = Integer.getInteger("penstock.test.messages", 20);

  @TempDir Path directory;

  @RepeatedTest(2)
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
      List<Future<Map<Long, DeliveryReceipt>>> signing = new ArrayList<>();
      for (String name : names) {
        signing.add(threads.submit(() -> deploy(rig, name)));
      }
      List<Map<Long, DeliveryReceipt>> receipts = new ArrayList<>();
      for (Future<Map<Long, DeliveryReceipt>> each : signing) {
        receipts.add(each.get());
      }
      var over = new AtomicBoolean();
      List<Future<List<Long>>> heard = new ArrayList<>();
      double seconds;
      try {
        for (int i = 0; i < AGENTS; i++) {
          MockAgent agent = rig.connect(names.get(i));
          Map<Long, DeliveryReceipt> own = receipts.get(i);
          agent.onMail = mail -> agent.answer(mail.sequence(), receiptOf(own, mail.sequence()));
          heard.add(threads.submit(() -> play(agent, over)));
        }

        long began = System.nanoTime();
        rig.delivery().start();
        DeliveryRig.await(
            () -> rig.delivery().counters().acknowledged() == (long) AGENTS * MESSAGES);
        seconds = (System.nanoTime() - began) / 1e9;
      } finally {
        over.set(true);
      }

      System.out.printf(
          "%d agents, %d messages delivered and acknowledged in %.2f s: %.0f/s%n",
          AGENTS, (long) AGENTS * MESSAGES, seconds, (long) AGENTS * MESSAGES / seconds);
      for (Future<List<Long>> one : heard) {
        assertThat(one.get()).isEqualTo(LongStream.rangeClosed(1, MESSAGES).boxed().toList());
      }
      assertThat(rig.undelivered()).isZero();
    }
  }

  /// Queues its messages, and signs what it will answer: what an agent's processor does is not
  /// measured.
  private static Map<Long, DeliveryReceipt> deploy(DeliveryRig rig, String name) {
    var receipts = new HashMap<Long, DeliveryReceipt>();
    for (int i = 0; i < MESSAGES; i++) {
      String system = "system-" + i;
      long sequence = rig.deploy(name, system);
      receipts.put(
          sequence,
          rig.signed(name, system, 1, TestDocuments.hash(name, system, 1), new Receipt.Applied()));
    }
    return receipts;
  }

  private static DeliveryReceipt receiptOf(Map<Long, DeliveryReceipt> receipts, long sequence) {
    return Objects.requireNonNull(receipts.get(sequence));
  }

  /// Reads and answers until all is over.
  private static List<Long> play(MockAgent agent, AtomicBoolean over) throws Exception {
    try (agent) {
      while (!over.get()) {
        agent.pumpWithin(Duration.ofMillis(100));
      }
      return agent.mail.stream().map(Mail::sequence).toList();
    }
  }
}
