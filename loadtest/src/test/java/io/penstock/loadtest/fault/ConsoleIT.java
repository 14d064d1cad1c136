package io.penstock.loadtest.fault;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Route;
import com.microsoft.playwright.options.AriaRole;
import com.microsoft.playwright.options.ColorScheme;
import io.penstock.loadtest.client.ApiException;
import io.penstock.loadtest.client.PublicApi;
import io.penstock.loadtest.network.Network;
import io.penstock.loadtest.network.NetworkProxy;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/// The console as an operator uses it: an empty broker first, then one with an agent and a system.
class ConsoleIT extends ConsoleStory {
  private static final String VIEWER = "viewer@example.org";
  private static final String SOMEBODY = "somebody@example.org";
  private static final String ENGINEER = "engineer@example.org";
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
          "/latency?agent=plant-1&system=erp&range=5m",
          "/latency?hop=system",
          "/agents/plant-1?tab=latency",
          "/requests",
          "/alarms",
          "/alarms?tab=silences",
          "/changes",
          "/audit",
          "/access",
          "/access?tab=services",
          "/access?tab=roles",
          "/loadtests",
          "/broker",
          "/no-such-page");

  private static final Network LONGER =
      new Network(
          Duration.ofMillis(200), Duration.ZERO, 0, Duration.ZERO, Duration.ZERO, Duration.ZERO);

  private NetworkProxy toSystem;
  private Path shots;

  @BeforeAll
  void prepare() throws IOException {
    shots = Files.createDirectories(Home.find().root().resolve("loadtest/target/console"));
    toSystem = NetworkProxy.start(plant.erp().port(), Network.NONE);
    user(VIEWER, "Viewer");
    user(SOMEBODY, "Engineer");
    user(ENGINEER, "Engineer");
  }

  @AfterAll
  void closeLine() {
    if (toSystem != null) {
      toSystem.close();
    }
  }

  @Test
  @Order(1)
  void letsInWhoeverKnowsThePasswordAndTellsTheOthersWhatToDo() {
    browser.expect("status of (401|429) .*/api/v1/auth/login");
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
    // The agent's proof may come a moment after its fingerprint.
    browser.expect("status of 409 .*/api/v1/agents/plant-1/approve");
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

  @Test
  @Order(3)
  void sealsASecretInTheBrowserThatIsNowhereElseAfterwards() throws Exception {
    Page page = admin();
    page.navigate("/agents/plant-1/new-system");
    button(page, "Save version 1").click();
    assertThat(page.getByText("Name the system, for example erp.")).isVisible();
    page.getByLabel("Name").first().fill("erp");
    page.getByLabel("Base URL").fill(systemUrl());
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
    List<String> rows = SecretSearch.rows(postgres);
    assertThat(rows)
        .anyMatch(row -> row.contains(systemUrl()))
        .noneMatch(row -> SecretSearch.isIn(row, SECRET));
    assertThat(SecretSearch.filesWith(plant.brokerData(), SECRET)).isEmpty();
    assertThat(SecretSearch.filesWith(plant.logs(), SECRET)).isEmpty();

    plant.grant("berlin/*");
    plant.await("the system answers through the tunnel", plant::serves);
  }

  /// By a line that tests make longer.
  private String systemUrl() {
    return "http://127.0.0.1:" + toSystem.port();
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

    browser.expect("status of 403 .*/api/v1/agents/plant-1/revoke");
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
    browser.expect("status of 401 .*/api/v1/");
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

  @Test
  @Order(8)
  void saysThatTheBrokerIsGoneAndGoesOnWhenItIsBack() throws IOException {
    Page page = admin();
    page.navigate("/agents");
    filter(page).fill("plant");
    assertThat(page.locator("tr[data-key=plant-1]")).isVisible();
    page.evaluate("window.sameDocument = true");

    browser.expect("net::ERR_");
    browser.expect("status of (429|503) .*/api/v1/");
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

  /// Calls through the tunnel, one after the other.
  private void call(int times) {
    for (int i = 0; i < times; i++) {
      assertThat(plant.serves()).isTrue();
    }
  }

  @Test
  @Order(11)
  void movesTheNumbersWithoutAReloadAndWithoutAskingAgain() {
    Page page = admin();
    List<String> asked = new CopyOnWriteArrayList<>();
    page.navigate("/");
    assertThat(page.locator(".pill")).containsText("Live");
    Locator calls = callsTile(page);
    assertThat(calls).containsText("none", containing(30));
    page.evaluate("window.sameDocument = true");
    page.onRequest(request -> asked.add(request.method() + " " + path(request.url())));

    call(20);
    assertThat(calls).containsText("/s", containing(5));
    assertThat(calls).containsText("none", containing(30));

    assertThat(page.evaluate("window.sameDocument")).isEqualTo(true);
    assertThat(asked).doesNotContain("GET /api/v1/overview", "GET /api/v1/agents");
  }

  private static String path(String url) {
    return URI.create(url).getPath();
  }

  @Test
  @Order(12)
  void opensTheCallsOfACellAndTheHopsOfACall() {
    Page page = admin();
    page.navigate("/latency?agent=plant-1&system=erp&range=5m");
    call(30);
    Locator heat =
        page.locator("figure").filter(new Locator.FilterOptions().setHasText("All calls"));
    assertThat(heat).isVisible(within(20));
    page.evaluate("window.sameDocument = true");
    long before = told(page);
    call(10);
    await(page, "ten more calls are told", () -> told(page) >= before + 10);
    assertThat(page.evaluate("window.sameDocument")).isEqualTo(true);
    shot(page, "latency-live");

    heat.getByRole(AriaRole.BUTTON, named("Table")).click();
    heat.locator("td button").first().click();
    assertThat(heading(page, "Requests")).isVisible();
    assertThat(page.getByText("Calls that ended")).isVisible();
    Locator row = page.locator("tr[data-row='0']");
    assertThat(row).containsText("erp");
    shot(page, "requests-of-a-cell");
    row.click();
    Locator dialog = page.getByRole(AriaRole.DIALOG);
    for (String hop : List.of("Broker", "Tunnel, both ways", "Agent", "System", "Body")) {
      assertThat(dialog).containsText(hop);
    }
    assertThat(dialog).containsText("hops add up to it within ±");
    assertThat(dialog).containsText("plant-1");
    shot(page, "request");
    page.reload();
    assertThat(dialog).containsText("hops add up to it within ±");
  }

  /// How many calls the page says that it shows.
  private static long told(Page page) {
    String text = page.locator("p.fine").first().textContent().strip();
    return Long.parseLong(text.substring(0, text.indexOf(' ')).replace(",", ""));
  }

  @Test
  @Order(13)
  void showsALongerLineToTheSystemAsTheSystemsTimeAlone() {
    Page page = admin();
    page.navigate("/hops?agent=plant-1&system=erp&range=5m");
    toSystem.line(LONGER);
    try {
      await(
          page,
          "the system's hop is 200 ms longer",
          () -> {
            call(3);
            return meanNow(page, "System") > 190;
          });
      assertThat(meanNow(page, "System")).isBetween(190.0, 400.0);
      for (String hop : List.of("Broker", "Tunnel, both ways", "Agent", "Body to the caller")) {
        assertThat(meanNow(page, hop)).as(hop).isLessThan(60.0);
      }
      shot(page, "hops-slow-system");
    } finally {
      toSystem.line(Network.NONE);
    }
  }

  private static final Pattern TIME = Pattern.compile("([0-9.]+) (ms|s)");

  /// The mean of a hop over the last seconds, in ms; 0 while there is none.
  private static double meanNow(Page page, String hop) {
    Locator cell =
        page.locator("tr")
            .filter(
                new Locator.FilterOptions()
                    .setHas(
                        page.getByRole(
                            AriaRole.ROWHEADER,
                            new Page.GetByRoleOptions().setName(hop).setExact(true))))
            .locator("td")
            .last();
    if (cell.count() == 0) {
      return 0;
    }
    Matcher time = TIME.matcher(cell.textContent().strip());
    return time.matches()
        ? Double.parseDouble(time.group(1)) * (time.group(2).equals("s") ? 1_000 : 1)
        : 0;
  }

  @Test
  @Order(14)
  void holdsStillWhilePausedAndMissesNothing() {
    Page page = admin();
    page.navigate("/requests");
    call(3);
    Locator rows = page.locator("tr[data-row]");
    assertThat(rows.first()).isVisible();
    button(page, "Pause").click();
    assertThat(page.locator(".pill")).containsText("Paused");
    page.evaluate("window.sameDocument = true");
    String newest = rows.first().getAttribute("data-key");
    call(5);
    page.waitForTimeout(2_500);
    assertThat(rows.first()).hasAttribute("data-key", newest);

    button(page, "Go on").click();
    await(
        page,
        "the calls of the pause are there",
        () -> Long.parseLong(rows.first().getAttribute("data-key")) >= Long.parseLong(newest) + 5);
    assertThat(page.evaluate("window.sameDocument")).isEqualTo(true);
  }

  @Test
  @Order(15)
  void keepsAFormWhileItsTokenExpires() throws IOException {
    browser.expect("status of 401 .*/api/v1/");
    Page page = admin();
    page.navigate("/agents/plant-1/new-system");
    page.getByLabel("Name").first().fill("mes");
    page.getByLabel("Base URL").fill(systemUrl());
    page.getByLabel("User", new Page.GetByLabelOptions().setExact(true)).fill("penstock");
    page.getByLabel("Password", new Page.GetByLabelOptions().setExact(true)).fill(SECRET);
    page.context()
        .clearCookies(
            new BrowserContext.ClearCookiesOptions().setName(Pattern.compile(".*-access$")));
    button(page, "Save version 1").click();

    assertThat(heading(page, "mes")).isVisible();
    assertThat(page.getByRole(AriaRole.DIALOG)).hasCount(0);
    assertThat(plant.api().get("/agents/plant-1/systems/mes").path("version").asInt()).isEqualTo(1);
  }

  @Test
  @Order(16)
  void letsASecondPersonApproveWhatAnEngineerProposes() throws IOException {
    Page engineer = page();
    ConsoleBrowser.signIn(engineer, ENGINEER, PASSWORD);
    engineer.navigate("/agents/plant-1/systems/mes");
    button(engineer, "Propose to deploy…").click();
    engineer.getByLabel("Reason").fill("ticket 4711");
    button(engineer, "Propose it").click();
    assertThat(engineer.getByRole(AriaRole.DIALOG)).containsText("You proposed it");
    shot(engineer, "change-own");

    Page admin = admin();
    admin.navigate("/changes");
    admin.getByText("mes at plant-1").click();
    Locator dialog = admin.getByRole(AriaRole.DIALOG);
    assertThat(dialog).containsText("ticket 4711");
    shot(admin, "change");
    button(admin, "Approve, and do it").click();
    assertThat(dialog).containsText("executed");
    assertThat(dialog).containsText(ADMIN);
    plant.await(
        "the agent has applied it",
        () ->
            plant
                .api()
                .get("/agents/plant-1/systems/mes")
                .path("state")
                .asText()
                .equals("applied"));
  }

  @Test
  @Order(17)
  void filtersTenThousandAgentsWithinATenthOfASecond() throws IOException {
    JsonNode one = plant.api().get("/agents").get(0);
    ArrayNode all = PublicApi.object().putArray("agents");
    for (int i = 0; i < 10_000; i++) {
      ObjectNode agent = one.deepCopy();
      agent.put("id", "plant-" + i).put("site", "site-" + i % 97).put("online", i % 3 != 0);
      all.add(agent);
    }
    Page page = admin();
    page.route("**/api/v1/agents", route -> fulfill(route, all.toString()));
    page.navigate("/agents");
    assertThat(page.locator(".shown")).hasText("10,000 agents");
    assertThat(page.locator("tr[data-row]").count()).isLessThan(100);

    // What else this machine does is not the page's time: the best of three rounds.
    List<Double> medians = new ArrayList<>();
    for (int round = 0; round < 3; round++) {
      medians.add(medianOfFilters(page));
    }
    System.out.println("filters over 10,000 agents took ms, medians: " + medians);
    assertThat(medians).as("medians in ms").anyMatch(median -> median < 100);
    shot(page, "agents-10000");
  }

  private static double medianOfFilters(Page page) {
    Object times =
        page.evaluate(TYPE_FILTERS, List.of("9", "99", "site:site-7", "-state:online", ""));
    assertThat(times).isInstanceOf(List.class);
    List<Double> sorted =
        ((List<?>) times).stream().map(it -> ((Number) it).doubleValue()).sorted().toList();
    return sorted.get(sorted.size() / 2);
  }

  private static void fulfill(Route route, String json) {
    route.fulfill(new Route.FulfillOptions().setContentType("application/json").setBody(json));
  }

  /// Types each text, and tells how long it took until the rows were there.
  private static final String TYPE_FILTERS =
      """
      async texts => {
        const field = document.querySelector('input[data-search]');
        const shown = document.querySelector('.shown');
        const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set;
        const times = [];
        for (const text of texts) {
          const before = shown.textContent;
          const start = performance.now();
          set.call(field, text);
          field.dispatchEvent(new Event('input', {bubbles: true}));
          while (shown.textContent === before) await new Promise(done => setTimeout(done));
          await new Promise(done => requestAnimationFrame(done));
          times.push(performance.now() - start);
          await new Promise(done => setTimeout(done, 200));
        }
        return times;
      }
      """;

  @Test
  @Order(18)
  void worksInSevenTabsAtOnce() {
    Page first = admin();
    List<Page> tabs = new ArrayList<>(List.of(first));
    for (int i = 1; i < 7; i++) {
      tabs.add(first.context().newPage());
    }
    for (Page tab : tabs) {
      tab.navigate("/");
      assertThat(heading(tab, "Overview")).isVisible();
    }
    for (Page tab : tabs) {
      assertThat(tab.locator(".pill")).containsText(Pattern.compile("Live|Every 5 s"));
    }
    assertThat(tabs.stream().filter(ConsoleIT::isLive).count()).isEqualTo(4);
    call(40);
    for (Page tab : tabs) {
      // One without a stream looks every 5 s.
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
      Locator calls = callsTile(tab);
      while (!calls.textContent().contains("/s")) {
        assertThat(System.nanoTime())
            .as("tab %s shows no calls", tabs.indexOf(tab))
            .isLessThan(end);
        call(2);
        tab.waitForTimeout(100);
      }
    }
    tabs.stream().filter(ConsoleIT::isLive).limit(3).toList().forEach(Page::close);
    for (Page tab : tabs.stream().filter(tab -> !tab.isClosed()).toList()) {
      assertThat(tab.locator(".pill")).containsText("Live", containing(20));
    }
  }

  private static boolean isLive(Page tab) {
    return tab.locator(".pill").textContent().contains("Live");
  }

  @Test
  @Order(20)
  void showsARevocationInAnotherBrowserWithinTwoSeconds() throws IOException {
    // What another page asks of an agent at the moment in which it is gone.
    browser.expect("status of (404|409) .*/api/v1/agents/plant-1");
    Page other = admin();
    other.navigate("/agents");
    Locator seen = other.locator("tr[data-key=plant-1]");
    assertThat(seen.getByText("Online")).isVisible(within(20));
    Page page = admin();
    page.navigate("/agents/plant-1");
    button(page, "Revoke…").click();
    page.getByLabel("Type plant-1 to confirm").fill("plant-1");
    button(page, "Revoke for good").click();
    long start = System.nanoTime();
    assertThat(seen.getByText("Online")).hasCount(0);
    long millis = (System.nanoTime() - start) / 1_000_000;
    System.out.println("another browser saw the revocation after ms: " + millis);
    assertThat(millis).isLessThan(2_000);
    assertThat(seen.getByText("Revoked")).isVisible();
    assertThat(page.getByText("Revoked").first()).isVisible();
    assertThat(plant.api().get("/audit?resource_id=plant-1").findValuesAsText("event_type"))
        .contains("gateway.revoke");
  }
}
