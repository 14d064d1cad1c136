package io.penstock.broker.config;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// Where the audit trail goes in Kafka. The password is read when a connection is made, so that a
/// new one in the file is of use without a restart.
///
/// @param behindAfter how long records may wait before there is an alarm
/// @param holdPruning how long the retention waits for what is not in Kafka
/// @param leastTopicRetention a topic that keeps records for less is an alarm
public record KafkaConfig(
    List<String> bootstrapServers,
    String topic,
    String securityProtocol,
    String saslMechanism,
    Optional<String> username,
    Optional<Path> passwordFile,
    Optional<Path> caFile,
    Duration behindAfter,
    Duration holdPruning,
    Duration leastTopicRetention) {

  private static final String SECTION = "audit.kafka.";
  private static final List<String> PROTOCOLS = List.of("SASL_SSL", "SASL_PLAINTEXT", "PLAINTEXT");
  private static final List<String> MECHANISMS = List.of("SCRAM-SHA-512", "SCRAM-SHA-256");
  private static final Set<String> LOOPBACK = Set.of("127.0.0.1", "[::1]", "localhost");
  private static final Pattern SERVER = Pattern.compile("(\\[[0-9a-fA-F:]+]|[^:\\s]+):\\d{1,5}");
  private static final Pattern TOPIC = Pattern.compile("[a-zA-Z0-9._-]{1,249}");
  private static final Pattern USER = Pattern.compile("[^\\p{Cntrl}]{1,255}");

  public KafkaConfig {
    bootstrapServers = List.copyOf(bootstrapServers);
  }

  public boolean isEncrypted() {
    return securityProtocol.endsWith("SSL");
  }

  public boolean isAuthenticated() {
    return securityProtocol.startsWith("SASL");
  }

  /// Empty = off.
  static Optional<KafkaConfig> read(ConfigReader in) {
    var config =
        new KafkaConfig(
            in.list(SECTION + "bootstrap_servers"),
            in.text(SECTION + "topic", "audit_trail"),
            in.text(SECTION + "security_protocol", "SASL_SSL"),
            in.text(SECTION + "sasl_mechanism", "SCRAM-SHA-512"),
            in.optionalText(SECTION + "username"),
            in.optionalPath(SECTION + "password_file"),
            in.optionalPath(SECTION + "ca_file"),
            in.duration(
                SECTION + "behind_after",
                Duration.ofMinutes(5),
                Duration.ofSeconds(1),
                Duration.ofDays(1)),
            in.duration(
                SECTION + "hold_pruning",
                Duration.ofDays(30),
                Duration.ZERO,
                Duration.ofDays(3_650)),
            in.duration(
                SECTION + "least_topic_retention",
                Duration.ofDays(7),
                Duration.ZERO,
                Duration.ofDays(36_500)));
    if (config.bootstrapServers.isEmpty()) {
      return Optional.empty();
    }
    config.check(in);
    return Optional.of(config);
  }

  private void check(ConfigReader in) {
    bootstrapServers.forEach(
        server ->
            in.require(
                SERVER.matcher(server).matches(),
                SECTION + "bootstrap_servers: expected host:port, found " + server));
    in.require(
        TOPIC.matcher(topic).matches(),
        SECTION + "topic: expected letters, digits, '.', '_' and '-', found " + topic);
    requireOneOf(in, "security_protocol", PROTOCOLS, securityProtocol);
    requireOneOf(in, "sasl_mechanism", MECHANISMS, saslMechanism);
    in.require(
        isEncrypted() || bootstrapServers.stream().allMatch(KafkaConfig::isLoopback),
        SECTION
            + "security_protocol: expected SASL_SSL, found "
            + securityProtocol
            + "; without encryption only for servers on 127.0.0.1, [::1] or localhost");
    in.require(
        !isAuthenticated()
            || (passwordFile.isPresent()
                && username.filter(it -> USER.matcher(it).matches()).isPresent()),
        SECTION + "username and " + SECTION + "password_file: expected both with SASL");
    requireFile(in, "password_file", passwordFile);
    requireFile(in, "ca_file", caFile);
  }

  private static void requireOneOf(
      ConfigReader in, String key, List<String> allowed, String found) {
    in.require(
        allowed.contains(found),
        SECTION + key + ": expected one of " + allowed + ", found " + found);
  }

  private static void requireFile(ConfigReader in, String key, Optional<Path> file) {
    in.require(
        file.isEmpty() || Files.isReadable(file.get()),
        SECTION + key + ": cannot read " + file.map(Path::toString).orElse(""));
  }

  private static boolean isLoopback(String server) {
    return LOOPBACK.contains(server.substring(0, Math.max(0, server.lastIndexOf(':'))));
  }
}
