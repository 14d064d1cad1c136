package io.penstock.loadtest.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Caches that do not fit, in a home of their own whose jars are copies of the real ones.
@Timeout(300)
class StartCacheIT {
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  @TempDir Path directory;
  private final StartCache real = new StartCache(Home.find(), "broker");
  private StartCache cache;
  private Processes processes;

  @BeforeEach
  void copyJars() throws IOException {
    Path target = Files.createDirectories(directory.resolve("broker/target"));
    Path jar = real.home().jar("broker");
    Files.copy(jar, target.resolve(jar.getFileName()), StandardCopyOption.COPY_ATTRIBUTES);
    Files.createSymbolicLink(target.resolve("lib"), jar.resolveSibling("lib"));
    var home = new Home(directory);
    cache = new StartCache(home, "broker");
    processes = new Processes(home, directory);
  }

  @AfterEach
  void end() {
    processes.close();
  }

  @Test
  void oneThatIsNoneIsIgnoredInSilence() throws Exception {
    byte[] noise = new byte[100_000];
    new Random(1).nextBytes(noise);
    Files.write(cache.file(), noise);
    Files.writeString(cache.stampFile(), cache.stamp());

    assertThat(cache.fits()).isFalse();
    showsHelpAndNothingElse();
  }

  @Test
  void oneThatIsOlderThanItsJarIsIgnoredInSilence() throws Exception {
    assumeTrue(real.fits(), "needs a start cache, which the build makes");
    Files.createSymbolicLink(cache.file(), real.file());
    Files.writeString(cache.stampFile(), cache.stamp());
    Files.setLastModifiedTime(
        cache.home().jar("broker"), FileTime.from(Instant.now().plusSeconds(60)));

    assertThat(cache.fits()).isFalse();
    showsHelpAndNothingElse();
  }

  private void showsHelpAndNothingElse() throws IOException {
    PenstockProcess help = processes.start(Launch.broker("--help"));

    assertThat(help.awaitExit(PATIENCE)).isZero();
    assertThat(help.awaitOutput(PATIENCE)).isNotEmpty();
    assertThat(Files.readString(help.log())).doesNotContainIgnoringCase("[aot").contains("sage");
  }
}
