package io.penstock.agent.config;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.penstock.agent.link.TrustedTls;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// `${vault:MOUNT/PATH#KEY}`: a key of a secret in a HashiCorp Vault KV version 2 engine, read over
/// HTTP. Logs in by AppRole; renews its token when two thirds of the token's time are over, and
/// logs in again when that is refused or the token does not count any more. One request at a time;
/// whoever asks waits a bounded time for all of it, the others' turn included.
final class VaultSecrets implements SecretStore, AutoCloseable {
  private static final Pattern NAME =
      Pattern.compile("([A-Za-z0-9_-]+)/([A-Za-z0-9._/-]+)#([A-Za-z0-9._-]+)");
  private static final Duration CONNECT_WITHIN = Duration.ofSeconds(3);

  /// For one value: the wait for one's turn, every exchange it takes, and their bodies.
  private static final Duration ANSWER_WITHIN = Duration.ofSeconds(5);

  /// So that a Vault that is down costs one wait, not one per reference.
  private static final Duration DOWN_FOR = Duration.ofSeconds(5);

  private static final String SLOW =
      "expected an answer from Vault within " + ANSWER_WITHIN.toSeconds() + " s, found none";
  private static final int MAX_ANSWER_BYTES = 1024 * 1024;
  private static final int FORBIDDEN = 403;
  private static final int NOT_FOUND = 404;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Settings settings;
  private final HttpClient client;
  private final ReentrantLock one = new ReentrantLock();
  private @Nullable Token token;
  private @Nullable String downBecause;
  private long downSinceNanos;
  private long deadlineNanos;

  /// @param address scheme, host and port
  /// @param secretIdFile read at every login
  record Settings(URI address, String roleId, Path secretIdFile, Optional<Path> caFile) {}

  private record Token(String text, boolean renewable, long sinceNanos, Duration lease) {
    boolean isDue() {
      return !lease.isZero() && System.nanoTime() - sinceNanos > lease.toNanos() / 3 * 2;
    }

    @Override
    public String toString() {
      return "Token[secret]";
    }
  }

  private record Answer(int status, JsonNode body) {
    @Override
    public String toString() {
      return "Answer[" + status + "]";
    }
  }

  VaultSecrets(Settings settings) throws IOException {
    this.settings = settings;
    HttpClient.Builder builder =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(CONNECT_WITHIN);
    if ("https".equals(settings.address().getScheme())) {
      builder.sslContext(TrustedTls.of(settings.caFile().stream().toList()).clientContext());
    }
    client = builder.build();
  }

  @Override
  public boolean isName(String name) {
    Matcher parts = NAME.matcher(name);
    return parts.matches() && !("/" + parts.group(2) + "/").matches(".*/\\.{0,2}/.*");
  }

  @Override
  public Optional<String> find(String name) throws SecretStoreException {
    Matcher parts = NAME.matcher(name);
    if (!parts.matches()) {
      return Optional.empty();
    }
    long untilNanos = System.nanoTime() + ANSWER_WITHIN.toNanos();
    try {
      if (!one.tryLock(ANSWER_WITHIN.toNanos(), TimeUnit.NANOSECONDS)) {
        throw new SecretStoreException(SLOW);
      }
    } catch (InterruptedException _) {
      throw stopping();
    }
    try {
      requireUp();
      deadlineNanos = untilNanos;
      return value(parts.group(1) + "/data/" + parts.group(2), parts.group(3));
    } finally {
      one.unlock();
    }
  }

  private static SecretStoreException stopping() {
    Thread.currentThread().interrupt();
    return new SecretStoreException("the agent stops");
  }

  private void requireUp() throws SecretStoreException {
    if (downBecause != null && System.nanoTime() - downSinceNanos < DOWN_FOR.toNanos()) {
      throw new SecretStoreException(downBecause);
    }
    downBecause = null;
  }

  private Optional<String> value(String path, String key) throws SecretStoreException {
    Answer answer = get(path, validToken());
    if (answer.status() == FORBIDDEN) {
      // Revoked, or its time was over: a new one tells whether the secret itself is forbidden.
      token = null;
      answer = get(path, validToken());
    }
    if (answer.status() == NOT_FOUND) {
      return Optional.empty();
    }
    requireFine(answer, "reading");
    JsonNode value = answer.body().path("data").path("data").path(key);
    return value.isValueNode() && !value.isNull() ? Optional.of(value.asText()) : Optional.empty();
  }

