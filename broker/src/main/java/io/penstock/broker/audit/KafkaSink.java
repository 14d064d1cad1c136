package io.penstock.broker.audit;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.penstock.broker.config.KafkaConfig;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;

/// One producer for one partition. After the first failure it is of no further use: what was behind
/// the record that failed must not be stored before that is sent again.
final class KafkaSink implements AutoCloseable {
  /// All of the trail is in one partition, which alone keeps an order. It is named, not computed
  /// from a key: a topic may get more partitions later.
  static final int PARTITION = 0;

  private final Producer<String, String> producer;
  private final String topic;

  KafkaSink(Producer<String, String> producer, String topic) {
    this.producer = producer;
    this.topic = topic;
  }

  static KafkaSink open(KafkaConfig config) {
    return new KafkaSink(new KafkaProducer<>(KafkaClient.producer(config)), config.topic());
  }

  /// Completes when all in-sync replicas have all of it, or with the first failure. Blocks for the
  /// first connection.
  CompletableFuture<Void> send(List<ShippedLine> lines) {
    var acknowledged = new CompletableFuture<Void>();
    var left = new AtomicInteger(lines.size());
    try {
      for (ShippedLine line : lines) {
        // What has become of it the callback says.
        var _ = producer.send(record(line), (_, failure) -> over(failure, left, acknowledged));
      }
    } catch (IllegalStateException closed) {
      if (!acknowledged.isCompletedExceptionally()) {
        throw closed;
      }
    }
    return acknowledged;
  }

  /// Closes at once, on this thread, when one fails: nothing that waits is sent any more.
  private void over(
      @Nullable Exception failure, AtomicInteger left, CompletableFuture<Void> acknowledged) {
    if (failure != null) {
      acknowledged.completeExceptionally(failure);
      producer.close(Duration.ZERO);
    } else if (left.decrementAndGet() == 0) {
      acknowledged.complete(null);
    }
  }

  private ProducerRecord<String, String> record(ShippedLine line) {
    var record = new ProducerRecord<>(topic, PARTITION, line.key(), line.text());
    line.headers().forEach((name, value) -> record.headers().add(name, value.getBytes(UTF_8)));
    return record;
  }

  /// What is not acknowledged yet is dropped here; it is sent again.
  @Override
  public void close() {
    producer.close(Duration.ZERO);
  }
}
