package io.penstock.broker.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;

/// What becomes of a page of which something fails.
class KafkaSinkTest {
  private final MockProducer<String, String> producer =
      new MockProducer<>(false, null, new StringSerializer(), new StringSerializer());
  private final KafkaSink sink = new KafkaSink(producer, "audit_trail");

  @Test
  void aPageIsThereWhenAllOfItIs() {
    CompletableFuture<Void> sent = sink.send(page(3));

    producer.completeNext();
    producer.completeNext();
    assertThat(sent).isNotDone();
    producer.completeNext();

    assertThat(sent).isCompleted();
    assertThat(producer.history().stream().map(ProducerRecord::key)).containsExactly("1", "2", "3");
    assertThat(producer.history()).allMatch(it -> it.partition() == KafkaSink.PARTITION);
  }

  @Test
  void whatIsBehindAFailureIsNotSent() {
    CompletableFuture<Void> sent = sink.send(page(3));
    producer.completeNext();

    producer.errorNext(new RecordTooLargeException("too large"));

    assertThat(sent).isCompletedExceptionally();
    assertThat(producer.closed()).isTrue();
    assertThatThrownBy(() -> sink.send(page(1))).isInstanceOf(IllegalStateException.class);
  }

  private static List<ShippedLine> page(int lines) {
    return IntStream.rangeClosed(1, lines)
        .mapToObj(i -> new ShippedLine(Integer.toString(i), Map.of(), "{}"))
        .toList();
  }
}
