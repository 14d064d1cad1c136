package io.penstock.broker.access;

import io.penstock.broker.config.OidcConfig;
import io.penstock.broker.config.PemTrust;
import io.vertx.core.Vertx;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.Json;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.auth.oauth2.OAuth2Auth;
import io.vertx.ext.auth.oauth2.OAuth2AuthorizationURL;
import io.vertx.ext.auth.oauth2.OAuth2Options;
import java.io.IOException;
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
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The identity provider as we ask it: what it says of itself, its keys, and codes for tokens. Each
/// answer has [OidcConfig#timeout()]; what it says of itself and its keys are asked for by one at a
/// time, kept for ten minutes, and after a failure not asked for again for two seconds. Blocks;
/// thread-safe.
final class OidcProvider {
  private static final Logger LOG = LoggerFactory.getLogger(OidcProvider.class);
  private static final Duration KEPT = Duration.ofMinutes(10);
  private static final Duration AFTER_FAILURE = Duration.ofSeconds(2);

  /// A token that names a key that is not there has them fetched again, so seldom.
  private static final Duration KEYS_AT_MOST_EVERY = Duration.ofSeconds(10);

  private static final int MAX_BYTES = 256 * 1024;
  private static final int MAX_SECRET = 1024;

  /// What may be repeated of a refusal (RFC 6749 5.2).
  private static final Set<String> ERRORS =
      Set.of(
          "invalid_request",
          "invalid_client",
          "invalid_grant",
          "unauthorized_client",
          "unsupported_grant_type",
          "invalid_scope");

  private final Vertx vertx;
  private final OidcConfig config;
  private final String redirectUri;
  private final Clock clock;
  private final Documents documents;
  private final ReentrantLock asking = new ReentrantLock();
  private Optional<Metadata> known = Optional.empty();
  private Optional<Keys> keys = Optional.empty();
  private Instant notBefore = Instant.EPOCH;

  /// It does not answer, or not as a provider does. The text names no secret.
  static final class AwayException extends RuntimeException {
    AwayException(String what) {
      super(what, null, false, false);
    }
  }

  /// What came of showing it a code.
  sealed interface Exchange {
    record Done(String idToken) implements Exchange {
      @Override
      public String toString() {
        return "Done[secret]";
      }
    }

    /// @param error a word of RFC 6749
    record Refused(String error) implements Exchange {}
  }

  /// What a provider says of itself (OpenID Connect Discovery 1.0).
  ///
  /// @param namesItself whether each of its answers to a browser has `iss` (RFC 9207)
  /// @param secretInBody whether it takes our secret in the body, else in a field
  /// @param toBrowser makes what a browser is sent to; knows no secret
  record Metadata(
      String authorization,
      String token,
      String jwks,
      boolean namesItself,
      boolean secretInBody,
      OAuth2Auth toBrowser,
      Instant at) {}

  private record Keys(ProviderKeys keys, Instant at) {}

  OidcProvider(Vertx vertx, OidcConfig config, String redirectUri, Clock clock) {
    this.vertx = vertx;
    this.config = config;
    this.redirectUri = redirectUri;
    this.clock = clock;
    documents =
        new Documents(
            config.caFile().map(file -> PemTrust.context("oidc.ca_file", file)), config.timeout());
  }

  /// Where a browser goes to sign in.
  String authorizationUrl(String state, String nonce, String challenge) {
    Metadata metadata = metadata();
    String url =
        metadata
            .toBrowser()
            .authorizeURL(
                new OAuth2AuthorizationURL()
                    .setRedirectUri(redirectUri)
                    .setScopes(config.scopes())
                    .setState(state)
                    .setCodeChallenge(challenge)
                    .setCodeChallengeMethod("S256")
                    .putAdditionalParameter("nonce", nonce));
    // The library knows no endpoint that has a query of its own.
    return metadata.authorization().contains("?")
        ? metadata.authorization() + "&" + url.substring(metadata.authorization().length() + 1)
        : url;
  }

  Exchange exchange(String code, String verifier) {
    Metadata metadata = metadata();
    try {
      return exchanged(metadata, code, verifier);
    } catch (AwayException e) {
      throw away(e.getMessage());
    }
  }

