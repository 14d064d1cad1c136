package io.penstock.loadtest.fault;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.codec.message.ConfigurationDocument;
import io.penstock.codec.message.DeliveryMessage;
import io.penstock.codec.message.Messages;
import io.penstock.codec.schema.PluginSchema;
import io.penstock.codec.seal.AgentRecord;
import io.penstock.codec.seal.SealedFor;
import io.penstock.codec.seal.SealedSecrets;
import io.penstock.loadtest.client.Configurations;
import io.penstock.loadtest.client.PublicApi;
import io.penstock.loadtest.fleet.BrokerEndpoint;
import io.penstock.loadtest.fleet.Fleet;
import io.penstock.loadtest.fleet.FleetEnrollment;
import io.penstock.loadtest.fleet.SimulatedAgent;
import io.penstock.loadtest.fleet.Tap;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What travels to an agent, and what rests in Postgres, looked at from where it arrives: inside
/// TLS, inside the session, and in every row.
@Timeout(180)
class SecretOnTheWayIT {
  private static final String PASSWORD = "canary-password-on-its-way-90217";
  private static final Duration DECIDED_WITHIN = Duration.ofSeconds(60);

  @TempDir Path directory;

  private static final class Heard implements Tap {
    final List<byte[]> records = new CopyOnWriteArrayList<>();
    final List<byte[]> messages = new CopyOnWriteArrayList<>();

    @Override
    public void record(byte[] bytes) {
      records.add(bytes);
    }

    @Override
    public void message(byte[] body) {
      messages.add(body);
    }
  }

  @Test
  void aSecretIsInNoRecordNoMessageAndNoRowAndOpensAtItsAgent() throws Exception {
    var heard = new Heard();
    try (ExternalPostgres postgres = ExternalPostgres.start(ExternalPostgres.broughtAlong());
        Plant plant =
            Plant.open(
                directory, launch -> launch.variable("PENSTOCK_DATABASE_URL", postgres.url()))) {
      plant.createToken("spare", "fleet");
      BrokerEndpoint endpoint = BrokerEndpoint.of(plant.url(), plant.caFile(), plant.rootSha256());
      try (Fleet fleet = Fleet.of(endpoint, 1)) {
        SimulatedAgent agent = fleet.create("sim");
        var enrollment = new FleetEnrollment(plant.api(), 1);
        enrollment.enroll(fleet.agents());
        fleet.tap(heard);
        enrollment.connect(fleet.agents());
        ObjectNode settings =
            PublicApi.object().put("base_url", "http://erp.example:8080").put("user", "cloud");
        settings.putArray("allow");
        Configurations configurations = plant.configurations();
        AgentRecord to = configurations.recordOf("sim");
        configurations.put(to, "ledger", "http", settings, Map.of("password", PASSWORD));
        configurations.deploy("sim", "ledger");
        configurations.awaitDecision("sim", "ledger", DECIDED_WITHIN);

        // The control: what was heard is the document, and its agent opens it.
        assertThat(opened(agent, to, heard)).contains(PASSWORD);
      }
      assertThat(heard.records).isNotEmpty().noneMatch(SecretOnTheWayIT::hasSecret);
      assertThat(heard.messages).noneMatch(SecretOnTheWayIT::hasSecret);
      assertThat(SecretSearch.rows(postgres))
          .anyMatch(row -> row.contains("erp.example") || row.contains("ledger"));
      assertThat(SecretSearch.rows(postgres))
          .noneMatch(row -> hasSecret(row.getBytes(StandardCharsets.UTF_8)));
    }
  }

  private static String opened(SimulatedAgent agent, AgentRecord to, Heard heard) throws Exception {
    assertThat(heard.messages).hasSize(1);
    var message =
        (DeliveryMessage.Configuration)
            Messages.decodeDelivery(heard.messages.getFirst()).orElseThrow();
    ConfigurationDocument document = Objects.requireNonNull(message.document());
    byte[] settings = document.settings();
    var owner =
        new SealedFor(
            "sim",
            to.generation(),
            "ledger",
            PluginSchema.of("http").orElseThrow().destinationOf(settings));
    byte[] sealed = Objects.requireNonNull(document.sealed());
    return new String(
        agent.open(SealedSecrets.fromJson(sealed), owner).orElseThrow(), StandardCharsets.UTF_8);
  }

  private static boolean hasSecret(byte[] content) {
    return SecretSearch.isIn(content, PASSWORD);
  }
}
