package io.penstock.loadtest.fault;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// Looks for a secret where none should be: in files, and in the heaps of processes.
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

  private SecretSearch() {}
}
