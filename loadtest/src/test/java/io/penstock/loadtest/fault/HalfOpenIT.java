package io.penstock.loadtest.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;

/// A tunnel that is open on one side and silent on the other.
@Isolated("it holds times against a limit")
@Timeout(300)
class HalfOpenIT {
  private static final Duration NOTICED_WITHIN = Duration.ofSeconds(15);

  @TempDir Path directory;

  @Test
  void anAgentThatStandsStillIsShownOfflineAndServesWhenItGoesOn() throws Exception {
    try (Plant plant = Plant.open(directory)) {
      PenstockProcess agent = plant.enroll();
      agent.freeze();
      long start = System.nanoTime();
      plant.await("the broker shows the agent offline", () -> !plant.isOnline());
      Duration noticed = Duration.ofNanos(System.nanoTime() - start);
      System.out.println(
          "the agent that stood still was offline after " + noticed.toMillis() + " ms");
      assertThat(noticed).isLessThan(NOTICED_WITHIN);

      agent.thaw();

      plant.awaitServing();
      assertThat(plant.alarms()).isEmpty();
    }
  }

  /// Packets vanish without a word, as behind a firewall that forgot the connection. The kernel's
  /// filter drops them, so this needs root.
  @Test
  @Tag("slow")
  void aTunnelThatFallsSilentIsGivenUpAndComesBackByItself() throws Exception {
    assumeTrue(
        System.getProperty("user.name").equals("root")
            && Files.isExecutable(Path.of("/usr/sbin/iptables")),
        "needs root and iptables");
    try (Plant plant = Plant.open(directory)) {
      PenstockProcess agent = plant.enroll();
      List<String> ports = tunnelPorts(agent.pid(), plant.port());
      assertThat(ports).isNotEmpty();
      List<List<String>> rules = new ArrayList<>();
      for (String own : ports) {
        rules.add(rule("--sport", own, "--dport", String.valueOf(plant.port())));
        rules.add(rule("--sport", String.valueOf(plant.port()), "--dport", own));
      }
      long start = System.nanoTime();
      try {
        for (List<String> rule : rules) {
          iptables("-I", rule);
        }
        plant.await(
            "the broker gives the silent tunnel up", () -> !sameTunnel(plant, ports, agent));
        Duration noticed = Duration.ofNanos(System.nanoTime() - start);
        System.out.println("the silent tunnel was noticed after " + noticed.toMillis() + " ms");
        assertThat(noticed).isLessThan(NOTICED_WITHIN);
      } finally {
        for (List<String> rule : rules) {
          iptables("-D", rule);
        }
      }
      plant.awaitServing();
      assertThat(agent.isAlive()).isTrue();
      assertThat(plant.alarms()).isEmpty();
    }
  }

  /// A new tunnel of the same agent counts as well: either way the old one is no longer believed.
  private static boolean sameTunnel(Plant plant, List<String> ports, PenstockProcess agent)
      throws IOException {
    return plant.isOnline() && tunnelPorts(agent.pid(), plant.port()).equals(ports);
  }

  /// The agent's own ports of its connections to the broker, from the kernel's table.
  private static List<String> tunnelPorts(long pid, int brokerPort) throws IOException {
    Process ss =
        new ProcessBuilder("ss", "-tnpH", "state", "established", "dport = :" + brokerPort).start();
    List<String> ports = new ArrayList<>();
    for (String line :
        new String(ss.getInputStream().readAllBytes(), StandardCharsets.UTF_8).lines().toList()) {
      if (line.contains("pid=" + pid + ",")) {
        String local = line.trim().split("\\s+", -1)[2];
        ports.add(local.substring(local.lastIndexOf(':') + 1));
      }
    }
    return ports;
  }

  private static List<String> rule(String... match) {
    List<String> rule = new ArrayList<>(List.of("OUTPUT", "-o", "lo", "-p", "tcp"));
    rule.addAll(List.of(match));
    rule.addAll(List.of("-j", "DROP"));
    return rule;
  }

  private static void iptables(String action, List<String> rule)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("/usr/sbin/iptables", "-w", action));
    command.addAll(rule);
    Process process = new ProcessBuilder(command).inheritIO().start();
    assertThat(process.waitFor(30, TimeUnit.SECONDS) && process.exitValue() == 0)
        .as("iptables %s", action)
        .isTrue();
  }
}
