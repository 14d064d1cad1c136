package io.penstock.broker.audit;

import io.penstock.broker.config.KafkaConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/// Whether the topic keeps what is given to it. It is looked at, never made or changed: that is for
/// whoever the cluster belongs to.
final class KafkaTopic {
  private static final int WAIT_SECONDS = 20;
  private static final long FOR_EVER = -1;

  private KafkaTopic() {}

  /// What is wrong with it, in words; empty = nothing. Throws [KafkaException] when there is no
  /// such topic or nobody answers.
  static List<String> problems(KafkaConfig config) {
    var resource = new ConfigResource(ConfigResource.Type.TOPIC, config.topic());
    try (Admin admin = Admin.create(KafkaClient.admin(config))) {
      Map<ConfigResource, Config> found =
          admin.describeConfigs(List.of(resource)).all().get(WAIT_SECONDS, TimeUnit.SECONDS);
      return problems(Objects.requireNonNull(found.get(resource)), config);
    } catch (ExecutionException e) {
      return unanswered(Objects.requireNonNullElse(e.getCause(), e), config);
    } catch (TimeoutException e) {
      throw new KafkaException("no answer within " + WAIT_SECONDS + " s", e);
    } catch (InterruptedException e) {
      throw new InterruptException(e);
    }
  }

  private static List<String> unanswered(Throwable cause, KafkaConfig config) {
    return switch (cause) {
      case UnknownTopicOrPartitionException _ ->
          throw new KafkaException("there is no topic " + config.topic());
      // Writing may be allowed all the same.
      case AuthorizationException _ ->
          List.of("its settings cannot be looked at: DescribeConfigs is not allowed");
      case KafkaException kafka -> throw kafka;
      default -> throw new KafkaException(cause);
    };
  }

  private static List<String> problems(Config found, KafkaConfig config) {
    var problems = new ArrayList<String>();
    String cleanup = value(found, TopicConfig.CLEANUP_POLICY_CONFIG);
    if (!cleanup.equals(TopicConfig.CLEANUP_POLICY_DELETE)) {
      problems.add(
          "cleanup.policy: expected delete, found " + cleanup + ", which takes records away");
    }
    long retention = number(found, TopicConfig.RETENTION_MS_CONFIG);
    long least = config.leastTopicRetention().toMillis();
    if (retention != FOR_EVER && retention < least) {
      problems.add("retention.ms: expected -1 or at least " + least + ", found " + retention);
    }
    long bytes = number(found, TopicConfig.RETENTION_BYTES_CONFIG);
    if (bytes != FOR_EVER) {
      problems.add("retention.bytes: expected -1, found " + bytes);
    }
    return problems;
  }

  private static long number(Config found, String name) {
    return Long.parseLong(value(found, name));
  }

  private static String value(Config found, String name) {
    ConfigEntry entry = found.get(name);
    if (entry == null || entry.value() == null) {
      throw new KafkaException("the topic's setting " + name + " is not told");
    }
    return entry.value();
  }
}
