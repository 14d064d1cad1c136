package io.penstock.loadtest.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.loadtest.engine.Pace;
import io.penstock.loadtest.fault.Home;
import io.penstock.loadtest.rate.Rate;
import io.penstock.loadtest.scenario.Scenario.TargetName;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ScenarioReaderTest {
  private static final Path SCENARIOS = Home.find().root().resolve("loadtest").resolve("scenarios");

  private static final String GOOD =
      """
      description: what it is
      targets: [penstock, origin, {name: peer, url: "http://127.0.0.1:9", insecure: true}]
      duration_s: 4
      turns: 2
      flows:
        - name: small
          rate: {poisson: 50, seed: 3}
          connections: 8
          requests:
            - {path: /1k, weight: 3}
            - {method: PUT, path: /upload, body_bytes: 10}
        - name: bulk
          requests: [{path: /bytes/1}]
      """;

  @Test
  void everyScenarioThatIsDeliveredCanBeRead() throws Exception {
    var reader = new ScenarioReader(SCENARIOS);

    assertThat(reader.names())
        .contains(
            "steady",
            "mixed-sizes",
            "slow-readers",
            "bulk-beside-small",
            "connect-storm",
            "reconnect-storm");
    for (String name : reader.names()) {
      assertThat(reader.read(name).description()).isNotBlank();
    }
  }

  @Test
  void readsFlowsTargetsAndTheirDefaults() throws Exception {
    Scenario scenario = ScenarioReader.parse("good", GOOD);

    assertThat(scenario.targets())
        .containsExactly(
            new TargetName.OwnTunnel(),
            new TargetName.OwnOrigin(),
            new TargetName.Url("peer", "http://127.0.0.1:9", "", true));
    assertThat(scenario.duration()).isEqualTo(Duration.ofSeconds(4));
    assertThat(scenario.turns()).isEqualTo(2);
    assertThat(scenario.threads()).isEqualTo(1);
    assertThat(scenario.flows()).hasSize(2);
    assertThat(scenario.flows().getFirst().pace())
        .isEqualTo(new Pace.Open(new Rate.Poisson(50, 3)));
    assertThat(scenario.flows().getFirst().mix()).hasSize(2);
    assertThat(scenario.flows().getLast().pace()).isEqualTo(new Pace.Closed());
    assertThat(scenario.flows().getLast().connections()).isEqualTo(64);
    assertThat(scenario.needsInstallation()).isTrue();
    assertThat(scenario.at(scenario.targets().subList(2, 3)).needsInstallation()).isFalse();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "turns: 2|trns: 2|good.yaml: trns: expected one of description, targets|unknown key",
        "connections: 8|conns: 8|good.yaml: flows[0].conns: expected one of name, rate|unknown key",
        "weight: 3|wait: 3|good.yaml: flows[0].requests[0].wait: expected one of|unknown key",
        "turns: 2|turns: two|good.yaml: turns: expected a whole number from 1 to 100|\"two\"",
        "turns: 2|turns: 0|good.yaml: turns: expected a whole number from 1 to 100|found 0",
        "duration_s: 4|duration_s: -1|duration_s: expected 0.1 to 86400|-1.0",
        "poisson: 50|poisson: -5|flows[0].rate: a Poisson rate: expected|found -5.0",
        "poisson: 50, seed: 3|x: 1|flows[0].rate: expected constant, poisson or ramp_from|none",
        "path: /1k|path: 1k|flows[0].requests[0]: path: expected printable ASCII|'1k'",
        "name: bulk|name: small|flows[1].name: expected another name|twice",
        "name: bulk|name: Bulk!|flows[1]: name: expected 1 to 32 lower-case|'Bulk!'",
        "origin|orgin|targets[1]: expected penstock, origin or {name, url}|'orgin'",
        "description: what it is|turns: 1|expected YAML, found a mistake in line|Duplicate",
      })
  void namesTheKeyWhatWasExpectedAndWhatWasFound(
      String from, String to, String expected, String found) {
    assertThat(GOOD).contains(from);

    assertThatThrownBy(() -> ScenarioReader.parse("good", GOOD.replaceFirst(quoted(from), to)))
        .isInstanceOf(ScenarioException.class)
        .hasMessageContaining(expected)
        .hasMessageContaining(found);
  }

  private static String quoted(String text) {
    return java.util.regex.Pattern.quote(text);
  }

  @Test
  void aStormHasThePenstockTargetAlone() {
    String storm =
        """
        description: storm
        targets: [origin]
        storm: {event: connect, agents: 3}
        """;

    assertThatThrownBy(() -> ScenarioReader.parse("storm", storm))
        .hasMessageContaining("expected targets [penstock] beside a storm");
    assertThatThrownBy(
            () ->
                ScenarioReader.parse(
                    "storm", storm.replace("[origin]", "[penstock]").replace("connect", "rain")))
        .hasMessageContaining("storm.event: expected connect or reconnect, found 'rain'");
    assertThatThrownBy(() -> ScenarioReader.parse("nothing", "description: nothing"))
        .hasMessageContaining("expected flows or a storm, found neither");
  }

  @Test
  void aScenarioThatDoesNotExistIsAnsweredWithThoseThatDo() {
    assertThatThrownBy(() -> new ScenarioReader(SCENARIOS).read("stedy"))
        .isInstanceOf(ScenarioException.class)
        .hasMessageContaining("steady")
        .hasMessageContaining("found 'stedy'");
  }
}