  private String validToken() throws SecretStoreException {
    Token current = token;
    if (current != null && current.isDue()) {
      current = renewed(current);
    }
    if (current == null) {
      current = login();
    }
    token = current;
    return current.text();
  }

  private @Nullable Token renewed(Token old) throws SecretStoreException {
    if (!old.renewable()) {
      return null;
    }
    Answer answer =
        ask(
            request("auth/token/renew-self")
                .header("X-Vault-Token", old.text())
                .POST(HttpRequest.BodyPublishers.ofString("{}")));
    return answer.status() == 200 ? token(answer) : null;
  }

  private Token login() throws SecretStoreException {
    Answer answer =
        ask(
            request("auth/approle/login")
                .POST(
                    HttpRequest.BodyPublishers.ofString(
                        JSON.valueToTree(
                                Map.of("role_id", settings.roleId(), "secret_id", secretId()))
                            .toString())));
    requireFine(answer, "AppRole login");
    return token(answer);
  }

  private static Token token(Answer answer) throws SecretStoreException {
    JsonNode auth = answer.body().path("auth");
    String text = auth.path("client_token").asText("");
    if (text.isEmpty()) {
      throw new SecretStoreException("expected a token from Vault, found none");
    }
    return new Token(
        text,
        auth.path("renewable").asBoolean(),
        System.nanoTime(),
        Duration.ofSeconds(Math.max(0, auth.path("lease_duration").asLong())));
  }

  private String secretId() throws SecretStoreException {
    try {
      return Files.readString(settings.secretIdFile()).strip();
    } catch (IOException _) {
      throw new SecretStoreException(
          "vault.secret_id_file: cannot read " + settings.secretIdFile());
    }
  }

  private Answer get(String path, String with) throws SecretStoreException {
    return ask(request(path).header("X-Vault-Token", with).GET());
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(settings.address().resolve("/v1/" + path))
        .header("X-Vault-Request", "true");
  }

  /// The client's own timeout ends with the answer's head; this one is for all of it.
  private Answer ask(HttpRequest.Builder request) throws SecretStoreException {
    CompletableFuture<HttpResponse<byte[]>> exchange =
        client.sendAsync(
            request.build(),
            HttpResponse.BodyHandlers.limiting(
                HttpResponse.BodyHandlers.ofByteArray(), MAX_ANSWER_BYTES));
    try {
      HttpResponse<byte[]> response =
          exchange.get(deadlineNanos - System.nanoTime(), TimeUnit.NANOSECONDS);
      return new Answer(response.statusCode(), json(response.body()));
    } catch (TimeoutException _) {
      throw down(SLOW);
    } catch (ExecutionException | IOException unreachable) {
      Throwable cause = unreachable.getCause() == null ? unreachable : unreachable.getCause();
      throw down("Vault cannot be reached (" + cause.getClass().getSimpleName() + ")");
    } catch (InterruptedException _) {
      throw stopping();
    } finally {
      // Of one that has ended it changes nothing.
      exchange.cancel(true);
    }
  }

  /// Of an answer that is no JSON nothing is used; its status speaks for it.
  private static JsonNode json(byte[] body) throws IOException {
    try {
      JsonNode tree = JSON.readTree(new String(body, StandardCharsets.UTF_8));
      return tree == null ? JSON.createObjectNode() : tree;
    } catch (JsonProcessingException _) {
      return JSON.createObjectNode();
    }
  }

  private void requireFine(Answer answer, String what) throws SecretStoreException {
    if (answer.status() != 200) {
      String text = what + ": expected 200 from Vault, found " + answer.status();
      if (answer.status() >= 500) {
        throw down(text);
      }
      throw new SecretStoreException(text);
    }
  }

  private SecretStoreException down(String because) {
    downBecause = because;
    downSinceNanos = System.nanoTime();
    return new SecretStoreException(because);
  }

  @Override
  public void close() {
    client.shutdownNow();
  }

  @Override
  public String toString() {
    return "VaultSecrets[" + settings.address() + "]";
  }
}
