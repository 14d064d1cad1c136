package io.penstock.loadtest.fault;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/// What a browser does at a sign-in, by hand: it follows redirects, keeps each server's cookies,
/// and fills in the provider's form.
final class LoginBrowser implements AutoCloseable {
  private static final Pattern FORM = Pattern.compile("<form[^>]*\\saction=\"([^\"]+)\"");
  private static final int MOST_STEPS = 10;

  private final Map<String, Map<String, String>> cookies = new TreeMap<>();
  private final HttpClient client;

  LoginBrowser(Path caFile) throws IOException {
    client =
        HttpClient.newBuilder()
            .sslContext(trusting(caFile))
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(Duration.ofSeconds(10))
            .build();
  }

  static SSLContext trusting(Path caFile) throws IOException {
    try (InputStream in = Files.newInputStream(caFile)) {
      KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
      trusted.load(null, null);
      trusted.setCertificateEntry(
          "ca", CertificateFactory.getInstance("X.509").generateCertificate(in));
      var managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      managers.init(trusted);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, managers.getTrustManagers(), null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new IOException(e);
    }
  }

  /// Goes to `start`, through the provider's form where one is shown, and back to `home`.
  ///
  /// @return the first answer of `home` that is no redirect to somewhere else
  HttpResponse<String> signIn(URI start, URI home, String user, String password)
      throws IOException {
    HttpResponse<String> answer = get(start);
    for (int step = 0; step < MOST_STEPS; step++) {
      boolean atHome = answer.uri().getAuthority().equals(home.getAuthority());
      if (answer.statusCode() / 100 == 3) {
        URI next = answer.uri().resolve(answer.headers().firstValue("Location").orElseThrow());
        if (atHome && next.getAuthority().equals(home.getAuthority())) {
          return answer;
        }
        answer = get(next);
      } else if (atHome) {
        return answer;
      } else {
        answer = fillIn(answer, user, password);
      }
    }
    throw new IOException("more than " + MOST_STEPS + " steps, the last to " + answer.uri());
  }

  private HttpResponse<String> fillIn(HttpResponse<String> page, String user, String password)
      throws IOException {
    Matcher form = FORM.matcher(page.body());
    if (page.statusCode() != 200 || !form.find()) {
      throw new IOException(
          "expected a form, found status " + page.statusCode() + ": " + page.body());
    }
    URI action = page.uri().resolve(form.group(1).replace("&amp;", "&"));
    String body =
        Map.of("username", user, "password", password).entrySet().stream()
            .map(field -> field.getKey() + "=" + encoded(field.getValue()))
            .collect(Collectors.joining("&"));
    return send(
        HttpRequest.newBuilder(action)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .POST(BodyPublishers.ofString(body)));
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  HttpResponse<String> get(URI url) throws IOException {
    return send(HttpRequest.newBuilder(url).GET());
  }

  /// As the console's pages ask.
  HttpResponse<String> post(URI url) throws IOException {
    return send(
        HttpRequest.newBuilder(url).header("Penstock-Console", "1").POST(BodyPublishers.noBody()));
  }

  private HttpResponse<String> send(HttpRequest.Builder builder) throws IOException {
    HttpRequest bare = builder.copy().build();
    Map<String, String> jar =
        cookies.computeIfAbsent(bare.uri().getAuthority(), _ -> new TreeMap<>());
    if (!jar.isEmpty()) {
      builder.header(
          "Cookie",
          jar.entrySet().stream()
              .map(cookie -> cookie.getKey() + "=" + cookie.getValue())
              .collect(Collectors.joining("; ")));
    }
    HttpResponse<String> answer;
    try {
      answer =
          client.send(builder.timeout(Duration.ofSeconds(60)).build(), BodyHandlers.ofString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
    answer.headers().allValues("Set-Cookie").forEach(cookie -> keep(jar, cookie));
    return answer;
  }

  private static void keep(Map<String, String> jar, String cookie) {
    String pair = cookie.split(";", 2)[0];
    int equals = pair.indexOf('=');
    if (cookie.contains("Max-Age=0")) {
      jar.remove(pair.substring(0, equals));
    } else {
      jar.put(pair.substring(0, equals), pair.substring(equals + 1));
    }
  }

  /// The names of the cookies that `url` would get.
  Iterable<String> cookieNames(URI url) {
    return cookies.getOrDefault(url.getAuthority(), Map.of()).keySet();
  }

  @Override
  public void close() {
    client.close();
  }
}