  private Exchange exchanged(Metadata metadata, String code, String verifier) {
    var form = new LinkedHashMap<String, String>();
    form.put("grant_type", "authorization_code");
    form.put("code", code);
    form.put("redirect_uri", redirectUri);
    form.put("code_verifier", verifier);
    Optional<String> basic = Optional.empty();
    if (metadata.secretInBody()) {
      form.put("client_id", config.clientId());
      form.put("client_secret", secret());
    } else {
      basic = Optional.of(basic(config.clientId(), secret()));
    }
    Documents.Said said = documents.post(metadata.token(), form, basic);
    if (said.status() == 200) {
      return new Exchange.Done(
          said.text("id_token")
              .orElseThrow(() -> new AwayException(metadata.token() + " gave no id_token")));
    }
    // Its texts may quote what we sent: only words of the RFC go on.
    String error =
        said.text("error")
            .filter(word -> said.status() < 500 && ERRORS.contains(word))
            .orElseThrow(
                () ->
                    new AwayException(
                        metadata.token() + " is answered with status " + said.status()));
    if (error.equals("invalid_client")) {
      LOG.warn(
          "the identity provider does not take our client: compare oidc.client_id and"
              + " oidc.client_secret_file with what it knows");
    }
    return new Exchange.Refused(error);
  }

