package io.penstock.loadtest.fault;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.codec.seal.AgentRecord;
import io.penstock.loadtest.client.Configurations;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Many agents in a few processes, of which some run and the others are offline. Which agents share
/// a process is drawn anew for each: every start takes them from those that are offline.
final class AgentHosts {
  private static final Pattern FINGERPRINT =
      Pattern.compile(
          "(plant-\\d+) waits for approval; the approver compares ([0-9A-Z]{4}-[0-9A-Z]{4})");

  private final Plant plant;
  private final Map<String, Path> configurations = new LinkedHashMap<>();
  private final List<AgentRecord> records = new ArrayList<>();
  private final List<Host> running = new ArrayList<>();
  private final List<String> offline = new ArrayList<>();
  private int started;

  private record Host(PenstockProcess process, List<String> agents) {}

  private AgentHosts(Plant plant) {
    this.plant = plant;
  }

  /// Enrolls and approves `agents` of them, in processes of `each`; afterwards all are offline.
  static AgentHosts enroll(Plant plant, int agents, int each) throws IOException {
    var hosts = new AgentHosts(plant);
    for (int i = 0; i < agents; i++) {
      hosts.create("plant-" + i);
    }
    while (!hosts.offline.isEmpty()) {
      hosts.approve(hosts.start(each, new Random(0)));
    }
    Configurations known = plant.configurations();
    for (String agent : hosts.configurations.keySet()) {
      hosts.records.add(known.recordOf(agent));
    }
    plant.grant(hosts.configurations.keySet().stream().map(it -> it + "/*").toArray(String[]::new));
    hosts.killAll();
    return hosts;
  }

  private void create(String agent) throws IOException {
    Path token = plant.tokenFile(agent, plant.createToken(agent, agent));
    configurations.put(agent, plant.bareFile(agent, Optional.of(token)));
    offline.add(agent);
  }

  private void approve(Host host) throws IOException {
    plant.await("every agent asks for approval", () -> asking(host).size() == host.agents().size());
    for (Map.Entry<String, String> one : asking(host).entrySet()) {
      plant.approve(one.getKey(), one.getValue());
    }
    plant.await("every agent is online", () -> areOnline(host.agents()));
  }

  private static Map<String, String> asking(Host host) throws IOException {
    Matcher matcher =
        FINGERPRINT.matcher(Files.readString(host.process().log(), StandardCharsets.UTF_8));
    Map<String, String> asking = new LinkedHashMap<>();
    while (matcher.find()) {
      if (host.agents().contains(matcher.group(1))) {
        asking.put(matcher.group(1), matcher.group(2));
      }
    }
    return asking;
  }

  private boolean areOnline(List<String> agents) throws IOException {
    int online = 0;
    for (var agent : plant.api().get("/agents")) {
      if (agent.path("online").asBoolean() && agents.contains(agent.path("id").asText())) {
        online++;
      }
    }
    return online == agents.size();
  }

  List<AgentRecord> records() {
    return List.copyOf(records);
  }

  int online() {
    return running.stream().mapToInt(host -> host.agents().size()).sum();
  }

  int offline() {
    return offline.size();
  }

  /// Starts one process with at most `each` of the agents that are offline.
  void startOne(int each, Random random) {
    var _ = start(each, random);
  }

  private Host start(int each, Random random) {
    Collections.shuffle(offline, random);
    List<String> agents = List.copyOf(offline.subList(0, Math.min(each, offline.size())));
    offline.removeAll(agents);
    Launch launch =
        Launch.agentHost(agents.stream().map(configurations::get).toList())
            .named("agents-" + started++ % 4)
            .heap("384m")
            .option("-XX:TieredStopAtLevel=1")
            .option("-XX:+UseSerialGC");
    var host = new Host(plant.start(launch), agents);
    running.add(host);
    return host;
  }

  /// SIGKILL for one of the processes that run.
  void killOne(Random random) {
    kill(running.remove(random.nextInt(running.size())));
  }

  private void killAll() {
    List.copyOf(running).forEach(this::kill);
    running.clear();
  }

  private void kill(Host host) {
    host.process().kill();
    assertThat(host.process().awaitExit(Plant.PATIENCE)).isEqualTo(Plant.KILLED);
    offline.addAll(host.agents());
  }

  void startAll(int each, Random random) throws IOException {
    while (!offline.isEmpty()) {
      startOne(each, random);
    }
    plant.await("every agent is online", () -> areOnline(List.copyOf(configurations.keySet())));
  }
}
