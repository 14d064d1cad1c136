package io.penstock.loadtest.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.codec.seal.Octets;
import io.penstock.loadtest.client.PublicApi;
import io.penstock.loadtest.installation.Credentials;
import io.penstock.loadtest.installation.OwnersFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;

/// Where the demo keeps broker, agent and its own notes; all of it for its owner alone.
///
/// @param temporary removed when the demo ends
record DemoDirectory(Path path, boolean temporary) {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  static DemoDirectory temporaryOne() throws IOException {
    return new DemoDirectory(Files.createTempDirectory("penstock-demo-"), true);
  }

  static DemoDirectory at(Path path) throws IOException {
    Path absolute = path.toAbsolutePath().normalize();
    Files.createDirectories(
        absolute,
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    return new DemoDirectory(absolute, false);
  }

  /// `.penstock/demo` below the current directory, or below the home if that one cannot be written.
  static Path defaultPath() {
    Path here = Path.of("").toAbsolutePath();
    Path base = Files.isWritable(here) ? here : Path.of(System.getProperty("user.home"));
    return base.resolve(".penstock").resolve("demo");
  }

  Path broker() {
    return path.resolve("broker");
  }

  Path agent() {
    return path.resolve("agent");
  }

  Path agentConfig() {
    return path.resolve("agent.yaml");
  }

  Path enrollmentToken() {
    return path.resolve("enrollment.token");
  }

  /// For `curl -H @FILE`: a token in the arguments could be read by every user of the machine.
  Path authorizationHeader() {
    return path.resolve("service-token.header");
  }

  void write(Path file, String content) throws IOException {
    OwnersFiles.write(file, content);
  }

  /// The first sign-in, which the broker says only once.
  Optional<Credentials> credentials() throws IOException {
    if (!Files.exists(notes())) {
      return Optional.empty();
    }
    JsonNode notes = JSON.readTree(Files.readAllBytes(notes()));
    return Optional.of(
        new Credentials(
            notes.path("user").asText(),
            notes.path("password").asText(),
            Path.of(notes.path("ca_file").asText())));
  }

  /// Which root this demo's broker has, as its first enrollment token said.
  Optional<Octets> rootSha256() throws IOException {
    return Files.exists(root())
        ? Optional.of(Octets.fromBase64Url(Files.readString(root()).strip()))
        : Optional.empty();
  }

  void rememberRoot(Octets sha256) throws IOException {
    write(root(), sha256.base64Url() + "\n");
  }

  private Path root() {
    return path.resolve("root.sha256");
  }

  void remember(Credentials credentials) throws IOException {
    ObjectNode notes = PublicApi.object();
    notes.put("user", credentials.user());
    notes.put("password", credentials.password());
    notes.put("ca_file", credentials.caFile().toString());
    write(notes(), notes.toString());
  }

  private Path notes() {
    return path.resolve("demo.json");
  }

  /// Deletes a temporary directory; any other stays.
  void cleanUp() throws IOException {
    if (!temporary) {
      return;
    }
    OwnersFiles.delete(path);
  }
}
