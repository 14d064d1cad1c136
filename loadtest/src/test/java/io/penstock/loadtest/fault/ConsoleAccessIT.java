package io.penstock.loadtest.fault;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.microsoft.playwright.APIResponse;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Route;
import com.microsoft.playwright.options.AriaRole;
import io.penstock.loadtest.client.Configurations;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/// Who sees and does what in the console: roles, users of one site, the trail of what was done, and
/// how people sign in.
class ConsoleAccessIT extends ConsoleStory {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final String OTHER = "plant-2";
  private static final String OF_BERLIN = "berlin@example.org";
  private static final List<String> ROLES =
      List.of("Viewer", "Operator", "Engineer", "Admin", "Copilot");

  private PenstockProcess other;
  private final ProviderDoor provider = ProviderDoor.open();

  @Override
  Launch broker(Launch launch) {
    try {
      Path secret = Files.createTempFile("penstock-client-", ".secret");
      secret.toFile().deleteOnExit();
      Files.writeString(secret, "a client's secret\n");
      return launch
          .variable("PENSTOCK_OIDC_ISSUER", provider.issuer())
          .variable("PENSTOCK_OIDC_NAME", "Plant Login")
          .variable("PENSTOCK_OIDC_CLIENT_ID", "penstock")
          .variable("PENSTOCK_OIDC_CLIENT_SECRET_FILE", secret.toString())
          .variable("PENSTOCK_OIDC_ROLES", "operators=Operator");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @BeforeAll
  void enroll() throws IOException {
    plant.enroll();
    Configurations configurations = plant.configurations();
    // Twice, so that there is something to roll back to.
    for (int version = 1; version <= 2; version++) {
      configurations.put(
          configurations.recordOf(Plant.AGENT),
          "ledger",
          "http",
          (ObjectNode) Configurations.readable(plant.erp().url()).path("settings"),
          Map.of());
    }
    other =
        plant.start(
            plant.newcomer(
                OTHER, plant.tokenFile("of-other", plant.createToken(OTHER, "hamburg"))));
    for (String role : ROLES) {
      user(emailOf(role), role);
    }
    user(OF_BERLIN, "Engineer", "site:berlin");
    plant.await("it waits", () -> plant.api().get("/agents").size() == 2);
  }

  private static String emailOf(String role) {
    return role.toLowerCase(java.util.Locale.ROOT) + "@example.org";
  }

  @AfterAll
  void closeProvider() {
    provider.close();
  }

  /// The table of roles that the broker publishes is what both sides are held to.
  @Test
  @Order(1)
  void offersEachRoleWhatTheBrokerLetsItDo() throws IOException {
    Map<String, Set<String>> permissions = new TreeMap<>();
    for (JsonNode role : plant.api().get("/roles").path("roles")) {
      Set<String> of = new TreeSet<>();
      role.path("permissions").forEach(permission -> of.add(permission.asText()));
      permissions.put(role.path("role").asText(), of);
    }
    assertThat(permissions.keySet()).containsExactlyInAnyOrderElementsOf(ROLES);
    List<String> wrong = new ArrayList<>();
    for (String role : ROLES) {
      Page page = signedIn(emailOf(role));
      String at = "";
      for (ConsoleAction action : ConsoleAction.ALL) {
        if (!action.page().equals(at)) {
          at = action.page();
          settle(page, at);
        }
        boolean may = permissions.getOrDefault(role, Set.of()).contains(action.permission());
        if (action.isOffered(page) != may) {
          wrong.add(role + (may ? " is not offered " : " is offered ") + action);
        }
        int status = action.call(page);
        if ((status != 403) != may) {
          wrong.add(role + " gets " + status + " from " + action);
        }
      }
      page.context().close();
    }
    assertThat(wrong).isEmpty();
  }

  @Test
  @Order(2)
  void showsSomebodyOfOneSiteNothingOfAnother() throws IOException {
    Page page = signedIn(OF_BERLIN);
    page.navigate("/agents");
    assertThat(page.locator(".shown")).hasText("1 agent");
    assertThat(row(page, Plant.AGENT)).isVisible();
    assertThat(row(page, OTHER)).hasCount(0);
    assertThat(downloaded(page, "Export CSV")).contains(Plant.AGENT).doesNotContain(OTHER);
    filter(page).fill(OTHER);
    assertThat(page.getByText("No agent is like that")).isVisible();
    page.keyboard().press("Control+k");
    page.keyboard().type("plant-");
    assertThat(page.getByRole(AriaRole.OPTION)).hasCount(1);
    page.keyboard().press("Escape");

    page.navigate("/systems");
    assertThat(page.getByText("ledger").first()).isVisible();
    assertThat(page.locator("main")).not().containsText(OTHER);
    page.navigate("/audit");
    assertThat(heading(page, "Audit")).isVisible();
    assertThat(page.locator("main")).not().containsText(OTHER);
    browser.expect("status of 404 .*/api/v1/(agents/plant-2|live)");
    page.navigate("/agents/" + OTHER);
    assertThat(page.getByText("No such agent")).isVisible();
    hearsNothingOfAnotherSite(page);
  }

  private void hearsNothingOfAnotherSite(Page page) throws IOException {
    page.navigate("/agents");
    page.evaluate(LISTEN);
    await(page, "the stream says hello", () -> told(page).contains("hello"));
    Page admin = admin();
    for (String agent : List.of(OTHER, Plant.AGENT)) {
      var relabel = new ConsoleAction("", "", "", "PATCH", "/agents/" + agent, LABEL);
      if (agent.equals(OTHER)) {
        plant.approve(OTHER, other);
      }
      assertThat(relabel.call(admin)).isEqualTo(200);
    }
    await(page, "the change of the one agent", () -> told(page).contains("told-to-some"));
    assertThat(told(page)).contains(Plant.AGENT).doesNotContain(OTHER).doesNotContain("hamburg");
    assertThat(row(page, Plant.AGENT)).containsText("note=told-to-some");
    assertThat(row(page, OTHER)).hasCount(0);
    admin.navigate("/agents");
    assertThat(row(admin, OTHER)).containsText("note=told-to-some");
  }

  private static final String LABEL = "{\"labels\":{\"note\":\"told-to-some\"}}";

  /// All topics that an Engineer may follow.
  private static final String LISTEN =
      """
      () => {
        window.told = '';
        fetch('/api/v1/live?topics=overview,agents,latency,alarms,config,requests',
            {headers: {'Penstock-Console': '1', Accept: 'text/event-stream'}})
          .then(async answer => {
            const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
            for (;;) {
              const {done, value} = await reader.read();
              if (done) return;
              window.told += value;
            }
          });
      }
      """;

  private static String told(Page page) {
    return String.valueOf(page.evaluate("window.told"));
  }

  @Test
  @Order(3)
  void findsLinksAndExportsWhatWasDone() throws IOException {
    Page page = admin();
    page.navigate("/audit");
    field(page, "Event").fill("user.create");
    assertThat(page).hasURL(Pattern.compile("event_type=user.create"));
    JsonNode events = plant.api().get("/audit?event_type=user.create&limit=200");
    assertThat(events.size()).isGreaterThanOrEqualTo(ROLES.size() + 1);
    assertThat(page.locator("tr[data-row]")).hasCount(events.size());

    List<List<String>> lines = csv(downloaded(page, "Export these as CSV"));
    List<String> names = lines.getFirst();
    Set<String> fields = new TreeSet<>();
    events.forEach(event -> event.fieldNames().forEachRemaining(fields::add));
    assertThat(names).containsExactlyInAnyOrderElementsOf(fields);
    assertThat(lines.subList(1, lines.size()))
        .isEqualTo(events.valueStream().map(event -> cells(event, names)).toList());

    JsonNode one = events.get(1);
    row(page, one.path("id").asText()).click();
    assertThat(dialog(page)).containsText(one.path("resource_id").asText());
    assertThat(dialog(page).getByText("Copy a link to this")).isVisible();
    String link = page.url();
    Page later = admin();
    later.navigate(link);
    assertThat(dialog(later)).containsText("user.create");
    assertThat(dialog(later)).containsText(one.path("resource_id").asText());
    assertThat(field(later, "Event")).hasValue("user.create");
  }

  private static List<String> cells(JsonNode event, List<String> names) {
    return names.stream()
        .map(event::path)
        .map(
            value ->
                value.isNull() || value.isMissingNode()
                    ? ""
                    : value.isTextual() ? value.asText() : value.toString())
        .toList();
  }

  /// RFC 4180.
  private static List<List<String>> csv(String text) {
    List<List<String>> lines = new ArrayList<>();
    List<String> line = new ArrayList<>();
    var field =
        Pattern.compile("(?:\"((?:[^\"]|\"\")*)\"|([^\",\\r\\n]*))(,|\\r\\n)").matcher(text);
    int end = 0;
    while (field.find()) {
      assertThat(field.start()).isEqualTo(end);
      end = field.end();
      line.add(field.group(1) == null ? field.group(2) : field.group(1).replace("\"\"", "\""));
      if (!field.group(3).equals(",")) {
        lines.add(line);
        line = new ArrayList<>();
      }
    }
    assertThat(end).isEqualTo(text.length());
    return lines;
  }

  @Test
  @Order(4)
  void leavesToTheProviderAndTellsHowPeopleSignIn() throws IOException {
    Page page = page();
    page.navigate("/");
    page.getByText("Sign in with Plant Login").click();
    assertThat(heading(page, "Plant Login")).isVisible();
    assertThat(provider.visitors()).hasSize(1);
    assertThat(provider.visitors().getFirst().getQuery())
        .contains("response_type=code")
        .contains("client_id=penstock")
        .contains("code_challenge_method=S256")
        .contains("redirect_uri=" + plant.url() + "/api/v1/auth/oidc/callback");

    Page admin = admin();
    admin.route("**/api/v1/users", ConsoleAccessIT::asIfByProvider);
    admin.navigate("/access");
    assertThat(row(admin, OF_BERLIN)).containsText("identity provider");
    assertThat(row(admin, ADMIN)).containsText("password");
  }

  /// That real people come by a real provider is in `OidcIT`.
  private static void asIfByProvider(Route route) {
    APIResponse answer = route.fetch();
    try {
      JsonNode users = JSON.readTree(answer.body());
      for (JsonNode user : users) {
        if (user.path("email").asText().equals(OF_BERLIN)) {
          ((ObjectNode) user).put("sign_in", "oidc");
        }
      }
      route.fulfill(new Route.FulfillOptions().setResponse(answer).setBody(users.toString()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  @Order(5)
  void silencesAlarmsForAWhileAndEndsIt() throws IOException {
    Page page = admin();
    page.navigate("/alarms?tab=silences");
    button(page, "Silence alarms…").first().click();
    assertThat(button(page, "Silence them")).isDisabled();
    field(page, "About").fill(Plant.AGENT);
    page.getByLabel("Reason").fill("ticket 4711");
    button(page, "Silence them").click();
    assertThat(dialog(page)).hasCount(0);
    Locator silence = page.locator("tr").filter(new Locator.FilterOptions().setHasText("4711"));
    assertThat(silence).containsText(Plant.AGENT);
    assertThat(silence).containsText(ADMIN);
    assertThat(plant.api().get("/silences").findValuesAsText("reason"))
        .containsExactly("ticket 4711");

    page.getByLabel("End the silence of " + Plant.AGENT).click();
    assertThat(page.getByText("Nothing is silenced")).isVisible();
    assertThat(plant.api().get("/silences").size()).isZero();
  }

  /// As somebody goes who has read nothing.
  @Test
  @Order(6)
  void leadsFromTheSystemsToACallOfOne() throws IOException {
    Page page = admin();
    page.navigate("/systems");
    button(page, "Add a system…").click();
    assertThat(dialog(page)).containsText(OTHER);
    field(page, "Agent").fill("berlin");
    assertThat(dialog(page)).not().containsText(OTHER);
    dialog(page).getByText(Plant.AGENT).click();
    assertThat(page).hasURL(Pattern.compile("/agents/plant-1/new-system$"));
    assertThat(heading(page, "Add a system")).isVisible();

    page.navigate("/agents/plant-1/systems/ledger");
    button(page, "Deploy…").click();
    dialog(page).getByRole(AriaRole.BUTTON, named("Deploy")).click();
    assertThat(page.locator(".state-line .badge").first()).hasText("Applied");
    page.locator("main").getByRole(AriaRole.LINK, named("service account")).click();
    assertThat(page.getByLabel("May invoke")).hasValue("berlin/ledger");
    dialog(page).getByLabel("Name").fill("ledger-reader");
    dialog(page).getByRole(AriaRole.BUTTON, named("Add")).click();
    assertThat(dialog(page)).containsText("Tokens of ledger-reader");
    assertThat(page).hasURL(Pattern.compile("/access\\?tab=services$"));
    button(page, "Issue a token").click();
    String token = dialog(page).locator("pre").innerText().strip();

    try (InputStream body =
        plant.api().invoke(token, "GET", "/berlin/ledger/1k", BodyPublishers.noBody()).body()) {
      assertThat(body.readAllBytes()).hasSize(1024);
    }
  }

  @Test
  @Order(7)
  void getsTheNextTokenBeforeThisOneEnds() {
    Page page = admin();
    page.navigate("/agents");
    assertThat(page.locator(".pill")).containsText("Live");
    var asked = new AtomicInteger();
    page.onRequest(
        request -> {
          if (request.url().endsWith("/auth/refresh")) {
            asked.incrementAndGet();
          }
        });
    page.evaluate(ENDS_SOON);
    page.locator("nav#nav").getByText("Audit").click();
    assertThat(page.locator("tr[data-row]").first()).isVisible();
    page.locator("nav#nav").getByText("Systems").click();
    assertThat(page.getByText("ledger").first()).isVisible();
    assertThat(asked).hasValue(1);
  }

  private static final String ENDS_SOON =
      """
      () => {
        const times = JSON.parse(localStorage.getItem('penstock.session'));
        times.expires_at = new Date(Date.now() + 10000).toISOString();
        localStorage.setItem('penstock.session', JSON.stringify(times));
      }
      """;
}
