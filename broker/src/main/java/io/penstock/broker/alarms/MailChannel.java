package io.penstock.broker.alarms;

import io.penstock.broker.config.AlarmSettings.Mail;
import io.penstock.broker.store.AlarmTable.Severity;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import io.vertx.core.net.PemTrustOptions;
import io.vertx.ext.mail.LoginOption;
import io.vertx.ext.mail.MailClient;
import io.vertx.ext.mail.MailConfig;
import io.vertx.ext.mail.MailMessage;
import io.vertx.ext.mail.SMTPException;
import io.vertx.ext.mail.StartTLSOptions;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Notices by SMTP, each over a connection of its own: what hangs is closed with it.
final class MailChannel implements Channel {
  static final Duration LIMIT = Duration.ofSeconds(15);

  private final Vertx vertx;
  private final Mail settings;
  private final MailConfig config;

  MailChannel(Vertx vertx, Mail settings) {
    this.vertx = vertx;
    this.settings = settings;
    this.config = config(settings);
  }

  private static MailConfig config(Mail settings) {
    var config =
        new MailConfig()
            .setHostname(settings.host())
            .setPort(settings.port())
            .setKeepAlive(false)
            .setMaxPoolSize(1);
    switch (settings.security()) {
      case STARTTLS -> config.setStarttls(StartTLSOptions.REQUIRED);
      case TLS -> config.setSsl(true).setStarttls(StartTLSOptions.DISABLED);
      case NONE -> config.setStarttls(StartTLSOptions.DISABLED);
    }
    settings
        .caFile()
        .ifPresent(
            file -> config.setTrustOptions(new PemTrustOptions().addCertPath(file.toString())));
    config.setLogin(LoginOption.DISABLED);
    settings
        .signIn()
        .ifPresent(
            signIn ->
                config
                    .setLogin(LoginOption.REQUIRED)
                    .setUsername(signIn.user())
                    .setPassword(
                        SecretFile.read("alarms.mail.password_file", signIn.passwordFile(), 1)
                            .text()));
    return config;
  }

  @Override
  public String name() {
    return "mail";
  }

  @Override
  public Severity least() {
    return Severity.valueOf(settings.severity().name());
  }

  @Override
  public Outcome send(String id, JsonObject body) {
    MailClient client = MailClient.create(vertx, config);
    try {
      client
          .sendMail(message(id, body))
          .toCompletionStage()
          .toCompletableFuture()
          .get(LIMIT.toNanos(), TimeUnit.NANOSECONDS);
      return new Outcome.Arrived();
    } catch (TimeoutException _) {
      return new Outcome.Failed("no answer within " + LIMIT.toSeconds() + " s");
    } catch (ExecutionException e) {
      return new Outcome.Failed(why(e.getCause() == null ? e : e.getCause()));
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return new Outcome.Failed("the broker stops");
    } finally {
      client.close();
    }
  }

  /// Its text may quote what the server wrote.
  private static String why(Throwable failure) {
    return failure instanceof SMTPException refused && refused.getReplyCode() > 0
        ? "the mail server answered " + refused.getReplyCode()
        : failure.getClass().getSimpleName();
  }

  private MailMessage message(String id, JsonObject body) {
    return new MailMessage()
        .setFrom(settings.from())
        .setTo(settings.to())
        .setSubject(NoticeBody.headline(body))
        .setText(NoticeBody.text(body))
        .addHeader("Penstock-Notice", id);
  }

  @Override
  public void close() {
    // Nothing is open between two mails.
  }
}
