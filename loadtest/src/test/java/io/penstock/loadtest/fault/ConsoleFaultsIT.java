package io.penstock.loadtest.fault;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.AriaRole;
import com.microsoft.playwright.options.Cookie;
import io.penstock.codec.seal.EnrollmentToken;
import io.penstock.codec.seal.Octets;
import io.penstock.loadtest.client.Configurations;
import io.penstock.loadtest.client.PublicApi;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The console while something is wrong: tokens that let nobody in, proxies in the way, an agent
/// that dies, a database that somebody else wrote to.
class ConsoleFaultsIT extends ConsoleStory {
  private static final String SYSTEM = "ledger";
  private static final String SYSTEM_PAGE = "/agents/plant-1/systems/ledger";
  private static final Duration DECIDED_WITHIN = Duration.ofSeconds(30);

  private PenstockProcess agent;
  private Configurations configurations;

  @BeforeAll
  void enroll() throws Exception {
    agent = plant.enroll();
    configurations = plant.configurations();
    put(plant.erp().url(), Map.of());
    configurations.deploy(Plant.AGENT, SYSTEM);
    configurations.awaitDecision(Plant.AGENT, SYSTEM, DECIDED_WITHIN);
  }

  private void put(String url, Map<String, String> secrets) throws IOException {
    ObjectNode settings = (ObjectNode) Configurations.readable(url).path("settings");
    if (!secrets.isEmpty()) {
      settings.put("user", "cloud");
    }
    configurations.put(configurations.recordOf(Plant.AGENT), SYSTEM, "http", settings, secrets);
  }

  @Test
  @Order(1)
  void saysWhichTokensWereRefusedAndWhy() throws IOException {
    String used = plant.createToken("plant-2", "berlin");
    PenstockProcess owner = plant.start(plant.bare("owner", token("used", used)));
    plant.await("it asks", () -> plant.api().get("/agents").findValuesAsText("id").size() == 2);
    String expired = createToken(1);
    EnrollmentToken known = EnrollmentToken.parse(used);
    String foreign =
        new EnrollmentToken(
                Octets.of(new byte[EnrollmentToken.ID_BYTES]),
                known.secret(),
                known.rootSha256(),
                known.expiresAt(),
                known.brokerUrl(),
                known.caSha256())
            .text();
    Instant over = EnrollmentToken.parse(expired).expiresAt();
    plant.await("the token is over", () -> Instant.now().isAfter(over));

    List<PenstockProcess> refused =
        List.of(
            plant.start(plant.bare("thief", token("again", used))),
            plant.start(plant.bare("late", token("expired", expired))),
            plant.start(plant.bare("stranger", token("foreign", foreign))));

    plant.await("all are refused", () -> refusals() >= 3);
    Page page = admin();
    page.navigate("/enrollment");
    Locator tokens = page.getByRole(AriaRole.TABLE, table("Enrollment tokens"));
    assertThat(tokens.getByText("token-reused")).isVisible();
    Locator late =
        tokens.locator("tr").filter(new Locator.FilterOptions().setHasText("token-expired"));
    assertThat(late.locator(".badge:text-is('Expired')")).isVisible();
    assertThat(late).containsText("127.0.0.1");
    Locator strangers = page.getByRole(AriaRole.TABLE, table("Refused with an unknown token"));
    assertThat(strangers).containsText("unknown-token");
    assertThat(strangers).containsText("00000000");
    assertThat(strangers).containsText("127.0.0.1");
    assertThat(row(page, "plant-2").getByText("Approve…")).isVisible();

    refused.forEach(PenstockProcess::close);
    owner.close();
  }

  private static Page.GetByRoleOptions table(String name) {
    return new Page.GetByRoleOptions().setName(name).setExact(true);
  }

  private Optional<Path> token(String file, String token) throws IOException {
    return Optional.of(plant.tokenFile(file, token));
  }

  private String createToken(int seconds) throws IOException {
    var wanted = PublicApi.object().put("agent", "plant-3").put("ttl_seconds", seconds);
    return plant.api().post("/enrollment-tokens", wanted).path("token").asText();
  }

