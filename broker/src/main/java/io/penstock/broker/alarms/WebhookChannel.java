package io.penstock.broker.alarms;

import io.penstock.broker.config.AlarmSettings.Webhook;
import io.penstock.broker.config.PemTrust;
import io.penstock.broker.store.AlarmTable.Severity;
import io.vertx.core.json.JsonObject;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Clock;
import java.time.Duration;
import java.util.HexFormat;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/// Notices by POST, signed, each within [#LIMIT] from the connection to the end of the answer.
/// Redirects are not followed: the notice is for whom the owner named. Has a client of its own, so
/// that one that hangs holds nobody else's connection.
final class WebhookChannel implements Channel {
  static final Duration LIMIT = Duration.ofSeconds(5);
  static final String SIGNATURE = "Penstock-Signature";
  static final String NOTICE = "Penstock-Notice";
  private static final int LEAST_SECRET = 16;
  private static final String ALGORITHM = "HmacSHA256";

  private final Webhook settings;
  private final SecretFile secret;
  private final Clock clock;
  private final HttpClient client;

  WebhookChannel(Webhook settings, Clock clock) {
    this.settings = settings;
    this.clock = clock;
    String key = "alarms.webhooks." + settings.name();
    this.secret = SecretFile.read(key + ".secret_file", settings.secretFile(), LEAST_SECRET);
    HttpClient.Builder builder =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(LIMIT);
    settings
        .caFile()
        .ifPresent(file -> builder.sslContext(PemTrust.context(key + ".ca_file", file)));
    this.client = builder.build();
  }

  @Override
  public String name() {
    return "webhook " + settings.name();
  }

  @Override
  public Severity least() {
    return Severity.valueOf(settings.severity().name());
  }

  @Override
  public Outcome send(String id, JsonObject body) {
    String text = body.encode();
    HttpRequest request =
        HttpRequest.newBuilder(settings.url())
            .timeout(LIMIT)
            .header("Content-Type", "application/json")
            .header("User-Agent", "penstock-broker")
            .header(NOTICE, id)
            .header(SIGNATURE, signature(text))
            .POST(BodyPublishers.ofString(text))
            .build();
    CompletableFuture<HttpResponse<Void>> answer =
        client.sendAsync(request, BodyHandlers.discarding());
    try {
      int status = answer.get(LIMIT.toNanos(), TimeUnit.NANOSECONDS).statusCode();
      return status / 100 == 2
          ? new Outcome.Arrived()
          : new Outcome.Failed("answered with status " + status);
    } catch (TimeoutException _) {
      return new Outcome.Failed("no answer within " + LIMIT.toSeconds() + " s");
    } catch (ExecutionException e) {
      // Its text may quote the URL.
      Throwable cause = e.getCause() == null ? e : e.getCause();
      return new Outcome.Failed(cause.getClass().getSimpleName());
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return new Outcome.Failed("the broker stops");
    } finally {
      answer.cancel(true);
    }
  }

  /// `t=SECONDS,v1=HEX` over `SECONDS.BODY`: whoever holds the secret can tell that it is ours and
  /// not an old one.
  private String signature(String text) {
    long seconds = clock.instant().getEpochSecond();
    try {
      Mac mac = Mac.getInstance(ALGORITHM);
      mac.init(new SecretKeySpec(secret.text().getBytes(StandardCharsets.UTF_8), ALGORITHM));
      byte[] signed = mac.doFinal((seconds + "." + text).getBytes(StandardCharsets.UTF_8));
      return "t=" + seconds + ",v1=" + HexFormat.of().formatHex(signed);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK has " + ALGORITHM, e);
    }
  }

  @Override
  public void close() {
    client.shutdownNow();
  }
}
