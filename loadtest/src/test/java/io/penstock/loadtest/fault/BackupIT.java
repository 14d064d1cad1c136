package io.penstock.loadtest.fault;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.loadtest.client.Configurations;
import io.penstock.loadtest.client.PublicApi;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The worst day: the broker's directory is gone, and a backup is there.
@Timeout(900)
class BackupIT {
  private static final Duration DECIDED_WITHIN = Duration.ofSeconds(60);
  private static final int REFUSED_FOR_GOOD = 4;
  private static final String REBOOTED = "plant-2";
  private static final String PASSPHRASE = "canary-passphrase-of-the-backup-55021";
  private static final String PASSWORD = "canary-password-of-the-ledger-55022";
  private static final String USER = "cloud";

  @TempDir Path directory;
  private Path desk = Path.of("");
  private int commands;
  private String otherToken = "";

  private record Said(int exitCode, String out, String err) {}

  @Test
  void everythingComesBackAndOnlyWhoWasRebootedSinceHasToEnrollAgain() throws Exception {
    desk = Files.createDirectory(directory.resolve("desk"));
    Path passphrase = desk.resolve("passphrase");
    Plant.writePrivate(passphrase, PASSPHRASE + "\n");
    Path backup = desk.resolve("broker.backup");
    try (Plant plant = Plant.open(Files.createDirectory(directory.resolve("plant")))) {
      PenstockProcess kept = plant.enroll();
      PenstockProcess rebooted = enrollTheOther(plant);
      plant.erp().logins().set(USER, PASSWORD);
      deployLedger(plant);
      signIn(plant);

      Said made =
          ctl(
              plant,
              "backup",
              "--out",
              backup.toString(),
              "--passphrase-file",
              passphrase.toString());
      assertThat(made.exitCode()).as(made.err()).isZero();
      assertThat(Files.getPosixFilePermissions(backup)).hasSize(2);

      // What the backup does not know of: a newer version, and a restart with a new unlock secret.
      deployLedger(plant);
      rebooted.kill();
      rebooted.awaitExit(Plant.PATIENCE);
      rebooted = plant.start(plant.known(otherData()).named("plant-2-again"));
      plant.await("the other serves again", () -> status(plant, "/munich/erp/1k") == 200);
      rebooted.kill();
      rebooted.awaitExit(Plant.PATIENCE);

      loseTheBroker(plant);
      Said wrong = restore(plant, backup, passphraseFile("another", "some other passphrase"));
      assertThat(wrong.exitCode()).isEqualTo(1);
      assertThat(wrong.err()).contains("passphrase");
      Said restored = restore(plant, backup, passphrase);
      assertThat(restored.exitCode()).as(restored.err()).isZero();
      Said again = restore(plant, backup, passphrase);
      assertThat(again.exitCode()).isEqualTo(1);
      assertThat(again.err()).contains("expected an empty one");

      plant.restartBroker();
      plant.await("the broker is ready", plant.api()::isReady);
      System.out.println("served again after " + plant.awaitServing() + " ms");
      assertThat(kept.isAlive()).isTrue();
      assertThat(status(plant, "/berlin/ledger/ledger")).isEqualTo(200);
      plant.signIn();
      signIn(plant);

      Said verified = ctl(plant, "audit", "verify");
      assertThat(verified.exitCode()).as(verified.err() + verified.out()).isZero();
      assertThat(audited(plant, "backup.create")).isEqualTo(1);
      assertThat(audited(plant, "backup.restore")).isEqualTo(1);

      // Higher than what the agent has applied since the backup, of which this broker knows
      // nothing.
      JsonNode decided = deployLedger(plant);
      assertThat(decided.path("state").asText()).as(decided.toString()).isEqualTo("applied");
      assertThat(decided.path("applied_version").asLong()).isGreaterThan(1_000);
      assertThat(status(plant, "/berlin/ledger/ledger")).isEqualTo(200);

      tellsToEnrollAgain(plant);
      enrollAgain(plant);
      assertThat(status(plant, "/munich/erp/1k")).isEqualTo(200);

      Said review = ctl(plant, "audit", "report", "access", "--json");
      assertThat(
              JsonMapper.builder()
                  .build()
                  .readTree(review.out())
                  .path("rows")
                  .findValuesAsText("name"))
          .contains("admin@penstock.local", "billing", "reporting");
    }
    assertThat(SecretSearch.filesWith(directory, PASSPHRASE)).containsExactly("desk/passphrase");
    assertThat(SecretSearch.filesWith(directory, PASSWORD)).isEmpty();
  }

  private Path otherData() {
    return directory.resolve("plant").resolve("other");
  }

