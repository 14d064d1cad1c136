package io.penstock.broker.ctl;

import io.penstock.codec.audit.ExportLine;
import io.penstock.codec.seal.SealException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/// `ctl audit export`: the trail as a file that proves itself.
@Command(
    name = "export",
    description = {
      "Write the sealed audit trail to FILE, one JSON object in each line. FILE is not"
          + " overwritten, and only there when it is whole. `ctl audit verify --file` looks at it."
    })
final class AuditExport implements Callable<Integer> {
  private final Terminal terminal;
  private final BrokerApi api;

  @Parameters(paramLabel = "FILE", description = "A file that is not there yet.")
  private Path file = Path.of("");

  AuditExport(Terminal terminal, BrokerApi api) {
    this.terminal = terminal;
    this.api = api;
  }

  @Override
  public Integer call() {
    Path part = file.resolveSibling(file.getFileName() + ".part");
    try {
      if (Files.exists(file)) {
        throw Failure.wrongUsage(file + " is there already");
      }
      PrivateFiles.write(part, new byte[0]);
      long position;
      try (OutputStream out = Files.newOutputStream(part, StandardOpenOption.WRITE)) {
        position = pages(out);
      }
      Files.move(part, file);
      terminal.answer(
          Json.object().put("file", file.toString()).put("position", position),
          file + " holds the audit trail up to position " + position);
      return ExitCode.FINE;
    } catch (FileAlreadyExistsException e) {
      throw Failure.failed(file + " is there already; the export is in " + part);
    } catch (IOException e) {
      throw Failure.failed("cannot write " + part + ": " + e.getClass().getSimpleName());
    }
  }

  /// Page after page, each written before the next is asked for.
  private long pages(OutputStream out) throws IOException {
    byte[] page = get("/audit/export", out);
    if (!(parse(firstLine(page)) instanceof ExportLine.Header header)) {
      throw Failure.failed("the broker's answer is no export");
    }
    while (true) {
      switch (parse(lastLine(page))) {
        case ExportLine.End end -> {
          return end.position();
        }
        case ExportLine.Sealed last ->
            page =
                get(
                    "/audit/export?after=" + last.entry().position() + "&up_to=" + header.upTo(),
                    out);
        case ExportLine.Header _, ExportLine.Unchained _, ExportLine.Checkpoint _ ->
            throw Failure.failed("the broker's answer ends in the middle of an export");
      }
    }
  }

  private byte[] get(String path, OutputStream out) throws IOException {
    HttpResponse<byte[]> answer = api.getRaw(path);
    out.write(answer.body());
    return answer.body();
  }

  private static ExportLine parse(String line) {
    try {
      return ExportLine.parse(line);
    } catch (SealException e) {
      throw Failure.failed("the broker's answer is no export: " + e.getMessage());
    }
  }

  private static String firstLine(byte[] page) {
    int end = 0;
    while (end < page.length && page[end] != '\n') {
      end++;
    }
    return new String(page, 0, end, StandardCharsets.UTF_8);
  }

  private static String lastLine(byte[] page) {
    int start = Math.max(0, page.length - 1);
    while (start > 0 && page[start - 1] != '\n') {
      start--;
    }
    return new String(page, start, page.length - start, StandardCharsets.UTF_8).strip();
  }
}
