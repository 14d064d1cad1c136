package io.penstock.broker.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.access.Role;
import io.vertx.core.json.JsonObject;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The console's cookies, and pages that are not the console's.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CookieTest {
  private static final String EVE = "eve@example.org";

  private ApiRig rig;

  @BeforeAll
  void start(@TempDir Path directory) {
    rig = new ApiRig(directory.resolve("data"));
    rig.user(EVE, Role.ADMIN);
  }

  @AfterAll
  void stop() {
    rig.close();
  }

  private Map<String, String> page(String... more) {
    var fields = new HashMap<String, String>();
    fields.put("Penstock-Console", "1");
    fields.put("Sec-Fetch-Site", "same-origin");
    fields.put("Origin", "https://" + host());
    fields.put("Host", host());
    for (int i = 0; i < more.length; i += 2) {
      if (more[i + 1].isEmpty()) {
        fields.remove(more[i]);
      } else {
        fields.put(more[i], more[i + 1]);
      }
    }
    return fields;
  }

  /// The client library sets Host by itself.
  private String host() {
    return rig.authority();
  }

  private HttpResponse<String> send(
      String method, String path, String body, Map<String, String> fields) {
    fields.remove("Host");
    return rig.send(method, path, body, fields);
  }

  private static final String CREDENTIALS =
      new JsonObject()
          .put("email", EVE)
          .put("password", ApiRig.PASSWORD)
          .put("cookies", true)
          .encode();

  private HttpResponse<String> login(String... more) {
    return send("POST", "/api/v1/auth/login", CREDENTIALS, page(more));
  }

  private static List<String> setCookies(HttpResponse<String> answer) {
    return answer.headers().allValues("Set-Cookie");
  }

  /// As a browser sends them back.
  private static String jar(HttpResponse<String> answer) {
    return String.join(
        "; ",
        setCookies(answer).stream()
            .map(cookie -> cookie.substring(0, cookie.indexOf(';')))
            .toList());
  }

  @Test
  void tokensComeInCookiesThatNoScriptReads() {
    HttpResponse<String> answer = login();

    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    assertThat(new JsonObject(answer.body()).fieldNames())
        .containsExactlyInAnyOrder("expires_at", "session_expires_at");
    assertThat(setCookies(answer)).hasSize(2);
    assertThat(setCookies(answer).get(0))
        .matches(
            "__Host-penstock-access=[A-Za-z0-9._-]+; Max-Age=(899|900); Path=/; Secure; HttpOnly;"
                + " SameSite=Strict");
    assertThat(setCookies(answer).get(1))
        .matches(
            "__Host-penstock-refresh=[A-Za-z0-9._-]+; Max-Age=(86399|86400); Path=/; Secure;"
                + " HttpOnly; SameSite=Strict");
    assertThat(setCookies(answer)).allSatisfy(one -> assertThat(one.length()).isLessThan(4096));
  }

  @Test
  void whoDoesNotAskForCookiesGetsNone() {
    var body = new JsonObject().put("email", EVE).put("password", ApiRig.PASSWORD);

    HttpResponse<String> answer = rig.send("POST", "/api/v1/auth/login", body.encode(), "");

    assertThat(setCookies(answer)).isEmpty();
    assertThat(new JsonObject(answer.body()).getString("refresh_token")).isNotEmpty();
  }

  /// The contract of the console: the object, and the cookies beside it.
  @Test
  void aPageThatDoesNotAskForCookiesAloneGetsBoth() {
    var body = new JsonObject().put("email", EVE).put("password", ApiRig.PASSWORD);

    HttpResponse<String> answer = send("POST", "/api/v1/auth/login", body.encode(), page());
    HttpResponse<String> foreign =
        send(
            "POST",
            "/api/v1/auth/login",
            body.encode(),
            page("Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"));

    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    JsonObject tokens = new JsonObject(answer.body());
    assertThat(tokens.fieldNames())
        .containsExactlyInAnyOrder("token", "expires_at", "refresh_token", "session_expires_at");
    assertThat(setCookies(answer)).hasSize(2);
    assertThat(jar(answer))
        .contains(tokens.getString("token"))
        .contains(tokens.getString("refresh_token"));
    assertThat(foreign.statusCode()).isEqualTo(403);
  }

  @Test
  void theRefreshCookieAloneSignsOut() {
    String jar = jar(login());
    String refresh = jar.split("; ", -1)[1];

    HttpResponse<String> forged =
        send(
            "POST",
            "/api/v1/auth/logout",
            "",
            page("Cookie", refresh, "Sec-Fetch-Site", "cross-site"));
    assertThat(forged.statusCode()).isEqualTo(403);
    assertThat(send("GET", "/api/v1/auth/me", "", page("Cookie", jar)).statusCode()).isEqualTo(200);

    HttpResponse<String> out = send("POST", "/api/v1/auth/logout", "", page("Cookie", refresh));

    assertThat(out.statusCode()).as(out.body()).isEqualTo(204);
    assertThat(setCookies(out)).hasSize(2).allSatisfy(c -> assertThat(c).contains("Max-Age=0"));
    assertThat(send("GET", "/api/v1/auth/me", "", page("Cookie", jar)).statusCode()).isEqualTo(401);
    assertThat(send("POST", "/api/v1/auth/refresh", "", page("Cookie", refresh)).statusCode())
        .isEqualTo(401);
    HttpResponse<String> again = send("POST", "/api/v1/auth/logout", "", page("Cookie", refresh));
    assertThat(again.statusCode()).isEqualTo(401);
    assertThat(setCookies(again)).as("of no use any more").hasSize(2);
  }

  @Test
  void nobodySignsOutWithoutACredential() {
    assertThat(send("POST", "/api/v1/auth/logout", "", page()).statusCode()).isEqualTo(401);
    assertThat(
            send(
                    "POST",
                    "/api/v1/auth/logout",
                    "",
                    page("Cookie", "__Host-penstock-refresh=penr." + "A".repeat(43)))
                .statusCode())
        .isEqualTo(401);
  }

  @Test
  void aCookieSignsThePagesRequests() {
    String jar = jar(login());

    assertThat(send("GET", "/api/v1/auth/me", "", page("Cookie", jar)).body()).contains(EVE);
    assertThat(send("POST", "/api/v1/auth/password", "{}", page("Cookie", jar)).statusCode())
        .isEqualTo(400);
  }

  @ParameterizedTest(name = "{0} Sec-Fetch-Site {1}, Origin {2}, field {3} gives {4}")
  @CsvSource({
    // An ordinary page of ours; an old browser; a client without a browser.
    "POST, same-origin, own, 1, 204",
    "POST, '', own, 1, 204",
    "POST, same-origin, '', 1, 204",
    "POST, '', '', 1, 204",
    "GET, same-origin, '', '', 200",
    "GET, none, '', '', 200",
    "GET, '', '', '', 200",
    // Another site, a neighbour's host, a sandboxed answer of a system on our own origin.
    "POST, cross-site, https://evil.example, 1, 403",
    "POST, same-site, https://neighbour.example, 1, 403",
    "POST, same-origin, 'null', 1, 403",
    "POST, cross-site, 'null', 1, 403",
    "POST, '', https://evil.example, 1, 403",
    "POST, none, '', 1, 403",
    "POST, same-origin, https://evil.example, 1, 403",
    "POST, cross-site, own, 1, 403",
    // Over cleartext; another port.
    "POST, same-origin, http, 1, 403",
    "POST, same-origin, port, 1, 403",
    // A form cannot send the field.
    "POST, same-origin, own, '', 403",
    "POST, same-origin, own, 0, 403",
    "POST, '', '', '', 403",
    "GET, cross-site, '', '', 403",
    "GET, same-site, '', '', 403",
    "GET, '', https://evil.example, '', 403",
  })
  void aCookieCountsOnlyForOurPages(
      String method, String site, String origin, String field, int expected) {
    String jar = jar(login());
    String from =
        switch (origin) {
          case "own" -> "https://" + host();
          case "http" -> "http://" + host();
          case "port" -> "https://127.0.0.1:1";
          default -> origin;
        };
    String path = method.equals("GET") ? "/api/v1/auth/me" : "/api/v1/auth/logout";

    HttpResponse<String> answer =
        send(
            method,
            path,
            "",
            page("Cookie", jar, "Sec-Fetch-Site", site, "Origin", from, "Penstock-Console", field));

    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(expected);
  }

  @Test
  void nobodyIsSignedInByAnotherPage() {
    assertThat(login("Sec-Fetch-Site", "cross-site").statusCode()).isEqualTo(403);
    assertThat(login("Penstock-Console", "").statusCode()).isEqualTo(403);
    assertThat(setCookies(login("Origin", "https://evil.example"))).isEmpty();
  }

  @Test
  void theRefreshCookieWorksOnceAndItsSecondUseEndsTheSession() {
    String first = jar(login());

    HttpResponse<String> once = send("POST", "/api/v1/auth/refresh", "", page("Cookie", first));
    HttpResponse<String> twice = send("POST", "/api/v1/auth/refresh", "", page("Cookie", first));

    assertThat(once.statusCode()).as(once.body()).isEqualTo(200);
    assertThat(once.body()).doesNotContain("penr.");
    assertThat(setCookies(once)).hasSize(2);
    assertThat(twice.statusCode()).isEqualTo(401);
    assertThat(setCookies(twice)).hasSize(2).allSatisfy(c -> assertThat(c).contains("Max-Age=0"));
    assertThat(send("GET", "/api/v1/auth/me", "", page("Cookie", jar(once))).statusCode())
        .isEqualTo(401);
  }

  @Test
  void theRefreshCookieIsNotSpentByAnotherPage() {
    String jar = jar(login());

    HttpResponse<String> forged =
        send(
            "POST",
            "/api/v1/auth/refresh",
            "",
            page("Cookie", jar, "Sec-Fetch-Site", "cross-site"));

    assertThat(forged.statusCode()).isEqualTo(403);
    assertThat(send("POST", "/api/v1/auth/refresh", "", page("Cookie", jar)).statusCode())
        .isEqualTo(200);
  }

  @Test
  void theAccessCookieAloneRefreshesNothing() {
    String access = jar(login()).split("; ", -1)[0];

    assertThat(send("POST", "/api/v1/auth/refresh", "", page("Cookie", access)).statusCode())
        .isEqualTo(401);
  }

  @Test
  void signingOutTakesTheCookiesAway() {
    String jar = jar(login());

    HttpResponse<String> out = send("POST", "/api/v1/auth/logout", "", page("Cookie", jar));

    assertThat(out.statusCode()).isEqualTo(204);
    assertThat(setCookies(out)).hasSize(2).allSatisfy(c -> assertThat(c).contains("Max-Age=0"));
    assertThat(send("GET", "/api/v1/auth/me", "", page("Cookie", jar)).statusCode()).isEqualTo(401);
  }

  @Test
  void anAuthorizationFieldIsJudgedAloneWhateverCookiesSay() {
    String jar = jar(login());

    for (String authorization : List.of("Bearer not.a.token", "Basic eDp5", "Bearer ")) {
      assertThat(
              send(
                      "GET",
                      "/api/v1/auth/me",
                      "",
                      page("Cookie", jar, "Authorization", authorization))
                  .statusCode())
          .as(authorization)
          .isEqualTo(401);
    }
  }

  @Test
  void twoCookiesOfOneNameAreNone() {
    String jar = jar(login());

    assertThat(
            send("GET", "/api/v1/auth/me", "", page("Cookie", "__Host-penstock-access=x; " + jar))
                .statusCode())
        .isEqualTo(401);
    assertThat(
            send("GET", "/api/v1/auth/me", "", page("Cookie", jar.replace("__Host-", "")))
                .statusCode())
        .isEqualTo(401);
  }

  @Test
  void noOtherOriginIsToldThatItMayRead() {
    HttpResponse<String> preflight =
        rig.send(
            "OPTIONS",
            "/api/v1/users",
            "",
            Map.of("Origin", "https://evil.example", "Access-Control-Request-Method", "POST"));

    assertThat(preflight.statusCode()).isGreaterThanOrEqualTo(400);
    assertThat(preflight.headers().firstValue("Access-Control-Allow-Origin")).isEmpty();
  }
}
