package io.penstock.broker.config;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Everything the broker can be told, with its defaults; `conf/broker.yaml` explains each key.
/// Immutable, complete and checked.
public record BrokerConfig(
    Path data,
    String externalUrl,
    String node,
    Listen listen,
    Database database,
    Tls tls,
    Keys keys,
    Metrics metrics,
    Audit audit,
    Access access,
    Optional<OidcConfig> oidc,
    Changes changes,
    Gateways gateways,
    Tunnel tunnel,
    Edge edge,
    AlarmSettings alarms,
    Telemetry telemetry,
    Duration drain) {

  private static final Set<String> LOOPBACK = Set.of("127.0.0.1", "::1", "localhost");

  /// @param trustedProxies whose word on where a request comes from is believed
  public record Listen(String host, int port, Networks trustedProxies) {}

  /// Without a URL the embedded Postgres under the data directory is used.
  public record Database(
      Optional<String> url, Optional<Path> passwordFile, int poolSize, Duration deadline) {
    @Override
    public String toString() {
      return "Database[" + (url.isPresent() ? "external" : "embedded") + "]";
    }
  }

  public record Tls(
      TlsProfile profile,
      Optional<Path> certificate,
      Optional<Path> privateKey,
      Optional<Path> ca,
      List<String> names) {
    public Tls {
      names = List.copyOf(names);
    }
  }

  public record Keys(Optional<Path> masterKeyFile) {}

  public record Metrics(String host, int port) {}

  /// @param retention empty = for ever
  /// @param kafka empty = the trail stays in Postgres only
  public record Audit(Optional<Duration> retention, Optional<KafkaConfig> kafka) {}

  public record Access(
      Duration tokenTtl,
      Duration sessionTtl,
      Duration serviceTokenMaxTtl,
      int loginsPerAccount,
      int loginsPerAccountInAll,
      int loginsPerSource,
      Duration loginWindow,
      int badTokensPerSource,
      Duration badTokenWindow,
      int requestsPerAddress,
      int requestsPerUser,
      int requestsPerToken,
      int invocationsPerCaller,
      Networks allowedCidrs,
      SessionBinding sessionBinding) {}

  private enum Switch {
    TRUE,
    FALSE
  }

  /// What a sign-in is bound to.
  public enum SessionBinding {
    NONE,
    /// The address that it came from.
    ADDRESS
  }

  /// @param requireSecondPerson what waits for a second person even when an Admin asks for it
  /// @param expiry the longest that a change waits
  /// @param revokesAlone agents that one person may revoke in an hour, where more need a second one
  public record Changes(
      Set<SecondPerson> requireSecondPerson,
      Duration expiry,
      int waitingPerAuthor,
      int revokesAlone) {
    public Changes {
      requireSecondPerson = Set.copyOf(requireSecondPerson);
    }
  }

  /// What may need a second person.
  public enum SecondPerson {
    DEPLOY("deploy"),
    REVOKE_MANY("revoke-many");

    private final String text;

    SecondPerson(String text) {
      this.text = text;
    }
  }

  /// Agents without a tunnel.
  ///
  /// @param plainBearer whether some may have tokens that are bound to no key
  public record Gateways(boolean plainBearer, Duration tokenTtl) {}

  public record Tunnel(
      int maxStreams,
      int handshakesInParallel,
      int halfOpenPerAddress,
      int halfOpenTotal,
      Duration handshakeTimeout,
      Duration pingInterval,
      Duration silenceLimit,
      long creditInitialBytes,
      long creditMaxBytes,
      long creditPoolBytes,
      long bufferPerAgentBytes) {}

  public record Edge(
      Duration connect,
      Duration firstByte,
      Duration idle,
      Duration reconnectWait,
      Duration headTimeout,
      int headBytes,
      int maxConnections) {}

  /// @param maxSeries pairs of agent and system whose times are kept apart
  /// @param otlpEndpoint where spans go; empty = none are recorded
  /// @param traceShare of the traces that begin here, 0 to 1
  public record Telemetry(
      int maxSeries,
      int liveStreams,
      int liveStreamsPerSession,
      Optional<URI> otlpEndpoint,
      double traceShare) {}

  /// Reads and checks the whole; throws [ConfigException] with every problem. `flags` are dotted
  /// keys from the command line.
  public static BrokerConfig load(
      Optional<Path> file, Map<String, String> environment, Map<String, String> flags) {
    return read(ConfigReader.of(file, environment, flags));
  }

  static BrokerConfig read(ConfigReader in) {
    Listen listen = listen(in);
    String externalUrl = in.text("external_url", "https://localhost:" + listen.port());
    in.require(
        isHttpsUrl(externalUrl),
        "external_url: expected https://host[:port], found " + externalUrl);
    var config =
        new BrokerConfig(
            Path.of(in.text("data", ".penstock/broker")),
            externalUrl,
            in.text("node", "broker-1"),
            listen,
            database(in),
            tls(in),
            new Keys(in.optionalPath("keys.master_key_file")),
            metrics(in),
            audit(in),
            access(in),
            OidcConfig.read(in),
            changes(in),
            new Gateways(
                in.choice("gateways.plain_bearer", Switch.class, Switch.FALSE) == Switch.TRUE,
                in.duration(
                    "gateways.token_ttl",
                    Duration.ofHours(1),
                    Duration.ofMinutes(1),
                    Duration.ofHours(1))),
            tunnel(in),
            edge(in),
            AlarmSettings.read(in),
            telemetry(in),
            Duration.ofSeconds(in.integer("drain.seconds", 30, 0, 3600)));
    in.finish();
    return config;
  }

  private static Listen listen(ConfigReader in) {
    return new Listen(
        in.text("listen.host", "0.0.0.0"),
        in.integer("listen.port", 8443, 0, 65535),
        networks(in, "listen.trusted_proxies"));
  }

  private static Networks networks(ConfigReader in, String key) {
    List<String> ranges = in.list(key);
    try {
      return Networks.of(ranges);
    } catch (IllegalArgumentException malformed) {
      in.require(false, key + ": " + malformed.getMessage() + ", found " + ranges);
      return Networks.of(List.of());
    }
  }

  /// What it tells is for this machine: it asks nobody who he is.
  private static Metrics metrics(ConfigReader in) {
    String host = in.text("metrics.host", "127.0.0.1");
    in.require(LOOPBACK.contains(host), "metrics.host: expected 127.0.0.1 or ::1, found " + host);
    return new Metrics(host, in.integer("metrics.port", 9464, 0, 65535));
  }

  private static Audit audit(ConfigReader in) {
    int days = in.integer("audit.retention_days", 730, 0, 36_500);
    return new Audit(
        days == 0 ? Optional.empty() : Optional.of(Duration.ofDays(days)), KafkaConfig.read(in));
  }

  private static Database database(ConfigReader in) {
    Optional<String> url = in.optionalText("database.url");
    // The URL may carry a password: the problem names the key, never the value.
    in.require(
        url.isEmpty()
            || url.get().startsWith("postgres://")
            || url.get().startsWith("postgresql://"),
        "database.url: expected postgres://user:password@host[:port]/database");
    return new Database(
        url,
        in.optionalPath("database.password_file"),
        in.integer("database.pool_size", 16, 2, 200),
        in.duration(
            "database.deadline",
            Duration.ofSeconds(10),
            Duration.ofMillis(100),
            Duration.ofMinutes(2)));
  }

  private static Tls tls(ConfigReader in) {
    var tls =
        new Tls(
            in.choice("tls.profile", TlsProfile.class, TlsProfile.DEVELOPMENT),
            in.optionalPath("tls.certificate"),
            in.optionalPath("tls.private_key"),
            in.optionalPath("tls.ca"),
            in.list("tls.names"));
    in.require(
        tls.certificate().isPresent() == tls.privateKey().isPresent(),
        "tls.certificate and tls.private_key: expected both or neither");
    in.require(
        tls.profile() == TlsProfile.DEVELOPMENT || tls.certificate().isPresent(),
        "tls.certificate: the production profile needs a real certificate and key");
    requireFile(in, "tls.certificate", tls.certificate());
    requireFile(in, "tls.private_key", tls.privateKey());
    requireFile(in, "tls.ca", tls.ca());
    return tls;
  }

  private static void requireFile(ConfigReader in, String key, Optional<Path> file) {
    in.require(
        file.isEmpty() || Files.isReadable(file.get()),
        key + ": cannot read " + file.map(Path::toString).orElse(""));
  }

  private static Access access(ConfigReader in) {
    return new Access(
        in.duration(
            "access.token_ttl",
            Duration.ofMinutes(15),
            Duration.ofSeconds(10),
            Duration.ofHours(1)),
        in.duration(
            "access.session_ttl", Duration.ofHours(24), Duration.ofMinutes(1), Duration.ofDays(7)),
        in.duration(
            "access.service_token_max_ttl",
            Duration.ofDays(90),
            Duration.ofMinutes(1),
            Duration.ofDays(366)),
        in.integer("access.logins_per_account", 5, 1, 1000),
        in.integer("access.logins_per_account_in_all", 50, 1, 100_000),
        in.integer("access.logins_per_source", 30, 1, 100_000),
        in.duration(
            "access.login_window",
            Duration.ofMinutes(5),
            Duration.ofSeconds(1),
            Duration.ofDays(1)),
        in.integer("access.bad_tokens_per_source", 200, 1, 1_000_000),
        Duration.ofSeconds(10),
        in.integer("access.requests_per_address", 1000, 0, 1_000_000),
        in.integer("access.requests_per_user", 500, 0, 1_000_000),
        in.integer("access.requests_per_token", 500, 0, 1_000_000),
        in.integer("access.invocations_per_caller", 0, 0, 10_000_000),
        networks(in, "access.allowed_cidrs"),
        in.choice("access.session_binding", SessionBinding.class, SessionBinding.NONE));
  }

  private static Changes changes(ConfigReader in) {
    String key = "changes.require_second_person";
    var required = EnumSet.noneOf(SecondPerson.class);
    for (String text : in.list(key)) {
      Optional<SecondPerson> known =
          Arrays.stream(SecondPerson.values()).filter(it -> it.text.equals(text)).findFirst();
      in.require(
          known.isPresent(), key + ": expected a list of deploy, revoke-many, found " + text);
      known.ifPresent(required::add);
    }
    return new Changes(
        required,
        in.duration(
            "changes.expiry", Duration.ofHours(24), Duration.ofMinutes(1), Duration.ofDays(30)),
        in.integer("changes.waiting_per_author", 20, 1, 1000),
        in.integer("changes.revokes_alone", 3, 0, 1000));
  }

  private static Tunnel tunnel(ConfigReader in) {
    return new Tunnel(
        in.integer("tunnel.max_streams", 1024, 1, 65_536),
        in.integer("tunnel.handshakes_in_parallel", 8, 1, 1024),
        in.integer("tunnel.half_open_per_address", 64, 1, 100_000),
        in.integer("tunnel.half_open_total", 2048, 1, 1_000_000),
        in.duration(
            "tunnel.handshake_timeout",
            Duration.ofSeconds(10),
            Duration.ofSeconds(1),
            Duration.ofMinutes(1)),
        in.duration(
            "tunnel.ping_interval",
            Duration.ofSeconds(5),
            Duration.ofMillis(100),
            Duration.ofMinutes(1)),
        in.duration(
            "tunnel.silence_limit",
            Duration.ofSeconds(15),
            Duration.ofMillis(300),
            Duration.ofMinutes(5)),
        in.bytes("tunnel.credit_initial", 32L << 10, 16L << 10, 1L << 20),
        in.bytes("tunnel.credit_max", 4L << 20, 32L << 10, 64L << 20),
        in.bytes("tunnel.credit_pool", 64L << 20, 1L << 20, 64L << 30),
        in.bytes("tunnel.buffer_per_agent", 8L << 20, 256L << 10, 1L << 30));
  }

  private static Edge edge(ConfigReader in) {
    return new Edge(
        in.duration(
            "edge.connect", Duration.ofSeconds(5), Duration.ofMillis(10), Duration.ofMinutes(5)),
        in.duration(
            "edge.first_byte", Duration.ofSeconds(60), Duration.ofMillis(10), Duration.ofHours(1)),
        in.duration(
            "edge.idle", Duration.ofMinutes(5), Duration.ofMillis(10), Duration.ofHours(24)),
        in.duration(
            "edge.reconnect_wait", Duration.ofSeconds(2), Duration.ZERO, Duration.ofSeconds(30)),
        in.duration(
            "edge.head_timeout",
            Duration.ofSeconds(10),
            Duration.ofMillis(100),
            Duration.ofMinutes(1)),
        (int) in.bytes("edge.head_bytes", 32L << 10, 4L << 10, 32L << 10),
        in.integer("edge.max_connections", 10_000, 1, 1_000_000));
  }

  private static Telemetry telemetry(ConfigReader in) {
    return new Telemetry(
        in.integer("telemetry.max_series", 2000, 1, 20_000),
        in.integer("telemetry.live_streams", 1000, 1, 4_000),
        in.integer("telemetry.live_streams_per_session", 16, 1, 1_000),
        endpoint(in, "telemetry.otlp_endpoint"),
        in.integer("telemetry.trace_percent", 10, 0, 100) / 100.0);
  }

  /// Its headers and queries might carry a secret, so there are none.
  private static Optional<URI> endpoint(ConfigReader in, String key) {
    Optional<URI> url = in.optionalText(key).flatMap(BrokerConfig::httpUrl);
    in.require(
        url.isPresent() || in.optionalText(key).isEmpty(),
        key + ": expected http(s)://host[:port]/path without user and query");
    return url;
  }

  private static Optional<URI> httpUrl(String text) {
    try {
      var url = new URI(text);
      boolean good =
          ("http".equals(url.getScheme()) || "https".equals(url.getScheme()))
              && url.getHost() != null
              && url.getRawUserInfo() == null
              && url.getRawQuery() == null
              && url.getRawFragment() == null;
      return good ? Optional.of(url) : Optional.empty();
    } catch (URISyntaxException _) {
      return Optional.empty();
    }
  }

  private static boolean isHttpsUrl(String text) {
    try {
      var url = new URI(text);
      return "https".equals(url.getScheme())
          && url.getHost() != null
          && url.getRawUserInfo() == null
          && (url.getRawPath() == null || url.getRawPath().isEmpty())
          && url.getRawQuery() == null
          && url.getRawFragment() == null;
    } catch (URISyntaxException _) {
      return false;
    }
  }
}