  private PenstockProcess enrollTheOther(Plant plant) throws IOException {
    Path token = plant.tokenFile("other", plant.createToken(REBOOTED, "munich"));
    PenstockProcess other = plant.start(plant.newcomer("other", token));
    plant.approve(REBOOTED, other);
    ObjectNode account = PublicApi.object().put("name", "reporting");
    account.putArray("systems").add("munich/*");
    plant.api().post("/service-accounts", account);
    otherToken =
        plant
            .api()
            .post(
                "/service-accounts/reporting/tokens", PublicApi.object().put("ttl_seconds", 86_400))
            .path("token")
            .asText();
    plant.await("the other serves", () -> status(plant, "/munich/erp/1k") == 200);
    return other;
  }

  private void loseTheBroker(Plant plant) throws IOException {
    plant.broker().terminate();
    plant.broker().awaitExit(Plant.PATIENCE);
    try (Stream<Path> files = Files.walk(plant.brokerData())) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
    PostgresPrograms.layInto(plant.brokerData());
  }

  private Path passphraseFile(String name, String passphrase) throws IOException {
    Path file = desk.resolve(name);
    Plant.writePrivate(file, passphrase + "\n");
    return file;
  }

  private Said restore(Plant plant, Path backup, Path passphrase) throws IOException {
    return said(
        plant.start(
            Launch.broker(
                    "restore",
                    backup.toString(),
                    "--passphrase-file",
                    passphrase.toString(),
                    "--data",
                    plant.brokerData().toString())
                .named("restore-" + commands++)));
  }

  private void tellsToEnrollAgain(Plant plant) throws IOException {
    PenstockProcess stranger = plant.start(plant.known(otherData()).named("plant-2-stranger"));
    assertThat(stranger.awaitExit(Plant.PATIENCE)).isEqualTo(REFUSED_FOR_GOOD);
    assertThat(Files.readString(stranger.log())).contains("UNKNOWN_AGENT", "--reenroll");
  }

  private void enrollAgain(Plant plant) throws IOException {
    ObjectNode wanted =
        PublicApi.object()
            .put("agent", REBOOTED)
            .put("site", "munich")
            .put("reenroll", true)
            .put("ttl_seconds", 600);
    String token = plant.api().post("/enrollment-tokens", wanted).path("token").asText();
    PenstockProcess successor =
        plant.start(plant.newcomer("successor", plant.tokenFile("successor", token)));
    plant.approve(REBOOTED, successor);
    plant.await("the enrolled one serves", () -> status(plant, "/munich/erp/1k") == 200);
  }

  private static JsonNode deployLedger(Plant plant) throws Exception {
    Configurations configurations = plant.configurations();
    ObjectNode settings = PublicApi.object().put("base_url", plant.erp().url()).put("user", USER);
    ObjectNode rule = settings.putArray("allow").addObject();
    rule.putArray("methods").add("GET");
    rule.putArray("paths").add("/ledger");
    configurations.put(
        configurations.recordOf(Plant.AGENT),
        "ledger",
        "http",
        settings,
        Map.of("password", PASSWORD));
    configurations.deploy(Plant.AGENT, "ledger");
    return configurations.awaitDecision(Plant.AGENT, "ledger", DECIDED_WITHIN);
  }

  private int status(Plant plant, String path) throws IOException {
    String token = path.startsWith("/munich/") ? otherToken : plant.serviceToken();
    HttpResponse<InputStream> answer =
        plant.api().invoke(token, "GET", path, BodyPublishers.noBody());
    answer.body().close();
    return answer.statusCode();
  }

  private static long audited(Plant plant, String type) throws IOException {
    return plant.api().get("/audit?event_type=" + type + "&limit=10").size();
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
            "--password-stdin");
    assertThat(in.exitCode()).as(in.err()).isZero();
  }

  private Said ctl(Plant plant, String... arguments) throws IOException {
    return ctl(plant, UnaryOperator.identity(), arguments);
  }

  private Said ctl(Plant plant, UnaryOperator<Launch> more, String... arguments)
      throws IOException {
    return said(
        plant.start(
            more.apply(Launch.ctl(arguments))
                .named("ctl-" + commands++)
                .variable("PENSTOCK_CTL_HOME", desk.resolve("ctl").toString())));
  }

  private static Said said(PenstockProcess process) throws IOException {
    int exitCode = process.awaitExit(Plant.PATIENCE);
    return new Said(
        exitCode,
        String.join("\n", process.awaitOutput(Plant.PATIENCE)),
        Files.readString(process.log(), StandardCharsets.UTF_8));
  }
}
