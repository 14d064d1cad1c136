package io.penstock.broker.audit;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.penstock.broker.config.KafkaConfig;
import io.penstock.broker.ctl.TestCertificates;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import kafka.tools.StorageTool;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/// A real Kafka of one node in KRaft mode, in a JVM of its own that a test may kill: SASL_SSL with
/// SCRAM-SHA-512, users made when its storage is formatted, nothing allowed that no ACL allows.
final class TestKafka implements AutoCloseable {
  static final String TOPIC = "audit_trail";
  static final String PRODUCER = "penstock-audit";
  static final String SINK = "siem";
  static final String GROUP = "siem-audit";

  /// What a settings file would stumble over.
  static final String PRODUCER_PASSWORD = "pro \"du\\cer; é #1";

  private static final String ADMIN = "admin";
  private static final String ADMIN_PASSWORD = "admin-password";
  private static final String SINK_PASSWORD = "sink-password";
  private static final String CLUSTER = "4L6g3nShT-eMCtK--X86sw";
  private static final String STORE_PASSWORD = "store-password";
  private static final int START_MILLIS = 120_000;
  private static final Duration POLL = Duration.ofMillis(200);

  private final Path directory;
  private final Path properties;
  private final Path ca;
  private final Path password;
  private final int port;
  private Optional<Process> process = Optional.empty();
  private Optional<Admin> shared = Optional.empty();

  private TestKafka(Path directory) throws Exception {
    this.directory = directory;
    properties = directory.resolve("server.properties");
    ca = directory.resolve("ca.pem");
    password = directory.resolve("producer-password");
    port = freePort();
    TestCertificates certificates = TestCertificates.ofThisRun();
    Files.writeString(ca, certificates.caPem());
    Files.writeString(password, PRODUCER_PASSWORD + "\n");
    try (OutputStream out = Files.newOutputStream(directory.resolve("server.p12"))) {
      char[] secret = STORE_PASSWORD.toCharArray();
      certificates.serverStore(secret).store(out, secret);
    }
    Files.writeString(properties, properties(freePort()));
  }

  static TestKafka start(Path directory) throws Exception {
    var kafka = new TestKafka(Files.createDirectories(directory));
    kafka.format();
    kafka.start();
    kafka.addProducer();
    return kafka;
  }

  private static int freePort() throws IOException {
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private String properties(int controllerPort) {
    return """
    process.roles=broker,controller
    node.id=1
    controller.quorum.voters=1@127.0.0.1:%2$d
    controller.listener.names=CONTROLLER
    listeners=SASL_SSL://127.0.0.1:%1$d,CONTROLLER://127.0.0.1:%2$d
    advertised.listeners=SASL_SSL://localhost:%1$d
    listener.security.protocol.map=SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT
    inter.broker.listener.name=SASL_SSL
    sasl.enabled.mechanisms=SCRAM-SHA-512
    sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
    listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=%5$s
    ssl.keystore.type=PKCS12
    ssl.keystore.location=%3$s/server.p12
    ssl.keystore.password=%4$s
    ssl.key.password=%4$s
    ssl.truststore.type=PEM
    ssl.truststore.location=%3$s/ca.pem
    ssl.enabled.protocols=TLSv1.3
    authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
    super.users=User:admin;User:ANONYMOUS
    log.dirs=%3$s/logs
    num.partitions=1
    auto.create.topics.enable=false
    offsets.topic.num.partitions=1
    offsets.topic.replication.factor=1
    transaction.state.log.replication.factor=1
    transaction.state.log.min.isr=1
    group.initial.rebalance.delay.ms=0
    """
        .formatted(port, controllerPort, directory, STORE_PASSWORD, login(ADMIN, ADMIN_PASSWORD));
  }

  private static String login(String user, String secret) {
    return "org.apache.kafka.common.security.scram.ScramLoginModule required username=\""
        + user
        + "\" password=\""
        + secret.replace("\\", "\\\\").replace("\"", "\\\"")
        + "\";";
  }

  private void format() {
    var said = new ByteArrayOutputStream();
    int exit =
        StorageTool.execute(
            new String[] {
              "format",
              "--cluster-id",
              CLUSTER,
              "--config",
              properties.toString(),
              "--add-scram",
              scram(ADMIN, ADMIN_PASSWORD),
              "--add-scram",
              scram(SINK, SINK_PASSWORD)
            },
            new PrintStream(said, true, UTF_8));
    if (exit != 0) {
      throw new IllegalStateException("Kafka's storage: " + said.toString(UTF_8));
    }
  }

  private void addProducer() throws Exception {
    var credential =
        new UserScramCredentialUpsertion(
            PRODUCER,
            new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096),
            PRODUCER_PASSWORD.getBytes(UTF_8));
    shared().alterUserScramCredentials(List.of(credential)).all().get(20, TimeUnit.SECONDS);
  }

