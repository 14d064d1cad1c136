package io.penstock.agent;

import com.fasterxml.jackson.databind.JsonNode;
import io.penstock.agent.config.ConfigurationSettings;
import io.penstock.agent.link.BrokerAddress;
import io.penstock.agent.plugin.Ceiling;
import io.penstock.agent.plugin.SystemDefinition;
import io.penstock.codec.message.ControlMessage.Allow;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// Everything the agent can be told, with its defaults; `conf/agent.yaml` explains each key.
/// Immutable, complete and checked.
///
/// @param brokers in the order they are tried; empty = what the token or the identity says
/// @param ceiling empty = none
record AgentConfig(
    List<BrokerAddress> brokers,
    Optional<Path> brokerCa,
    Optional<Proxy> proxy,
    Optional<String> name,
    Optional<String> site,
    Duration drain,
    Path data,
    Optional<Path> tokenFile,
    Unlock unlock,
    Optional<Path> tlsCa,
    Optional<Integer> tunnels,
    int metricsPort,
    Optional<URI> otlpEndpoint,
    List<SystemDefinition> systems,
    Optional<List<Ceiling>> ceiling,
    Deployed configuration) {

  static final Path DEFAULT_DATA = Path.of(".penstock/agent");

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,63}");
  private static final int MAX_SYSTEMS = 1_000;

  AgentConfig {
    brokers = List.copyOf(brokers);
    systems = List.copyOf(systems);
    ceiling = ceiling.map(List::copyOf);
  }

  /// A corporate HTTP proxy (CONNECT); the password stays in its file.
  record Proxy(String host, int port, Optional<String> user, Optional<Path> passwordFile) {}

  /// What seals the unlock secret; neither = a file of mode 0600.
  record Unlock(Optional<Path> passphraseFile, Optional<String> systemdCredential) {}

  /// What the owner decides about deployed configurations.
  ///
  /// @param forgetAfterLostSession empty = they stay in memory
  /// @param secrets directory of files that `${secret:NAME}` finds
  record Deployed(
      Optional<Duration> forgetAfterLostSession,
      Duration refresh,
      Optional<Path> secrets,
      Optional<ConfigurationSettings.Vault> vault) {

    /// @param own files that no reference may reach
    ConfigurationSettings settings(Set<Path> own, Map<String, String> environment, String version) {
      return new ConfigurationSettings(
          forgetAfterLostSession,
          refresh,
          new ConfigurationSettings.Secrets(
              secrets,
              environment,
              Optional.ofNullable(environment.get("CREDENTIALS_DIRECTORY")).map(Path::of),
              own),
          vault,
          version);
    }
  }

  /// Reads every key; what is wrong is known by [ConfigReader#finish].
  static AgentConfig read(ConfigReader in) {
    return new AgentConfig(
        brokers(in),
        in.readableFile("broker.ca_file"),
        proxy(in),
        named(in, "agent.name"),
        named(in, "agent.site"),
        Duration.ofMillis(in.integer("agent.drain_ms", 30_000, 0, 3_600_000)),
        in.path("data").orElse(DEFAULT_DATA),
        in.path("token_file"),
        unlock(in),
        in.readableFile("tls.ca_file"),
        in.text("tunnels").map(_ -> in.integer("tunnels", 1, 1, 8)),
        in.integer("metrics.port", 9090, 0, 65_535),
        endpoint(in, "telemetry.otlp_endpoint"),
        systems(in),
        ceiling(in),
        deployed(in));
  }

  /// Its user or query might carry a secret, so there are none.
  private static Optional<URI> endpoint(ConfigReader in, String key) {
    Optional<String> text = in.text(key);
    Optional<URI> url = text.flatMap(AgentConfig::httpUrl);
    in.require(
        url.isPresent() || text.isEmpty(),
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

  private static List<BrokerAddress> brokers(ConfigReader in) {
    var brokers = new ArrayList<BrokerAddress>();
    in.text("broker.url").ifPresent(url -> broker(in, "broker.url", url, brokers));
    in.texts("broker.urls").forEach(url -> broker(in, "broker.urls", url, brokers));
    return brokers;
  }

  private static void broker(ConfigReader in, String key, String url, List<BrokerAddress> brokers) {
    BrokerAddress.parse(url)
        .ifPresentOrElse(
            address -> {
              if (!brokers.contains(address)) {
                brokers.add(address);
              }
            },
            () -> in.problem(key + ": expected https://host[:port] without path or user"));
  }

  private static Optional<Proxy> proxy(ConfigReader in) {
    Optional<String> url = in.text("broker.proxy.url");
    Optional<String> user = in.text("broker.proxy.user");
    Optional<Path> passwordFile = in.readableFile("broker.proxy.password_file");
    in.require(
        passwordFile.isEmpty() || user.isPresent(), "broker.proxy.password_file: needs a user");
    if (url.isEmpty()) {
      in.require(user.isEmpty(), "broker.proxy.user: needs broker.proxy.url");
      return Optional.empty();
    }
    Optional<BrokerAddress> address = BrokerAddress.parseProxy(url.get());
    if (address.isEmpty()) {
      // The value may hold a password.
      in.problem("broker.proxy.url: expected http://host:port without path or user");
    }
    return address.map(it -> new Proxy(it.host(), it.port(), user, passwordFile));
  }

  private static Optional<String> named(ConfigReader in, String key) {
    Optional<String> name = in.text(key);
    name.filter(it -> !NAME.matcher(it).matches())
        .ifPresent(_ -> in.problem(key + ": expected 1 to 63 letters, digits, '.', '_' or '-'"));
    return name;
  }

  private static Unlock unlock(ConfigReader in) {
    var unlock =
        new Unlock(in.readableFile("unlock.passphrase_file"), in.text("unlock.systemd_credential"));
    in.require(
        unlock.passphraseFile().isEmpty() || unlock.systemdCredential().isEmpty(),
        "unlock: expected passphrase_file or systemd_credential, found both");
    in.require(
        unlock.systemdCredential().map(it -> NAME.matcher(it).matches()).orElse(true),
        "unlock.systemd_credential: expected the name of a credential");
    return unlock;
  }

  private static Deployed deployed(ConfigReader in) {
    Optional<Path> secrets = in.path("secrets.directory");
    secrets
        .filter(it -> !Files.isDirectory(it))
        .ifPresent(
            it -> in.problem("secrets.directory: expected a directory, found none at " + it));
    int forgetMs =
        in.integer("configuration.forget_after_lost_session_ms", 0, 0, 24 * 60 * 60 * 1000);
    return new Deployed(
        forgetMs == 0 ? Optional.empty() : Optional.of(Duration.ofMillis(forgetMs)),
        Duration.ofMillis(in.integer("secrets.refresh_ms", 300_000, 1_000, 24 * 60 * 60 * 1000)),
        secrets,
        vault(in));
  }

  private static Optional<ConfigurationSettings.Vault> vault(ConfigReader in) {
    Optional<String> address = in.text("vault.address");
    Optional<String> roleId = in.text("vault.role_id");
    Optional<Path> secretIdFile = in.readableFile("vault.secret_id_file");
    Optional<Path> caFile = in.readableFile("vault.ca_file");
    if (address.isEmpty()) {
      in.require(
          roleId.isEmpty() && secretIdFile.isEmpty() && caFile.isEmpty(),
          "vault: needs vault.address");
      return Optional.empty();
    }
    in.require(roleId.isPresent(), "vault.role_id: expected the AppRole's, found none");
    in.require(
        secretIdFile.isPresent(), "vault.secret_id_file: expected the AppRole's, found none");
    Optional<URI> url =
        BrokerAddress.parse(address.get())
            .map(it -> URI.create("https://" + it.hostHeader()))
            .or(
                () ->
                    BrokerAddress.parseProxy(address.get())
                        .map(it -> URI.create("http://" + it.host() + ":" + it.port())));
    in.require(url.isPresent(), "vault.address: expected https://host[:port] without path or user");
    return url.isPresent() && roleId.isPresent() && secretIdFile.isPresent()
        ? Optional.of(
            new ConfigurationSettings.Vault(url.get(), roleId.get(), secretIdFile.get(), caFile))
        : Optional.empty();
  }

  private static List<SystemDefinition> systems(ConfigReader in) {
    JsonNode list = in.tree("systems");
    var systems = new ArrayList<SystemDefinition>();
    if (!isListOrAbsent(in, "systems", list)) {
      return systems;
    }
    in.require(list.size() <= MAX_SYSTEMS, "systems: expected at most " + MAX_SYSTEMS);
    Set<String> names = new HashSet<>();
    for (int i = 0; i < list.size(); i++) {
      String key = "systems[" + i + "]";
      JsonNode node = list.get(i);
      in.requireOnly(key, node, Set.of("name", "plugin", "settings", "allow"));
      String name = node.path("name").asText("");
      String plugin = node.path("plugin").asText("");
      in.require(NAME.matcher(name).matches(), key + ".name: expected the name of a system");
      in.require(names.add(name), key + ".name: " + name + " stands twice");
      systems.add(new SystemDefinition(name, plugin, node.path("settings"), allow(in, key, node)));
    }
    return systems;
  }

  private static Optional<List<Ceiling>> ceiling(ConfigReader in) {
    JsonNode list = in.tree("ceiling");
    if (!isListOrAbsent(in, "ceiling", list) || !list.isArray()) {
      return Optional.empty();
    }
    var ceiling = new ArrayList<Ceiling>();
    for (int i = 0; i < list.size(); i++) {
      String key = "ceiling[" + i + "]";
      JsonNode node = list.get(i);
      in.requireOnly(key, node, Set.of("system", "allow"));
      String system = node.path("system").asText("");
      in.require(NAME.matcher(system).matches(), key + ".system: expected the name of a system");
      ceiling.add(new Ceiling(system, allow(in, key, node)));
    }
    return Optional.of(ceiling);
  }

  private static boolean isListOrAbsent(ConfigReader in, String key, JsonNode node) {
    boolean fits = node.isArray() || node.isMissingNode() || node.isNull();
    in.require(fits, key + ": expected a list");
    return fits;
  }

  private static List<Allow> allow(ConfigReader in, String parent, JsonNode node) {
    JsonNode list = node.path("allow");
    var rules = new ArrayList<Allow>();
    if (!isListOrAbsent(in, parent + ".allow", list)) {
      return rules;
    }
    for (int i = 0; i < list.size(); i++) {
      String key = parent + ".allow[" + i + "]";
      JsonNode rule = list.get(i);
      in.requireOnly(key, rule, Set.of("methods", "paths"));
      List<String> methods = in.texts(key + ".methods", rule.path("methods"));
      List<String> paths = in.texts(key + ".paths", rule.path("paths"));
      rules.add(new Allow(methods, paths));
    }
    return rules;
  }
}
