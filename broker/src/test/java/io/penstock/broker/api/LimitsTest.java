package io.penstock.broker.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.access.Role;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// How often somebody may call. A bucket holds ten seconds' worth.
class LimitsTest {
  private static final int MANY = 1_000;

  @TempDir Path directory;

  @SuppressWarnings("NullAway.Init") // every test starts it with settings of its own
  private ApiRig rig;

  @AfterEach
  void stop() {
    rig.close();
  }

  private void start(String... settings) {
    rig =
        new ApiRig(
            directory.resolve("data"),
            settings.length == 0 ? Map.of() : Map.of(settings[0], settings[1]));
  }

  private HttpResponse<String> from(String address, String token) {
    return rig.send(
        "GET",
        "/api/v1/auth/me",
        "",
        Map.of("Authorization", "Bearer " + token, "X-Forwarded-For", address));
  }

  private HttpResponse<String> firstLimited(String address, String token) {
    for (int i = 0; i < MANY; i++) {
      HttpResponse<String> answer = from(address, token);
      if (answer.statusCode() == 429) {
        return answer;
      }
    }
    throw new AssertionError("never limited");
  }

  private static void assertSaysWhen(HttpResponse<String> limited) {
    assertThat(ApiRig.problem(limited).getString("title")).isEqualTo("rate-limited");
    assertThat(limited.headers().firstValue("Retry-After"))
        .hasValueSatisfying(seconds -> assertThat(Integer.parseInt(seconds)).isPositive());
  }

  @Test
  void anAddressThatCallsTooOftenWaitsAndNobodyElse() {
    start("access.requests_per_address", "5");

    assertSaysWhen(firstLimited("203.0.113.1", rig.admin));

    assertThat(from("203.0.113.2", rig.admin).statusCode()).isEqualTo(200);
    assertThat(
            rig.send("GET", "/health/live", "", Map.of("X-Forwarded-For", "203.0.113.1"))
                .statusCode())
        .as("health checks are not limited")
        .isEqualTo(200);
  }

  @Test
  void aPersonWhoCallsTooOftenWaitsAlsoWithAnotherSession() {
    start("access.requests_per_user", "5");
    String eve = rig.user("eve@example.org", Role.VIEWER);
    String other = rig.login("eve@example.org", ApiRig.PASSWORD);

    assertSaysWhen(firstLimited("203.0.113.1", eve));

    assertThat(from("203.0.113.2", other).statusCode()).isEqualTo(429);
    assertThat(from("203.0.113.2", rig.admin).statusCode()).isEqualTo(200);
  }

  @Test
  void aTokenThatCallsTooOftenWaitsAlone() {
    start("access.requests_per_token", "5");
    String eve = rig.user("eve@example.org", Role.VIEWER);
    String other = rig.login("eve@example.org", ApiRig.PASSWORD);

    assertSaysWhen(firstLimited("203.0.113.1", eve));

    assertThat(from("203.0.113.2", other).statusCode()).isEqualTo(200);
  }

  @Test
  void ofASourceThatShowsBadTokensOnlyBadOnesWait() {
    start("access.bad_tokens_per_source", "20");
    for (int i = 0; i < 20; i++) {
      assertThat(from("203.0.113.1", "bad" + i).statusCode()).isEqualTo(401);
    }

    assertThat(from("203.0.113.1", "bad").statusCode()).isEqualTo(429);
    assertThat(from("203.0.113.1", rig.admin).statusCode()).isEqualTo(200);
    String out = rig.login(rig.first.email(), rig.first.password());
    assertThat(rig.send("POST", "/api/v1/auth/logout", "", out).statusCode()).isEqualTo(204);
    assertThat(from("203.0.113.1", out).statusCode())
        .as("who was signed out is told so")
        .isEqualTo(401);
    assertThat(
            rig.send("GET", "/api/v1/audit?event_type=authentication.failure", "", rig.admin)
                .body())
        .contains("invalid_token", "203.0.113.1");
    String path = "/api/v1/audit?event_type=authentication.failure&reason=";
    assertThat(rig.send("GET", path + "invalid_token", "", rig.admin).body())
        .contains("invalid_token");
    assertThat(rig.send("GET", path + "invalid_toke", "", rig.admin).body()).isEqualTo("[]");
  }

  @Test
  void blocksAreMadeListedAndLifted() {
    start();
    String path = "/api/v1/blocks";
    var body = new JsonObject().put("cidr", "203.0.113.9/24").put("reason", "guessing");

    HttpResponse<String> made =
        rig.send("POST", path, body.put("ttl_seconds", 60).encode(), rig.admin);

    assertThat(made.statusCode()).as(made.body()).isEqualTo(201);
    assertThat(new JsonObject(made.body()).getString("cidr")).isEqualTo("203.0.113.0/24");
    assertThat(rig.send("POST", path, body.encode(), rig.admin).statusCode()).isEqualTo(409);
    assertThat(new JsonArray(rig.send("GET", path, "", rig.admin).body())).hasSize(1);
    assertThat(rig.send("POST", path, "{\"cidr\":\"<b>\"}", rig.admin).body())
        .contains("cidr: expected")
        .doesNotContain("<b>");
    assertThat(rig.send("DELETE", path + "?cidr=203.0.113.0/24", "", rig.admin).statusCode())
        .isEqualTo(204);
    assertThat(rig.send("DELETE", path + "?cidr=203.0.113.0/24", "", rig.admin).statusCode())
        .isEqualTo(404);
  }
}
