package io.penstock.broker.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.access.ProviderStandIn;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Signing in by a provider, as browsers see it.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(120)
class OidcRoutesTest {
  private static final String LOGIN = "/api/v1/auth/oidc/login";
  private static final String CALLBACK = "/api/v1/auth/oidc/callback";
  private static final String EVE = "eve@example.org";

  private final ProviderStandIn provider = new ProviderStandIn();
  private ApiRig rig;

  @BeforeAll
  void start(@TempDir Path directory) throws IOException {
    // Of a provider that says nothing of it, no `iss` is enough.
    provider.configuration = it -> it.put("authorization_response_iss_parameter_supported", false);
    Path secret = directory.resolve("secret");
    Files.writeString(secret, ProviderStandIn.SECRET);
    rig =
        new ApiRig(
            directory.resolve("data"),
            Map.of(
                "oidc.issuer",
                provider.issuer(),
                "oidc.name",
                "Stand-in",
                "oidc.client_id",
                ProviderStandIn.CLIENT,
                "oidc.client_secret_file",
                secret.toString(),
                "oidc.roles",
                "operators=Operator"));
  }

  @AfterAll
  void stop() {
    rig.close();
    provider.close();
  }

  private HttpResponse<String> get(String path, Map<String, String> fields) {
    return rig.send("GET", path, "", fields);
  }

  private static String cookie(HttpResponse<String> answer, String name) {
    return answer.headers().allValues("Set-Cookie").stream()
        .filter(one -> one.startsWith(name + "="))
        .findFirst()
        .orElse("");
  }

  private static String pair(String cookie) {
    return cookie.substring(0, cookie.indexOf(';'));
  }

  private static String location(HttpResponse<String> answer) {
    return answer.headers().firstValue("Location").orElse("");
  }

  /// The way back as a link, for a browser that has the cookie.
  private HttpResponse<String> comeBack(Map<String, String> more) {
    HttpResponse<String> begun = get(LOGIN, Map.of());
    assertThat(begun.statusCode()).as(begun.body()).isEqualTo(303);
    Map<String, String> back = provider.signIn(location(begun));
    var fields = new HashMap<>(more);
    fields.put("Cookie", pair(cookie(begun, "__Host-penstock-oidc")));
    fields.put("Sec-Fetch-Site", "cross-site");
    return get(CALLBACK + "?" + query(back), fields);
  }

  private static String query(Map<String, String> back) {
    return back.entrySet().stream()
        .map(one -> one.getKey() + "=" + URLEncoder.encode(one.getValue(), StandardCharsets.UTF_8))
        .collect(Collectors.joining("&"));
  }

  @Test
  void thePageIsToldWhetherAndByWhatName() {
    assertThat(new JsonObject(get("/api/v1/auth/oidc", Map.of()).body()))
        .isEqualTo(new JsonObject().put("enabled", true).put("name", "Stand-in"));
  }

  @Test
  void theCookieOfTheWayIsShortAndOutOfReachOfScripts() {
    HttpResponse<String> begun = get(LOGIN, Map.of("Sec-Fetch-Site", "same-origin"));

    assertThat(begun.headers().allValues("Set-Cookie")).hasSize(1);
    assertThat(cookie(begun, "__Host-penstock-oidc"))
        .matches(
            "__Host-penstock-oidc=[A-Za-z0-9_-]{43}\\.[0-9]{10}; Max-Age=600; Path=/; Secure;"
                + " HttpOnly; SameSite=Lax");
    assertThat(begun.headers().firstValue("Cache-Control")).contains("no-store");
  }

  @Test
  void noOtherPageSendsSomebodyThrough() {
    assertThat(get(LOGIN, Map.of("Sec-Fetch-Site", "cross-site")).statusCode()).isEqualTo(403);
  }

  @Test
  void whoComesBackHasAnOrdinarySessionInCookies() {
    HttpResponse<String> back = comeBack(Map.of());

    assertThat(back.statusCode()).as(back.body()).isEqualTo(303);
    URI home = URI.create(location(back));
    assertThat(URI.create(CALLBACK).resolve(home)).hasToString("/");
    assertThat(URI.create("/penstock" + CALLBACK).resolve(home)).hasToString("/penstock/");
    String access = cookie(back, "__Host-penstock-access");
    String refresh = cookie(back, "__Host-penstock-refresh");
    assertThat(access).endsWith("; Path=/; Secure; HttpOnly; SameSite=Strict");
    assertThat(refresh).endsWith("; Path=/; Secure; HttpOnly; SameSite=Strict");
    assertThat(cookie(back, "__Host-penstock-oidc")).contains("Max-Age=0");
    JsonObject me = new JsonObject(get("/api/v1/auth/me", Map.of("Cookie", pair(access))).body());
    assertThat(me.getString("email")).isEqualTo(EVE);
    assertThat(me.getJsonArray("roles")).isEqualTo(new JsonArray(List.of("Operator")));
    HttpResponse<String> refreshed =
        rig.send(
            "POST",
            "/api/v1/auth/refresh",
            "",
            Map.of("Cookie", pair(refresh), "Penstock-Console", "1"));
    assertThat(refreshed.statusCode()).isEqualTo(200);
    // Without the field that no form can send, the cookie changes nothing.
    assertThat(
            rig.send("POST", "/api/v1/auth/logout", "", Map.of("Cookie", pair(access)))
                .statusCode())
        .isEqualTo(403);
  }

