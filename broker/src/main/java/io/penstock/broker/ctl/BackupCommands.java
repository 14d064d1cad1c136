package io.penstock.broker.ctl;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.broker.backup.BackupException;
import io.penstock.broker.backup.ContentReader;
import io.penstock.broker.backup.ContentReader.Contents;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `ctl backup`: everything the broker holds as one sealed file.
@Command(
    name = "backup",
    description = {
      "Write a backup of everything that the broker holds, its keys included, to a new file. The",
      "broker seals it under the passphrase (Argon2id, AES-256-GCM); ctl then reads all of it"
          + " back.",
      "Whoever has file and passphrase has the broker: keep them apart."
    },
    footer = {
      "",
      "Examples:",
      "  penstock ctl backup --out broker.backup --passphrase-file pass",
      "  penstock ctl backup verify broker.backup --passphrase-file pass",
      "  penstock ctl restore broker.backup --passphrase-file pass --data /var/lib/penstock",
      "",
      "docs/backup.md has a drill for each quarter."
    })
final class BackupCommands implements Callable<Integer> {
  /// A large database is read before the first byte comes.
  private static final Duration LONGEST = Duration.ofHours(1);

  private static final int MAX_PROBLEM_BYTES = 64 * 1024;

  private final Terminal terminal;
  private final BrokerApi api;

  @Option(names = "--out", paramLabel = "FILE", description = "A file that is not there yet.")
  private @Nullable Path out;

  @Option(
      names = "--passphrase-file",
      paramLabel = "FILE",
      description = "Instead of typing it; line breaks at its end do not count.")
  private @Nullable Path passphraseFile;

  BackupCommands(Terminal terminal, BrokerApi api) {
    this.terminal = terminal;
    this.api = api;
  }

  @Override
  public Integer call() {
    Path file = out;
    if (file == null) {
      throw Failure.wrongUsage("expected --out FILE, or verify FILE");
    }
    if (Files.exists(file)) {
      throw Failure.wrongUsage(file + " is there already");
    }
    byte[] passphrase = terminal.newPassphrase(Optional.ofNullable(passphraseFile));
    try {
      Path part = file.resolveSibling(file.getFileName() + ".part");
      download(part, text(passphrase));
      Contents contents = checked(part, passphrase);
      Files.move(part, file);
      tell(file, contents, "holds");
      return ExitCode.FINE;
    } catch (FileAlreadyExistsException e) {
      throw Failure.failed(file + " is there already");
    } catch (IOException e) {
      throw Failure.failed(
          "the backup is not complete: " + e.getClass().getSimpleName() + " " + e.getMessage());
    } finally {
      Arrays.fill(passphrase, (byte) 0);
    }
  }

  private static String text(byte[] passphrase) {
    try {
      return UTF_8.newDecoder().decode(ByteBuffer.wrap(passphrase)).toString();
    } catch (CharacterCodingException e) {
      throw Failure.wrongUsage("the passphrase: expected UTF-8 text");
    }
  }

  private void download(Path part, String passphrase) throws IOException {
    StoredSession session = api.session();
    byte[] body = Json.oneLine(Json.object().put("passphrase", passphrase)).getBytes(UTF_8);
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(session.url() + "/api/v1/backups"))
            .timeout(LONGEST)
            .header("Authorization", "Bearer " + session.token())
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofByteArray(body))
            .build();
    try (HttpClient client = BrokerApi.client(session.caPem())) {
      HttpResponse<InputStream> response = api.open(client, session, request);
      try (InputStream answer = response.body()) {
        if (!HttpStatus.isSuccess(response.statusCode())) {
          throw Failure.refused(
              Problem.of(response.statusCode(), answer.readNBytes(MAX_PROBLEM_BYTES)));
        }
        store(answer, part);
      }
    } finally {
      Arrays.fill(body, (byte) 0);
    }
  }

  private static void store(InputStream answer, Path part) throws IOException {
    PrivateFiles.write(part, new byte[0]);
    try (OutputStream to = Files.newOutputStream(part, StandardOpenOption.WRITE)) {
      answer.transferTo(to);
    }
    try (FileChannel written = FileChannel.open(part, StandardOpenOption.WRITE)) {
      written.force(true);
    }
  }

  @Command(
      name = "verify",
      description = {
        "Read a backup from its first byte to its last and say what it holds. Needs no broker and",
        "writes nothing."
      })
  int verify(
      @Parameters(paramLabel = "FILE", description = "What `ctl backup` wrote.") Path file,
      @Option(
              names = "--passphrase-file",
              paramLabel = "FILE",
              description = "Instead of typing it; line breaks at its end do not count.")
          @Nullable Path passphraseOfFile) {
    byte[] passphrase = terminal.passphrase(Optional.ofNullable(passphraseOfFile));
    try {
      tell(file, checked(file, passphrase), "is whole:");
      return ExitCode.FINE;
    } catch (IOException e) {
      throw Failure.failed("cannot read " + file);
    } finally {
      Arrays.fill(passphrase, (byte) 0);
    }
  }

  private static Contents checked(Path file, byte[] passphrase) throws IOException {
    try {
      return ContentReader.check(file, passphrase);
    } catch (BackupException bad) {
      throw Failure.failed(file + ": " + bad.getMessage());
    }
  }

  private void tell(Path file, Contents contents, String how) {
    ObjectNode answer =
        Json.object()
            .put("file", file.toString())
            .put("made_at", contents.madeAt().toString())
            .put("schema", contents.schema())
            .put("total", contents.total());
    ObjectNode rows = answer.putObject("rows");
    contents.rows().forEach(rows::put);
    terminal.answer(
        answer,
        file
            + " "
            + how
            + " "
            + contents.total()
            + " rows of "
            + contents.rows().size()
            + " tables, made at "
            + contents.madeAt());
  }
}
