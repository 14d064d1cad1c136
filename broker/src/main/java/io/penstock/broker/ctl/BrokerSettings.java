package io.penstock.broker.ctl;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/// The few keys of a broker's configuration that the doctor looks at, from the environment or the
/// file. The broker itself checks the whole.
final class BrokerSettings {
  private static final int DEFAULT_PORT = 8443;
  private static final Path DEFAULT_DATA = Path.of(".penstock", "broker");

  private final JsonNode file;
  private final Terminal terminal;

  private BrokerSettings(JsonNode file, Terminal terminal) {
    this.file = file;
    this.terminal = terminal;
  }

  static BrokerSettings read(Optional<Path> path, Terminal terminal) {
    return new BrokerSettings(path.map(BrokerSettings::parse).orElseGet(Json::object), terminal);
  }

  /// The directory configured, else the default one if it is there.
  Optional<Path> data() {
    return text("data")
        .map(Path::of)
        .or(() -> Optional.of(DEFAULT_DATA).filter(Files::isDirectory));
  }

  int port() {
    String text = text("listen.port").orElse(String.valueOf(DEFAULT_PORT));
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      throw Failure.failed("listen.port: expected a number");
    }
  }

  Optional<String> databaseUrl() {
    return text("database.url");
  }

  Optional<Path> databasePasswordFile() {
    return text("database.password_file").map(Path::of);
  }

  private Optional<String> text(String key) {
    String variable = "PENSTOCK_" + key.replace('.', '_').toUpperCase(Locale.ROOT);
    return terminal
        .variable(variable)
        .or(
            () ->
                Optional.of(file.at("/" + key.replace('.', '/')).asText(""))
                    .filter(value -> !value.isBlank()));
  }

  private static JsonNode parse(Path path) {
    try {
      JsonNode read = new YAMLMapper().readTree(Files.readAllBytes(path));
      return read == null || read.isMissingNode() ? Json.object() : read;
    } catch (JsonProcessingException e) {
      // Not its message: that quotes the lines around, which may hold a password.
      int line = e.getLocation() == null ? 0 : e.getLocation().getLineNr();
      throw Failure.failed("the configuration " + path + " is not valid YAML, see line " + line);
    } catch (IOException e) {
      throw Failure.failed("cannot read the configuration " + path + ": " + e.getMessage());
    }
  }
}
