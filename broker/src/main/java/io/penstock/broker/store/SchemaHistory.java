package io.penstock.broker.store;

import io.vertx.sqlclient.Row;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32;

/// Whether every migration of this program, and no other, has been applied: by the history that
/// Flyway keeps, with Flyway's own checksums. A start on such a database needs neither Flyway nor a
/// JDBC driver, which cost it more than all other parts. What is in the least different is Flyway's
/// to judge.
final class SchemaHistory {
  private static final String DIRECTORY = "db/migration";
  private static final Pattern NAME = Pattern.compile("V([0-9]+)__\\w+\\.sql");

  private SchemaHistory() {}

  static boolean isComplete(Tx tx) {
    return isComplete(tx, ours());
  }

  /// @param ours nothing is known to be complete where these are none
  static boolean isComplete(Tx tx, Map<String, Integer> ours) {
    boolean begun =
        tx.query("select to_regclass('flyway_schema_history') is not null as begun")
            .iterator()
            .next()
            .getBoolean("begun");
    if (!begun) {
      return false;
    }
    var applied = new HashMap<String, Integer>();
    for (Row row : tx.query("select version, checksum, success from flyway_schema_history")) {
      String version = row.getString("version");
      Integer checksum = row.getInteger("checksum");
      if (version == null || checksum == null || !row.getBoolean("success")) {
        return false;
      }
      applied.put(version, checksum);
    }
    return !ours.isEmpty() && applied.equals(ours);
  }

  /// Checksums of this program's migrations, by their versions; empty where they cannot be listed.
  static Map<String, Integer> ours() {
    var checksums = new HashMap<String, Integer>();
    for (String name : names()) {
      Matcher matcher = NAME.matcher(name);
      // One that is named otherwise, say to be repeated: this class does not know its rules.
      if (!matcher.matches()) {
        return Map.of();
      }
      checksums.put(matcher.group(1), checksum(name));
    }
    return checksums;
  }

  private static List<String> names() {
    CodeSource source = SchemaHistory.class.getProtectionDomain().getCodeSource();
    if (source == null) {
      return List.of();
    }
    try {
      Path place = Path.of(source.getLocation().toURI());
      return Files.isDirectory(place) ? inDirectory(place.resolve(DIRECTORY)) : inJar(place);
    } catch (URISyntaxException | IOException unreadable) {
      throw new IllegalStateException("cannot list the migrations of this program", unreadable);
    }
  }

  private static List<String> inDirectory(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).toList();
    }
  }

  private static List<String> inJar(Path jar) throws IOException {
    try (var file = new JarFile(jar.toFile())) {
      return file.stream()
          .filter(entry -> entry.getName().startsWith(DIRECTORY + "/") && !entry.isDirectory())
          .map(entry -> entry.getName().substring(DIRECTORY.length() + 1))
          .toList();
    }
  }

  /// As Flyway counts it: CRC-32 of the lines without their ends.
  private static int checksum(String name) {
    var crc = new CRC32();
    try (InputStream in = SchemaHistory.class.getResourceAsStream("/" + DIRECTORY + "/" + name)) {
      if (in == null) {
        throw new IllegalStateException(name + " is listed, and missing");
      }
      new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))
          .lines()
          .forEach(line -> crc.update(line.getBytes(StandardCharsets.UTF_8)));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the migration " + name, e);
    }
    return (int) crc.getValue();
  }
}
