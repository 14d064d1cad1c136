package io.penstock.loadtest.fault;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.BrowserType.LaunchOptions;
import com.microsoft.playwright.ConsoleMessage;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Playwright;
import com.microsoft.playwright.options.ColorScheme;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// A real Chromium at the console of one broker. Whatever any page complained about is kept: errors
/// in scripts, errors on the browser's console, violations of the Content-Security-Policy.
///
/// Playwright's own driver is JavaScript and runs on the Node that builds the console; it downloads
/// no browser.
final class ConsoleBrowser implements AutoCloseable {
  private static final List<Path> CHROMIUM =
      List.of(Path.of("/usr/bin/chromium"), Path.of("/usr/bin/chromium-browser"));
  private static final double PATIENCE_MS = 15_000;

  /// The browser's own words for an answer of 4xx or 5xx, or for none.
  private static final String FAILED = "Failed to load resource: ";

  /// Whoever is not signed in yet is asked who it is.
  private static final String STRANGER = "status of 401 .*/api/v1/auth/me";

  private static final String TELL_VIOLATIONS =
      "document.addEventListener('securitypolicyviolation', e => console.error("
          + "'policy violated: ' + e.violatedDirective + ' ' + e.blockedURI + ' ' + e.sample));";

  /// The protocol of the browser does not tell what a Request object carries.
  private static final String TELL_BODIES =
      """
      const send = window.fetch;
      window.fetch = async (input, init) => {
        const request = new Request(input, init);
        const body = await request.clone().text();
        if (body !== '') await window.tellBody(body);
        return send(request);
      };
      """;

  private final Playwright playwright;
  private final Browser browser;
  private final URI url;
  private final List<String> complaints = new CopyOnWriteArrayList<>();
  private final List<String> bodies = new CopyOnWriteArrayList<>();
  private final List<Pattern> expected = new CopyOnWriteArrayList<>();

  /// Where Chromium is, if this machine has one.
  static Optional<Path> chromium() {
    return CHROMIUM.stream().filter(Files::isExecutable).findFirst();
  }

  static ConsoleBrowser at(URI url) {
    Map<String, String> environment = new HashMap<>(System.getenv());
    environment.put("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
    environment.put("PLAYWRIGHT_NODEJS_PATH", node().toString());
    return new ConsoleBrowser(
        Playwright.create(new Playwright.CreateOptions().setEnv(environment)), url);
  }

  private static Path node() {
    return Stream.of(System.getenv("PATH").split(java.io.File.pathSeparator))
        .map(directory -> Path.of(directory, "node"))
        .filter(Files::isExecutable)
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("no node on PATH"));
  }

  private ConsoleBrowser(Playwright playwright, URI url) {
    this.playwright = playwright;
    this.url = url;
    expectNothing();
    browser =
        playwright
            .chromium()
            .launch(
                new LaunchOptions()
                    .setExecutablePath(chromium().orElseThrow())
                    .setArgs(
                        List.of(
                            "--no-sandbox",
                            // Not only by context: there each new connection fails once and
                            // is tried again, and a proxy that closes after each answer makes
                            // that too many.
                            "--ignore-certificate-errors",
                            "--disable-quic",
                            "--no-first-run",
                            "--disable-background-networking",
                            "--disable-component-update",
                            "--disable-sync")));
  }

  /// A browser that nobody has used.
  Page open(int width, int height, ColorScheme scheme) {
    return openAt(url, width, height, scheme);
  }

  /// The same at another address of the console.
  Page openAt(URI console, int width, int height, ColorScheme scheme) {
    BrowserContext context =
        browser.newContext(
            new Browser.NewContextOptions()
                .setBaseURL(console.toString())
                .setIgnoreHTTPSErrors(true)
                .setColorScheme(scheme)
                .setViewportSize(width, height));
    context.setDefaultTimeout(PATIENCE_MS);
    context.addInitScript(TELL_VIOLATIONS);
    context.exposeFunction("tellBody", arguments -> bodies.add(String.valueOf(arguments[0])));
    context.addInitScript(TELL_BODIES);
    context.onWebError(error -> complaints.add("script error: " + error.error()));
    context.onConsoleMessage(this::note);
    return context.newPage();
  }

  private void note(ConsoleMessage message) {
    String said = message.text() + " at " + message.location();
    if (message.type().equals("error") && !(said.startsWith(FAILED) && isExpected(said))) {
      complaints.add(said);
    }
  }

  private boolean isExpected(String said) {
    return expected.stream().anyMatch(pattern -> pattern.matcher(said).find());
  }

  /// From here on, until [#expectNothing], calls that fail like this are no complaints.
  ///
  /// @param failure a regular expression over the browser's words and the address
  void expect(String failure) {
    expected.add(Pattern.compile(failure));
  }

  void expectNothing() {
    expected.clear();
    expect(STRANGER);
  }

  /// Those since the last time.
  List<String> takeComplaints() {
    List<String> taken = List.copyOf(complaints);
    complaints.clear();
    return taken;
  }

  /// All that pages sent.
  List<String> requestBodies() {
    return bodies;
  }

  static void signIn(Page page, String user, String password) {
    page.navigate("./");
    page.getByLabel("E-mail").fill(user);
    page.getByLabel("Password").fill(password);
    page.getByText("Sign in", new Page.GetByTextOptions().setExact(true)).last().click();
    page.locator("nav#nav")
        .waitFor(
            new com.microsoft.playwright.Locator.WaitForOptions()
                .setState(com.microsoft.playwright.options.WaitForSelectorState.ATTACHED));
  }

  /// What axe finds on the page as it is, one line for each.
  static List<String> axe(Page page) {
    Path script = Home.find().root().resolve("webui/node_modules/axe-core/axe.min.js");
    try {
      page.evaluate(Files.readString(script) + "\n;undefined");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Object found =
        page.evaluate(
            """
            async () => (await axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}))
              .violations.map(v => v.id + ': ' + v.nodes.map(n => n.target.join(' ') + ' ' + n.failureSummary).join(' | '))
            """);
    assertThat(found).isInstanceOf(List.class);
    return ((List<?>) found).stream().map(String::valueOf).toList();
  }

  @Override
  public void close() {
    browser.close();
    playwright.close();
  }
}
