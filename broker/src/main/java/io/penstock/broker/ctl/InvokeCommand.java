package io.penstock.broker.ctl;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `ctl invoke`: one call of a system through its agent's tunnel. The answer streams; `--json`
/// holds it, so that has a limit.
@Command(
    name = "invoke",
    description =
        "Call a system through its agent's tunnel; the answer's body goes to standard output.",
    footer = {
      "",
      "Examples:",
      "  penstock ctl invoke hamburg/erp /api/orders",
      "  penstock ctl invoke hamburg/erp /api/orders -X POST -d '{\"item\":\"bolt\"}' -H"
          + " 'Content-Type: application/json'",
      "  penstock ctl invoke hamburg/erp /upload -X PUT -d @big.iso",
      "",
      "Exit code 0 for an answer of 2xx, 1 for any other."
    })
final class InvokeCommand implements Callable<Integer> {
  private static final int MAX_JSON_BODY_BYTES = 16 << 20;
  private static final int MAX_PROBLEM_BYTES = 64 << 10;

  private final Terminal terminal;
  private final BrokerApi api;

  @Parameters(index = "0", paramLabel = "SITE/SYSTEM", description = "The system to call.")
  String target = "";

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "PATH",
      defaultValue = "/",
      description = "Path and query (default /).")
  String path = "/";

  @Option(
      names = "-X",
      paramLabel = "METHOD",
      description = "The method (default GET, with -d POST).")
  @Nullable String method;

  @Option(
      names = "-d",
      paramLabel = "BODY",
      description = "The body; @FILE streams a file, @- standard input.")
  @Nullable String body;

  @Option(
      names = "-H",
      paramLabel = "HEADER",
      description = "A header 'Name: value'; may be repeated.")
  List<String> headers = List.of();

  @Option(names = "-i", description = "Show status, headers and hop times on standard error.")
  boolean includeHead;

  @Option(names = "--timeout-ms", paramLabel = "MS", description = "Lower the call's deadline.")
  @Nullable Long timeoutMs;

  InvokeCommand(Terminal terminal, BrokerApi api) {
    this.terminal = terminal;
    this.api = api;
  }

  @Override
  public Integer call() {
    StoredSession session = api.session();
    HttpRequest request = request(session);
    try (HttpClient client = BrokerApi.client(session.caPem())) {
      HttpResponse<InputStream> response = api.open(client, session, request);
      try (InputStream answer = response.body()) {
        return show(response, answer);
      }
    } catch (IOException e) {
      throw Failure.failed("the answer was cut: " + e.getMessage());
    }
  }

  private int show(HttpResponse<InputStream> response, InputStream answer) throws IOException {
    if (response.headers().firstValue("Penstock-Error").isPresent()) {
      throw Failure.refused(
          Problem.of(response.statusCode(), answer.readNBytes(MAX_PROBLEM_BYTES)));
    }
    if (terminal.isJson()) {
      terminal.out().println(Json.pretty(asJson(response, answer)));
    } else {
      if (includeHead) {
        printHead(response);
      }
      answer.transferTo(terminal.out());
      terminal.out().flush();
    }
    return HttpStatus.isSuccess(response.statusCode()) ? ExitCode.FINE : ExitCode.FAILED;
  }

  private void printHead(HttpResponse<InputStream> response) {
    terminal.err().println("HTTP/1.1 " + response.statusCode());
    response
        .headers()
        .map()
        .forEach(
            (name, values) -> values.forEach(value -> terminal.err().println(name + ": " + value)));
    terminal.err().println();
  }

  private static ObjectNode asJson(HttpResponse<InputStream> response, InputStream answer)
      throws IOException {
    ObjectNode node = Json.object().put("status", response.statusCode());
    ObjectNode heads = node.putObject("headers");
    response.headers().map().forEach((name, values) -> heads.put(name, String.join(", ", values)));
    byte[] bytes = answer.readNBytes(MAX_JSON_BODY_BYTES + 1);
    if (bytes.length > MAX_JSON_BODY_BYTES) {
      throw Failure.failed(
          "the body is over " + MAX_JSON_BODY_BYTES + " bytes: call without --json to stream it");
    }
    Optional<JsonNode> parsed = Json.parse(bytes);
    if (parsed.isPresent()) {
      node.set("body", parsed.get());
    } else {
      node.put("body_base64", Base64.getEncoder().encodeToString(bytes));
    }
    return node;
  }

  private HttpRequest request(StoredSession session) {
    HttpRequest.Builder builder = HttpRequest.newBuilder(uri(session.url()));
    boolean ownAuthorization = false;
    for (String header : headers) {
      int colon = header.indexOf(':');
      if (colon <= 0) {
        throw Failure.wrongUsage("not a header: expected 'Name: value'");
      }
      String name = header.substring(0, colon).strip();
      ownAuthorization |= name.equalsIgnoreCase("Authorization");
      setHeader(builder, name, header.substring(colon + 1).strip());
    }
    // The caller's own Authorization is for the system; ours then travels beside it.
    builder.header(
        ownAuthorization ? "Penstock-Authorization" : "Authorization", "Bearer " + session.token());
    if (timeoutMs != null) {
      builder.header("Penstock-Timeout-Ms", String.valueOf(timeoutMs));
    }
    String verb = method != null ? method : body != null ? "POST" : "GET";
    return builder.method(verb, publisher()).build();
  }

  private static void setHeader(HttpRequest.Builder builder, String name, String value) {
    try {
      builder.header(name, value);
    } catch (IllegalArgumentException e) {
      throw Failure.wrongUsage("the header " + name + " cannot be set here");
    }
  }

  private URI uri(URI broker) {
    String[] parts = target.split("/", -1);
    if (parts.length != 2 || parts[0].isEmpty() || parts[1].isEmpty()) {
      throw Failure.wrongUsage("not a system: expected SITE/SYSTEM");
    }
    String rest = path.startsWith("/") ? path : "/" + path;
    try {
      return URI.create(
          broker
              + "/invoke/"
              + BrokerUrl.segment(parts[0])
              + "/"
              + BrokerUrl.segment(parts[1])
              + rest);
    } catch (IllegalArgumentException e) {
      throw Failure.wrongUsage("not a path: " + e.getMessage());
    }
  }

  private BodyPublisher publisher() {
    String given = body;
    if (given == null) {
      return BodyPublishers.noBody();
    }
    if (given.equals("@-")) {
      return BodyPublishers.ofInputStream(terminal::in);
    }
    if (given.startsWith("@")) {
      return file(Path.of(given.substring(1)));
    }
    return BodyPublishers.ofString(given, StandardCharsets.UTF_8);
  }

  private static BodyPublisher file(Path file) {
    try {
      return BodyPublishers.ofFile(file);
    } catch (FileNotFoundException e) {
      throw Failure.failed("cannot read " + file);
    }
  }
}
