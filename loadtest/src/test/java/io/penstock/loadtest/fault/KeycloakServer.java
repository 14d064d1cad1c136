package io.penstock.loadtest.fault;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// A real Keycloak from its Maven distribution, in development mode on loopback, with one realm and
/// a database in its memory. `-Pslow` unpacks it under `target/keycloak`;
/// `-Dpenstock.keycloak.home` names another.
final class KeycloakServer implements AutoCloseable {
  private static final String REALM = "plant";
  private static final Duration ENDS_WITHIN = Duration.ofSeconds(30);
  private static final String HEAP = "-Xms64m -Xmx512m";

  private final int port;
  private final Process process;

  private KeycloakServer(int port, Process process) {
    this.port = port;
    this.process = process;
  }

  /// The unpacked distribution, if there is one.
  static Optional<Path> home() throws IOException {
    String given = System.getProperty("penstock.keycloak.home");
    if (given != null) {
      return Optional.of(Path.of(given));
    }
    Path unpacked = Home.find().root().resolve("loadtest/target/keycloak");
    if (!Files.isDirectory(unpacked)) {
      return Optional.empty();
    }
    try (Stream<Path> versions = Files.list(unpacked)) {
      return versions.filter(it -> Files.exists(it.resolve("bin/kc.sh"))).findFirst();
    }
  }

  static String issuer(int port) {
    return "http://127.0.0.1:" + port + "/realms/" + REALM;
  }

  /// Returns at once; [#isReady] tells when it answers.
  ///
  /// @param realm its file
  static KeycloakServer start(Path home, int port, String realm, Path log) throws IOException {
    Path imports = Files.createDirectories(home.resolve("data/import"));
    Files.writeString(imports.resolve(REALM + ".json"), realm, StandardCharsets.UTF_8);
    ProcessBuilder builder =
        new ProcessBuilder(
                List.of(
                    "sh",
                    home.resolve("bin/kc.sh").toString(),
                    "start-dev",
                    "--import-realm",
                    "--db=dev-mem",
                    "--http-host=127.0.0.1",
                    "--http-port=" + port))
            .redirectErrorStream(true)
            .redirectOutput(log.toFile());
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().put("JAVA_OPTS_KC_HEAP", HEAP);
    Launch.OPTION_VARIABLES.forEach(builder.environment()::remove);
    return new KeycloakServer(port, builder.start());
  }

  boolean isReady() {
    if (!process.isAlive()) {
      throw new AssertionError("Keycloak ended with " + process.exitValue());
    }
    try (HttpClient client = HttpClient.newHttpClient()) {
      HttpRequest request =
          HttpRequest.newBuilder(URI.create(issuer(port) + "/.well-known/openid-configuration"))
              .timeout(Duration.ofSeconds(10))
              .build();
      return client.send(request, BodyHandlers.discarding()).statusCode() == 200;
    } catch (IOException notYet) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /// The script hands the signal on to its own Java process.
  @Override
  public void close() throws IOException {
    List<ProcessHandle> own =
        Stream.concat(Stream.of(process.toHandle()), process.descendants()).toList();
    process.destroy();
    try {
      if (!process.waitFor(ENDS_WITHIN.toSeconds(), TimeUnit.SECONDS)) {
        own.forEach(ProcessHandle::destroyForcibly);
      }
    } catch (InterruptedException e) {
      own.forEach(ProcessHandle::destroyForcibly);
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }
}
