package io.penstock.broker.audit;

import io.penstock.broker.config.KafkaConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.SaslConfigs;
import org.apache.kafka.common.config.SslConfigs;
import org.apache.kafka.common.serialization.StringSerializer;

/// Our settings in Kafka's words. The password is in one of them, which Kafka itself never prints.
final class KafkaClient {
  private static final String LOGIN_MODULE =
      "org.apache.kafka.common.security.scram.ScramLoginModule";
  private static final int REQUEST_MILLIS = 15_000;
  private static final int BLOCK_MILLIS = 5_000;
  private static final int MAX_REQUEST = 16 << 20;
  private static final long BUFFER = 32L << 20;

  private KafkaClient() {}

  private static Map<String, Object> common(KafkaConfig config) {
    var settings = new HashMap<String, Object>();
    settings.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, config.bootstrapServers());
    settings.put(CommonClientConfigs.CLIENT_ID_CONFIG, "penstock-audit");
    settings.put(CommonClientConfigs.SECURITY_PROTOCOL_CONFIG, config.securityProtocol());
    settings.put(CommonClientConfigs.REQUEST_TIMEOUT_MS_CONFIG, REQUEST_MILLIS);
    settings.put(CommonClientConfigs.RECONNECT_BACKOFF_MS_CONFIG, 100L);
    settings.put(CommonClientConfigs.RECONNECT_BACKOFF_MAX_MS_CONFIG, 2_000L);
    // Nothing is told to the servers about this client.
    settings.put(CommonClientConfigs.ENABLE_METRICS_PUSH_CONFIG, false);
    if (config.isAuthenticated()) {
      settings.put(SaslConfigs.SASL_MECHANISM, config.saslMechanism());
      settings.put(SaslConfigs.SASL_JAAS_CONFIG, login(config));
    }
    if (config.isEncrypted()) {
      settings.put(SslConfigs.SSL_PROTOCOL_CONFIG, "TLSv1.3");
      settings.put(SslConfigs.SSL_ENABLED_PROTOCOLS_CONFIG, "TLSv1.3");
      config
          .caFile()
          .ifPresent(
              ca -> {
                settings.put(SslConfigs.SSL_TRUSTSTORE_TYPE_CONFIG, "PEM");
                settings.put(SslConfigs.SSL_TRUSTSTORE_LOCATION_CONFIG, ca.toString());
              });
    }
    return settings;
  }

  static Map<String, Object> admin(KafkaConfig config) {
    Map<String, Object> settings = common(config);
    settings.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, REQUEST_MILLIS);
    return settings;
  }

  /// Records stay in order, whatever happens: an idempotent producer's batches are numbered, and
  /// none is given up before the ones behind it, because none is given up at all. Whoever waits has
  /// a deadline, the records have not.
  static Map<String, Object> producer(KafkaConfig config) {
    Map<String, Object> settings = common(config);
    settings.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, StringSerializer.class);
    settings.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, StringSerializer.class);
    settings.put(ProducerConfig.ACKS_CONFIG, "all");
    settings.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
    settings.put(ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION, 5);
    settings.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, Integer.MAX_VALUE);
    settings.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, (long) BLOCK_MILLIS);
    settings.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, MAX_REQUEST);
    settings.put(ProducerConfig.BUFFER_MEMORY_CONFIG, BUFFER);
    settings.put(ProducerConfig.LINGER_MS_CONFIG, 5);
    settings.put(ProducerConfig.BATCH_SIZE_CONFIG, 128 << 10);
    settings.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, "gzip");
    return settings;
  }

  private static String login(KafkaConfig config) {
    return LOGIN_MODULE
        + " required username="
        + quoted(config.username().orElseThrow())
        + " password="
        + quoted(password(config.passwordFile().orElseThrow()))
        + ";";
  }

  private static String password(Path file) {
    String password;
    try {
      password = Files.readString(file).strip();
    } catch (IOException e) {
      throw new KafkaException("audit.kafka.password_file: cannot read " + file, e);
    }
    if (password.isEmpty() || password.chars().anyMatch(Character::isISOControl)) {
      throw new KafkaException(
          "audit.kafka.password_file: expected one line with the password in " + file);
    }
    return password;
  }

  private static String quoted(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }
}
