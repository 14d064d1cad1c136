package io.penstock.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.penstock.agent.link.BrokerAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class AgentConfigTest {
  private static final String WHOLE =
      """
      broker:
        url: https://broker.example:8443
        urls: [https://second.example, https://broker.example:8443]
        proxy: {url: "http://proxy.example:3128", user: plant}
      agent: {name: plant-7, drain_ms: 5000}
      data: /var/lib/penstock
      tunnels: 2
      metrics: {port: 9191}
      systems:
        - name: erp
          plugin: http
          settings: {base_url: "http://127.0.0.1:8080"}
          allow:
            - methods: [GET, POST]
              paths: [/api/**]
      ceiling:
        - system: erp
          allow: [{methods: [GET], paths: [/api/*]}]
      """;

  private static AgentConfig read(String yaml, Map<String, String> environment) {
    ConfigReader in = ConfigReader.ofYaml(yaml, environment);
    AgentConfig config = AgentConfig.read(in);
    in.finish();
    return config;
  }

  private static List<String> problems(String yaml) {
    var refused = catchThrowableOfType(ConfigException.class, () -> read(yaml, Map.of()));
    return refused.problems();
  }

  @Test
  void readsEveryKey() {
    AgentConfig config = read(WHOLE, Map.of());

    assertThat(config.brokers())
        .containsExactly(
            new BrokerAddress("broker.example", 8443), new BrokerAddress("second.example", 443));
    assertThat(config.proxy())
        .contains(
            new AgentConfig.Proxy("proxy.example", 3128, Optional.of("plant"), Optional.empty()));
    assertThat(config.name()).contains("plant-7");
    assertThat(config.drain()).hasMillis(5000);
    assertThat(config.data()).isEqualTo(Path.of("/var/lib/penstock"));
    assertThat(config.tunnels()).contains(2);
    assertThat(config.metricsPort()).isEqualTo(9191);
    assertThat(config.systems().getFirst().allow().getFirst().paths()).containsExactly("/api/**");
    assertThat(config.ceiling().orElseThrow().getFirst().system()).isEqualTo("erp");
  }

  @Test
  void readsWhatTheOwnerDecidesAboutDeployedSystems(@TempDir Path directory) throws Exception {
    Path secretId = Files.writeString(directory.resolve("secret-id"), "x");
    AgentConfig config =
        read(
            """
            configuration: {forget_after_lost_session_ms: 600000}
            secrets: {directory: "%s", refresh_ms: 5000}
            vault: {address: "https://vault.example:8200", role_id: r, secret_id_file: "%s"}
            """
                .formatted(directory, secretId),
            Map.of());

    AgentConfig.Deployed deployed = config.configuration();
    assertThat(deployed.forgetAfterLostSession()).contains(Duration.ofMinutes(10));
    assertThat(deployed.refresh()).isEqualTo(Duration.ofSeconds(5));
    assertThat(deployed.secrets()).contains(directory);
    assertThat(deployed.vault().orElseThrow().address()).hasToString("https://vault.example:8200");
  }

  @Test
  void keepsDeployedSystemsUnlessTheOwnerWantsThemForgotten() {
    AgentConfig.Deployed deployed = read("", Map.of()).configuration();

    assertThat(deployed.forgetAfterLostSession()).isEmpty();
    assertThat(deployed.vault()).isEmpty();
    assertThat(problems("vault: {role_id: r}\nsecrets: {directory: /does/not/exist}"))
        .contains("vault: needs vault.address")
        .anyMatch(it -> it.startsWith("secrets.directory: expected a directory"));
    assertThat(problems("vault: {address: \"ftp://x\"}"))
        .anyMatch(it -> it.startsWith("vault.role_id"))
        .anyMatch(it -> it.startsWith("vault.secret_id_file"))
        .anyMatch(it -> it.startsWith("vault.address"));
  }

  @Test
  void hasNoCeilingUnlessTheFileNamesOne() {
    assertThat(read("", Map.of()).ceiling()).isEmpty();
    assertThat(read("ceiling: []", Map.of()).ceiling()).contains(List.of());
  }

  @Test
  void takesEveryKeyFromTheEnvironmentFirst() {
    var environment =
        Map.of(
            "PENSTOCK_BROKER_URL", "https://other.example",
            "PENSTOCK_METRICS_PORT", "0",
            "PENSTOCK_AGENT_NAME", "plant-8",
            "PENSTOCK_SYSTEMS",
                "[{name: mes, plugin: http, settings: {base_url: \"http://h\"}, allow: [{methods:"
                    + " [GET], paths: [/**]}]}]");

    AgentConfig config = read(WHOLE, environment);

    assertThat(config.brokers().getFirst()).isEqualTo(new BrokerAddress("other.example", 443));
    assertThat(config.metricsPort()).isZero();
    assertThat(config.name()).contains("plant-8");
    assertThat(config.systems().getFirst().name()).isEqualTo("mes");
  }

  @Test
  void namesEveryProblemAtOnce() {
    List<String> problems =
        problems(
            """
            broker: {url: "http://plain.example", colour: red}
            tunnels: 99
            speed: 7
            unlock: {passphrase_file: /does/not/exist}
            systems:
              - {name: "a b", plugin: http, extra: 1}
              - {name: erp, allow: [{methods: GET, paths: [/api]}]}
            """);

    assertThat(problems)
        .anyMatch(it -> it.startsWith("broker.url:"))
        .contains("broker.colour: unknown key", "speed: unknown key")
        .anyMatch(it -> it.startsWith("tunnels: expected a whole number"))
        .anyMatch(it -> it.startsWith("unlock.passphrase_file: cannot read"))
        .contains("systems[0].name: expected the name of a system")
        .contains("systems[0].extra: unknown key")
        .contains("systems[1].allow[0].methods: expected a list")
        .hasSize(8);
  }

  @Test
  void refusesAUrlThatHoldsAPasswordWithoutRepeatingIt() {
    assertThat(problems("broker: {url: 'https://u:canary@h'}"))
        .noneMatch(it -> it.contains("canary"));
    assertThat(problems("broker: {proxy: {url: 'http://u:canary@h'}}"))
        .noneMatch(it -> it.contains("canary"));
  }

  @Test
  void namesTheLineOfBrokenYamlWithoutQuotingIt() {
    assertThat(problems("data: x\nbroker: {canary: ["))
        .allMatch(it -> it.contains("line"))
        .noneMatch(it -> it.contains("canary"));
  }
}
