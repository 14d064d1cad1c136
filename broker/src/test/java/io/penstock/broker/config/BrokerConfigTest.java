package io.penstock.broker.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BrokerConfigTest {
  @Test
  void theCommentedExampleIsExactlyTheDefaults() {
    Path example = repositoryRoot().resolve("conf/broker.yaml");

    BrokerConfig fromExample = BrokerConfig.load(Optional.of(example), Map.of(), Map.of());

    assertThat(fromExample).isEqualTo(BrokerConfig.load(Optional.empty(), Map.of(), Map.of()));
  }

  @Test
  void flagsWinOverTheEnvironmentAndTheEnvironmentOverTheFile() {
    String yaml = "listen: {port: 1, host: 10.0.0.1}\nedge: {idle: 1m}";
    Map<String, String> environment =
        Map.of("PENSTOCK_LISTEN_PORT", "2", "PENSTOCK_EDGE_IDLE", "90s");

    BrokerConfig config = read(yaml, environment, Map.of("listen.port", "3"));

    assertThat(config.listen())
        .isEqualTo(new BrokerConfig.Listen("10.0.0.1", 3, Networks.of(List.of())));
    assertThat(config.edge().idle()).isEqualTo(Duration.ofSeconds(90));
    assertThat(config.externalUrl()).isEqualTo("https://localhost:3");
  }

  @Test
  void kafkaIsOffWithoutServers() {
    assertThat(read("audit: {kafka: {topic: other}}", Map.of(), Map.of()).audit().kafka())
        .isEmpty();
  }

  @Test
  void aProviderIsReadWithItsTableOfRoles(@TempDir Path directory) throws Exception {
    Path secret = Files.writeString(directory.resolve("secret"), "4711");
    String yaml =
        """
        oidc:
          issuer: https://login.example.com/realms/plant
          client_id: penstock
          client_secret_file: %s
          roles_claim: /a~1b/c
          roles: ["Penstock.Admin=Admin", "x=y=Viewer"]
        """
            .formatted(secret);

    OidcConfig config = read(yaml, Map.of(), Map.of()).oidc().orElseThrow();

    assertThat(config.rolesClaim()).containsExactly("a/b", "c");
    assertThat(config.scopes()).containsExactly("openid", "email", "profile");
    assertThat(config.roles())
        .containsExactly(
            new OidcConfig.RoleOf("Penstock.Admin", "Admin"),
            new OidcConfig.RoleOf("x=y", "Viewer"));
  }

  @Test
  void onlyAProviderOfThisMachineHasEndpointsInTheClear(@TempDir Path directory) throws Exception {
    Path secret = Files.writeString(directory.resolve("secret"), "4711");

    OidcConfig elsewhere = provider("https://login.example.com/realms/plant", secret);
    OidcConfig here = provider("http://127.0.0.1:8080/realms/plant", secret);

    assertThat(elsewhere.takesEndpoint("https://login.example.com/token")).isTrue();
    assertThat(elsewhere.takesEndpoint("http://127.0.0.1:8080/token")).isFalse();
    assertThat(here.takesEndpoint("http://127.0.0.1:8080/token")).isTrue();
    assertThat(here.takesEndpoint("http://login.example.com/token")).isFalse();
    assertThatThrownBy(() -> provider("https://login.example.com/realms/plant?x=y", secret))
        .hasMessageContaining("oidc.issuer: expected https://");
  }

  @Test
  void browsersMayReachTheConsoleByAnotherAddress(@TempDir Path directory) throws Exception {
    Path secret = Files.writeString(directory.resolve("secret"), "4711");

    assertThat(provider("https://login.example.com", secret).consoleUrl()).isEmpty();
    assertThat(consoleAt("https://tools.example.com/penstock/", secret).consoleUrl())
        .contains("https://tools.example.com/penstock");
    for (String wrong :
        List.of("http://localhost", "https://a/b?c", "https://a//", "https://u@a", "tools/x")) {
      assertThatThrownBy(() -> consoleAt(wrong, secret))
          .hasMessageContaining("oidc.console_url: expected https://");
    }
  }

  private static OidcConfig consoleAt(String url, Path secret) {
    String yaml =
        "oidc: {issuer: 'https://a', console_url: '%s', client_id: b, client_secret_file: %s, roles: [a=Admin]}"
            .formatted(url, secret);
    return read(yaml, Map.of(), Map.of()).oidc().orElseThrow();
  }

  private static OidcConfig provider(String issuer, Path secret) {
    String yaml =
        "oidc: {issuer: '%s', client_id: penstock, client_secret_file: %s, roles: [a=Admin]}"
            .formatted(issuer, secret);
    return read(yaml, Map.of(), Map.of()).oidc().orElseThrow();
  }

  @Test
  void aProviderThatIsHalfThereIsAProblem() {
    assertThatThrownBy(
            () ->
                read(
                    "oidc: {issuer: 'http://login.example.com', roles: [a=Boss]}",
                    Map.of(),
                    Map.of()))
        .hasMessageContaining("oidc.issuer: expected https://")
        .hasMessageContaining("oidc.client_id: expected")
        .hasMessageContaining("oidc.client_secret_file: expected")
        .hasMessageContaining("oidc.roles: expected VALUE=ROLE");
    assertThatThrownBy(() -> read("oidc: {client_id: penstock}", Map.of(), Map.of()))
        .hasMessageContaining("oidc.issuer: expected the provider's issuer");
  }

  @Test
  void kafkaInTheClearIsForThisMachineOnly() {
    KafkaConfig config =
        read(inTheClear("localhost:9092"), Map.of(), Map.of()).audit().kafka().orElseThrow();

    assertThat(config.topic()).isEqualTo("audit_trail");
    assertThat(config.isEncrypted()).isFalse();
    assertThatThrownBy(() -> read(inTheClear("k.example.com:9092"), Map.of(), Map.of()))
        .hasMessageContaining("audit.kafka.security_protocol: expected SASL_SSL, found PLAINTEXT");
  }

  private static String inTheClear(String server) {
    return "audit: {kafka: {bootstrap_servers: ['" + server + "'], security_protocol: PLAINTEXT}}";
  }

  @Test
  void kafkaWantsALoginAndWellFormedServers() {
    String yaml =
        "audit: {kafka: {bootstrap_servers: [nothing], topic: 'a b', sasl_mechanism: PLAIN,"
            + " ca_file: /nowhere}}";

    assertThatThrownBy(() -> read(yaml, Map.of(), Map.of()))
        .hasMessageContaining("audit.kafka.bootstrap_servers: expected host:port, found nothing")
        .hasMessageContaining("audit.kafka.topic: expected")
        .hasMessageContaining("audit.kafka.sasl_mechanism: expected one of")
        .hasMessageContaining("audit.kafka.username and audit.kafka.password_file")
        .hasMessageContaining("audit.kafka.ca_file: cannot read /nowhere");
  }

  @Test
  void listsEveryProblemAtOnce() {
    String yaml =
        """
        listen: {port: 99999, prot: 1}
        edge: {idle: soon, head_bytes: 1GiB}
        tls: {profile: production, certificate: /does/not/exist}
        external_url: http://example.com
        nonsense: true
        metrics: {host: 0.0.0.0}
        database: {url: "mysql://u:geheim@h/d"}
        drain: 5
        """;

    ConfigException e =
        catchThrowableOfType(
            ConfigException.class, () -> read(yaml, Map.of("PENSTOCK_LISTEN_PROT", "1"), Map.of()));

    assertThat(e.problems())
        .contains(
            "listen.port: expected a whole number from 0 to 65535, found 99999",
            "listen.prot: unknown key",
            "nonsense: unknown key",
            "metrics.host: expected 127.0.0.1 or ::1, found 0.0.0.0",
            "PENSTOCK_LISTEN_PROT: unknown key (environment)",
            "drain: expected a section with keys")
        .anyMatch(problem -> problem.startsWith("edge.idle: expected a time"))
        .anyMatch(problem -> problem.startsWith("edge.head_bytes: expected a size"))
        .anyMatch(problem -> problem.startsWith("tls.certificate and tls.private_key"))
        .anyMatch(problem -> problem.startsWith("external_url: expected https://"))
        .anyMatch(problem -> problem.startsWith("database.url: expected postgres://"));
    assertThat(e.getMessage()).doesNotContain("geheim");
  }

  @Test
  void refusesAKeyGivenTwice() {
    ConfigException e =
        catchThrowableOfType(
            ConfigException.class,
            () -> read("drain: {seconds: 1}\ndrain: {seconds: 2}", Map.of(), Map.of()));

    assertThat(e.problems()).hasSize(1);
  }

  @Test
  void readsListsFromYamlAndFromTheEnvironment() {
    assertThat(read("tls: {names: [a.example, b.example]}", Map.of(), Map.of()).tls().names())
        .isEqualTo(List.of("a.example", "b.example"));
    assertThat(
            read("", Map.of("PENSTOCK_TLS_NAMES", "c.example, d.example"), Map.of()).tls().names())
        .isEqualTo(List.of("c.example", "d.example"));
  }

  @Test
  void whatNeedsASecondPersonIsAListOfKnownWords() {
    String yaml = "changes: {require_second_person: [deploy, revoke-many]}";

    assertThat(read(yaml, Map.of(), Map.of()).changes().requireSecondPerson())
        .containsExactlyInAnyOrder(
            BrokerConfig.SecondPerson.DEPLOY, BrokerConfig.SecondPerson.REVOKE_MANY);
    ConfigException e =
        catchThrowableOfType(
            ConfigException.class,
            () -> read("changes: {require_second_person: [all]}", Map.of(), Map.of()));
    assertThat(e.problems())
        .containsExactly(
            "changes.require_second_person: expected a list of deploy, revoke-many, found all");
  }

  @Test
  void plainTokensOfGatewaysAreOffByDefault() {
    assertThat(read("", Map.of(), Map.of()).gateways().plainBearer()).isFalse();
    assertThat(read("gateways: {plain_bearer: true}", Map.of(), Map.of()).gateways().plainBearer())
        .isTrue();
  }

  @Test
  void leavesTheAgentsAndTheLaunchersVariablesAlone() {
    Map<String, String> environment =
        Map.of("PENSTOCK_ENROLLMENT_TOKEN", "x", "PENSTOCK_OPTS", "y");

    assertThat(read("", environment, Map.of()).listen().port()).isEqualTo(8443);
  }

  @Test
  void readsWhoIsToldOfAlarms(@TempDir Path directory) throws Exception {
    Path secret = Files.writeString(directory.resolve("secret"), "x");
    String yaml =
        """
        alarms:
          latency_target: 0.999
          webhooks:
            ops: {url: "https://hooks.example.com/geheim", secret_file: "%1$s", severity: high}
            here: {url: "http://127.0.0.1:9000/", secret_file: "%1$s"}
          mail: {host: mail.example.com, from: penstock@example.com, to: [a@example.com, b@example.com]}
        """
            .formatted(secret);

    AlarmSettings alarms = read(yaml, Map.of(), Map.of()).alarms();

    assertThat(alarms.webhooks())
        .extracting(AlarmSettings.Webhook::name)
        .containsExactly("ops", "here");
    assertThat(alarms.webhooks().getFirst().severity()).isEqualTo(AlarmSettings.Least.HIGH);
    assertThat(alarms.mail().orElseThrow().security()).isEqualTo(AlarmSettings.Security.STARTTLS);
    assertThat(alarms.mail().orElseThrow().to()).hasSize(2);
    assertThat(alarms.latency().target()).isEqualTo(0.999);
    assertThat(alarms.toString()).doesNotContain("geheim");
  }

  @Test
  void refusesChannelsThatWouldNotBeSafeAndLimitsThatMeanNothing() {
    String yaml =
        """
        alarms:
          latency_target: 0.9
          disk_free: 7
          webhooks:
            Ops: {url: "https://hooks.example.com/", secret_file: "/does/not/exist"}
            plain: {url: "http://hooks.example.com/geheim"}
            odd: {url: "https://u:p@hooks.example.com/", secrets: x}
          mail: {host: mail.example.com, security: none, user: u, from: nobody, to: ["a b"]}
        """;

    ConfigException e =
        catchThrowableOfType(ConfigException.class, () -> read(yaml, Map.of(), Map.of()));

    assertThat(e.problems())
        .contains(
            "alarms.latency_burn_rate: expected at most 10.0, which is everything slow at this"
                + " alarms.latency_target, found 14.4",
            "alarms.disk_free: expected a number from 0.0 to 1.0, found 7",
            "alarms.webhooks.Ops: expected a name of a-z 0-9 - with a letter first, at most 40"
                + " long",
            "alarms.webhooks.Ops.secret_file: cannot read /does/not/exist",
            "alarms.webhooks.plain.url: expected https://…, or http:// to this machine, without"
                + " user",
            "alarms.webhooks.plain.secret_file: expected a file with the secret",
            "alarms.webhooks.odd.url: expected https://…, or http:// to this machine, without"
                + " user",
            "alarms.webhooks.odd.secrets: unknown key",
            "alarms.mail.security: expected starttls or tls to another machine, found none",
            "alarms.mail.user and alarms.mail.password_file: expected both or neither",
            "alarms.mail.from: expected an address such as penstock@example.com, found nobody",
            "alarms.mail.to: expected 1 to 50 addresses, found [a b]");
    assertThat(e.getMessage()).doesNotContain("geheim", "u:p");
    assertThat(
            catchThrowableOfType(
                    ConfigException.class,
                    () -> read("alarms: {webhooks: ops}", Map.of(), Map.of()))
                .problems())
        .containsExactly("alarms.webhooks: expected a section with keys");
  }

  private static BrokerConfig read(
      String yaml, Map<String, String> environment, Map<String, String> flags) {
    return BrokerConfig.read(ConfigReader.ofYaml(yaml, environment, flags));
  }

  private static Path repositoryRoot() {
    Path path = Path.of("").toAbsolutePath();
    while (!Files.exists(path.resolve("conf/broker.yaml"))) {
      path = java.util.Objects.requireNonNull(path.getParent());
    }
    return path;
  }
}
