package io.penstock.loadtest.fault;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/// Looks for a secret where none should be: in files, in the rows of a database, and in the heaps
/// of processes.
final class SecretSearch {
  static void dumpHeap(PenstockProcess process, Path file) throws Exception {
    Process jcmd =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                String.valueOf(process.pid()),
                "GC.heap_dump",
                "-all",
                file.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(jcmd.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(jcmd.waitFor()).as(said).isZero();
    assertThat(file).isNotEmptyFile();
  }

  static List<String> filesWith(Path directory, String secret) throws IOException {
    List<String> found = new ArrayList<>();
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        if (contains(file, secret)) {
          found.add(directory.relativize(file).toString());
        }
      }
    }
    return found;
  }

  /// A text lies in a heap as Latin-1 or, with other characters beside it, as UTF-16.
  static boolean contains(Path file, String secret) throws IOException {
    byte[] content = Files.readAllBytes(file);
    String latin = new String(content, StandardCharsets.ISO_8859_1);
    String wide =
        new String(secret.getBytes(StandardCharsets.UTF_16LE), StandardCharsets.ISO_8859_1);
    return latin.contains(secret) || latin.contains(wide);
  }

  /// Every row of every table as text: what a page of Postgres holds may be written otherwise.
  static List<String> rows(ExternalPostgres postgres) throws SQLException {
    List<String> rows = new ArrayList<>();
    try (Connection connection = DriverManager.getConnection(postgres.jdbcUrl());
        Statement tables = connection.createStatement();
        ResultSet names =
            tables.executeQuery("select tablename from pg_tables where schemaname = 'public'")) {
      while (names.next()) {
        try (Statement all = connection.createStatement();
            ResultSet row =
                all.executeQuery("select t::text from \"" + names.getString(1) + "\" as t")) {
          while (row.next()) {
            rows.add(row.getString(1));
          }
        }
      }
    }
    return rows;
  }

  /// The secret as it is, and as what carries bytes in text would write it, wherever in a text it
  /// begins.
  static boolean isIn(byte[] content, String secret) {
    String text = new String(content, StandardCharsets.ISO_8859_1);
    byte[] bytes = secret.getBytes(StandardCharsets.UTF_8);
    List<String> spellings = new ArrayList<>();
    spellings.add(secret);
    spellings.add(HexFormat.of().formatHex(bytes));
    for (int skipped = 0; skipped < 3; skipped++) {
      byte[] aligned = new byte[(bytes.length - skipped) / 3 * 3];
      System.arraycopy(bytes, skipped, aligned, 0, aligned.length);
      spellings.add(Base64.getEncoder().encodeToString(aligned));
    }
    return spellings.stream().anyMatch(text::contains);
  }

  static boolean isIn(String text, String secret) {
    return isIn(text.getBytes(StandardCharsets.UTF_8), secret);
  }

  private SecretSearch() {}
}
