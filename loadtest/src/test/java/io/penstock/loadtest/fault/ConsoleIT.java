package io.penstock.loadtest.fault;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static com.microsoft.playwright.assertions.PlaywrightAssertions.setDefaultAssertionTimeout;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.assertions.LocatorAssertions;
import com.microsoft.playwright.options.AriaRole;
import com.microsoft.playwright.options.ColorScheme;
import io.penstock.loadtest.client.ApiException;
import io.penstock.loadtest.client.PublicApi;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The console in a real Chromium, at a real broker, agent and Postgres, as an operator uses it.
/// The tests are one story on one broker, in this order: an empty one first, then one with an agent
/// and a system.
///
/// Beside what each test says, no page may ever put an error on the browser's console, throw in a
/// script, or violate its Content-Security-Policy.
@Timeout(240)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ConsoleIT {
  private static final double PATIENCE_MS = 15_000;
  private static final String ADMIN = "admin@penstock.local";
  private static final String VIEWER = "viewer@example.org";
  private static final String SOMEBODY = "somebody@example.org";
  private static final String PASSWORD = "plaice granite 4711 umbrella";
  private static final String OTHER_PASSWORD = "umbrella 1147 granite plaice";
  private static final String SECRET = "canary-typed-in-a-browser-77310";
  private static final String MARKUP = "<img src=x onerror=\"window.owned=1\">";
  private static final Pattern FINGERPRINT =
      Pattern.compile("fingerprint ([0-9A-Z]{4}-[0-9A-Z]{4})");
  private static final List<String> PAGES =
      List.of(
          "/",
          "/agents",
          "/agents/plant-1",
          "/agents/plant-1?tab=systems",
          "/agents/plant-1/systems/erp",
          "/agents/plant-1/systems/erp/edit",
          "/agents/plant-1/new-system",
          "/systems",
          "/enrollment",
          "/latency",
          "/hops",
          "/requests",
          "/alarms",
          "/audit",
          "/access",
          "/access?tab=services",
          "/access?tab=roles",
          "/loadtests",
          "/broker",
          "/no-such-page");

  private Plant plant;
  private ConsoleBrowser browser;
  private final List<Page> open = new ArrayList<>();
  private Path shots;

  @BeforeAll
  void start(@TempDir Path directory) throws IOException {
    // Where it must not be missing, nothing is skipped.
    assertThat(
            ConsoleBrowser.chromium().isPresent() || !Boolean.getBoolean("penstock.test.browser"))
        .as("a Chromium in /usr/bin")
        .isTrue();
    assumeTrue(
        ConsoleBrowser.chromium().isPresent(),
        "SKIPPED: the console's browser tests did not run: no Chromium in /usr/bin (Debian: apt-get"
            + " install chromium fonts-dejavu-core)");
    // The first pages of a broker that has just started, on a machine that does other things too.
    setDefaultAssertionTimeout(PATIENCE_MS);
    shots = Files.createDirectories(Home.find().root().resolve("loadtest/target/console"));
    plant = Plant.open(directory);
    browser = ConsoleBrowser.at(plant.url());
    user(VIEWER, "Viewer");
    user(SOMEBODY, "Engineer");
  }

  private void user(String email, String role) throws IOException {
    plant
        .api()
        .post(
            "/users",
            PublicApi.object().put("email", email).put("role", role).put("password", PASSWORD));
  }

  @AfterEach
  void noPageComplained() {
    open.forEach(page -> page.context().close());
    open.clear();
    if (browser != null) {
      assertThat(browser.complaints()).isEmpty();
    }
  }

  @AfterAll
  void stop() {
    if (browser != null) {
      browser.close();
    }
    if (plant != null) {
      plant.close();
    }
  }

  private Page page() {
    return page(1440, 900, ColorScheme.LIGHT);
  }

  private Page page(int width, int height, ColorScheme scheme) {
    Page page = browser.open(width, height, scheme);
    open.add(page);
    return page;
  }

  private Page admin() {
    Page page = page();
    ConsoleBrowser.signIn(page, ADMIN, plant.password());
    return page;
  }

  private static Locator button(Page page, String name) {
    return page.getByRole(
        AriaRole.BUTTON, new Page.GetByRoleOptions().setName(name).setExact(true));
  }

  private static Locator heading(Page page, String name) {
    return page.getByRole(
        AriaRole.HEADING, new Page.GetByRoleOptions().setName(name).setExact(true).setLevel(1));
  }

  private static Locator filter(Page page) {
    return page.getByLabel("Filter", new Page.GetByLabelOptions().setExact(true));
  }

  private static LocatorAssertions.IsVisibleOptions within(double seconds) {
    return new LocatorAssertions.IsVisibleOptions().setTimeout(seconds * 1000);
  }

  @Test
  @Order(1)
  void letsInWhoeverKnowsThePasswordAndTellsTheOthersWhatToDo() {
    Page page = page();
    page.navigate("/agents");
    assertThat(heading(page, "Sign in")).isVisible();
    page.getByLabel("E-mail").fill(SOMEBODY);
    for (int i = 0; i < 5; i++) {
      page.getByLabel("Password").fill("wrong " + i);
      button(page, "Sign in").click();
      assertThat(page.getByRole(AriaRole.ALERT)).containsText("let nobody in");
      assertThat(button(page, "Sign in")).isEnabled();
    }
    page.getByLabel("Password").fill(PASSWORD);
    button(page, "Sign in").click();
    assertThat(page.getByRole(AriaRole.ALERT)).containsText("locked for this address");
    assertThat(page.getByRole(AriaRole.ALERT)).containsText("Try again in");
    assertThat(button(page, "Sign in")).isDisabled();

    page.reload();
    page.getByLabel("E-mail").fill(ADMIN);
    page.getByLabel("Password").fill(plant.password());
    page.getByLabel("Password").press("Enter");
    assertThat(heading(page, "Agents")).isVisible();

    page.reload();
    assertThat(heading(page, "Agents")).isVisible();
    assertThat(page.evaluate("document.cookie")).isEqualTo("");

    page.locator(".user").click();
    page.getByText("Sign out").click();
    assertThat(page.getByText("You are signed out.")).isVisible();
    page.navigate("/agents");
    assertThat(heading(page, "Sign in")).isVisible();
  }

  @Test
  @Order(2)
  void leadsFromAnEmptyBrokerToAnAgentThatIsOnlineWithoutAReload() throws IOException {
    Page page = admin();
    assertThat(heading(page, "Welcome")).isVisible();
    shot(page, "welcome");
    page.evaluate("window.sameDocument = true");
    page.getByRole(AriaRole.LINK, new Page.GetByRoleOptions().setName("Create a token")).click();
    button(page, "Create a token…").click();
    page.getByLabel("Agent", new Page.GetByLabelOptions().setExact(false)).first().fill("plant-1");
    page.getByLabel("Site").fill("berlin");
    button(page, "Create the token").click();
    String command =
        page.getByLabel(
                "Command that starts the agent", new Page.GetByLabelOptions().setExact(true))
            .textContent();
    String token =
        command.lines().filter(line -> line.startsWith("pen1.")).findFirst().orElseThrow();

    PenstockProcess agent =
        plant.start(plant.bare("plant-1", Optional.of(plant.tokenFile("plant-1", token))));
    String shown = agent.awaitLine(FINGERPRINT, Plant.PATIENCE).group(1);
    assertThat(page.getByText("Pending").first()).isVisible(within(20));
    assertThat(page.getByText(shown).first()).isVisible();
    shot(page, "enrollment");

    button(page, "Approve…").first().click();
    page.getByLabel("Fingerprint that the agent shows").fill("AAAA-AAAA");
    assertThat(page.getByText("another fingerprint")).isVisible();
    page.getByLabel("Fingerprint that the agent shows")
        .fill(shown.toLowerCase(java.util.Locale.ROOT));
    approve(page);
    assertThat(page.getByText("Online").first()).isVisible(within(20));
    assertThat(page.evaluate("window.sameDocument")).isEqualTo(true);
    assertThat(plant.api().get("/agents/plant-1").path("state").asText()).isEqualTo("approved");
  }

  /// The agent's proof may come a moment after its fingerprint.
  private void approve(Page page) throws IOException {
    Locator approve = page.getByRole(AriaRole.DIALOG).getByRole(AriaRole.BUTTON, named("Approve"));
    plant.await(
        "approved by the dialog",
        () -> {
          if (approve.isVisible() && approve.isEnabled()) {
            approve.click();
          }
          page.waitForTimeout(300);
          return !page.getByRole(AriaRole.DIALOG).isVisible();
        });
  }

  private static Locator.GetByRoleOptions named(String name) {
    return new Locator.GetByRoleOptions().setName(name).setExact(true);
  }

  @Test
  @Order(3)
  void sealsASecretInTheBrowserThatIsNowhereElseAfterwards() throws Exception {
    Page page = admin();
    page.navigate("/agents/plant-1/new-system");
    button(page, "Save version 1").click();
    assertThat(page.getByText("Name the system, for example erp.")).isVisible();
    page.getByLabel("Name").first().fill("erp");
    page.getByLabel("Base URL").fill(plant.erp().url().toString());
    page.getByLabel("User", new Page.GetByLabelOptions().setExact(true)).fill("penstock");
    page.getByLabel("Password", new Page.GetByLabelOptions().setExact(true)).fill(SECRET);
    button(page, "Save version 1").click();
    assertThat(heading(page, "erp")).isVisible();
    assertThat(page.getByText("sealed, never shown")).isVisible();

    button(page, "Test").click();
    assertThat(page.getByText("Test of version 1: it works")).isVisible(within(20));
    button(page, "Close").last().click();

    button(page, "Deploy…").click();
    page.getByRole(AriaRole.DIALOG).getByRole(AriaRole.BUTTON, named("Deploy")).click();
    assertThat(page.locator(".state-line").getByText("Applied")).isVisible(within(20));
    shot(page, "system");

    page.navigate("/agents/plant-1/systems/erp/edit");
    assertThat(page.getByLabel("Password", new Page.GetByLabelOptions().setExact(true)))
        .hasValue("");
    assertThat(page.content()).doesNotContain(SECRET);
    assertThat(browser.requestBodies())
        .anyMatch(body -> body.contains("\"wraps\""))
        .noneMatch(body -> body.contains(SECRET));
    assertThat(SecretSearch.filesWith(plant.brokerData(), SECRET)).isEmpty();
    assertThat(SecretSearch.filesWith(plant.logs(), SECRET)).isEmpty();

    plant.grant("berlin/*");
    plant.await("the system answers through the tunnel", plant::serves);
  }

  @Test
  @Order(4)
  void showsAViewerOnlyWhatAViewerMayDo() {
    Page page = page();
    List<Integer> refused = new ArrayList<>();
    page.onResponse(
        response -> {
          if (response.status() == 403) {
            refused.add(response.status());
          }
        });
    ConsoleBrowser.signIn(page, VIEWER, PASSWORD);
    Locator nav = page.locator("nav#nav");
    assertThat(nav.getByText("Agents")).isVisible();
    for (String absent : List.of("Enrollment", "Requests", "Audit", "Users & access", "Broker")) {
      assertThat(nav.getByText(absent, new Locator.GetByTextOptions().setExact(true))).hasCount(0);
    }

    page.navigate("/agents/plant-1");
    assertThat(button(page, "Revoke…")).hasAttribute("aria-disabled", "true");
    assertThat(page.getByText("Needs the role Admin").first()).isAttached();
    button(page, "Revoke…").click(new Locator.ClickOptions().setForce(true));
    assertThat(page.getByRole(AriaRole.DIALOG)).hasCount(0);

    for (String path : List.of("/audit", "/requests", "/enrollment", "/access", "/broker")) {
      page.navigate(path);
      assertThat(heading(page, "Not for your role")).isVisible();
    }
    assertThat(refused).isEmpty();

    Object status =
        page.evaluate(
            "fetch('/api/v1/agents/plant-1/revoke', {method: 'POST', headers: {'Penstock-Console':"
                + " '1'}}).then(it => it.status)");
    assertThat(status).isEqualTo(403);
  }

  @Test
  @Order(5)
  void showsALabelThatIsMarkupAsText() throws Exception {
    Page page = admin();
    Object changed =
        page.evaluate(
            "label => fetch('/api/v1/agents/plant-1', {method: 'PATCH', headers:"
                + " {'Penstock-Console': '1', 'Content-Type': 'application/json'}, body:"
                + " JSON.stringify({labels: {note: label}})}).then(it => it.status)",
            MARKUP);
    assertThat(changed).isEqualTo(200);

    for (String path : List.of("/agents", "/agents/plant-1", "/agents?q=onerror")) {
      page.navigate(path);
      assertThat(page.getByText("note=" + MARKUP)).isVisible();
      assertThat(page.locator("img")).hasCount(0);
    }
    assertThat(page.evaluate("window.owned")).isNull();
    page.evaluate(
        "fetch('/api/v1/agents/plant-1', {method: 'PATCH', headers: {'Penstock-Console': '1',"
            + " 'Content-Type': 'application/json'}, body: JSON.stringify({labels: {note:"
            + " null}})}).then(it => it.status)");
  }

  @Test
  @Order(6)
  void worksWithTheKeyboardAlone() {
    Page page = page();
    page.navigate("/");
    assertThat(page.getByLabel("E-mail")).isFocused();
    page.keyboard().type(ADMIN);
    page.keyboard().press("Tab");
    page.keyboard().type(plant.password());
    page.keyboard().press("Enter");
    assertThat(heading(page, "Overview")).isVisible();

    page.keyboard().press("g");
    page.keyboard().press("a");
    assertThat(heading(page, "Agents")).isVisible();
    assertThat(heading(page, "Agents")).isFocused();
    page.keyboard().press("/");
    page.keyboard().type("site:berlin");
    assertThat(page).hasURL(Pattern.compile("q=site%3Aberlin"));
    page.keyboard().press("Tab");
    page.getByRole(AriaRole.HEADING).first().focus();
    assertThat(page.locator("tr[data-key=plant-1]")).isVisible();
    page.keyboard().press("j");
    assertThat(page.locator("tr[data-key=plant-1]")).isFocused();
    page.keyboard().press("Enter");
    assertThat(heading(page, "plant-1")).isVisible();

    page.keyboard().press("?");
    assertThat(page.getByRole(AriaRole.DIALOG)).containsText("Keyboard");
    page.keyboard().press("Escape");
    assertThat(page.getByRole(AriaRole.DIALOG)).hasCount(0);
    page.keyboard().press("Control+k");
    page.keyboard().type("audit");
    page.keyboard().press("Enter");
    assertThat(heading(page, "Audit")).isVisible();
  }

  @Test
  @Order(7)
  void keepsAFormWhileItsSessionEnds() throws IOException {
    Page page = page();
    ConsoleBrowser.signIn(page, VIEWER, PASSWORD);
    page.navigate("/agents?q=");
    filter(page).fill("kept words");

    String path = "/users/" + VIEWER + "/password";
    try {
      plant.api().post(path, PublicApi.object().put("password", OTHER_PASSWORD));
    } catch (ApiException e) {
      assertThat(e.status()).isEqualTo(204);
    }
    assertThat(page.getByRole(AriaRole.DIALOG)).containsText("session", containing(30));
    page.getByLabel("Password").fill(OTHER_PASSWORD);
    page.keyboard().press("Enter");

    assertThat(page.getByRole(AriaRole.DIALOG)).hasCount(0);
    assertThat(filter(page)).hasValue("kept words");
  }

  private static LocatorAssertions.ContainsTextOptions containing(double seconds) {
    return new LocatorAssertions.ContainsTextOptions().setTimeout(seconds * 1000);
  }

  @Test
  @Order(8)
  void saysThatTheBrokerIsGoneAndGoesOnWhenItIsBack() throws IOException {
    Page page = admin();
    page.navigate("/agents");
    filter(page).fill("plant");
    assertThat(page.locator("tr[data-key=plant-1]")).isVisible();
    page.evaluate("window.sameDocument = true");

    plant.broker().kill();
    assertThat(page.locator(".pill")).containsText("Reconnecting", containing(20));
    assertThat(page.locator("tr[data-key=plant-1]")).isVisible();

    plant.restartBroker();
    plant.await("the broker is ready", plant.api()::isReady);
    assertThat(page.locator(".pill")).not().containsText("Reconnecting", containing(40));
    assertThat(page.locator("tr[data-key=plant-1]").getByText("Online")).isVisible(within(40));
    assertThat(filter(page)).hasValue("plant");
    assertThat(page.evaluate("window.sameDocument")).isEqualTo(true);
  }

  @Test
  @Order(9)
  void isAccessibleAndCompleteOnEveryPageInBothThemesAndAtEveryWidth() throws IOException {
    List<String> found = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      assertThat(plant.serves()).isTrue();
    }
    for (ColorScheme scheme : List.of(ColorScheme.LIGHT, ColorScheme.DARK)) {
      Page page = page(1440, 900, scheme);
      ConsoleBrowser.signIn(page, ADMIN, plant.password());
      for (String path : PAGES) {
        settle(page, path);
        String name = nameOf(path) + "-" + scheme.name().toLowerCase(java.util.Locale.ROOT);
        ConsoleBrowser.axe(page).forEach(line -> found.add(name + ": " + line));
        shot(page, name);
        page.setViewportSize(390, 844);
        shot(page, name + "-390");
        page.setViewportSize(320, 700);
        if (overflows(page)) {
          found.add(name + ": wider than 320 px");
        }
        page.setViewportSize(1440, 900);
      }
    }
    assertThat(found).isEmpty();
  }

  private static void settle(Page page, String path) {
    page.navigate(path);
    page.locator("h1").first().waitFor();
    assertThat(page.locator(".loading")).hasCount(0);
    page.waitForTimeout(150);
    page.locator("h1").first().waitFor();
  }

  private static boolean overflows(Page page) {
    return Boolean.TRUE.equals(
        page.evaluate(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth"));
  }

  private static String nameOf(String path) {
    String name = path.replaceAll("[^a-z0-9]+", "-").replaceAll("^-|-$", "");
    return name.isEmpty() ? "overview" : name;
  }

  private void shot(Page page, String name) {
    page.screenshot(new Page.ScreenshotOptions().setPath(shots.resolve(name + ".png")));
  }

  @Test
  @Order(10)
  void recordsWhatWasDoneHere() throws IOException {
    Page page = admin();
    page.navigate("/audit?resource_id=plant-1");
    assertThat(page.getByText("gateway.approve").first()).isVisible();
    JsonNode events = plant.api().get("/audit?resource_id=plant-1");
    assertThat(events.findValuesAsText("event_type")).contains("gateway.approve");
    page.getByText("gateway.approve").first().click();
    assertThat(page.getByRole(AriaRole.DIALOG)).containsText(ADMIN);
    page.reload();
    assertThat(page.getByRole(AriaRole.DIALOG)).containsText(ADMIN);
    page.keyboard().press("Escape");
    button(page, "Verify").click();
    assertThat(page.getByRole(AriaRole.DIALOG)).containsText("The trail is intact", containing(20));
  }
}
