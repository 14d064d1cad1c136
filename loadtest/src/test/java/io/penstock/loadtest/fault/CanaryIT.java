package io.penstock.loadtest.fault;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.penstock.loadtest.client.PublicApi;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Known secrets go through everything; afterwards every byte that was kept is searched for them:
/// the logs, both data directories, the database's own files with their write-ahead log, and the
/// arguments of the processes.
@Timeout(900)
class CanaryIT {
  private static final String HEADER_CANARY = "canary-in-an-answers-header-58213";
  private static final String BODY_CANARY = "canary-in-a-requests-body-90417";
  private static final String IDENTITY = "identity";
  private static final int SECRET_AT = 5 + 24;
  private static final int SECRET_END = 5 + 60;

  @TempDir Path directory;

  @Test
  void secretsAreNowhereButInTheOneFileThatIsTheirs() throws Exception {
    Map<String, String> canaries = new LinkedHashMap<>();
    byte[] unlock;
    try (Plant plant = Plant.open(directory)) {
      String token = plant.createToken();
      PenstockProcess agent = plant.start(plant.newcomer(token));
      plant.approve(agent);
      plant.grant();
      plant.awaitServing();
      invokes(plant);
      canaries.put("enrollment token", secretPart(token));
      canaries.put("first password", plant.password());
      canaries.put("service token", plant.serviceToken());
      canaries.put("session token", signInToken(plant));
      canaries.put("answer's header", HEADER_CANARY);
      canaries.put("request's body", BODY_CANARY);
      unlock = unlock(plant.agentData());
      assertInNoArguments(List.of(plant.broker().pid(), agent.pid()), canaries);
    }
    assertThat(unlock).hasSize(32);
    assertThat(unlock(directory.resolve("agent"))).isEqualTo(unlock);
    canaries.put("U", latin(unlock));
    canaries.put("U in hexadecimal", HexFormat.of().formatHex(unlock));
    canaries.put("U in Base64", Base64.getEncoder().withoutPadding().encodeToString(unlock));
    assertThat(canaries.values()).allMatch(canary -> canary.length() >= 16);

    assertThat(findings(canaries))
        .containsExactlyInAnyOrder(
            "U in Base64 in agent/" + IDENTITY, "enrollment token in enrollment.token");
  }

  private static void invokes(Plant plant) throws IOException {
    HttpResponse<InputStream> answer =
        plant.get("/with-header?name=X-Canary&value=" + HEADER_CANARY);
    answer.body().close();
    assertThat(answer.headers().firstValue("X-Canary")).contains(HEADER_CANARY);
    HttpResponse<InputStream> echo =
        plant
            .api()
            .invoke(
                plant.serviceToken(),
                "POST",
                Plant.SYSTEM_PATH + "/echo",
                BodyPublishers.ofString(BODY_CANARY));
    assertThat(new String(echo.body().readAllBytes(), StandardCharsets.UTF_8))
        .contains(BODY_CANARY);
  }

  private static String signInToken(Plant plant) throws IOException {
    return plant
        .api()
        .post(
            "/auth/login",
            PublicApi.object()
                .put("email", "admin@penstock.local")
                .put("password", plant.password()))
        .path("token")
        .asText();
  }

  /// Of `pen1.` and Base64url of an identifier of 16 bytes, the secret of 32, and public parts.
  private static String secretPart(String token) {
    return token.substring(SECRET_AT, SECRET_END);
  }

  /// Without a passphrase the unlock secret lies in the identity file as it is.
  private static byte[] unlock(Path data) throws IOException {
    JsonNode file = JsonMapper.builder().build().readTree(data.resolve(IDENTITY).toFile());
    return file.path("unlock").binaryValue();
  }

  private static void assertInNoArguments(List<Long> processes, Map<String, String> canaries)
      throws IOException {
    for (long pid : processes) {
      List<ProcessHandle> family = new ArrayList<>();
      ProcessHandle parent = ProcessHandle.of(pid).orElseThrow();
      family.add(parent);
      parent.descendants().forEach(family::add);
      for (ProcessHandle each : family) {
        String arguments = latin(Files.readAllBytes(Path.of("/proc/" + each.pid() + "/cmdline")));
        canaries.forEach((name, canary) -> assertThat(arguments).as(name).doesNotContain(canary));
      }
    }
  }

  private List<String> findings(Map<String, String> canaries) throws IOException {
    List<String> found = new ArrayList<>();
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String content = latin(Files.readAllBytes(file));
        canaries.forEach(
            (name, canary) -> {
              if (content.contains(canary)) {
                found.add(name + " in " + directory.relativize(file));
              }
            });
      }
    }
    return found;
  }

  private static String latin(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }
}
