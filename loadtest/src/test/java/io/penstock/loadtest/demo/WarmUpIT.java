package io.penstock.loadtest.demo;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.loadtest.fault.Home;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A warm-up that is ended by a signal, in a home of its own whose jars are copies of the real
/// ones.
@Timeout(300)
class WarmUpIT {
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  @TempDir Path directory;
  private Path temporary;
  private Process warmUp;

  @BeforeEach
  void start() throws IOException {
    for (String module : List.of("broker", "agent", "loadtest")) {
      Path real = Home.find().root().resolve(module).resolve("target");
      Path target = Files.createDirectories(directory.resolve(module).resolve("target"));
      String jar = "penstock-" + module + "-0.1.0.jar";
      Files.copy(real.resolve(jar), target.resolve(jar), StandardCopyOption.COPY_ATTRIBUTES);
      Files.createSymbolicLink(target.resolve("lib"), real.resolve("lib"));
    }
    temporary = Files.createDirectory(directory.resolve("tmp"));
    warmUp =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Djava.io.tmpdir=" + temporary,
                "-Dpenstock.home=" + directory,
                "-cp",
                directory.resolve("loadtest/target/penstock-loadtest-0.1.0.jar").toString(),
                "io.penstock.loadtest.demo.WarmUp",
                "--force")
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("said").toFile())
            .start();
  }

  @AfterEach
  void end() throws InterruptedException {
    List<ProcessHandle> left = warmUp.descendants().toList();
    warmUp.destroyForcibly().waitFor();
    left.forEach(ProcessHandle::destroyForcibly);
  }

  @ParameterizedTest
  @ValueSource(strings = {"postgres", "io.penstock.agent.Agent"})
  void aSignalWhileItRehearsesLeavesNothingBehind(String doing) throws Exception {
    aSignalLeavesNothingBehind(doing);
  }

  /// After a whole rehearsal.
  @Test
  @Tag("slow")
  void aSignalWhileCachesAreMadeLeavesNothingBehind() throws Exception {
    aSignalLeavesNothingBehind("-XX:AOTMode=create");
  }

  private void aSignalLeavesNothingBehind(String doing) throws Exception {
    awaitChild(doing);
    List<ProcessHandle> running = warmUp.descendants().toList();
    assertThat(running).as(said()).isNotEmpty();

    warmUp.destroy();

    assertThat(warmUp.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
    assertThat(running).noneMatch(ProcessHandle::isAlive);
    assertThat(files(temporary).filter(path -> path.toString().contains("penstock"))).isEmpty();
    assertThat(files(directory.resolve("broker/target"))).noneMatch(WarmUpIT::isUnfinished);
    assertThat(files(directory.resolve("agent/target"))).noneMatch(WarmUpIT::isUnfinished);
    assertThat(said()).doesNotContain("no start caches", "cannot remove");
  }

  private void awaitChild(String words) throws Exception {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (children(words).findAny().isEmpty()) {
      assertThat(System.nanoTime()).as("time for a child with %s", words).isLessThan(deadline);
      assertThat(warmUp.waitFor(20, TimeUnit.MILLISECONDS)).as(said()).isFalse();
    }
  }

  private Stream<ProcessHandle> children(String words) {
    return warmUp
        .descendants()
        .filter(child -> child.info().commandLine().orElse("").contains(words));
  }

  private String said() throws IOException {
    return Files.readString(directory.resolve("said"), UTF_8);
  }

  private static Stream<Path> files(Path place) throws IOException {
    try (Stream<Path> files = Files.list(place)) {
      return files.toList().stream();
    }
  }

  private static boolean isUnfinished(Path file) {
    return file.toString().endsWith(".new");
  }
}
