package io.penstock.broker.api;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import java.util.zip.GZIPOutputStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The console's files, which the build lays into the jar (`webui`). Assets have a hash in their
/// name and never change; the page itself is never kept by a browser, so that a new broker is seen
/// at once. Paths that are pages of the console answer the one page there is.
///
/// A proxy may serve us under a path of its own, which it takes off. So the page names its assets
/// from its own address on, however deep that is, and everything else follows from where they lie.
final class Console {
  private static final Logger LOG = LoggerFactory.getLogger(Console.class);

  /// Scripts and styles from here alone, none inline, no text that turns into markup.
  static final String POLICY =
      "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'"
          + " data:; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors"
          + " 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

  private static final String PAGE = "index.html";

  /// As the build writes the way from the page to its assets.
  private static final String TO_ASSETS = "\"./assets/";

  /// Steps from the deepest page to the root, with room for more.
  private static final int MAX_DEPTH = 8;

  private static final Pattern ASSET = Pattern.compile("/assets/([A-Za-z0-9_][A-Za-z0-9._-]*)");

  /// What others answer, also where they do not know it, is left out: a mistyped call of the API
  /// gets its error and not a page.
  private static final String OURS = "(?!/(api|health|invoke|tunnel|metrics)(/|$)).*";

  private static final Map<String, String> TYPES =
      Map.of(
          "html", "text/html; charset=utf-8",
          "js", "text/javascript; charset=utf-8",
          "css", "text/css; charset=utf-8",
          "svg", "image/svg+xml",
          "woff2", "font/woff2");

  /// Compressed once; fonts are already.
  private static final List<String> TEXTS = List.of("html", "js", "css", "svg");

  private record File(String type, Buffer plain, Optional<Buffer> gzip) {}

  private final String root;

  /// As many as the bundle has, and the page for each depth: what is not there is not remembered.
  private final Map<String, File> files = new ConcurrentHashMap<>();

  /// @param root of the bundle on the class path, for example `/webroot`
  Console(String root) {
    this.root = root;
  }

  /// Behind all routes of the API: it takes what none of them took.
  void addTo(Router router) {
    router
        .routeWithRegex(OURS)
        .method(HttpMethod.GET)
        .method(HttpMethod.HEAD)
        .last()
        .handler(this::answer);
  }

  private void answer(RoutingContext context) {
    String path = path(context);
    var asset = ASSET.matcher(path);
    if (asset.matches()) {
      load(context, "assets/" + asset.group(1), 0);
    } else if (!path.startsWith("/assets/") && depth(path) <= MAX_DEPTH && wantsPage(context)) {
      load(context, PAGE, depth(path));
    } else {
      context.next();
    }
  }

  /// A browser that goes somewhere; a program that asks for something that is not there gets 404.
  private static boolean wantsPage(RoutingContext context) {
    String accept = context.request().getHeader("Accept");
    return path(context).equals("/") || (accept != null && accept.contains("text/html"));
  }

  /// A request line without one is asked for nothing.
  private static String path(RoutingContext context) {
    return Objects.requireNonNullElse(context.request().path(), "");
  }

  private static int depth(String path) {
    return (int) path.chars().skip(1).filter(c -> c == '/').count();
  }

  private void load(RoutingContext context, String name, int depth) {
    context
        .vertx()
        .executeBlocking(() -> file(name, depth), false)
        .onSuccess(
            found ->
                found.ifPresentOrElse(
                    file -> send(context, name, file), () -> missing(context, name)))
        .onFailure(
            failure -> {
              LOG.error("the console's {} cannot be read from the jar", name, failure);
              context.fail(500);
            });
  }

  private static void missing(RoutingContext context, String name) {
    if (name.equals(PAGE)) {
      context
          .response()
          .setStatusCode(404)
          .putHeader("Content-Type", "text/plain; charset=utf-8")
          .end("This build of the broker has no console. Its API is at /api/v1/openapi.json\n");
    } else {
      context.next();
    }
  }

  private Optional<File> file(String name, int depth) throws IOException {
    String up = "../".repeat(depth);
    File known = files.get(up + name);
    if (known != null) {
      return Optional.of(known);
    }
    try (InputStream in = Console.class.getResourceAsStream(root + "/" + name)) {
      if (in == null) {
        return Optional.empty();
      }
      byte[] bytes = depth == 0 ? in.readAllBytes() : further(in, up);
      String extension = name.substring(name.lastIndexOf('.') + 1);
      var file =
          new File(
              TYPES.getOrDefault(extension, "application/octet-stream"),
              Buffer.buffer(bytes),
              TEXTS.contains(extension) ? Optional.of(gzip(bytes)) : Optional.empty());
      files.put(up + name, file);
      return Optional.of(file);
    }
  }

  private static byte[] further(InputStream page, String up) throws IOException {
    return new String(page.readAllBytes(), StandardCharsets.UTF_8)
        .replace(TO_ASSETS, "\"" + up + "assets/")
        .getBytes(StandardCharsets.UTF_8);
  }

  private static Buffer gzip(byte[] bytes) throws IOException {
    var out = new ByteArrayOutputStream();
    try (var gzip = new GZIPOutputStream(out)) {
      gzip.write(bytes);
    }
    return Buffer.buffer(out.toByteArray());
  }

  private static void send(RoutingContext context, String name, File file) {
    HttpServerResponse response = context.response();
    String encodings = context.request().getHeader("Accept-Encoding");
    boolean zipped = file.gzip().isPresent() && encodings != null && encodings.contains("gzip");
    Buffer body = zipped ? file.gzip().get() : file.plain();
    response
        .putHeader("Content-Type", file.type())
        .putHeader("X-Content-Type-Options", "nosniff")
        .putHeader("Content-Length", Integer.toString(body.length()))
        .putHeader("Vary", "Accept-Encoding");
    if (zipped) {
      response.putHeader("Content-Encoding", "gzip");
    }
    if (name.equals(PAGE)) {
      response
          .putHeader("Cache-Control", "no-store")
          .putHeader("Content-Security-Policy", POLICY)
          .putHeader("Referrer-Policy", "no-referrer")
          .putHeader("Cross-Origin-Opener-Policy", "same-origin");
    } else {
      response.putHeader("Cache-Control", "public, max-age=31536000, immutable");
    }
    if (context.request().method().equals(HttpMethod.HEAD)) {
      response.end();
    } else {
      response.end(body);
    }
  }
}
