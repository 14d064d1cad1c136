package io.penstock.loadtest.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class ProcessesIT {
  private static final Pattern LISTENING = Pattern.compile("listening ([0-9]+)");
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  @TempDir Path logs;
  private Processes processes;

  @BeforeEach
  void prepare() {
    processes = new Processes(Home.find(), logs);
  }

  @AfterEach
  void stop() {
    processes.close();
  }

  @Test
  void startsAnErpFromTheJarsAndKillsIt() throws Exception {
    PenstockProcess erp = processes.start(Launch.erp("--port", "0").heap("64m"));
    int port = Integer.parseInt(erp.awaitLine(LISTENING, PATIENCE).group(1));

    try (HttpClient client = HttpClient.newHttpClient()) {
      HttpResponse<byte[]> response =
          client.send(
              HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/1k")).build(),
              HttpResponse.BodyHandlers.ofByteArray());
      assertThat(response.body()).hasSize(1024);
    }
    assertThat(erp.residentBytes()).isBetween(10L << 20, 300L << 20);
    erp.kill();

    assertThat(erp.awaitExit(PATIENCE)).isEqualTo(137);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(erp.log())))
        .isEqualTo("rw-------");
  }

  @Test
  void aProcessThatEndsEarlyFailsTheWaitWithItsLog() {
    PenstockProcess erp = processes.start(Launch.erp("--no-such-option"));

    assertThatThrownBy(() -> erp.awaitLine(LISTENING, PATIENCE))
        .isInstanceOf(ProcessException.class)
        .hasMessageContaining("ended before")
        .hasMessageContaining("no-such-option");
  }

  @Test
  void aFrozenProcessIsSilentUntilItIsThawed() throws Exception {
    PenstockProcess erp = processes.start(Launch.erp("--port", "0"));
    int port = Integer.parseInt(erp.awaitLine(LISTENING, PATIENCE).group(1));
    URI url = URI.create("http://127.0.0.1:" + port + "/1k");
    HttpRequest patient = HttpRequest.newBuilder(url).timeout(PATIENCE).build();
    HttpRequest impatient = HttpRequest.newBuilder(url).timeout(Duration.ofMillis(500)).build();
    try (HttpClient client = HttpClient.newHttpClient()) {
      erp.freeze();
      assertThatThrownBy(() -> client.send(impatient, HttpResponse.BodyHandlers.discarding()))
          .isInstanceOf(java.net.http.HttpTimeoutException.class);
      erp.thaw();

      assertThat(client.send(patient, HttpResponse.BodyHandlers.discarding()).statusCode())
          .isEqualTo(200);
    }
  }
}
