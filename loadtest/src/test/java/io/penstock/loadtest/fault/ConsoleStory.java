package io.penstock.loadtest.fault;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static com.microsoft.playwright.assertions.PlaywrightAssertions.setDefaultAssertionTimeout;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.microsoft.playwright.Download;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.assertions.LocatorAssertions;
import com.microsoft.playwright.options.AriaRole;
import com.microsoft.playwright.options.ColorScheme;
import io.penstock.loadtest.client.PublicApi;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The console in a real Chromium, at a real broker and Postgres. The tests of one class are one
/// story on one broker, in their order.
///
/// Beside what each test says, no page may ever put an error on the browser's console, throw in a
/// script, or violate its Content-Security-Policy.
@Timeout(240)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
abstract class ConsoleStory {
  static final String ADMIN = "admin@penstock.local";
  static final String PASSWORD = "plaice granite 4711 umbrella";
  private static final double PATIENCE_MS = 15_000;

  ExternalPostgres postgres;
  Plant plant;
  ConsoleBrowser browser;
  private final List<Page> open = new ArrayList<>();

  /// How the broker starts, beside its database.
  Launch broker(Launch launch) {
    return launch;
  }

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
    postgres = ExternalPostgres.start(ExternalPostgres.broughtAlong());
    plant =
        Plant.open(
            directory, launch -> broker(launch.variable("PENSTOCK_DATABASE_URL", postgres.url())));
    browser = ConsoleBrowser.at(plant.url());
  }

  @AfterEach
  void noPageComplained() {
    open.forEach(page -> page.context().close());
    open.clear();
    if (browser != null) {
      browser.expectNothing();
      assertThat(browser.takeComplaints()).isEmpty();
    }
  }

  @AfterAll
  void stop() throws IOException {
    if (browser != null) {
      browser.close();
    }
    if (plant != null) {
      plant.close();
    }
    if (postgres != null) {
      postgres.close();
    }
  }

  void user(String email, String role, String... agents) throws IOException {
    var user = PublicApi.object().put("email", email).put("role", role).put("password", PASSWORD);
    List.of(agents).forEach(user.putArray("gateway_access")::add);
    plant.api().post("/users", user);
  }

  Page page() {
    return page(1440, 900, ColorScheme.LIGHT);
  }

  Page page(int width, int height, ColorScheme scheme) {
    Page page = browser.open(width, height, scheme);
    open.add(page);
    return page;
  }

  /// At the console behind a proxy.
  Page pageAt(URI url) {
    Page page = browser.openAt(url, 1440, 900, ColorScheme.LIGHT);
    open.add(page);
    return page;
  }

  Page admin() {
    Page page = page();
    ConsoleBrowser.signIn(page, ADMIN, plant.password());
    return page;
  }

  Page signedIn(String user) {
    Page page = page();
    ConsoleBrowser.signIn(page, user, PASSWORD);
    return page;
  }

  static Locator button(Page page, String name) {
    return page.getByRole(
        AriaRole.BUTTON, new Page.GetByRoleOptions().setName(name).setExact(true));
  }

  static Locator heading(Page page, String name) {
    return page.getByRole(
        AriaRole.HEADING, new Page.GetByRoleOptions().setName(name).setExact(true).setLevel(1));
  }

  static Locator field(Page page, String name) {
    return page.getByLabel(name, new Page.GetByLabelOptions().setExact(true));
  }

  static Locator filter(Page page) {
    return field(page, "Filter");
  }

  /// The row of a table that is about this.
  static Locator row(Page page, String key) {
    return page.locator("tr[data-key='" + key + "']");
  }

  static Locator callsTile(Page page) {
    return page.locator(".tile:has(.tile-name:text-is('Calls'))");
  }

  static Locator dialog(Page page) {
    return page.getByRole(AriaRole.DIALOG);
  }

  static Locator.GetByRoleOptions named(String name) {
    return new Locator.GetByRoleOptions().setName(name).setExact(true);
  }

  static LocatorAssertions.IsVisibleOptions within(double seconds) {
    return new LocatorAssertions.IsVisibleOptions().setTimeout(seconds * 1000);
  }

  static LocatorAssertions.ContainsTextOptions containing(double seconds) {
    return new LocatorAssertions.ContainsTextOptions().setTimeout(seconds * 1000);
  }

  static void settle(Page page, String path) {
    page.navigate(path);
    page.locator("h1").first().waitFor();
    assertThat(page.locator(".loading")).hasCount(0);
    page.waitForTimeout(150);
    page.locator("h1").first().waitFor();
    assertThat(page.locator("h1").first()).not().hasText("This page failed");
  }

  void await(Page page, String what, BooleanSupplier condition) {
    try {
      plant.await(
          what,
          () -> {
            // Events of the page arrive while it is asked.
            page.waitForTimeout(100);
            return condition.getAsBoolean();
          });
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// The text of the file that a button brings.
  static String downloaded(Page page, String button) throws IOException {
    Download download = page.waitForDownload(() -> button(page, button).click());
    try (InputStream in = download.createReadStream()) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
