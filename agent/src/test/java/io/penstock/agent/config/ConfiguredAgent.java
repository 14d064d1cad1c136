package io.penstock.agent.config;

import io.penstock.agent.identity.BootId;
import io.penstock.agent.identity.DataDirectory;
import io.penstock.agent.identity.Failpoint;
import io.penstock.agent.identity.Identity;
import io.penstock.agent.identity.UnlockSeal;
import io.penstock.agent.link.BrokerAddress;
import io.penstock.agent.link.Link;
import io.penstock.agent.link.LinkFailure;
import io.penstock.agent.link.LinkListener;
import io.penstock.agent.link.Loop;
import io.penstock.agent.link.TrustedTls;
import io.penstock.agent.mock.MockBroker;
import io.penstock.agent.plugin.Ceiling;
import io.penstock.agent.plugin.Plugin;
import io.penstock.agent.plugin.SystemCatalog;
import io.penstock.agent.plugin.SystemDefinition;
import io.penstock.agent.plugin.http.HttpPlugin;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.message.ControlMessage.HostFacts;
import io.penstock.codec.seal.EnrollmentToken;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/// One agent process without its command line: identity, tunnels, catalog and configuration.
final class ConfiguredAgent implements AutoCloseable, LinkListener {
  private final DataDirectory data;
  private final Loop loop = Loop.start();
  private final SystemCatalog catalog;
  private final Configurations configurations;
  private final Link link;
  private final CompletableFuture<Failpoint> crashed = new CompletableFuture<>();
  private final CompletableFuture<String> ended = new CompletableFuture<>();
  private final BlockingQueue<String> failures = new LinkedBlockingQueue<>();

  /// How a process is started.
  record Start(
      Path directory,
      EnrollmentToken token,
      ConfigurationSettings settings,
      List<SystemDefinition> local,
      Optional<List<Ceiling>> ceiling,
      List<Plugin> plugins,
      Optional<Failpoint> crashAt) {

    static Start on(Path directory, MockBroker broker) {
      return new Start(
          directory,
          broker.token(),
          settings(Optional.empty(), Map.of(), Optional.empty(), Optional.empty()),
          List.of(),
          Optional.empty(),
          List.of(new HttpPlugin()),
          Optional.empty());
    }

    static ConfigurationSettings settings(
        Optional<Path> secrets,
        Map<String, String> environment,
        Optional<ConfigurationSettings.Vault> vault,
        Optional<Duration> forgetAfter) {
      return new ConfigurationSettings(
          forgetAfter,
          Duration.ofMillis(200),
          new ConfigurationSettings.Secrets(secrets, environment, Optional.empty(), Set.of()),
          vault,
          "test");
    }

    Start with(ConfigurationSettings other) {
      return new Start(directory, token, other, local, ceiling, plugins, crashAt);
    }

    Start withLocal(SystemDefinition... systems) {
      return new Start(directory, token, settings, List.of(systems), ceiling, plugins, crashAt);
    }

    Start under(Ceiling... entries) {
      return new Start(
          directory, token, settings, local, Optional.of(List.of(entries)), plugins, crashAt);
    }

    Start withPlugin(Plugin plugin) {
      return new Start(directory, token, settings, local, ceiling, List.of(plugin), crashAt);
    }

    Start crashingAt(Failpoint failpoint) {
      return new Start(directory, token, settings, local, ceiling, plugins, Optional.of(failpoint));
    }
  }

  /// As `kill -9`: the thread stops here, for good.
  private static final class Crash extends Error {
    Crash(Failpoint at) {
      super(at.text(), null, false, false);
    }
  }

  ConfiguredAgent(Start start) throws Exception {
    data = DataDirectory.open(start.directory());
    var random = new SecureRandom();
    var source = new UnlockSeal.Source.None();
    Optional<Identity> existing = Identity.load(data, source, random);
    Identity identity =
        existing.isPresent()
            ? existing.get()
            : Identity.create(data, source, start.token(), false, random);
    catalog =
        new SystemCatalog(
            start.local(), start.ceiling(), loop.eventLoop(), loop.channelType(), start.plugins());
    Failpoint.Action failpoint = reached -> crash(start, reached);
    try {
      configurations =
          Configurations.start(
              start.settings(), identity.stateFile(), catalog, loop.eventLoop(), random, failpoint);
    } catch (Exception refused) {
      loop.close();
      data.close();
      throw refused;
    }
    link =
        Link.of(
            new Link.Settings(
                List.of(),
                Optional.empty(),
                Optional.empty(),
                BootId.random(random),
                "test",
                MockBroker.AGENT,
                new HostFacts("host", "os", "test")),
            loop,
            TrustedTls.of(List.of()),
            identity,
            existing.isPresent() ? Optional.empty() : Optional.of(start.token()),
            catalog,
            configurations,
            this,
            _ -> {});
    link.start();
  }

  private void crash(Start start, Failpoint reached) {
    if (start.crashAt().equals(Optional.of(reached))) {
      loop.close();
      crashed.complete(reached);
      throw new Crash(reached);
    }
  }

  Configurations configurations() {
    return configurations;
  }

  void awaitCrash() throws Exception {
    crashed.get(20, TimeUnit.SECONDS);
  }

  /// The first dial or tunnel that failed so.
  void awaitFailure(String part) throws InterruptedException {
    for (String text = ""; !text.contains(part); ) {
      text = failures.poll(20, TimeUnit.SECONDS);
      if (text == null) {
        throw new AssertionError("nothing failed with: " + part);
      }
    }
  }

  /// Why it gave up for good.
  String awaitEnd() throws Exception {
    return ended.get(20, TimeUnit.SECONDS);
  }

  /// As a process that is gone: no goodbye.
  @Override
  public void close() throws IOException {
    configurations.close();
    link.close();
    loop.close();
    data.close();
  }

  @Override
  public void pending(String agent, String site, String fingerprint) {}

  @Override
  public void approved(String agent) {}

  @Override
  public void admitted(int slot, BrokerAddress broker, long sessionEpoch) {}

  @Override
  public void failed(int slot, LinkFailure failure, Duration nextTry) {
    failures.add(failure.text());
  }

  @Override
  public void draining(int slot, Duration nextTry) {}

  @Override
  public void refusedForGood(ErrorCode code, String text, boolean wiped) {
    ended.complete(text);
  }
}
