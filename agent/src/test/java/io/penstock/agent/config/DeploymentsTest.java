package io.penstock.agent.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.penstock.agent.config.Prepared.Opened;
import io.penstock.agent.identity.DataDirectory;
import io.penstock.agent.identity.Identity;
import io.penstock.agent.identity.UnlockSeal;
import io.penstock.agent.link.Loop;
import io.penstock.agent.plugin.Plugin;
import io.penstock.agent.plugin.SystemCatalog;
import io.penstock.agent.plugin.SystemDefinition;
import io.penstock.agent.plugin.SystemInstance;
import io.penstock.codec.OpenHead;
import io.penstock.codec.RequestHead;
import io.penstock.codec.message.ControlMessage.TestStage;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;
import io.penstock.codec.seal.ConfigurationHeader;
import io.penstock.codec.seal.EnrollmentToken;
import io.penstock.codec.seal.HeldVersion;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.TokenSecret;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Who is prepared serves, or leaves nothing behind.
final class DeploymentsTest {
  @TempDir private Path directory;
  private final Loop loop = Loop.start();
  private DataDirectory data;
  private Deployments deployments;

  @BeforeEach
  void start() throws Exception {
    data = DataDirectory.open(directory);
    var token =
        new EnrollmentToken(
            Octets.of(new byte[EnrollmentToken.ID_BYTES]),
            TokenSecret.of(new byte[TokenSecret.BYTES]),
            Octets.sha256(new byte[] {1}),
            Instant.now().plusSeconds(60),
            "https://localhost",
            Optional.empty());
    Identity identity =
        Identity.create(data, new UnlockSeal.Source.None(), token, false, new SecureRandom());
    var catalog =
        new SystemCatalog(
            List.of(definition("local")),
            Optional.empty(),
            loop.eventLoop(),
            loop.channelType(),
            List.of(new Idle()));
    deployments =
        new Deployments(catalog, loop.eventLoop(), StateKeeper.open(identity.stateFile()));
  }

  @AfterEach
  void stop() throws Exception {
    loop.close();
    data.close();
  }

  private static SystemDefinition definition(String system) {
    return new SystemDefinition(system, "http", JsonNodeFactory.instance.objectNode(), List.of());
  }

  /// Stands in for `http`.
  private static final class Idle implements Plugin {
    @Override
    public String name() {
      return "http";
    }

    @Override
    public SystemInstance start(
        SystemDefinition definition, EventLoop loop, Class<? extends Channel> channelType) {
      return new Instance(new AtomicInteger(), false);
    }

    @Override
    public List<TestStage> test(SystemDefinition definition) {
      return List.of();
    }
  }

  private record Instance(AtomicInteger closes, boolean failsToClose) implements SystemInstance {
    @Override
    public StreamListener open(OpenHead head, RequestHead request, boolean end, MuxStream stream) {
      throw new IllegalStateException("answers nothing");
    }

    @Override
    public void close() {
      closes.incrementAndGet();
      if (failsToClose) {
        throw new IllegalStateException("does not close");
      }
    }
  }

  /// A prepared version, and what is left of it.
  private static final class Made {
    private final AtomicInteger closes = new AtomicInteger();
    private final byte[] secrets = "{\"password\":\"x\"}".getBytes(StandardCharsets.UTF_8);
    private final Prepared prepared;

    Made(String system, boolean failsToClose) {
      byte[] settings = "{}".getBytes(StandardCharsets.UTF_8);
      var header =
          new ConfigurationHeader(
              "plant-7",
              1,
              system,
              "http",
              Octets.sha256(settings),
              1,
              ConfigurationHeader.NOTHING_BEFORE,
              Octets.sha256(settings),
              null,
              "test",
              1);
      var held = new HeldVersion(1, Octets.sha256(settings));
      prepared =
          new Prepared(
              new Opened(header, held, settings, secrets, Optional.empty()),
              definition(system),
              new byte[0],
              new Instance(closes, failsToClose));
    }

    void assertLeavesNothing() {
      assertThat(closes).as("closes").hasValue(1);
      assertThat(secrets).containsOnly(0);
    }
  }

  @Test
  void whatCannotServeIsClosedAndItsSecretsWiped() {
    var made = new Made("local", false);

    assertThat(deployments.keep(made.prepared, deployments.memory())).isTrue();
    assertThatThrownBy(() -> deployments.swap(made.prepared))
        .hasRootCauseMessage("local belongs to the local file");

    made.assertLeavesNothing();
    assertThat(deployments.running("local")).isEmpty();
    deployments.discard(made.prepared);
    assertThat(made.closes).as("once").hasValue(1);
  }

  @Test
  void whatWaitsToServeIsForgottenWithTheRest() {
    var made = new Made("erp", false);

    assertThat(deployments.keep(made.prepared, deployments.memory())).isTrue();
    deployments.forgetAll("forgotten");

    assertThat(deployments.isKept(made.prepared)).isFalse();
    assertThat(deployments.swap(made.prepared)).isFalse();
    assertThat(deployments.running("erp")).isEmpty();
    made.assertLeavesNothing();
  }

  @Test
  void whatWasBegunBeforeEverythingWasForgottenIsNotKept() {
    var made = new Made("erp", false);
    long before = deployments.memory();

    deployments.forgetAll("forgotten");

    assertThat(deployments.keep(made.prepared, before)).isFalse();
    made.assertLeavesNothing();
  }

  @Test
  void nothingIsKeptAfterAWipe() {
    var waiting = new Made("erp", false);
    var late = new Made("mes", false);
    assertThat(deployments.keep(waiting.prepared, deployments.memory())).isTrue();

    deployments.wipe();

    assertThat(deployments.keep(late.prepared, deployments.memory())).isFalse();
    assertThat(deployments.swap(waiting.prepared)).isFalse();
    waiting.assertLeavesNothing();
    late.assertLeavesNothing();
  }

  @Test
  void anInstanceThatFailsToCloseKeepsNobodyFromServing() {
    var old = new Made("erp", true);
    var next = new Made("erp", false);
    assertThat(deployments.keep(old.prepared, deployments.memory())).isTrue();
    assertThat(deployments.swap(old.prepared)).isTrue();
    assertThat(deployments.keep(next.prepared, deployments.memory())).isTrue();

    assertThat(deployments.swap(next.prepared)).isTrue();

    assertThat(deployments.running("erp")).containsSame(next.prepared);
    assertThat(next.closes).hasValue(0);
    old.assertLeavesNothing();
  }
}
