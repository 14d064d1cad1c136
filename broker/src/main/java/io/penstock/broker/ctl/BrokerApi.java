package io.penstock.broker.ctl;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Calls of the broker's API on behalf of the operator who signed in, with a token that is renewed
/// when it is over.
final class BrokerApi {
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);
  private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(60);
  private static final Duration RENEW_BEFORE_END = Duration.ofSeconds(30);
  private static final String PREFIX = "/api/v1";

  private final SessionStore store;
  private final Clock clock;

  BrokerApi(SessionStore store, Clock clock) {
    this.store = store;
    this.clock = clock;
  }

  StoredSession login(URI url, Optional<String> caPem, String user, String password) {
    JsonNode body = Json.object().put("email", user).put("password", password);
    HttpRequest request = request(url, "POST", "/auth/login", body).build();
    JsonNode answer = answer(exchange(url, caPem, request));
    StoredSession session = StoredSession.of(url, caPem, user, answer);
    store.save(session);
    return session;
  }

  /// Ends the session at the broker; here it ends in any case.
  void logout() {
    try {
      post("/auth/logout", Json.object());
    } finally {
      store.delete();
    }
  }

  /// What is remembered of the broker that is signed in to.
  Pins pins() {
    return pins(session().url());
  }

  /// The same for who need not be signed in.
  Optional<Pins> knownPins() {
    return store.load().map(session -> pins(session.url()));
  }

  Pins pins(URI broker) {
    return new Pins(store, broker);
  }

  Clock clock() {
    return clock;
  }

  JsonNode get(String path) {
    return call("GET", path, null);
  }

  /// A good answer as it came, for what is no JSON.
  HttpResponse<byte[]> getRaw(String path) {
    HttpResponse<byte[]> response = response("GET", path, null);
    if (!HttpStatus.isSuccess(response.statusCode())) {
      throw Failure.refused(Problem.of(response.statusCode(), response.body()));
    }
    return response;
  }

  JsonNode post(String path, JsonNode body) {
    return call("POST", path, body);
  }

  JsonNode patch(String path, JsonNode body) {
    return call("PATCH", path, body);
  }

  JsonNode put(String path, JsonNode body) {
    return call("PUT", path, body);
  }

  JsonNode delete(String path) {
    return call("DELETE", path, null);
  }

  private JsonNode call(String method, String path, @Nullable JsonNode body) {
    return answer(response(method, path, body));
  }

  private HttpResponse<byte[]> response(String method, String path, @Nullable JsonNode body) {
    StoredSession session = session();
    HttpResponse<byte[]> response = exchange(session, method, path, body);
    if (response.statusCode() == HttpStatus.UNAUTHORIZED) {
      response = exchange(renewed(session), method, path, body);
    }
    return response;
  }

  private HttpResponse<byte[]> exchange(
      StoredSession session, String method, String path, @Nullable JsonNode body) {
    HttpRequest request =
        request(session.url(), method, path, body)
            .header("Authorization", "Bearer " + session.token())
            .build();
    return exchange(session.url(), session.caPem(), request);
  }

  private static HttpResponse<byte[]> exchange(
      URI url, Optional<String> caPem, HttpRequest request) {
    try (HttpClient client = client(caPem)) {
      return client.send(request, BodyHandlers.ofByteArray());
    } catch (IOException e) {
      throw unreachable(url, caPem, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw Failure.failed("interrupted");
    }
  }

  /// A call through the tunnel: the answer's body is the caller's to read.
  HttpResponse<InputStream> open(HttpClient client, StoredSession session, HttpRequest request) {
    try {
      return client.send(request, BodyHandlers.ofInputStream());
    } catch (IOException e) {
      throw unreachable(session.url(), session.caPem(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw Failure.failed("interrupted");
    }
  }

  static HttpClient client(Optional<String> caPem) {
    return HttpClient.newBuilder()
        .sslContext(Trust.context(caPem))
        .version(HttpClient.Version.HTTP_1_1)
        .connectTimeout(CONNECT_TIMEOUT)
        .followRedirects(HttpClient.Redirect.NEVER)
        .build();
  }

  /// The session of `ctl login`, renewed if its token is about to end.
  StoredSession session() {
    StoredSession session = signedIn();
    return session.endsBefore(clock.instant().plus(RENEW_BEFORE_END)) ? renewed(session) : session;
  }

  private StoredSession signedIn() {
    return store
        .load()
        .orElseThrow(
            () ->
                Failure.failed(
                    "not signed in: penstock ctl login --url URL --ca FILE --user EMAIL"));
  }

  /// Another process may have renewed it meanwhile: then its tokens are taken, and ours is not
  /// shown a second time.
  private StoredSession renewed(StoredSession old) {
    return store.exclusively(
        () -> {
          StoredSession current = signedIn();
          if (!current.refreshToken().equals(old.refreshToken())) {
            return current;
          }
          JsonNode body = Json.object().put("refresh_token", current.refreshToken());
          HttpRequest request = request(current.url(), "POST", "/auth/refresh", body).build();
          HttpResponse<byte[]> response = exchange(current.url(), current.caPem(), request);
          if (response.statusCode() == HttpStatus.UNAUTHORIZED) {
            throw Failure.refusedForGood(
                "the session of "
                    + current.user()
                    + " is over: sign in again with penstock ctl login");
          }
          StoredSession next = current.refreshed(answer(response));
          store.save(next);
          return next;
        });
  }

  private static HttpRequest.Builder request(
      URI url, String method, String path, @Nullable JsonNode body) {
    HttpRequest.Builder builder =
        HttpRequest.newBuilder(URI.create(url + PREFIX + path))
            .timeout(ANSWER_TIMEOUT)
            .header("Accept", "application/json, application/problem+json");
    if (body == null) {
      return builder.method(method, BodyPublishers.noBody());
    }
    byte[] bytes = Json.oneLine(body).getBytes(StandardCharsets.UTF_8);
    return builder
        .header("Content-Type", "application/json")
        .method(method, BodyPublishers.ofByteArray(bytes));
  }

  private static JsonNode answer(HttpResponse<byte[]> response) {
    if (!HttpStatus.isSuccess(response.statusCode())) {
      throw Failure.refused(Problem.of(response.statusCode(), response.body()));
    }
    return response.body().length == 0
        ? Json.object()
        : Json.parse(response.body())
            .orElseThrow(() -> Failure.failed("the broker's answer is not JSON"));
  }

  /// The stage at which the way ends; if it does not end any more, what the exchange itself ran
  /// into.
  private static Failure unreachable(URI url, Optional<String> caPem, IOException cause) {
    List<Finding> findings = new WayToBroker(url, caPem, Clock.systemUTC()).walk();
    return findings.stream()
        .filter(Finding::failed)
        .findFirst()
        .map(Failure::cannotReach)
        .orElseGet(
            () ->
                Failure.cannotReach(
                    Finding.fail(
                        "HTTP",
                        "an answer",
                        String.valueOf(cause.getMessage()),
                        "see the broker's log")));
  }
}
