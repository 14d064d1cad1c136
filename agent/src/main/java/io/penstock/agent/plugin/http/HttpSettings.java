package io.penstock.agent.plugin.http;

import com.fasterxml.jackson.databind.JsonNode;
import io.netty.util.AsciiString;
import io.penstock.codec.Deadlines;
import io.penstock.codec.http.InvocationPath;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// How an HTTP system is reached.
///
/// @param hostHeader what the system is called in `Host`
/// @param basePath in front of every path, without a slash at its end
/// @param maxConnections at once; a stream beyond waits
/// @param maxWaiting at once; a stream beyond is OVERLOADED
/// @param keepAliveMs how long an idle connection is kept
record HttpSettings(
    boolean tls,
    String host,
    int port,
    AsciiString hostHeader,
    AsciiString basePath,
    Optional<Path> caFile,
    Deadlines deadlines,
    int maxConnections,
    int maxWaiting,
    int keepAliveMs) {

  private static final Set<String> KEYS =
      Set.of(
          "base_url",
          "ca_file",
          "connect_ms",
          "first_byte_ms",
          "idle_ms",
          "total_ms",
          "max_connections",
          "max_waiting",
          "keep_alive_ms");
  private static final int LONGEST_MS = 86_400_000;
  private static final int DEFAULT_CONNECTIONS = 256;
  private static final int DEFAULT_WAITING = 1_024;
  private static final int DEFAULT_KEEP_ALIVE_MS = 30_000;

  /// Reads settings, and what is wrong with them into `problems`; null when anything is.
  static @Nullable HttpSettings read(JsonNode settings, List<String> problems) {
    int before = problems.size();
    settings
        .fieldNames()
        .forEachRemaining(
            key -> {
              if (!KEYS.contains(key)) {
                problems.add(key + ": unknown key");
              }
            });
    Optional<URI> url = url(settings, problems);
    Optional<Path> caFile = caFile(settings, problems);
    Deadlines usual = Deadlines.DEFAULT;
    var deadlines =
        new Deadlines(
            number(settings, "connect_ms", usual.connectMs(), 1, LONGEST_MS, problems),
            number(settings, "first_byte_ms", usual.firstByteMs(), 1, LONGEST_MS, problems),
            number(settings, "idle_ms", usual.idleMs(), 1, LONGEST_MS, problems),
            number(settings, "total_ms", usual.totalMs(), 0, LONGEST_MS, problems));
    int connections = number(settings, "max_connections", DEFAULT_CONNECTIONS, 1, 10_000, problems);
    int waiting = number(settings, "max_waiting", DEFAULT_WAITING, 0, 100_000, problems);
    int keepAliveMs =
        number(settings, "keep_alive_ms", DEFAULT_KEEP_ALIVE_MS, 0, LONGEST_MS, problems);
    if (problems.size() > before || url.isEmpty()) {
      return null;
    }
    boolean tls = url.get().getScheme().equalsIgnoreCase("https");
    int port = url.get().getPort() > 0 ? url.get().getPort() : (tls ? 443 : 80);
    return new HttpSettings(
        tls,
        bare(url.get().getHost()),
        port,
        AsciiString.of(hostHeader(url.get())),
        AsciiString.of(basePath(url.get())),
        caFile,
        deadlines,
        connections,
        waiting,
        keepAliveMs);
  }

  private static Optional<URI> url(JsonNode settings, List<String> problems) {
    String text = settings.path("base_url").asText("");
    try {
      var url = new URI(text);
      boolean http =
          "http".equalsIgnoreCase(url.getScheme()) || "https".equalsIgnoreCase(url.getScheme());
      String path = url.getRawPath() == null ? "" : url.getRawPath();
      boolean clean =
          path.isEmpty() || InvocationPath.judge(path) == InvocationPath.Judgement.CLEAN;
      if (http
          && clean
          && url.getHost() != null
          && url.getRawUserInfo() == null
          && url.getRawQuery() == null
          && url.getRawFragment() == null) {
        return Optional.of(url);
      }
    } catch (URISyntaxException _) {
      // Told below.
    }
    // The value may hold a password.
    problems.add("base_url: expected http[s]://host[:port][/path] without user, query or fragment");
    return Optional.empty();
  }

  private static Optional<Path> caFile(JsonNode settings, List<String> problems) {
    JsonNode node = settings.path("ca_file");
    if (node.isMissingNode() || node.isNull()) {
      return Optional.empty();
    }
    Path file = Path.of(node.asText());
    if (!Files.isReadable(file)) {
      problems.add("ca_file: cannot read " + file);
    }
    return Optional.of(file);
  }

  private static int number(
      JsonNode settings, String key, int fallback, int least, int most, List<String> problems) {
    JsonNode node = settings.path(key);
    if (node.isMissingNode() || node.isNull()) {
      return fallback;
    }
    if (node.isIntegralNumber() && node.asLong() >= least && node.asLong() <= most) {
      return node.asInt();
    }
    problems.add(key + ": expected a whole number from " + least + " to " + most);
    return fallback;
  }

  private static String hostHeader(URI url) {
    String host = url.getHost().toLowerCase(Locale.ROOT);
    return url.getPort() < 0 ? host : host + ":" + url.getPort();
  }

  private static String bare(String host) {
    return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
  }

  private static String basePath(URI url) {
    String path = url.getRawPath() == null ? "" : url.getRawPath();
    return path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
  }

  static List<String> problems(JsonNode settings) {
    var problems = new ArrayList<String>();
    read(settings, problems);
    return problems;
  }
}
