package io.penstock.loadtest.fault;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.codec.seal.AgentRecord;
import io.penstock.loadtest.client.ApiException;
import io.penstock.loadtest.client.Configurations;
import io.penstock.loadtest.client.PublicApi;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Configurations change without a pause while broker and agents are killed at random; a history
/// checker holds what was acknowledged against what the systems saw.
///
/// Every change has a number, and the system sees it in a sealed header value. So what a call
/// brings is the version that is applied: it may never go back, may never be one that nobody wrote,
/// and at last it is the newest that was acknowledged.
@Timeout(1800)
class DeliveryChaosIT {
  private static final String HEADER = "X-Change";
  private static final Pattern SEEN = Pattern.compile("\\[\"" + HEADER + "\",\"change-(\\d+)\"]");
  private static final int SYSTEMS_OF_AN_AGENT = 2;

  @TempDir Path directory;

  @Test
  void everyAcknowledgedChangeIsAppliedInOrderAndNoneIsLost() throws Exception {
    run(3, Duration.ofSeconds(40));
  }

  @Test
  @Tag("slow")
  void tenMinutesOfIt() throws Exception {
    run(12, Duration.ofMinutes(10));
  }

  private void run(int agents, Duration howLong) throws Exception {
    long seed = Long.getLong("penstock.chaos.seed", System.nanoTime());
    System.out.println("penstock.chaos.seed=" + seed);
    var random = new Random(seed);
    try (Plant plant = Plant.open(directory);
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Victim> victims = enroll(plant, agents);
      List<History> histories = new ArrayList<>();
      for (Victim victim : victims) {
        for (int i = 0; i < SYSTEMS_OF_AN_AGENT; i++) {
          histories.add(new History(plant, victim.record(), "s" + i));
        }
      }
      long end = System.nanoTime() + howLong.toNanos();
      List<Future<?>> work = new ArrayList<>();
      for (History history : histories) {
        work.add(threads.submit(() -> history.changeUntil(end)));
        work.add(threads.submit(() -> history.lookUntil(end)));
      }
      int kills = killUntil(end, plant, victims, random);
      for (Future<?> each : work) {
        each.get(5, TimeUnit.MINUTES);
      }
      for (Victim victim : victims) {
        victim.revive();
      }
      plant.await("the API answers", () -> plant.api().isReady());
      plant.signIn();
      int acknowledged = 0;
      for (History history : histories) {
        history.settle();
        acknowledged += history.acknowledged();
      }
      System.out.printf(
          "%d kills, %d acknowledged changes of %d systems, all in order and none lost%n",
          kills, acknowledged, histories.size());
      assertThat(acknowledged).as("changes within the chaos").isGreaterThan(histories.size());
      assertThat(kills).isGreaterThan(3);
      assertThat(plant.alarms()).as("alarms, of which no kill is a reason").isEmpty();
    }
  }

  private static List<Victim> enroll(Plant plant, int agents) throws IOException {
    List<Victim> victims = new ArrayList<>();
    String[] granted = new String[agents];
    for (int i = 0; i < agents; i++) {
      String name = "plant-" + i;
      Path token = plant.tokenFile(plant.createToken(name, name));
      PenstockProcess agent = plant.start(small(plant.bare(name, Optional.of(token))));
      plant.approve(name, agent);
      granted[i] = name + "/*";
      victims.add(new Victim(plant, plant.configurations().recordOf(name), agent));
    }
    plant.grant(granted);
    return victims;
  }

  private static Launch small(Launch launch) {
    return launch.heap("64m").option("-XX:TieredStopAtLevel=1").option("-XX:+UseSerialGC");
  }

  private static int killUntil(long end, Plant plant, List<Victim> victims, Random random)
      throws IOException, InterruptedException {
    int kills = 0;
    while (System.nanoTime() < end) {
      Thread.sleep(random.nextInt(500, 4_000));
      int which = random.nextInt(victims.size() + 1);
      kills++;
      if (which == victims.size()) {
        plant.broker().kill();
        plant.broker().awaitExit(Plant.PATIENCE);
        plant.restartBroker();
        plant.await("the broker is back", () -> plant.api().isReady());
      } else {
        Victim victim = victims.get(which);
        victim.kill();
        Thread.sleep(random.nextInt(0, 2_000));
        victim.revive();
      }
    }
    return kills;
  }

  /// An agent that is killed and comes back.
  private static final class Victim {
    private final Plant plant;
    private final AgentRecord record;
    private PenstockProcess process;

    Victim(Plant plant, AgentRecord record, PenstockProcess process) {
      this.plant = plant;
      this.record = record;
      this.process = process;
    }

    AgentRecord record() {
      return record;
    }

    void kill() {
      process.kill();
      assertThat(process.awaitExit(Plant.PATIENCE)).isEqualTo(Plant.KILLED);
    }