  private static String scram(String user, String secret) {
    return "SCRAM-SHA-512=[name=" + user + ",password=" + secret + "]";
  }

  /// Comes back where it was, with what it had.
  void start() throws Exception {
    var command =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx300m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-cp",
            System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
            "kafka.Kafka",
            properties.toString());
    command.redirectErrorStream(true);
    command.redirectOutput(
        ProcessBuilder.Redirect.appendTo(directory.resolve("server.log").toFile()));
    process = Optional.of(command.start());
    awaitAnswer();
  }

  private void awaitAnswer() throws Exception {
    try (Admin admin = admin(START_MILLIS)) {
      admin.describeCluster().nodes().get(START_MILLIS, TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException silent) {
      throw new IllegalStateException(
          "Kafka does not start: " + Files.readString(directory.resolve("server.log")), silent);
    }
  }

  /// As by a power cut.
  void kill() {
    Process killed = process.orElseThrow();
    killed.destroyForcibly();
    killed.onExit().orTimeout(10, TimeUnit.SECONDS).join();
    process = Optional.empty();
  }

  KafkaConfig config() {
    return config(PRODUCER, Duration.ofMinutes(5));
  }

  KafkaConfig config(String user, Duration behindAfter) {
    return config(user, TOPIC, behindAfter);
  }

  KafkaConfig config(String user, String topic, Duration behindAfter) {
    return new KafkaConfig(
        List.of("localhost:" + port),
        topic,
        "SASL_SSL",
        "SCRAM-SHA-512",
        Optional.of(user),
        Optional.of(password),
        Optional.of(ca),
        behindAfter,
        Duration.ofDays(30),
        Duration.ofDays(7));
  }

  Admin admin() {
    return admin(20_000);
  }

  /// Made once: a connection takes its time.
  private Admin shared() {
    Admin admin = shared.orElseGet(this::admin);
    shared = Optional.of(admin);
    return admin;
  }

  private Admin admin(int millis) {
    Map<String, Object> settings = client(ADMIN, ADMIN_PASSWORD);
    settings.put("default.api.timeout.ms", millis);
    settings.put("request.timeout.ms", 5_000);
    return Admin.create(settings);
  }

  private Map<String, Object> client(String user, String secret) {
    var settings = new HashMap<String, Object>();
    settings.put("bootstrap.servers", "localhost:" + port);
    settings.put("security.protocol", "SASL_SSL");
    settings.put("sasl.mechanism", "SCRAM-SHA-512");
    settings.put("sasl.jaas.config", login(user, secret));
    settings.put("ssl.truststore.type", "PEM");
    settings.put("ssl.truststore.location", ca.toString());
    return settings;
  }

  KafkaConsumer<String, String> consumer(String user, String group) {
    Map<String, Object> settings =
        client(user, user.equals(SINK) ? SINK_PASSWORD : PRODUCER_PASSWORD);
    settings.put("group.id", group);
    settings.put("auto.offset.reset", "earliest");
    settings.put("enable.auto.commit", false);
    settings.put("default.api.timeout.ms", 20_000);
    return new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
  }

  KafkaProducer<String, String> producerOfTheSink() {
    Map<String, Object> settings = client(SINK, SINK_PASSWORD);
    settings.put("max.block.ms", 20_000L);
    // Without it nothing but the right to write is asked for.
    settings.put("enable.idempotence", false);
    return new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer());
  }

  void createTopic(String name, Map<String, String> settings) throws Exception {
    shared()
        .createTopics(List.of(new NewTopic(name, 1, (short) 1).configs(settings)))
        .all()
        .get(20, TimeUnit.SECONDS);
  }

  /// What `docs/kafka.md` has as commands.
  void allow(String user, ResourceType type, String name, AclOperation... operations)
      throws Exception {
    List<AclBinding> bindings =
        Arrays.stream(operations)
            .map(
                operation ->
                    new AclBinding(
                        new ResourcePattern(type, name, PatternType.LITERAL),
                        new AccessControlEntry(
                            "User:" + user, "*", operation, AclPermissionType.ALLOW)))
            .toList();
    shared().createAcls(bindings).all().get(20, TimeUnit.SECONDS);
  }

  /// All that is in the topic, as the sink reads it.
  List<ConsumerRecord<String, String>> consumed(String topic) {
    var all = new ArrayList<ConsumerRecord<String, String>>();
    var partition = new TopicPartition(topic, KafkaSink.PARTITION);
    try (KafkaConsumer<String, String> consumer = consumer(SINK, GROUP)) {
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      long end = Objects.requireNonNull(consumer.endOffsets(List.of(partition)).get(partition));
      while (consumer.position(partition) < end) {
        consumer.poll(POLL).forEach(all::add);
      }
    }
    return all;
  }

  @Override
  public void close() {
    shared.ifPresent(admin -> admin.close(Duration.ZERO));
    if (process.isPresent()) {
      kill();
    }
  }
}
