package io.penstock.loadtest.fault;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.penstock.loadtest.client.PublicApi;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A real Keycloak signs people in, with roles. What a provider that lies is answered is in the
/// broker's own tests.
@Tag("slow")
@Timeout(900)
class OidcIT {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final String CALLBACK = "/api/v1/auth/oidc/callback";

  @TempDir Path directory;

  private final String clientSecret = "client-secret-" + UUID.randomUUID();
  private final String password = "password-" + UUID.randomUUID();

  @Test
  void aRealKeycloakSignsPeopleInWithTheirRoles() throws Exception {
    Path home =
        KeycloakServer.home()
            .orElseThrow(() -> new AssertionError("no Keycloak: run with -Pslow once"));
    int port = Processes.freePort();
    Path secretFile = directory.resolve("client-secret");
    Plant.writePrivate(secretFile, clientSecret + "\n");
    try (Plant plant = Plant.open(directory, launch -> withProvider(launch, port, secretFile))) {
      saysThatTheProviderIsAway(plant);
      Path log = plant.logs().resolve("keycloak.log");
      try (KeycloakServer keycloak = KeycloakServer.start(home, port, realm(plant), log)) {
        plant.await("Keycloak answers", keycloak::isReady);
        plant.await("the broker asks again", () -> begins(plant));
        anOperatorSignsIn(plant);
        whoHasNoMappedRoleStaysOut(plant);
        aDisabledAccountStaysOut(plant);
      }
      plant.signIn();
    }
    assertNoSecretWasKept();
  }

  private static Launch withProvider(Launch launch, int port, Path secretFile) {
    return launch
        .variable("PENSTOCK_OIDC_ISSUER", KeycloakServer.issuer(port))
        .variable("PENSTOCK_OIDC_NAME", "Keycloak")
        .variable("PENSTOCK_OIDC_CLIENT_ID", "penstock")
        .variable("PENSTOCK_OIDC_CLIENT_SECRET_FILE", secretFile.toString())
        .variable("PENSTOCK_OIDC_ROLES", "penstock-admin=Admin,penstock-operator=Operator");
  }

  private String realm(Plant plant) throws IOException {
    try (InputStream in = OidcIT.class.getResourceAsStream("/keycloak-realm.json")) {
      if (in == null) {
        throw new IOException("keycloak-realm.json is missing");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .replace("\"SECRET\"", "\"" + clientSecret + "\"")
          .replace("\"PASSWORD\"", "\"" + password + "\"")
          .replace("\"REDIRECT_URI\"", "\"" + plant.url() + CALLBACK + "\"");
    }
  }

  private static URI at(Plant plant, String path) {
    return URI.create(plant.url() + "/api/v1" + path);
  }

  private static void saysThatTheProviderIsAway(Plant plant) throws IOException {
    try (var browser = new LoginBrowser(plant.caFile())) {
      assertThat(JSON.readTree(browser.get(at(plant, "/auth/oidc")).body()))
          .isEqualTo(PublicApi.object().put("enabled", true).put("name", "Keycloak"));
      HttpResponse<String> answer = browser.get(at(plant, "/auth/oidc/login"));
      assertThat(answer.statusCode()).isEqualTo(503);
      assertThat(answer.headers().firstValue("Retry-After")).isPresent();
      assertThat(JSON.readTree(answer.body()).path("title").asText())
          .isEqualTo("provider-unavailable");
    }
  }

  private static boolean begins(Plant plant) throws IOException {
    try (var browser = new LoginBrowser(plant.caFile())) {
      return browser.get(at(plant, "/auth/oidc/login")).statusCode() == 303;
    }
  }

  private HttpResponse<String> signIn(Plant plant, LoginBrowser browser, String user)
      throws IOException {
    return browser.signIn(at(plant, "/auth/oidc/login"), plant.url(), user, password);
  }

  private void anOperatorSignsIn(Plant plant) throws IOException {
    try (var browser = new LoginBrowser(plant.caFile())) {
      HttpResponse<String> back = signIn(plant, browser, "olga");

      assertThat(back.statusCode()).as(back.body()).isEqualTo(303);
      assertThat(back.headers().firstValue("Location")).contains("../../../../");
      assertThat(browser.cookieNames(plant.url()))
          .containsExactlyInAnyOrder("__Host-penstock-access", "__Host-penstock-refresh");
      JsonNode me = JSON.readTree(browser.get(at(plant, "/auth/me")).body());
      assertThat(me.path("email").asText()).isEqualTo("olga@example.org");
      assertThat(me.path("roles").path(0).asText()).isEqualTo("Operator");
      assertThat(browser.post(at(plant, "/auth/refresh")).statusCode()).isEqualTo(200);
      assertThat(browser.get(at(plant, "/users")).statusCode()).isEqualTo(403);
      JsonNode user = plant.api().get("/users/olga@example.org");
      assertThat(user.path("sign_in").asText()).isEqualTo("oidc");
      assertThat(user.path("role").asText()).isEqualTo("Operator");
      assertThat(browser.post(at(plant, "/auth/logout")).statusCode()).isEqualTo(204);
      assertThat(browser.get(at(plant, "/auth/me")).statusCode()).isEqualTo(401);
    }
  }

  private void whoHasNoMappedRoleStaysOut(Plant plant) throws IOException {
    try (var browser = new LoginBrowser(plant.caFile())) {
      HttpResponse<String> back = signIn(plant, browser, "carl");

      assertThat(back.statusCode()).isEqualTo(403);
      assertThat(JSON.readTree(back.body()).path("title").asText()).isEqualTo("no-role");
      assertThat(browser.get(at(plant, "/auth/me")).statusCode()).isEqualTo(401);
      assertThat(plant.api().get("/users").findValuesAsText("email"))
          .doesNotContain("carl@example.org");
      assertThat(reasons(plant)).contains("oidc_no_role");
    }
  }

  private void aDisabledAccountStaysOut(Plant plant) throws IOException {
    try (var browser = new LoginBrowser(plant.caFile())) {
      assertThat(signIn(plant, browser, "olga").statusCode()).isEqualTo(303);

      plant.api().post("/users/olga@example.org/disable", PublicApi.object());

      assertThat(browser.get(at(plant, "/auth/me")).statusCode()).isEqualTo(401);
      // Keycloak remembers her and asks nothing.
      HttpResponse<String> back = signIn(plant, browser, "olga");
      assertThat(back.statusCode()).isEqualTo(403);
      assertThat(JSON.readTree(back.body()).path("title").asText()).isEqualTo("disabled");
      assertThat(reasons(plant)).contains("oidc_disabled");
    }
  }

  private static List<String> reasons(Plant plant) throws IOException {
    return plant.api().get("/audit?event_type=authentication.failure").findValuesAsText("reason");
  }

  /// The broker's log, data and database; what Keycloak keeps is its own.
  private void assertNoSecretWasKept() throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String name = directory.relativize(file).toString();
        if (!name.equals("client-secret") && !name.contains("keycloak")) {
          assertThat(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1))
              .as(name)
              .doesNotContain(clientSecret)
              .doesNotContain(password);
        }
      }
    }
  }
}
