package io.penstock.loadtest.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.loadtest.engine.Pace;
import io.penstock.loadtest.fault.Home;
import io.penstock.loadtest.network.Network;
import io.penstock.loadtest.rate.Rate;
import io.penstock.loadtest.scenario.Scenario.TargetName;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
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
            "wide-area",
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
            TargetName.OwnTunnel.usual(),
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

  @Test
  void aTargetMayHaveALineOfItsOwnAndTheOthersHaveTheScenarios() throws Exception {
    String text =
        GOOD.replace(
            "targets: [penstock,",
            "network: {delay_ms: 20, jitter_ms: 1.5}\n"
                + "targets: [{name: far, network: {delay_ms: 80, bytes_per_second: 1000000,"
                + " stall_every_s: 10, stall_ms: 300, reset_every_s: 60}}, penstock,");

    Scenario scenario = ScenarioReader.parse("good", text);

    assertThat(scenario.hasLines()).isTrue();
    assertThat(scenario.targets())
        .startsWith(
            new TargetName.OwnTunnel(
                "far",
                Optional.of(
                    new Network(
                        Duration.ofMillis(80),
                        Duration.ZERO,
                        1_000_000,
                        Duration.ofSeconds(10),
                        Duration.ofMillis(300),
                        Duration.ofMinutes(1)))),
            new TargetName.OwnTunnel(
                "penstock",
                Optional.of(
                    new Network(
                        Duration.ofMillis(20),
                        Duration.ofNanos(1_500_000),
                        0,
                        Duration.ZERO,
                        Duration.ZERO,
                        Duration.ZERO))));
    assertThat(ScenarioReader.parse("good", GOOD).hasLines()).isFalse();
  }

  @Test
  void aTargetThatSaysNoDelayKeepsIt() throws Exception {
    String text =
        GOOD.replace(
            "targets: [penstock,",
            "network: {delay_ms: 20}\ntargets: [{name: near, network: {delay_ms: 0}}, penstock,");

    assertThat(ScenarioReader.parse("good", text).targets())
        .startsWith(new TargetName.OwnTunnel("near", Optional.of(Network.NONE)));
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
        "turns: 2|network: {dely_ms: 2}|network.dely_ms: expected one of delay_ms,"
            + " jitter_ms|unknown",
        "turns: 2|network: {delay_ms: -2}|network: delay: expected 0 to 10000 ms|found -2 ms",
        "turns: 2|network: {stall_ms: 9}|network: stall: expected both how long and how often|PT0S",
        "turns: 2|growth: {heap: 1}|growth.heap: expected one of resident_mb, heap_mb, open_files,"
            + " threads|unknown",
        "turns: 2|growth: {heap_mb: -1}|growth: heap MB: expected a limit per minute above 0|found"
            + " -1.0",
        "turns: 2|fleet: {agents: 0}|fleet.agents: expected a whole number from 1 to 10000|0",
        "turns: 2|fleet: {answer_bytes: -1}|fleet.answer_bytes: expected a whole number from 0|-1",
        "turns: 2|fleet: {site: Scale}|fleet.site: expected 1 to 32 lower-case|'Scale'",
        "turns: 2|fleet: {sites: 2}|fleet.sites: expected one of agents, site,"
            + " answer_bytes|unknown",
        "origin|fleet|expected a fleet for the target fleet|none",
        "turns: 2|storm: {event: deploy, agents: 0}|storm.agents: expected a whole number from 1 to"
            + " 10000|0",
        "turns: 2|storm: {event: deploy, after_s: -1}|storm.after_s: expected 0.0 to 86400|-1.0",
        "turns: 2|storm: {event: drain, rate: {constant: 1}}|storm.rate: expected none for"
            + " drain|one",
        "turns: 2|storm: {event: drain, at_once: 3}|storm.at_once: expected none for drain|one",
        "turns: 2|storm: {event: connect, at_once: 3, rate: {constant: 1}}|storm.at_once: expected"
            + " none for connect with a rate|one",
        "url: \"http://127.0.0.1:9\"|ca_file: x|targets[2]: expected url or network|neither",
        "origin|orgin|targets[1]: expected penstock, origin, fleet, {name, url} or {|'orgin'",
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
  void readsAFleetThatStaysConnectedAndItsDefaults() throws Exception {
    String text =
        GOOD.replace("targets: [penstock,", "fleet: {agents: 7}\ntargets: [fleet, penstock,");

    Scenario scenario = ScenarioReader.parse("good", text);

    assertThat(scenario.fleet()).contains(new StandingFleet(7, "scale", 1_024));
    assertThat(scenario.targets()).startsWith(new TargetName.OwnFleet(Optional.empty()));
    assertThat(scenario.needsInstallation()).isTrue();
    assertThat(scenario.withAgents(9).orElseThrow().fleet())
        .contains(new StandingFleet(9, "scale", 1_024));
    assertThat(ScenarioReader.parse("good", GOOD).withAgents(9)).isEmpty();
  }

  @Test
  void theScenariosLineIsTheFleetsToo() throws Exception {
    String text =
        GOOD.replace(
            "targets: [penstock,",
            "network: {delay_ms: 20}\nfleet: {}\ntargets: [fleet, penstock,");

    Scenario scenario = ScenarioReader.parse("good", text);

    assertThat(Scenario.line(scenario.targets().getFirst()).orElseThrow().isNone()).isFalse();
  }

  @Test
  void aStormIsNoPlaceForAFleet() {
    String both =
        """
        description: both
        storm: {event: connect, agents: 3}
        fleet: {agents: 3}
        """;

    assertThatThrownBy(() -> ScenarioReader.parse("both", both))
        .hasMessageContaining("expected a storm or a fleet")
        .hasMessageContaining("found both");
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
        .hasMessageContaining(
            "storm.event: expected one of connect, reconnect, drain, deploy, revoke, found 'rain'");
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
