package io.penstock.broker.delivery;

import io.penstock.broker.store.StoreUnavailableException;
import io.penstock.codec.ErrorCode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Collects receipts for a few milliseconds and has them recorded in one transaction. All of one
/// agent go through the same lane, in order. At most [Attached#MAX_RECEIPTS] of a session
/// wait, and [Attached#MAX_UNASKED_RECEIPTS] that answer no message, of at most
/// [Attached#MAX_RECEIPT_BYTES] together.
///
/// While Postgres is away they wait here; those of a session that ends are forgotten, since its
/// messages are sent again.
final class Acknowledgements implements AutoCloseable {
  private static final int LANES = 4;
  private static final int BATCH = 256;

  /// Of receipt bodies in one batch, each of up to 32 receipts.
  private static final int BATCH_BYTES = 256 * 1024;

  private static final Duration COLLECT = Duration.ofMillis(3);
  private static final Duration TRY_AGAIN = Duration.ofMillis(500);
  private static final Logger LOG = LoggerFactory.getLogger(Acknowledgements.class);

  private final Recorder recorder;
  private final Consumer<String> wake;
  private final CountDownLatch closing = new CountDownLatch(1);
  private final List<LinkedBlockingQueue<Answer>> lanes =
      IntStream.range(0, LANES).mapToObj(_ -> new LinkedBlockingQueue<Answer>()).toList();

  /// One receipt as it came.
  record Answer(Attached attached, long sequence, byte[] body) {}

  /// @param wake the agent's window has moved
  Acknowledgements(Recorder recorder, Consumer<String> wake) {
    this.recorder = recorder;
    this.wake = wake;
  }

  void start() {
    for (LinkedBlockingQueue<Answer> lane : lanes) {
      Thread.ofVirtual().name("delivery-receipts").start(() -> work(lane));
    }
  }

  /// False when too many of its session wait. Never blocks.
  boolean offer(Answer answer) {
    if (!answer.attached().receiptCame(answer.sequence(), answer.body().length)) {
      return false;
    }
    lanes.get(Math.floorMod(answer.attached().agent().hashCode(), LANES)).add(answer);
    return true;
  }

  private void work(LinkedBlockingQueue<Answer> lane) {
    try {
      while (closing.getCount() > 0) {
        Answer first = lane.poll(1, TimeUnit.SECONDS);
        if (first != null) {
          record(collect(first, lane));
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private static List<Answer> collect(Answer first, LinkedBlockingQueue<Answer> lane)
      throws InterruptedException {
    var batch = new ArrayList<Answer>();
    long bytes = 0;
    long until = System.nanoTime() + COLLECT.toNanos();
    for (Answer next = first;
        next != null;
        next = lane.poll(until - System.nanoTime(), TimeUnit.NANOSECONDS)) {
      batch.add(next);
      bytes += next.body().length;
      if (batch.size() == BATCH || bytes >= BATCH_BYTES) {
        break;
      }
    }
    return batch;
  }

  private void record(List<Answer> batch) throws InterruptedException {
    List<Answer> left = batch;
    while (!left.isEmpty() && !recorded(left)) {
      if (closing.await(TRY_AGAIN.toNanos(), TimeUnit.NANOSECONDS)) {
        return;
      }
      left = left.stream().filter(answer -> answer.attached().session().isOpen()).toList();
    }
    batch.forEach(answer -> answer.attached().receiptDone(answer.sequence(), answer.body().length));
    left.stream().map(answer -> answer.attached().agent()).distinct().forEach(wake);
  }

  /// False: try again.
  private boolean recorded(List<Answer> batch) {
    try {
      recorder.record(batch);
      return true;
    } catch (StoreUnavailableException away) {
      LOG.debug("{} receipts wait for the database: {}", batch.size(), away.getMessage());
      return false;
    } catch (RuntimeException | Error failure) {
      return alone(batch, failure);
    }
  }

  /// One receipt that cannot be recorded does not keep the others from it. Its session ends, and
  /// its message is sent again.
  private boolean alone(List<Answer> batch, Throwable failure) {
    if (batch.size() > 1) {
      return batch.stream()
          .map(answer -> recorded(List.of(answer)))
          .reduce(true, Boolean::logicalAnd);
    }
    Answer answer = batch.getFirst();
    LOG.error(
        "the receipt of {} for message {} cannot be recorded",
        answer.attached().agent(),
        answer.sequence(),
        failure);
    answer.attached().session().close(ErrorCode.UNAVAILABLE, "come again");
    return true;
  }

  @Override
  public void close() {
    closing.countDown();
  }
}
