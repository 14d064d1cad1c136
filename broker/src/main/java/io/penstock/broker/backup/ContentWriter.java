package io.penstock.broker.backup;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.penstock.broker.store.BackupTables;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.Base64;

/// What is inside of a backup, line by line, as [ContentReader] reads it:
///
/// ```
/// F <name> <base64>      a file
/// T <table>              what follows are its rows
/// R <row as JSON>
/// S <sequence> <last>
/// E <number of rows>     the end
/// ```
final class ContentWriter implements BackupTables.Sink, AutoCloseable {
  private final OutputStream out;
  private String table = "";
  private long rows;

  ContentWriter(OutputStream out) {
    this.out = out;
  }

  void file(String name, byte[] content) {
    line("F " + name + " " + Base64.getEncoder().encodeToString(content));
  }

  @Override
  public void row(String of, String json) {
    if (!of.equals(table)) {
      line("T " + of);
      table = of;
    }
    line("R " + json);
    rows++;
  }

  @Override
  public void sequence(String name, long last) {
    line("S " + name + " " + last);
  }

  void end() {
    line("E " + rows);
  }

  private void line(String text) {
    try {
      out.write((text + "\n").getBytes(UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write a backup", e);
    }
  }

  @Override
  public void close() throws IOException {
    out.close();
  }
}