  private long refusals() throws IOException {
    return plant
        .api()
        .get("/audit?event_type=authentication.failure")
        .findValuesAsText("reason")
        .stream()
        .distinct()
        .filter(List.of("token-reused", "token-expired", "unknown-token")::contains)
        .count();
  }

  @Test
  @Order(2)
  void worksUnderAPathOfAProxy(@TempDir Path directory) throws Exception {
    try (PathProxy proxy = PathProxy.to(plant, directory)) {
      Page page = pageAt(proxy.url());
      ConsoleBrowser.signIn(page, ADMIN, plant.password());
      assertThat(heading(page, "Overview")).isVisible();
      assertThat(page.locator(".pill")).containsText("Live");
      assertThat(page.context().cookies())
          .extracting(cookie -> cookie.name + " " + cookie.path)
          .containsExactlyInAnyOrder("__Host-penstock-access /", "__Host-penstock-refresh /");
      assertThat(page.context().cookies()).allMatch(ConsoleFaultsIT::isOutOfReach);

      page.keyboard().press("g");
      page.keyboard().press("a");
      assertThat(page).hasURL(Pattern.compile("/penstock/agents$"));
      assertThat(row(page, Plant.AGENT)).isVisible();
      page.keyboard().press("Control+k");
      page.keyboard().type("audit");
      page.keyboard().press("Enter");
      assertThat(page).hasURL(Pattern.compile("/penstock/audit$"));
      page.locator("nav#nav").getByText("Agents").click();
      row(page, Plant.AGENT).click();
      assertThat(heading(page, Plant.AGENT)).isVisible();
      page.getByText("Change the labels…").click();
      field(page, "Labels").fill("hall=8");
      button(page, "Save").click();
      assertThat(page.getByText("hall=8")).isVisible();
      page.reload();
      assertThat(page.getByText("hall=8")).isVisible();
      settle(page, proxy.url() + "agents/plant-1/systems/ledger/edit");
      assertThat(page.getByLabel("Base URL")).hasValue(plant.erp().url());
      assertThat(proxy.elsewhere()).isEmpty();
    }
  }

  private static boolean isOutOfReach(Cookie cookie) {
    return cookie.httpOnly && cookie.secure;
  }

  @Test
  @Order(3)
  void looksByItselfWhereAProxyCollectsAnswers(@TempDir Path directory) throws Exception {
    try (PathProxy proxy = PathProxy.to(plant, directory)) {
      proxy.collect(true);
      Page page = pageAt(proxy.url());
      ConsoleBrowser.signIn(page, ADMIN, plant.password());
      page.navigate("agents");
      assertThat(row(page, Plant.AGENT)).isVisible();
      assertThat(page.locator(".pill")).containsText("Every 5 s", containing(20));
      page.evaluate("window.sameDocument = true");
      relabel("line", "blue");

      assertThat(row(page, Plant.AGENT)).containsText("line=blue", containing(15));
      assertThat(page.evaluate("window.sameDocument")).isEqualTo(true);
      assertThat(page.locator(".pill")).hasAttribute("title", Pattern.compile("holds its live"));
    }
  }

  /// By a page, as the API's client here has no PATCH.
  private void relabel(String name, String value) {
    Page page = admin();
    page.navigate("/agents/plant-1");
    page.getByText("Change the labels…").click();
    String before = field(page, "Labels").inputValue();
    field(page, "Labels").fill(before + ", " + name + "=" + value);
    button(page, "Save").click();
    assertThat(dialog(page)).hasCount(0);
  }

