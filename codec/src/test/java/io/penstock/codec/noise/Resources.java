package io.penstock.codec.noise;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.zip.GZIPInputStream;

/// The files under `noise/` among the test resources.
final class Resources {
  private Resources() {}

  static JsonNode json(String name) {
    try {
      return new ObjectMapper().readTree(read(name));
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
  }

  static String text(String name) {
    return new String(read(name), StandardCharsets.UTF_8);
  }

  private static byte[] read(String name) {
    try (InputStream file = open(name)) {
      return name.endsWith(".gz") ? new GZIPInputStream(file).readAllBytes() : file.readAllBytes();
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
  }

  private static InputStream open(String name) {
    return requireNonNull(Resources.class.getResourceAsStream("/noise/" + name), name);
  }
}
