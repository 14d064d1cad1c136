package io.penstock.broker.access;

import io.penstock.broker.config.ConfigException;
import io.penstock.broker.config.OidcConfig;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.core.net.PemTrustOptions;
import io.vertx.ext.auth.User;
import io.vertx.ext.auth.oauth2.OAuth2Auth;
import io.vertx.ext.auth.oauth2.OAuth2AuthorizationURL;
import io.vertx.ext.auth.oauth2.OAuth2FlowType;
import io.vertx.ext.auth.oauth2.OAuth2Options;
import io.vertx.ext.auth.oauth2.Oauth2Credentials;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.UnaryOperator;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
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

    /// @param error a word of RFC 6749, or `no_id_token`
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
    documents = new Documents(config.caFile().map(OidcProvider::trusting), config.timeout());
  }

  private static SSLContext trusting(Path file) {
    try (var in = Files.newInputStream(file)) {
      KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
      trusted.load(null, null);
      int number = 0;
      for (Certificate ca : CertificateFactory.getInstance("X.509").generateCertificates(in)) {
        trusted.setCertificateEntry("ca-" + number++, ca);
      }
      var managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      managers.init(trusted);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, managers.getTrustManagers(), null);
      return context;
    } catch (IOException | GeneralSecurityException e) {
      throw new ConfigException(List.of("oidc.ca_file: expected PEM certificates in " + file));
    }
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
    OAuth2Auth client =
        client(
            metadata.token(),
            metadata.secretInBody(),
            options -> options.setClientSecret(secret()));
    CompletableFuture<User> answer =
        client
            .authenticate(
                new Oauth2Credentials()
                    .setFlow(OAuth2FlowType.AUTH_CODE)
                    .setCode(code)
                    .setRedirectUri(redirectUri)
                    .setCodeVerifier(verifier))
            .toCompletionStage()
            .toCompletableFuture();
    try {
      User user = answer.get(config.timeout().toMillis(), TimeUnit.MILLISECONDS);
      return user.principal().getValue("id_token") instanceof String token
          ? new Exchange.Done(token)
          : new Exchange.Refused("no_id_token");
    } catch (TimeoutException _) {
      throw away("no token within " + config.timeout().toMillis() + " ms");
    } catch (ExecutionException failed) {
      return refusal(failed.getCause() == null ? failed : failed.getCause());
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw new AwayException("the broker stops");
    } finally {
      client.close();
    }
  }

  /// A refusal by the RFC; anything else is no answer of a provider. Its texts may quote what we
  /// sent: only words of the RFC go on.
  private Exchange refusal(Throwable cause) {
    String message = String.valueOf(cause.getMessage());
    String error =
        ERRORS.stream()
            .filter(word -> message.equals(word) || message.startsWith(word + ":"))
            .findFirst()
            .orElseThrow(() -> away("no token: " + cause.getClass().getSimpleName()));
    if (error.equals("invalid_client")) {
      LOG.warn(
          "the identity provider does not take our client: compare oidc.client_id and"
              + " oidc.client_secret_file with what it knows");
    }
    return new Exchange.Refused(error);
  }

  private OAuth2Auth client(
      String tokenUrl, boolean secretInBody, UnaryOperator<OAuth2Options> more) {
    var http =
        new HttpClientOptions()
            .setConnectTimeout((int) config.timeout().toMillis())
            .setIdleTimeoutUnit(TimeUnit.MILLISECONDS)
            .setIdleTimeout((int) config.timeout().toMillis())
            .setKeepAlive(false);
    config
        .caFile()
        .ifPresent(
            file ->
                http.setTrustOptions(new PemTrustOptions().addCertValue(Buffer.buffer(pem(file)))));
    var options =
        new OAuth2Options()
            .setSite(config.issuer())
            .setClientId(config.clientId())
            .setTokenPath(tokenUrl)
            .setUseBasicAuthorization(!secretInBody)
            .setUserAgent("penstock-broker")
            .setHttpClientOptions(http);
    return OAuth2Auth.create(vertx, more.apply(options));
  }

  private static byte[] pem(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new AwayException("cannot read " + file);
    }
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
      LOG.warn("oidc.client_secret_file: cannot read {}", file);
      throw new AwayException("cannot read our secret");
    }
    LOG.warn("oidc.client_secret_file: expected one line in {}", file);
    throw new AwayException("our secret is not one line");
  }

  Metadata metadata() {
    return once(
        () -> {
          Instant now = clock.instant();
          if (known.filter(it -> now.isBefore(it.at().plus(KEPT))).isEmpty()) {
            known = Optional.of(discover(now));
          }
          return known.get();
        });
  }

  /// @param anew whether those that are known do not have a key that is looked for
  ProviderKeys keys(boolean anew) {
    Metadata metadata = metadata();
    return once(
        () -> {
          Instant now = clock.instant();
          Duration good = anew ? KEYS_AT_MOST_EVERY : KEPT;
          if (keys.filter(it -> now.isBefore(it.at().plus(good))).isEmpty()) {
            JsonObject set = documents.get(metadata.jwks());
            keys = Optional.of(new Keys(ProviderKeys.of(set), now));
          }
          return keys.get().keys();
        });
  }

  private AwayException away(@Nullable String what) {
    LOG.warn("the identity provider {}: {}", config.issuer(), what);
    return new AwayException(String.valueOf(what));
  }

  private interface Asked<T> {
    T now();
  }

  private <T> T once(Asked<T> asked) {
    asking.lock();
    try {
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
    String token = url(found, "token_endpoint");
    return new Metadata(
        authorization,
        token,
        url(found, "jwks_uri"),
        Boolean.TRUE.equals(found.getValue("authorization_response_iss_parameter_supported")),
        inBody,
        client(token, inBody, options -> options.setAuthorizationPath(authorization)),
        now);
  }

  private static String url(JsonObject found, String name) {
    if (found.getValue(name) instanceof String url && OidcConfig.isUrl(url)) {
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

    JsonObject get(String url) {
      var request =
          HttpRequest.newBuilder(URI.create(url))
              .timeout(timeout)
              .header("Accept", "application/json")
              .header("User-Agent", "penstock-broker")
              .build();
      CompletableFuture<HttpResponse<String>> answer =
          client.sendAsync(request, BodyHandlers.limiting(BodyHandlers.ofString(), MAX_BYTES));
      try {
        var found = answer.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
        if (found.statusCode() != 200) {
          throw new AwayException(url + " is answered with status " + found.statusCode());
        }
        return new JsonObject(found.body());
      } catch (DecodeException _) {
        throw new AwayException(url + " is no JSON object");
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

    void close() {
      client.shutdownNow();
    }
  }
}
