package io.penstock.agent;

import io.penstock.codec.seal.EnrollmentToken;
import io.penstock.codec.seal.SealException;
import java.io.Console;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Where an enrollment token may come from: a file, the environment, standard input; in this order.
record TokenSources(
    Optional<Path> file, boolean askStdin, Map<String, String> environment, InputStream stdin) {
  static final String VARIABLE = "PENSTOCK_ENROLLMENT_TOKEN";
  private static final int MAX_BYTES = 8 * 1024;

  /// @param kept given only once, so it has to be kept until it is spent
  record Given(EnrollmentToken token, boolean kept) {
    @Override
    public String toString() {
      return "Given[secret]";
    }
  }

  /// Empty when nobody gives one. Throws [ConfigException] for one that is mistyped.
  Optional<Given> find() {
    if (file.isPresent() && Files.exists(file.get())) {
      return Optional.of(new Given(parse("token_file", read(file.get())), false));
    }
    String variable = environment.get(VARIABLE);
    if (variable != null && !variable.isBlank()) {
      return Optional.of(new Given(parse(VARIABLE, variable), false));
    }
    return askStdin || isPiped() ? fromStdin() : Optional.empty();
  }

  @SuppressWarnings("SystemConsoleNull") // null where the JDK has no console at all
  private static boolean isPiped() {
    return !Optional.ofNullable(System.console()).map(Console::isTerminal).orElse(false);
  }

  private Optional<Given> fromStdin() {
    System.err.println("agent: reading the enrollment token from standard input");
    String line = firstLine();
    return line.isEmpty()
        ? Optional.empty()
        : Optional.of(new Given(parse("standard input", line), true));
  }

  private String firstLine() {
    try {
      byte[] bytes = new byte[MAX_BYTES];
      int length = 0;
      for (int next = stdin.read(); next >= 0 && next != '\n'; next = stdin.read()) {
        if (length == bytes.length) {
          throw new ConfigException(List.of("standard input: too long for an enrollment token"));
        }
        bytes[length++] = (byte) next;
      }
      return new String(bytes, 0, length, StandardCharsets.US_ASCII).strip();
    } catch (IOException closed) {
      return "";
    }
  }

  private static String read(Path file) {
    try {
      if (Files.size(file) > MAX_BYTES) {
        throw new ConfigException(List.of("token_file: too long for an enrollment token"));
      }
      return Files.readString(file);
    } catch (IOException unreadable) {
      throw new ConfigException(List.of("token_file: cannot read " + file));
    }
  }

  private static EnrollmentToken parse(String source, String text) {
    try {
      return EnrollmentToken.parse(text);
    } catch (SealException mistyped) {
      throw new ConfigException(List.of(source + ": " + mistyped.getMessage()));
    }
  }
}