  @Test
  @Order(4)
  void showsAVersionThatTheAgentRefusesInRedWithTheReason() throws Exception {
    Page page = admin();
    page.navigate(SYSTEM_PAGE);
    assertThat(page.locator(".state-line").getByText("Applied")).isVisible();

    put(plant.erp().url(), Map.of("password", "${secret:nobody-keeps-this}"));
    configurations.deploy(Plant.AGENT, SYSTEM);

    assertThat(page.locator(".state-line .badge.bad").first()).hasText("Refused");
    assertThat(page.locator(".journey .bad")).isVisible();
    assertThat(page.getByText("The agent refused version 2")).isVisible();
    assertThat(page.getByText("missing-secret-reference").first()).isVisible();
    assertThat(page.getByText("Version 1 goes on serving.")).isVisible();
  }

  /// Alive, and silent: only its missing heartbeats tell.
  @Test
  @Order(5)
  void tellsThatAnAgentIsFrozenAndThatItWentOn() throws Exception {
    Page agents = admin();
    agents.navigate("/agents");
    assertThat(row(agents, Plant.AGENT).getByText("Online")).isVisible(within(20));
    agent.freeze();
    try {
      assertThat(row(agents, Plant.AGENT).getByText("Offline")).isVisible(within(20));
    } finally {
      agent.thaw();
    }
    assertThat(row(agents, Plant.AGENT).getByText("Online")).isVisible(within(20));
  }

  @Test
  @Order(6)
  void tellsAtOnceThatAnAgentDiedAndWhatWasCut() throws Exception {
    Page agents = admin();
    agents.navigate("/agents");
    assertThat(row(agents, Plant.AGENT).getByText("Online")).isVisible(within(20));
    Page requests = admin();
    requests.navigate("/requests");
    assertThat(requests.locator("tr[data-row]").first()).isVisible();
    InputStream running =
        plant
            .api()
            .invoke(
                plant.serviceToken(),
                "GET",
                Plant.SYSTEM_PATH + "/slow-body?ms=100&chunks=600",
                BodyPublishers.noBody())
            .body();
    assertThat(running.read()).isPositive();

    agent.kill();
    long start = System.nanoTime();
    assertThat(row(agents, Plant.AGENT).getByText("Offline")).isVisible();
    long millis = (System.nanoTime() - start) / 1_000_000;
    System.out.println("a page saw that the agent died after ms: " + millis);
    assertThat(millis).isLessThan(5_000);

    Locator cut = requests.locator("tr[data-row='0']");
    assertThat(cut.locator(".badge.bad")).isVisible();
    cut.click();
    assertThat(dialog(requests)).containsText("Cut");
    assertThat(dialog(requests)).containsText(Plant.AGENT);
    assertThat(catchThrowable(running::readAllBytes)).isInstanceOf(IOException.class);
  }

  @Test
  @Order(7)
  void showsThatTheDatabaseWasTamperedWithAndThatNothingOfItTravelled() throws Exception {
    // What a tampered row says is told to nobody.
    browser.expect("status of (409|500|503) .*/api/v1/agents/plant-1/systems");
    put("http://127.0.0.1:9/of-the-owner", Map.of());
    configurations.deploy(Plant.AGENT, SYSTEM);
    Page page = admin();
    page.navigate(SYSTEM_PAGE);
    assertThat(page.locator(".state-line").getByText("Buffered")).isVisible();
    Page alarms = admin();
    alarms.navigate("/alarms");

    tamper("update system_versions set settings = settings || '\\x20' where version = 3");
    agent = plant.start(plant.known(plant.agentData()));

    Locator alarm =
        alarms
            .locator("tr")
            .filter(new Locator.FilterOptions().setHasText("changed behind the broker's back"));
    assertThat(alarm.first()).isVisible(within(30));
    assertThat(alarm.first().locator(".badge.bad")).isVisible();
    page.reload();
    assertThat(page.locator(".note.bad").first()).isVisible();
    assertThat(page.getByText("did not write").first()).isVisible();
    plant.awaitServing();
    assertThat(plant.alarms()).contains("database-tampered");
  }

  private void tamper(String statement) throws SQLException {
    try (Connection connection = DriverManager.getConnection(postgres.jdbcUrl());
        Statement change = connection.createStatement()) {
      assertThat(change.executeUpdate(statement)).isPositive();
    }
  }
}