    void revive() throws IOException {
      if (!process.isAlive()) {
        process = plant.start(small(plant.bare(record.agent(), Optional.empty())));
      }
    }
  }

  /// One system: the changes of its one author, and what calls saw of them.
  private static final class History {
    private final Plant plant;
    private final AgentRecord agent;
    private final String system;
    private final Configurations configurations;
    private final AtomicInteger begun = new AtomicInteger();
    private volatile int acknowledged;
    private int acknowledgements;
    private int highestSeen;

    History(Plant plant, AgentRecord agent, String system) {
      this.plant = plant;
      this.agent = agent;
      this.system = system;
      configurations = plant.configurations();
    }

    int acknowledged() {
      return acknowledgements;
    }

    private ObjectNode settings() {
      ObjectNode settings = PublicApi.object().put("base_url", plant.erp().url());
      settings.put("header_name", HEADER);
      ObjectNode rule = settings.putArray("allow").addObject();
      rule.putArray("methods").add("GET");
      rule.putArray("paths").add("/headers");
      return settings;
    }

    Void changeUntil(long end) throws Exception {
      while (System.nanoTime() < end) {
        int number = begun.incrementAndGet();
        try {
          change(number);
          acknowledged = number;
          acknowledgements++;
        } catch (ApiException answered) {
          // Only because the broker was not itself: everything else would be our mistake.
          assertThat(answered.status()).as("%s", answered.getMessage()).isIn(401, 503);
          signInAgain();
        } catch (IOException unknown) {
          // The broker died within the call: the change may or may not be there.
          Thread.sleep(100);
        }
        Thread.sleep(200);
      }
      return null;
    }

    private void change(int number) throws IOException {
      configurations.put(
          agent, system, "http", settings(), Map.of("header_value", "change-" + number));
      configurations.deploy(agent.agent(), system);
    }

    private void signInAgain() throws InterruptedException {
      try {
        plant.signIn();
      } catch (IOException notYet) {
        Thread.sleep(200);
      }
    }

    Void lookUntil(long end) throws Exception {
      while (System.nanoTime() < end) {
        look();
        Thread.sleep(50);
      }
      return null;
    }

    /// What a call sees, held against what is known.
    private OptionalInt look() {
      OptionalInt seen;
      int begunAfter;
      try {
        seen = seen();
        begunAfter = begun.get();
      } catch (IOException away) {
        return OptionalInt.empty();
      }
      if (seen.isPresent()) {
        assertThat(seen.getAsInt())
            .as("%s/%s never goes back", agent.agent(), system)
            .isGreaterThanOrEqualTo(highestSeen);
        assertThat(seen.getAsInt())
            .as("%s/%s is never ahead of its author", agent.agent(), system)
            .isLessThanOrEqualTo(begunAfter);
        highestSeen = seen.getAsInt();
      }
      return seen;
    }

    private OptionalInt seen() throws IOException {
      HttpResponse<InputStream> answer =
          plant
              .api()
              .invoke(
                  plant.serviceToken(),
                  "GET",
                  "/" + agent.agent() + "/" + system + "/headers",
                  BodyPublishers.noBody());
      try (InputStream body = answer.body()) {
        String text = new String(body.readAllBytes(), StandardCharsets.UTF_8);
        Matcher matcher = SEEN.matcher(text);
        return answer.statusCode() == 200 && matcher.find()
            ? OptionalInt.of(Integer.parseInt(matcher.group(1)))
            : OptionalInt.empty();
      }
    }

    /// With everybody alive the newest acknowledged change is there, or one that was begun after
    /// it.
    void settle() throws IOException {
      // The newest version may be one that was written and, because the broker died, never
      // deployed.
      String path = "/agents/" + agent.agent() + "/systems/" + system;
      plant.await(
          agent.agent() + "/" + system + " has applied what is deployed",
          () -> !plant.api().get(path).path("drift").asBoolean(true));
      JsonNode shown = plant.api().get(path);
      assertThat(shown.at("/last_receipt/outcome").asText()).as("%s", shown).isEqualTo("applied");
      plant.await(
          agent.agent() + "/" + system + " serves change " + acknowledged,
          () -> {
            OptionalInt seen = look();
            return seen.isPresent() && seen.getAsInt() >= acknowledged;
          });
      assertAppliedOnce();
    }

    /// Each version has at most one recorded receipt, and their order is that of the versions.
    private void assertAppliedOnce() throws IOException {
      JsonNode events =
          plant
              .api()
              .get(
                  "/audit?event_type=system.applied&limit=1000&resource_id="
                      + agent.agent()
                      + "/"
                      + system);
      List<Long> versions = new ArrayList<>();
      for (JsonNode event : events) {
        versions.add(event.at("/changes/version").asLong());
      }
      assertThat(versions.reversed())
          .as("recorded receipts of %s/%s", agent.agent(), system)
          .isNotEmpty()
          .doesNotHaveDuplicates()
          .isSorted();
    }
  }
}
