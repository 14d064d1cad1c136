package io.penstock.broker.backup;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.penstock.broker.backup.BackupException.Reason;
import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import org.jspecify.annotations.Nullable;

/// Reads a backup to its end. What the sealed parts hold is exactly what [ContentWriter] wrote, so
/// anything else here is another program's.
public final class ContentReader {
  private static final int ROWS_AT_ONCE = 500;

  /// Rows of documents are large.
  private static final int CHARS_AT_ONCE = 4 << 20;

  private ContentReader() {}

  /// What a backup holds, counted.
  ///
  /// @param rows of each table, in the order in which they stand there
  public record Contents(Instant madeAt, int schema, Map<String, Long> rows) {
    public long total() {
      return rows.values().stream().mapToLong(Long::longValue).sum();
    }
  }

  /// Gets what is read.
  interface Sink {
    void file(String name, byte[] content);

    void rows(String table, List<String> json);

    void sequence(String name, long last);
  }

  private static final Sink NOBODY =
      new Sink() {
        @Override
        public void file(String name, byte[] content) {
          // Whoever only counts needs no file.
        }

        @Override
        public void rows(String table, List<String> json) {
          // They are counted by the reader.
        }

        @Override
        public void sequence(String name, long last) {
          // No row.
        }
      };

  static BackupHeader header(Path file) throws IOException {
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file))) {
      return SealedParts.header(in);
    }
  }

  /// Looks at all of it and keeps nothing. Throws [BackupException] unless it is whole.
  ///
  /// @param passphrase the caller wipes it
  public static Contents check(Path file, byte[] passphrase) throws IOException {
    return read(file, passphrase, NOBODY);
  }

  static Contents read(Path file, byte[] passphrase, Sink sink) throws IOException {
    BackupHeader header = header(file);
    try (InputStream raw = new BufferedInputStream(Files.newInputStream(file));
        InputStream opened = SealedParts.opening(raw, passphrase)) {
      var lines = new Lines(sink);
      var reader = new BufferedReader(new InputStreamReader(new GZIPInputStream(opened), UTF_8));
      String line = reader.readLine();
      while (line != null) {
        lines.take(line);
        line = reader.readLine();
      }
      lines.requireEnded();
      // The compressed stream may end before the sealed one does: what says that it is the last
      // part
      // has to be seen.
      if (opened.read() >= 0) {
        throw foreign();
      }
      return new Contents(header.made(), header.schema(), Map.copyOf(lines.counted));
    } catch (ZipException _) {
      throw foreign();
    }
  }

  private static BackupException foreign() {
    return new BackupException(
        Reason.FORMAT, "what the backup holds is not what a broker of this version writes");
  }

  private static final class Lines {
    private final Sink sink;
    private final Map<String, Long> counted = new LinkedHashMap<>();
    private final List<String> waiting = new ArrayList<>();
    private int waitingChars;
    private @Nullable String table;
    private boolean ended;

    Lines(Sink sink) {
      this.sink = sink;
    }

    void take(String line) {
      if (ended || line.length() < 3 || line.charAt(1) != ' ') {
        throw foreign();
      }
      String rest = line.substring(2);
      if (line.charAt(0) == 'R') {
        row(rest);
        return;
      }
      flush();
      try {
        switch (line.charAt(0)) {
          case 'F' -> {
            String[] words = words(rest);
            sink.file(words[0], Base64.getDecoder().decode(words[1]));
          }
          case 'T' -> table = rest;
          case 'S' -> {
            String[] words = words(rest);
            sink.sequence(words[0], Long.parseLong(words[1]));
          }
          case 'E' -> end(Long.parseLong(rest));
          default -> throw foreign();
        }
      } catch (IllegalArgumentException _) {
        throw foreign();
      }
    }

    private static String[] words(String rest) {
      String[] words = rest.split(" ", -1);
      if (words.length != 2) {
        throw foreign();
      }
      return words;
    }

    private void row(String json) {
      String of = table;
      if (of == null) {
        throw foreign();
      }
      waiting.add(json);
      waitingChars += json.length();
      counted.merge(of, 1L, Long::sum);
      if (waiting.size() == ROWS_AT_ONCE || waitingChars > CHARS_AT_ONCE) {
        flush();
      }
    }

    private void flush() {
      String of = table;
      if (of != null && !waiting.isEmpty()) {
        sink.rows(of, List.copyOf(waiting));
      }
      waiting.clear();
      waitingChars = 0;
    }

    private void end(long rows) {
      if (rows != counted.values().stream().mapToLong(Long::longValue).sum()) {
        throw foreign();
      }
      ended = true;
    }

    void requireEnded() {
      if (!ended) {
        throw foreign();
      }
    }
  }
}
