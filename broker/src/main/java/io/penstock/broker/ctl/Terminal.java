package io.penstock.broker.ctl;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.Console;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Where a command reads and writes: the process's own streams, or a test's.
final class Terminal {
  private static final int MAX_SECRET_BYTES = 32 * 1024;
  private static final int MIN_PASSPHRASE_BYTES = 8;

  private final PrintStream out;
  private final PrintStream err;
  private final InputStream in;
  private final Map<String, String> environment;
  private boolean json;

  Terminal(PrintStream out, PrintStream err, InputStream in, Map<String, String> environment) {
    this.out = out;
    this.err = err;
    this.in = in;
    this.environment = environment;
  }

  static Terminal ofProcess() {
    return new Terminal(System.out, System.err, System.in, System.getenv());
  }

  PrintStream out() {
    return out;
  }

  PrintStream err() {
    return err;
  }

  InputStream in() {
    return in;
  }

  Optional<String> variable(String name) {
    return Optional.ofNullable(environment.get(name)).filter(value -> !value.isBlank());
  }

  void useJson(boolean wanted) {
    json = wanted;
  }

  boolean isJson() {
    return json;
  }

  /// The answer itself with `--json`, one sentence without.
  void answer(JsonNode answer, String sentence) {
    out.println(json ? Json.pretty(answer) : sentence);
  }

  /// The answer itself with `--json`, a table of some of its fields without.
  void table(JsonNode answer, String... columns) {
    if (json) {
      out.println(Json.pretty(answer));
      return;
    }
    Table.print(out, Json.items(answer), List.of(columns));
  }

  /// The same of the rows that lie in one field of the answer.
  void tableOf(JsonNode answer, String field, String... columns) {
    if (json) {
      out.println(Json.pretty(answer));
      return;
    }
    Table.print(out, Json.items(answer.path(field)), List.of(columns));
  }

  /// The answer itself with `--json`, one `name  value` line per field without.
  void details(JsonNode answer) {
    if (json) {
      out.println(Json.pretty(answer));
      return;
    }
    Table.printFields(out, answer);
  }

  void failure(Failure failure) {
    if (json) {
      err.println(Json.oneLine(failure.detail()));
      return;
    }
    err.println("penstock ctl: " + failure.getMessage());
  }

  /// A secret from one line of standard input, or typed without echo where a person sits.
  String secret(boolean fromStandardInput, String what, String option) {
    if (fromStandardInput) {
      return firstLine(what);
    }
    return new String(readPassword(what, option));
  }

  /// A passphrase from a file, or typed without echo; never from an argument. The caller wipes it.
  byte[] passphrase(Optional<Path> file) {
    return file.isPresent() ? ofFile(file.get()) : typed("passphrase");
  }

  /// The same for a new key: long enough, and typed twice.
  byte[] newPassphrase(Optional<Path> file) {
    byte[] passphrase = passphrase(file);
    if (passphrase.length < MIN_PASSPHRASE_BYTES) {
      Arrays.fill(passphrase, (byte) 0);
      throw Failure.wrongUsage(
          "the passphrase: expected at least "
              + MIN_PASSPHRASE_BYTES
              + " bytes, found "
              + passphrase.length);
    }
    if (file.isEmpty()) {
      requireSame(passphrase, typed("passphrase again"));
    }
    return passphrase;
  }

  private static void requireSame(byte[] passphrase, byte[] again) {
    boolean same = MessageDigest.isEqual(passphrase, again);
    Arrays.fill(again, (byte) 0);
    if (!same) {
      Arrays.fill(passphrase, (byte) 0);
      throw Failure.wrongUsage("the two passphrases are not the same");
    }
  }

  private static byte[] typed(String what) {
    char[] typed = readPassword(what, "--passphrase-file");
    ByteBuffer encoded = StandardCharsets.UTF_8.encode(CharBuffer.wrap(typed));
    Arrays.fill(typed, '\0');
    byte[] bytes = new byte[encoded.remaining()];
    encoded.get(bytes);
    encoded.clear();
    while (encoded.hasRemaining()) {
      encoded.put((byte) 0);
    }
    return bytes;
  }

  /// Line ends at the end do not count: editors add one.
  private static byte[] ofFile(Path file) {
    byte[] bytes;
    try {
      if (Files.size(file) > MAX_SECRET_BYTES) {
        throw Failure.wrongUsage(file + " is too long for a passphrase");
      }
      bytes = Files.readAllBytes(file);
    } catch (IOException e) {
      throw Failure.failed("cannot read " + file);
    }
    int length = bytes.length;
    while (length > 0 && (bytes[length - 1] == '\n' || bytes[length - 1] == '\r')) {
      length--;
    }
    byte[] passphrase = Arrays.copyOf(bytes, length);
    Arrays.fill(bytes, (byte) 0);
    return passphrase;
  }

  private static char[] readPassword(String what, String option) {
    Console console =
        Optional.ofNullable(System.console())
            .filter(Console::isTerminal)
            .orElseThrow(
                () ->
                    Failure.wrongUsage(
                        "no terminal to ask for the " + what + ": give it with " + option));
    char[] typed = console.readPassword("%s: ", what);
    if (typed == null || typed.length == 0) {
      throw Failure.wrongUsage("no " + what + " was given");
    }
    return typed;
  }

  private String firstLine(String what) {
    try {
      byte[] bytes = in.readNBytes(MAX_SECRET_BYTES);
      String line = new String(bytes, StandardCharsets.UTF_8).lines().findFirst().orElse("");
      if (line.isEmpty()) {
        throw Failure.wrongUsage("no " + what + " on standard input");
      }
      return line;
    } catch (IOException e) {
      throw Failure.failed("cannot read the " + what + " from standard input: " + e.getMessage());
    }
  }
}
