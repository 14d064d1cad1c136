package io.penstock.broker.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.ext.web.Router;
import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// How the console's files are served, by a bundle of two.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ConsoleTest {
  private static final String BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8";

  private final Vertx vertx = Vertx.vertx();
  private final HttpClient client = HttpClient.newHttpClient();
  private HttpServer server;
  private HttpServer without;

  @BeforeAll
  void start() {
    server = listen("/console-test");
    without = listen("/no-such-bundle");
  }

  private HttpServer listen(String root) {
    Router router = Router.router(vertx);
    router.get("/api/v1/known").handler(context -> context.response().end("known"));
    new Console(root).addTo(router);
    return vertx
        .createHttpServer()
        .requestHandler(router)
        .listen(0, "127.0.0.1")
        .toCompletionStage()
        .toCompletableFuture()
        .join();
  }

  @AfterAll
  void stop() {
    client.close();
    vertx.close().toCompletionStage().toCompletableFuture().join();
  }

  private HttpResponse<byte[]> send(HttpServer to, String method, String path, String... fields)
      throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + to.actualPort() + path))
            .method(method, BodyPublishers.noBody());
    if (fields.length > 0) {
      request.headers(fields);
    }
    return client.send(request.build(), BodyHandlers.ofByteArray());
  }

  private static String field(HttpResponse<?> response, String name) {
    return response.headers().firstValue(name).orElse("");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/",
        "/agents",
        "/agents/plant-7",
        "/agents/a.b-c_d/systems/erp/edit",
        "/nonsense"
      })
  void answersThePageAtEveryAddressThatABrowserGoesTo(String path) throws Exception {
    HttpResponse<byte[]> page = send(server, "GET", path, "Accept", BROWSER);

    assertThat(page.statusCode()).isEqualTo(200);
    assertThat(new String(page.body(), StandardCharsets.UTF_8)).contains("Test console");
    assertThat(field(page, "Content-Type")).isEqualTo("text/html; charset=utf-8");
    assertThat(field(page, "Cache-Control")).isEqualTo("no-store");
    assertThat(field(page, "Content-Security-Policy"))
        .contains("default-src 'none'")
        .contains("frame-ancestors 'none'")
        .contains("require-trusted-types-for 'script'")
        .doesNotContain("unsafe");
    assertThat(field(page, "X-Content-Type-Options")).isEqualTo("nosniff");
    assertThat(field(page, "Referrer-Policy")).isEqualTo("no-referrer");
  }

  @ParameterizedTest
  @CsvSource({
    "/, ./",
    "/agents, ./",
    "/agents/plant-7, ../",
    "/agents/plant-7/systems/erp/edit, ../../../../",
    "/1/2/3/4/5/6/7/8/9, ../../../../../../../../"
  })
  void thePageNamesItsAssetsFromWhereverItIs(String path, String up) throws Exception {
    HttpResponse<byte[]> page = send(server, "GET", path, "Accept", BROWSER);

    String asset = up + "assets/index-Ab12_-cd.js";
    assertThat(new String(page.body(), StandardCharsets.UTF_8)).contains("src=\"" + asset + "\"");
    assertThat(URI.create(path).resolve(asset)).hasToString("/assets/index-Ab12_-cd.js");
    assertThat(URI.create("/penstock" + path).resolve(asset))
        .hasToString("/penstock/assets/index-Ab12_-cd.js");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/api",
        "/1/2/3/4/5/6/7/8/9/10",
        "/api/v1/agentz",
        "/health/x",
        "/invoke",
        "/invoke/a",
        "/tunnel/v2",
        "/metrics",
        "/assets/none.js",
        "/assets/",
        "/assets/../index.html"
      })
  void neverAnswersThePageForWhatIsNotAPage(String path) throws Exception {
    assertThat(send(server, "GET", path, "Accept", BROWSER).statusCode()).isEqualTo(404);
  }

  @Test
  void tellsAProgramThatNothingIsThere() throws Exception {
    assertThat(send(server, "GET", "/agents", "Accept", "application/json").statusCode())
        .isEqualTo(404);
  }

  @Test
  void leavesOtherMethodsAlone() throws Exception {
    assertThat(send(server, "POST", "/api/v1/agentz").statusCode()).isEqualTo(404);
    assertThat(send(server, "POST", "/api/v1/known").statusCode()).isEqualTo(405);
    assertThat(send(server, "POST", "/").statusCode()).isEqualTo(405);
  }

  @Test
  void letsBrowsersKeepAssetsForEver() throws Exception {
    HttpResponse<byte[]> script =
        send(server, "GET", "/assets/index-Ab12_-cd.js", "Accept-Encoding", "br, gzip");

    assertThat(field(script, "Cache-Control")).isEqualTo("public, max-age=31536000, immutable");
    assertThat(field(script, "Content-Type")).isEqualTo("text/javascript; charset=utf-8");
    assertThat(field(script, "Content-Encoding")).isEqualTo("gzip");
    try (var unzipped = new GZIPInputStream(new ByteArrayInputStream(script.body()))) {
      assertThat(new String(unzipped.readAllBytes(), StandardCharsets.UTF_8))
          .isEqualTo("export const x = 1;\n");
    }
    assertThat(send(server, "GET", "/assets/index-Ab12_-cd.js").body()).hasSize(20);
  }

  @Test
  void answersHeadWithoutABody() throws Exception {
    HttpResponse<byte[]> head = send(server, "HEAD", "/");

    assertThat(head.statusCode()).isEqualTo(200);
    assertThat(head.body()).isEmpty();
    assertThat(field(head, "Content-Length")).isNotEqualTo("0");
  }

  @Test
  void saysSoWhereTheBuildHasNoBundle() throws Exception {
    HttpResponse<byte[]> page = send(without, "GET", "/", "Accept", BROWSER);

    assertThat(page.statusCode()).isEqualTo(404);
    assertThat(new String(page.body(), StandardCharsets.UTF_8)).contains("no console");
  }
}
