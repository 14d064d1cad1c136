package io.penstock.agent;

import io.penstock.agent.config.ConfigurationSettings;
import io.penstock.agent.config.Configurations;
import io.penstock.agent.health.Health;
import io.penstock.agent.identity.BootId;
import io.penstock.agent.identity.DataDirectory;
import io.penstock.agent.identity.Failpoint;
import io.penstock.agent.identity.Identity;
import io.penstock.agent.identity.IdentityException;
import io.penstock.agent.identity.UnlockSeal;
import io.penstock.agent.link.BrokerAddress;
import io.penstock.agent.link.Link;
import io.penstock.agent.link.Loop;
import io.penstock.agent.link.ProxySettings;
import io.penstock.agent.link.TrustedTls;
import io.penstock.agent.plugin.CallMeters;
import io.penstock.agent.plugin.SystemCatalog;
import io.penstock.agent.trace.CallSpans;
import io.penstock.codec.message.ControlMessage.HostFacts;
import io.penstock.codec.seal.EnrollmentToken;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One run of an agent: opens the directory and the identity, wires the parts, and stays until it
/// is told to stop or refused for good.
final class AgentProcess {
  private static final Logger LOG = LoggerFactory.getLogger("agent");

  private final AgentConfig config;
  private final Path directory;
  private final TokenSources tokens;
  private final Loop loop;
  private final SystemCatalog catalog;
  private final Optional<CallSpans> spans;
  private final CallMeters calls;
  private final SecureRandom random = new SecureRandom();

  /// Completes with the exit code once the process has to end.
  private final CompletableFuture<Integer> end = new CompletableFuture<>();

  /// Completes with the exit code once everything is closed.
  private final CompletableFuture<Integer> ended = new CompletableFuture<>();

  AgentProcess(
      AgentConfig config,
      Path directory,
      TokenSources tokens,
      Loop loop,
      SystemCatalog catalog,
      Optional<CallSpans> spans,
      CallMeters calls) {
    this.config = config;
    this.directory = directory;
    this.tokens = tokens;
    this.loop = loop;
    this.catalog = catalog;
    this.spans = spans;
    this.calls = calls;
  }

  /// Returns the exit code. Throws [ConfigException] when it cannot begin.
  int run() {
    Thread atSignal = Thread.ofPlatform().name("signal").unstarted(this::stopAtSignal);
    try (DataDirectory data = open()) {

      UnlockSeal.Source source = unlockSource();
      Optional<Identity> existing = Identity.load(data, source, random);
      Optional<TokenSources.Given> given = token(existing);
      Identity identity = identity(data, source, existing, given);
      if (!identity.isSealed()) {
        LOG.warn(
            "the unlock secret lies in {} readable by its owner; unlock.passphrase_file or"
                + " unlock.systemd_credential seals it",
            directory);
      }
      // Before the hook: from here on it answers for the exit code.
      Configurations configurations = configurations(identity);
      Runtime.getRuntime().addShutdownHook(atSignal);
      int code =
          serve(
              identity,
              configurations,
              given.map(TokenSources.Given::token).or(identity::keptToken));
      ended.complete(code);
      return code;
    } catch (IOException disk) {
      throw new ConfigException(List.of("data: " + disk.getMessage()));
    } catch (IdentityException unusable) {
      throw new ConfigException(List.of("data: " + unusable.getMessage()));
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return ExitCode.FAILED;
    } finally {
      ended.complete(ExitCode.FAILED);
    }
  }

  /// SIGTERM and SIGINT: drains, and lets the JVM end with the code of what happened, not of the
  /// signal. Also runs after an ordinary end, where everything is done already.
  private void stopAtSignal() {
    end.complete(ExitCode.FINE);
    Runtime.getRuntime().halt(ended.join());
  }

  private DataDirectory open() throws IOException {
    return DataDirectory.open(directory);
  }

  private UnlockSeal.Source unlockSource() {
    if (config.unlock().passphraseFile().isPresent()) {
      return new UnlockSeal.Source.Passphrase(config.unlock().passphraseFile().get());
    }
    if (config.unlock().systemdCredential().isEmpty()) {
      return new UnlockSeal.Source.None();
    }
    String credentials = System.getenv("CREDENTIALS_DIRECTORY");
    if (credentials == null) {
      throw new ConfigException(
          List.of("unlock.systemd_credential: systemd gives none (CREDENTIALS_DIRECTORY)"));
    }
    return new UnlockSeal.Source.SystemdCredential(
        Path.of(credentials, config.unlock().systemdCredential().get()));
  }

  /// Nobody is asked for a token that is not needed, or that is kept from an earlier run.
  private Optional<TokenSources.Given> token(Optional<Identity> existing) {
    if (existing.isPresent()
        && (existing.get().isEnrolled() || existing.get().keptToken().isPresent())) {
      return Optional.empty();
    }
    return tokens.find();
  }

