package io.penstock.agent.plugin.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// The checked-in list of verdicts. It is compared exactly; `-Dpenstock.verdicts.write=true` writes
/// it anew, to be read before it is committed.
final class StrictVerdicts {

  private StrictVerdicts() {}

  static void compare(String file, List<String> lines) {
    if (Boolean.getBoolean("penstock.verdicts.write")) {
      write(Path.of("src/test/resources/http1", file), lines);
      return;
    }
    assertThat(lines)
        .containsExactlyElementsOf(StrictLlhttpCases.text("/http1/" + file).lines().toList());
  }

  private static void write(Path file, List<String> lines) {
    try {
      Files.writeString(file, String.join("\n", lines) + "\n", UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
