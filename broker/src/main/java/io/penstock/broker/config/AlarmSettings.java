package io.penstock.broker.config;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// From when on something is an alarm, and who is told.
///
/// @param clearAfter a cause that is gone for so long is gone
public record AlarmSettings(
    Duration offlineAfter,
    Flapping flapping,
    Backlog backlog,
    Latency latency,
    SignIns signIns,
    int certificateDays,
    double diskFree,
    Duration databaseAfter,
    Duration clearAfter,
    List<Webhook> webhooks,
    Optional<Mail> mail) {
  private static final int MAX_WEBHOOKS = 10;
  private static final int MAX_RECIPIENTS = 50;
  private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9-]{0,39}");
  private static final Pattern MAILBOX =
      Pattern.compile("[^@\\s<>,;\"]{1,64}@[A-Za-z0-9.-]{1,190}");
  private static final Set<String> LOOPBACK = Set.of("127.0.0.1", "::1", "[::1]", "localhost");

  public AlarmSettings {
    webhooks = List.copyOf(webhooks);
  }

  /// So many new tunnels within the window.
  public record Flapping(int connections, Duration window) {}

  /// So many messages, or one that waits so long.
  public record Backlog(int messages, Duration age) {}

  /// The share `target` of invocations is answered within `objective`; zero = no objective.
  ///
  /// @param burnRate how many times faster than allowed the rest is used up, over 5 min and over 1
  ///     h
  /// @param least invocations in 5 min; fewer say nothing
  public record Latency(Duration objective, double target, double burnRate, int least) {}

  /// Failed sign-ins within the window.
  public record SignIns(int ofAccount, int ofAddress, Duration window) {}

  /// How bad an alarm has to be for a channel.
  public enum Least {
    LOW,
    MEDIUM,
    HIGH,
    CRITICAL
  }

  /// The URL may hold a secret: nothing prints it.
  public record Webhook(
      String name, URI url, Path secretFile, Optional<Path> caFile, Least severity) {
    @Override
    public String toString() {
      return "Webhook[" + name + "]";
    }
  }

  public enum Security {
    /// Plain first, then TLS or nothing.
    STARTTLS,
    /// TLS from the first byte.
    TLS,
    /// Only to this machine.
    NONE
  }

  public record SignIn(String user, Path passwordFile) {}

  public record Mail(
      String host,
      int port,
      Security security,
      Optional<SignIn> signIn,
      Optional<Path> caFile,
      String from,
      List<String> to,
      Least severity) {
    public Mail {
      to = List.copyOf(to);
    }
  }

  static AlarmSettings read(ConfigReader in) {
    return new AlarmSettings(
        in.duration(
            "alarms.offline_after",
            Duration.ofMinutes(2),
            Duration.ofSeconds(5),
            Duration.ofDays(7)),
        new Flapping(
            in.integer("alarms.flapping_connections", 6, 2, 100_000),
            in.duration(
                "alarms.flapping_window",
                Duration.ofMinutes(10),
                Duration.ofSeconds(10),
                Duration.ofDays(1))),
        new Backlog(
            in.integer("alarms.backlog_messages", 1_000, 1, 10_000_000),
            in.duration(
                "alarms.backlog_age",
                Duration.ofHours(1),
                Duration.ofSeconds(1),
                Duration.ofDays(90))),
        latency(in),
        new SignIns(
            in.integer("alarms.sign_in_failures_account", 10, 1, 1_000_000),
            in.integer("alarms.sign_in_failures_address", 100, 1, 1_000_000),
            in.duration(
                "alarms.sign_in_window",
                Duration.ofMinutes(10),
                Duration.ofSeconds(10),
                Duration.ofDays(1))),
        in.integer("alarms.certificate_days", 14, 1, 365),
        in.decimal("alarms.disk_free", 0.1, 0, 1),
        in.duration(
            "alarms.database_after",
            Duration.ofSeconds(30),
            Duration.ofSeconds(1),
            Duration.ofHours(1)),
        in.duration(
            "alarms.clear_after", Duration.ofMinutes(1), Duration.ZERO, Duration.ofHours(24)),
        webhooks(in),
        mail(in));
  }

  private static Latency latency(ConfigReader in) {
    var latency =
        new Latency(
            in.duration(
                "alarms.latency_objective",
                Duration.ofSeconds(5),
                Duration.ZERO,
                Duration.ofMinutes(10)),
            in.decimal("alarms.latency_target", 0.99, 0.5, 0.99999),
            in.decimal("alarms.latency_burn_rate", 14.4, 1, 10_000),
            in.integer("alarms.latency_least", 50, 1, 10_000_000));
    double most = 1 / (1 - latency.target());
    in.require(
        latency.burnRate() <= most,
        "alarms.latency_burn_rate: expected at most "
            + String.format(Locale.ROOT, "%.1f", most)
            + ", which is everything slow at this alarms.latency_target, found "
            + latency.burnRate());
    return latency;
  }

  private static List<Webhook> webhooks(ConfigReader in) {
    List<String> names = in.names("alarms.webhooks");
    in.require(
        names.size() <= MAX_WEBHOOKS,
        "alarms.webhooks: expected at most " + MAX_WEBHOOKS + ", found " + names.size());
    var webhooks = new ArrayList<Webhook>();
    for (String name : names) {
      webhook(in, name).ifPresent(webhooks::add);
    }
    return webhooks;
  }

  private static Optional<Webhook> webhook(ConfigReader in, String name) {
    String key = "alarms.webhooks." + name;
    in.require(
        NAME.matcher(name).matches(),
        key + ": expected a name of a-z 0-9 - with a letter first, at most 40 long");
    Optional<URI> url = in.optionalText(key + ".url").flatMap(AlarmSettings::url);
    Optional<Path> secret = in.optionalPath(key + ".secret_file");
    Optional<Path> ca = in.optionalPath(key + ".ca_file");
    Least severity = in.choice(key + ".severity", Least.class, Least.LOW);
    // The URL may hold a secret: the problem names the key, never the value.
    in.require(
        url.isPresent(),
        key + ".url: expected https://…, or http:// to this machine, without user");
    in.require(secret.isPresent(), key + ".secret_file: expected a file with the secret");
    requireReadable(in, key + ".secret_file", secret);
    requireReadable(in, key + ".ca_file", ca);
    if (url.isEmpty() || secret.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(new Webhook(name, url.get(), secret.get(), ca, severity));
  }

  private static Optional<URI> url(String text) {
    try {
      var url = new URI(text);
      boolean secure = "https".equals(url.getScheme());
      boolean here = "http".equals(url.getScheme()) && isLoopback(url.getHost());
      return url.getHost() != null && url.getRawUserInfo() == null && (secure || here)
          ? Optional.of(url)
          : Optional.empty();
    } catch (URISyntaxException _) {
      return Optional.empty();
    }
  }

  private static boolean isLoopback(@Nullable String host) {
    return host != null && LOOPBACK.contains(host);
  }

  private static void requireReadable(ConfigReader in, String key, Optional<Path> file) {
    in.require(
        file.map(Files::isReadable).orElse(true),
        key + ": cannot read " + file.map(Path::toString).orElse(""));
  }

  private static Optional<Mail> mail(ConfigReader in) {
    Optional<String> host = in.optionalText("alarms.mail.host");
    Security security = in.choice("alarms.mail.security", Security.class, Security.STARTTLS);
    int port = in.integer("alarms.mail.port", 587, 1, 65535);
    Optional<String> user = in.optionalText("alarms.mail.user");
    Optional<Path> password = in.optionalPath("alarms.mail.password_file");
    Optional<Path> ca = in.optionalPath("alarms.mail.ca_file");
    String from = in.text("alarms.mail.from", "");
    List<String> to = in.list("alarms.mail.to");
    Least severity = in.choice("alarms.mail.severity", Least.class, Least.LOW);
    if (host.isEmpty()) {
      in.require(
          to.isEmpty(), "alarms.mail.host: expected the mail server, there is alarms.mail.to");
      return Optional.empty();
    }
    in.require(
        security != Security.NONE || isLoopback(host.get()),
        "alarms.mail.security: expected starttls or tls to another machine, found none");
    in.require(
        user.isPresent() == password.isPresent(),
        "alarms.mail.user and alarms.mail.password_file: expected both or neither");
    requireReadable(in, "alarms.mail.password_file", password);
    requireReadable(in, "alarms.mail.ca_file", ca);
    in.require(
        MAILBOX.matcher(from).matches(),
        "alarms.mail.from: expected an address such as penstock@example.com, found " + from);
    in.require(
        !to.isEmpty()
            && to.size() <= MAX_RECIPIENTS
            && to.stream().allMatch(MAILBOX.asMatchPredicate()),
        "alarms.mail.to: expected 1 to " + MAX_RECIPIENTS + " addresses, found " + to);
    Optional<SignIn> signIn = user.flatMap(name -> password.map(file -> new SignIn(name, file)));
    return Optional.of(new Mail(host.get(), port, security, signIn, ca, from, to, severity));
  }
}