  private Identity identity(
      DataDirectory data,
      UnlockSeal.Source source,
      Optional<Identity> existing,
      Optional<TokenSources.Given> given)
      throws IOException, IdentityException {
    if (existing.isEmpty() && given.isPresent()) {
      return Identity.create(data, source, given.get().token(), given.get().kept(), random);
    }
    Identity identity = existing.orElseThrow(AgentProcess::needsToken);
    if (given.isPresent()) {
      identity.retarget(given.get().token(), given.get().kept());
    } else if (!identity.isEnrolled() && identity.keptToken().isEmpty()) {
      throw needsToken();
    }
    return identity;
  }

  private static ConfigException needsToken() {
    return new ConfigException(
        List.of(
            "this agent has no identity yet: give an enrollment token by --token-file, on standard"
                + " input, or as "
                + TokenSources.VARIABLE));
  }

  private int serve(
      Identity identity, Configurations configurations, Optional<EnrollmentToken> token)
      throws IOException, InterruptedException {
    TrustedTls tls = TrustedTls.of(caFiles());
    var narrator = new Narrator(System.out, config.site(), end::complete);
    try (catalog;
        configurations;
        var link =
            Link.of(
                settings(),
                loop,
                tls,
                identity,
                token,
                catalog,
                configurations,
                narrator,
                Failpoint.fromProperty());
        var _ =
            Health.start(
                new Health.Watched(link, configurations, loop, calls, spans.map(this::counts)),
                config.metricsPort())) {
      link.start();
      int code = end.join();
      if (code == ExitCode.FINE) {
        LOG.info("stopping: running streams have {} s", config.drain().toSeconds());
        link.drain(config.drain());
        LOG.info("stopped");
      }
      spans.ifPresent(CallSpans::close);
      return code;
    }
  }

  private Supplier<Health.SpanCounts> counts(CallSpans of) {
    return () -> new Health.SpanCounts(of.exported(), of.lost());
  }

  private Configurations configurations(Identity identity) throws IOException, IdentityException {
    return Configurations.start(
        config.configuration().settings(ownFiles(), System.getenv(), AgentVersion.TEXT),
        identity.stateFile(),
        catalog,
        loop.eventLoop(),
        random,
        Failpoint.fromProperty());
  }

  /// What this agent lives by itself: no deployed configuration gets it by a reference.
  private Set<Path> ownFiles() {
    return Stream.of(
            config.unlock().passphraseFile(),
            config.unlock().systemdCredential().flatMap(AgentProcess::credential),
            config.tokenFile(),
            config.proxy().flatMap(AgentConfig.Proxy::passwordFile),
            config.configuration().vault().map(ConfigurationSettings.Vault::secretIdFile),
            Optional.of(directory.resolve("identity")))
        .flatMap(Optional::stream)
        .collect(Collectors.toSet());
  }

  private static Optional<Path> credential(String name) {
    return Optional.ofNullable(System.getenv("CREDENTIALS_DIRECTORY"))
        .map(directory -> Path.of(directory, name));
  }

  private List<Path> caFiles() {
    return Stream.of(config.brokerCa(), config.tlsCa()).flatMap(Optional::stream).toList();
  }

  private Link.Settings settings() {
    String host = hostName();
    return new Link.Settings(
        config.brokers(),
        config.proxy().map(this::proxy),
        config.tunnels(),
        BootId.random(random),
        AgentVersion.TEXT,
        config.name().orElse(host),
        new HostFacts(
            host,
            System.getProperty("os.name") + " " + System.getProperty("os.version"),
            AgentVersion.TEXT));
  }

  private ProxySettings proxy(AgentConfig.Proxy proxy) {
    return new ProxySettings(
        new BrokerAddress(proxy.host(), proxy.port()),
        proxy.user().map(user -> new ProxySettings.Login(user, password(proxy))));
  }

  private static String password(AgentConfig.Proxy proxy) {
    if (proxy.passwordFile().isEmpty()) {
      return "";
    }
    try {
      return Files.readString(proxy.passwordFile().get()).strip();
    } catch (IOException unreadable) {
      throw new ConfigException(
          List.of("broker.proxy.password_file: cannot read " + proxy.passwordFile().get()));
    }
  }

  /// Which agent of several its spans are of, as far as the local file says.
  static String instance(AgentConfig config) {
    return config.name().orElseGet(AgentProcess::hostName);
  }

  private static String hostName() {
    try {
      return InetAddress.getLocalHost().getHostName().replaceAll("[^A-Za-z0-9._-]", "-");
    } catch (UnknownHostException _) {
      return "agent";
    }
  }
}
