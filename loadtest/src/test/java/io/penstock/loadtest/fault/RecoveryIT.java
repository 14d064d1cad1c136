package io.penstock.loadtest.fault;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.loadtest.client.PublicApi;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The owner's recovery key from end to end, with `ctl` as operators have it: what was sealed to an
/// agent whose machine is lost serves again behind its successor, and nobody typed it twice.
@Timeout(600)
class RecoveryIT {
  private static final String USER = "cloud";
  private static final String PASSWORD = "canary-password-that-is-typed-once-40917";
  private static final String PASSPHRASE = "a passphrase that only the owner knows";

  @TempDir Path directory;
  private Path owners;
  private int commands;

  private record Said(int exitCode, String out, String err) {}

  @BeforeEach
  void makeTheOwnersDesk() throws IOException {
    owners = Files.createDirectory(directory.resolve("owner"));
    Plant.writePrivate(owners.resolve("passphrase"), PASSPHRASE + "\n");
    Plant.writePrivate(owners.resolve("password"), PASSWORD + "\n");
  }

  @Test
  void aNewGenerationServesWithThePasswordThatNobodyTypedAgain() throws Exception {
    try (Plant plant = Plant.open(Files.createDirectory(directory.resolve("plant")))) {
      PenstockProcess agent = plant.enroll();
      plant.erp().logins().set(USER, PASSWORD);
      signIn(plant);
      sealToTheRecoveryKey(plant);
      assertThat(status(plant)).isEqualTo(200);
      Files.delete(owners.resolve("password"));

      loseTheMachine(plant, agent);
      assertThat(status(plant)).isNotEqualTo(200);
      Said carried = ctl(plant, put(plant, "--carry-secrets"));
      Said withoutFingerprint = ctl(plant, recover());
      Said recovered = ctl(plant, recover("--fingerprint", fingerprint(plant), "--json"));
      ctl(plant, "system", "deploy", Plant.AGENT, "ledger", "--wait", "60");

      assertThat(carried.err()).contains("old-generation");
      assertThat(withoutFingerprint.err()).contains("--fingerprint");
      assertThat(recovered.exitCode()).as(recovered.err()).isZero();
      assertThat(json(recovered).path("version").asInt()).isEqualTo(2);
      assertThat(json(recovered).path("sealed_to").findValuesAsText("holder"))
          .containsExactly("agent", "recovery");
      assertThat(status(plant)).isEqualTo(200);
      assertThat(plant.configurations().recordOf(Plant.AGENT).generation()).isEqualTo(2);
      assertThat(audited(plant, "system.sealed-read")).isEqualTo(2);
      assertThat(plant.alarms()).isEmpty();
      Said printed = ctl(plant, recover("--version", "1", "--print-secrets"));
      assertThat(printed.out()).isEqualTo("{\"password\":\"" + PASSWORD + "\"}");
      SecretSearch.dumpHeap(plant.broker(), directory.resolve("broker.hprof"));
    }
    assertThat(SecretSearch.filesWith(directory, PASSPHRASE)).containsExactly("owner/passphrase");
    assertThat(SecretSearch.filesWith(directory, PASSWORD)).isEmpty();
  }

  private void signIn(Plant plant) throws IOException {
    Said in =
        ctl(
            plant,
            launch -> launch.input(plant.password() + "\n"),
            "login",
            "--url",
            plant.url().toString(),
            "--ca",
            plant.caFile().toString(),
            "--user",
            "admin@penstock.local",
            "--password-stdin",
            "--root",
            plant.rootSha256().base64Url());
    assertThat(in.exitCode()).as(in.err()).isZero();
  }

  private void sealToTheRecoveryKey(Plant plant) throws IOException {
    String key = owners.resolve("recovery.key").toString();
    for (Said each :
        List.of(
            ctl(
                plant,
                "recovery-key",
                "create",
                "--out",
                key,
                "--passphrase-file",
                owners.resolve("passphrase").toString()),
            ctl(plant, "recovery-key", "pin", key + ".pub"),
            ctl(
                plant,
                put(
                    plant,
                    "--set",
                    "user=" + USER,
                    "--secret-file",
                    "password=" + owners.resolve("password"),
                    "--deploy",
                    "--wait",
                    "60")))) {
      assertThat(each.exitCode()).as(each.err()).isZero();
    }
  }

  private static String[] put(Plant plant, String... more) {
    var arguments =
        new ArrayList<>(
            List.of(
                "system",
                "put",
                Plant.AGENT,
                "ledger",
                "--plugin",
                "http",
                "--set",
                "base_url=" + plant.erp().url(),
                "--allow",
                "GET /ledger"));
    arguments.addAll(Arrays.asList(more));
    return arguments.toArray(String[]::new);
  }

  private String[] recover(String... more) {
    var arguments =
        new ArrayList<>(
            List.of(
                "system",
                "recover",
                Plant.AGENT + "/ledger",
                "--key",
                owners.resolve("recovery.key").toString(),
                "--passphrase-file",
                owners.resolve("passphrase").toString()));
    arguments.addAll(Arrays.asList(more));
    return arguments.toArray(String[]::new);
  }

  /// Another machine takes the agent's name; of the first one's directory nothing is left.
  private void loseTheMachine(Plant plant, PenstockProcess agent) throws IOException {
    agent.kill();
    agent.awaitExit(Plant.PATIENCE);
    deleteAll(plant.agentData());
    ObjectNode wanted =
        PublicApi.object()
            .put("agent", Plant.AGENT)
            .put("site", "berlin")
            .put("reenroll", true)
            .put("ttl_seconds", 600);
    String token = plant.api().post("/enrollment-tokens", wanted).path("token").asText();
    PenstockProcess successor =
        plant.start(plant.newcomer("successor", plant.tokenFile("successor", token)));
    plant.approve(successor);
    plant.awaitServing();
  }

  private static String fingerprint(Plant plant) throws IOException {
    return plant.api().get("/agents/" + Plant.AGENT).path("fingerprint").asText();
  }

  private Said ctl(Plant plant, String... arguments) throws IOException {
    return ctl(plant, UnaryOperator.identity(), arguments);
  }

  private Said ctl(Plant plant, UnaryOperator<Launch> more, String... arguments)
      throws IOException {
    PenstockProcess process =
        plant.start(
            more.apply(Launch.ctl(arguments))
                .named("ctl-" + commands++)
                .variable("PENSTOCK_CTL_HOME", owners.resolve("ctl").toString()));
    int exitCode = process.awaitExit(Plant.PATIENCE);
    return new Said(
        exitCode,
        String.join("\n", process.awaitOutput(Plant.PATIENCE)),
        Files.readString(process.log(), StandardCharsets.UTF_8));
  }

  private static JsonNode json(Said said) throws IOException {
    return JsonMapper.builder().build().readTree(said.out());
  }

  private static long audited(Plant plant, String type) throws IOException {
    return plant.api().get("/audit?event_type=" + type + "&limit=10").size();
  }

  private static int status(Plant plant) throws IOException {
    HttpResponse<InputStream> answer =
        plant
            .api()
            .invoke(plant.serviceToken(), "GET", "/berlin/ledger/ledger", BodyPublishers.noBody());
    answer.body().close();
    return answer.statusCode();
  }

  private static void deleteAll(Path root) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
