package io.penstock.broker;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import io.penstock.broker.store.DatabaseAddress;
import io.penstock.broker.store.TestDatabase;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A whole broker as a process of its own, which tells a webhook of what it finds.
class BrokerAlarmsTest {
  private static final int PATIENCE_SECONDS = 60;

  @TempDir Path directory;
  private final LinkedBlockingQueue<String> told = new LinkedBlockingQueue<>();
  private TestDatabase database;
  private HttpServer hook;

  @BeforeEach
  void start() throws IOException {
    database = TestDatabase.create();
    hook = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    hook.createContext(
        "/",
        exchange -> {
          var body =
              new JsonObject(
                  new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
          body.getJsonArray("changes").stream()
              .map(JsonObject.class::cast)
              .forEach(
                  change ->
                      told.add(
                          change.getString("change")
                              + " "
                              + change.getJsonObject("alarm").getString("kind")));
          exchange.sendResponseHeaders(204, -1);
          exchange.close();
        });
    hook.start();
    Files.writeString(directory.resolve("secret"), "a secret of some length\n");
  }

  @AfterEach
  void stop() {
    hook.stop(0);
    database.close();
  }

  @Test
  void aFullDiskIsToldAndSoIsItsEndAfterARestart() throws Exception {
    // No disk is free to the last byte.
    Process first = broker("1");
    assertThat(told.poll(PATIENCE_SECONDS, TimeUnit.SECONDS)).isEqualTo("raised disk-low");
    stop(first);

    Process second = broker("0");
    assertThat(told.poll(PATIENCE_SECONDS, TimeUnit.SECONDS)).isEqualTo("cleared disk-low");
    stop(second);

    assertThat(told).isEmpty();
    assertThat(TestAudit.of(database))
        .filteredOn(event -> event.eventType().startsWith("alarm."))
        .extracting(event -> event.eventType() + " " + event.resourceId().orElse(""))
        .containsExactly("alarm.raise node broker-1", "alarm.clear node broker-1");
  }

  private Process broker(String diskFree) throws IOException {
    Path config =
        Files.writeString(
            directory.resolve("broker.yaml"),
            """
            alarms:
              disk_free: %s
              clear_after: 0s
              webhooks:
                ops: {url: "http://127.0.0.1:%d/hook", secret_file: "%s"}
            """
                .formatted(diskFree, hook.getAddress().getPort(), directory.resolve("secret")));
    DatabaseAddress at = database.address();
    var builder =
        new ProcessBuilder(
                List.of(
                    ProcessHandle.current().info().command().orElse("java"),
                    "--enable-native-access=ALL-UNNAMED",
                    "--sun-misc-unsafe-memory-access=allow",
                    "-XX:TieredStopAtLevel=1",
                    "-Xmx192m",
                    "-Dlogback.configurationFile=logback.xml",
                    "-cp",
                    System.getProperty("java.class.path"),
                    Broker.class.getName(),
                    "--config",
                    config.toString(),
                    "--data",
                    directory.resolve("data").toString(),
                    "--port",
                    "0"))
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("broker.log").toFile());
    builder
        .environment()
        .put(
            "PENSTOCK_DATABASE_URL",
            "postgres://%s:%s@%s:%d/%s"
                .formatted(at.user(), at.password(), at.host(), at.port(), at.database()));
    builder.environment().put("PENSTOCK_METRICS_PORT", "0");
    return builder.start();
  }

  private void stop(Process broker) throws Exception {
    broker.destroy();
    assertThat(broker.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
    assertThat(broker.exitValue()).as(Files.readString(directory.resolve("broker.log"))).isZero();
  }
}