  /// RFC 6749 2.3.1: both as in a form.
  private static String basic(String client, String secret) {
    String both = encoded(client) + ":" + encoded(secret);
    return "Basic " + Base64.getEncoder().encodeToString(both.getBytes(StandardCharsets.US_ASCII));
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  /// Makes links only, and asks nobody; knows no secret.
  private OAuth2Auth toBrowser(String authorization) {
    return OAuth2Auth.create(
        vertx,
        new OAuth2Options()
            .setSite(config.issuer())
            .setClientId(config.clientId())
            .setAuthorizationPath(authorization));
  }

  /// Read each time, and kept nowhere.
  private String secret() {
    Path file = config.clientSecretFile();
    try {
      String text = Files.readString(file).strip();
      if (!text.isEmpty() && text.length() <= MAX_SECRET && text.lines().count() == 1) {
        return text;
      }
    } catch (IOException _) {
      throw new AwayException("is not asked, oidc.client_secret_file: cannot read " + file);
    }
    throw new AwayException("is not asked, oidc.client_secret_file: expected one line in " + file);
  }

  Metadata metadata() {
    return once(
        () -> known.filter(it -> isWithin(it.at(), KEPT)),
        () -> {
          Metadata found = discover(clock.instant());
          known = Optional.of(found);
          return found;
        });
  }

  /// @param anew whether those that are known do not have a key that is looked for
  ProviderKeys keys(boolean anew) {
    Metadata metadata = metadata();
    return once(
        () ->
            keys.filter(it -> isWithin(it.at(), anew ? KEYS_AT_MOST_EVERY : KEPT)).map(Keys::keys),
        () -> {
          Instant now = clock.instant();
          ProviderKeys found = ProviderKeys.of(documents.get(metadata.jwks()));
          keys = Optional.of(new Keys(found, now));
          return found;
        });
  }

  private boolean isWithin(Instant at, Duration kept) {
    return clock.instant().isBefore(at.plus(kept));
  }

  private AwayException away(@Nullable String what) {
    LOG.warn("the identity provider {}: {}", config.issuer(), what);
    return new AwayException(String.valueOf(what));
  }

  private interface Asked<T> {
    T now();
  }

  /// What is still good needs no provider that answers.
  private <T> T once(Supplier<Optional<T>> kept, Asked<T> asked) {
    asking.lock();
    try {
      Optional<T> good = kept.get();
      if (good.isPresent()) {
        return good.get();
      }
      if (clock.instant().isBefore(notBefore)) {
        throw new AwayException("it did not answer a moment ago");
      }
      try {
        return asked.now();
      } catch (AwayException away) {
        notBefore = clock.instant().plus(AFTER_FAILURE);
        throw away(away.getMessage());
      }
    } finally {
      asking.unlock();
    }
  }

  private Metadata discover(Instant now) {
    String base =
        config.issuer().endsWith("/")
            ? config.issuer().substring(0, config.issuer().length() - 1)
            : config.issuer();
    JsonObject found = documents.get(base + "/.well-known/openid-configuration");
    if (!config.issuer().equals(found.getValue("issuer"))) {
      throw new AwayException("its configuration names another issuer than oidc.issuer");
    }
    boolean inBody =
        found.getValue("token_endpoint_auth_methods_supported") instanceof JsonArray methods
            && methods.contains("client_secret_post");
    String authorization = url(found, "authorization_endpoint");
    return new Metadata(
        authorization,
        url(found, "token_endpoint"),
        url(found, "jwks_uri"),
        Boolean.TRUE.equals(found.getValue("authorization_response_iss_parameter_supported")),
        inBody,
        known
            .filter(it -> it.authorization().equals(authorization))
            .map(Metadata::toBrowser)
            .orElseGet(() -> toBrowser(authorization)),
        now);
  }

  private String url(JsonObject found, String name) {
    if (found.getValue(name) instanceof String url && config.takesEndpoint(url)) {
      return url;
    }
    throw new AwayException("its configuration has no " + name + " with https");
  }

  void close() {
    documents.close();
  }

  /// JSON documents of at most [#MAX_BYTES], without following redirects.
  private static final class Documents {
    private final HttpClient client;
    private final Duration timeout;

    Documents(Optional<SSLContext> trust, Duration timeout) {
      this.timeout = timeout;
      HttpClient.Builder builder =
          HttpClient.newBuilder()
              .version(HttpClient.Version.HTTP_1_1)
              .followRedirects(HttpClient.Redirect.NEVER)
              .connectTimeout(timeout);
      trust.ifPresent(builder::sslContext);
      client = builder.build();
    }

    /// @param body an object, or none
    record Said(int status, Optional<JsonObject> body) {
      Optional<String> text(String name) {
        return body.map(it -> it.getValue(name))
            .filter(String.class::isInstance)
            .map(String.class::cast);
      }

      @Override
      public String toString() {
        return "Said[secret]";
      }
    }

    JsonObject get(String url) {
      Said said = said(url, HttpRequest.newBuilder(URI.create(url)));
      if (said.status() != 200) {
        throw new AwayException(url + " is answered with status " + said.status());
      }
      return said.body().orElseThrow(() -> new AwayException(url + " is no JSON object"));
    }

    Said post(String url, Map<String, String> form, Optional<String> authorization) {
      String body =
          form.entrySet().stream()
              .map(one -> one.getKey() + "=" + encoded(one.getValue()))
              .collect(Collectors.joining("&"));
      HttpRequest.Builder request =
          HttpRequest.newBuilder(URI.create(url))
              .header("Content-Type", "application/x-www-form-urlencoded")
              .POST(BodyPublishers.ofString(body));
      authorization.ifPresent(it -> request.header("Authorization", it));
      return said(url, request);
    }

    private Said said(String url, HttpRequest.Builder asked) {
      HttpRequest request =
          asked
              .timeout(timeout)
              .header("Accept", "application/json")
              .header("User-Agent", "penstock-broker")
              .build();
      CompletableFuture<HttpResponse<String>> answer =
          client.sendAsync(request, BodyHandlers.limiting(BodyHandlers.ofString(), MAX_BYTES));
      try {
        var found = answer.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
        return new Said(found.statusCode(), object(found.body()));
      } catch (TimeoutException _) {
        throw new AwayException(url + " is not answered within " + timeout.toMillis() + " ms");
      } catch (ExecutionException e) {
        Throwable cause = e.getCause() == null ? e : e.getCause();
        throw new AwayException(url + ": " + cause.getClass().getSimpleName());
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
        throw new AwayException("the broker stops");
      } finally {
        answer.cancel(true);
      }
    }

    private static Optional<JsonObject> object(String text) {
      try {
        return Json.decodeValue(text) instanceof JsonObject object
            ? Optional.of(object)
            : Optional.empty();
      } catch (DecodeException _) {
        // A page of some proxy, for example: whoever asked says what it expected.
        return Optional.empty();
      }
    }

    void close() {
      client.shutdownNow();
    }
  }
}