  @Test
  void usersShowHowTheySignInAndHaveNoPasswordThen() {
    comeBack(Map.of());

    JsonObject eve = new JsonObject(rig.send("GET", "/api/v1/users/" + EVE, "", rig.admin).body());
    JsonObject admin =
        new JsonObject(rig.send("GET", "/api/v1/users/" + rig.first.email(), "", rig.admin).body());
    HttpResponse<String> password =
        rig.send(
            "POST",
            "/api/v1/users/" + EVE + "/password",
            new JsonObject().put("password", ApiRig.PASSWORD).encode(),
            rig.admin);

    assertThat(eve.getString("sign_in")).isEqualTo("oidc");
    assertThat(eve.getString("oidc_issuer")).isEqualTo(provider.issuer());
    assertThat(admin.getString("sign_in")).isEqualTo("password");
    assertThat(admin.getValue("oidc_issuer")).isNull();
    assertThat(password.statusCode()).isEqualTo(409);
    assertThat(ApiRig.problem(password).getString("title")).isEqualTo("no-password");
  }

  @Test
  void aBrowserGetsAPageAndAProgramAProblem() {
    HttpResponse<String> page = get(CALLBACK + "?state=x&code=y", Map.of("Accept", "text/html"));
    HttpResponse<String> problem = get(CALLBACK + "?state=x&code=y", Map.of());

    assertThat(page.statusCode()).isEqualTo(400);
    assertThat(page.headers().firstValue("Content-Type")).contains("text/html; charset=utf-8");
    assertThat(page.headers().firstValue("Content-Security-Policy").orElse(""))
        .startsWith("default-src 'none'");
    assertThat(page.body()).contains("begin again").contains("href=\"../../../../\"");
    assertThat(problem.statusCode()).isEqualTo(400);
    assertThat(ApiRig.problem(problem).getString("title")).isEqualTo("sign-in-over");
  }

  @Test
  void aPageThatOnlyFetchesTheWayBackIsRefused() {
    assertThat(comeBack(Map.of("Sec-Fetch-Mode", "no-cors")).statusCode()).isEqualTo(403);
    assertThat(comeBack(Map.of("Sec-Fetch-Mode", "navigate")).statusCode()).isEqualTo(303);
  }

  @Test
  void aWayBackThatIsNotOursLeavesTheSignInAlone() {
    HttpResponse<String> begun = get(LOGIN, Map.of());
    Map<String, String> back = provider.signIn(location(begun));
    Map<String, String> fields =
        Map.of("Cookie", pair(cookie(begun, "__Host-penstock-oidc")), "Accept", "text/html");

    HttpResponse<String> stranger = get(CALLBACK + "?state=x&code=y", fields);
    HttpResponse<String> own = get(CALLBACK + "?" + query(back), fields);

    assertThat(stranger.statusCode()).isEqualTo(400);
    assertThat(cookie(stranger, "__Host-penstock-oidc")).isEmpty();
    assertThat(own.statusCode()).as(own.body()).isEqualTo(303);
  }

  @Test
  void aSignInThatTheProviderEndedLeavesNoCookie() {
    HttpResponse<String> begun = get(LOGIN, Map.of());
    Map<String, String> back = provider.signIn(location(begun));
    back.remove("code");
    back.put("error", "access_denied");

    HttpResponse<String> page =
        get(
            CALLBACK + "?" + query(back),
            Map.of("Cookie", pair(cookie(begun, "__Host-penstock-oidc")), "Accept", "text/html"));

    assertThat(page.statusCode()).isEqualTo(403);
    assertThat(cookie(page, "__Host-penstock-oidc")).contains("Max-Age=0");
  }

  @Test
  void twoIssuersAreNoIssuer() {
    HttpResponse<String> begun = get(LOGIN, Map.of());
    Map<String, String> back = provider.signIn(location(begun));

    HttpResponse<String> answer =
        get(
            CALLBACK + "?" + query(back) + "&iss=https%3A%2F%2Fevil.example",
            Map.of("Cookie", pair(cookie(begun, "__Host-penstock-oidc"))));

    assertThat(answer.statusCode()).isEqualTo(403);
    assertThat(ApiRig.problem(answer).getString("title")).isEqualTo("provider-not-trusted");
  }

  @Test
  void aParameterThatComesTwiceIsNone() {
    HttpResponse<String> begun = get(LOGIN, Map.of());
    Map<String, String> back = provider.signIn(location(begun));

    HttpResponse<String> answer =
        get(
            CALLBACK + "?" + query(back) + "&state=" + back.get("state"),
            Map.of("Cookie", pair(cookie(begun, "__Host-penstock-oidc"))));

    assertThat(answer.statusCode()).isEqualTo(400);
  }
}
