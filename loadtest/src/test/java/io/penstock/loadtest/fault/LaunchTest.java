package io.penstock.loadtest.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LaunchTest {
  @Test
  void testsRunWithTheLaunchersJvmOptions() throws Exception {
    String launcher = Files.readString(Home.find().launcher());

    assertThat(Launch.JVM_OPTIONS).allSatisfy(option -> assertThat(launcher).contains(option));
    assertThat(Launch.OPTION_VARIABLES).allSatisfy(name -> assertThat(launcher).contains(name));
    assertThat(Launch.CACHE_WORDS).allSatisfy(word -> assertThat(launcher).contains(word));
    assertThat(StartCache.QUIET).allSatisfy(option -> assertThat(launcher).contains(option));
  }

  @Test
  void brokerAndAgentAreGivenAStartCacheThatIsOfThisJdkAndNoOlderThanItsJars(
      @TempDir Path directory) throws Exception {
    StartCache cache = cache(directory);

    assertThat(startCache(Launch.broker("x"), cache))
        .containsExactly("-XX:AOTCache=" + cache.file(), "-Xlog:aot=off", "-Xlog:cds=off");
    assertThat(startCache(Launch.ctl("x"), cache)).isEmpty();
    assertThat(startCache(Launch.agentHost(List.of()), cache)).isEmpty();

    Files.writeString(cache.stampFile(), "/another/jdk\n");
    assertThat(startCache(Launch.broker("x"), cache)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"broker/target/penstock-broker-0.1.0.jar", "broker/target/lib/x.jar"})
  void aJarThatIsNewerMakesACacheUseless(String jar, @TempDir Path directory) throws Exception {
    StartCache cache = cache(directory);
    Files.setLastModifiedTime(directory.resolve(jar), FileTime.from(Instant.now().plusSeconds(60)));

    assertThat(startCache(Launch.broker("x"), cache)).isEmpty();
    assertThat(cache.fits()).isFalse();
  }

  @Test
  void whoeverHasOptionsAboutCachesGetsNoneOfOurs(@TempDir Path directory) throws Exception {
    StartCache cache = cache(directory);
    Launch broker = Launch.broker("x");

    assertThat(startCache(broker.option("-XX:AOTMode=off"), cache)).isEmpty();
    assertThat(startCache(broker.option("-Xshare:off"), cache)).isEmpty();
    assertThat(startCache(broker.variable("JDK_JAVA_OPTIONS", "-Xshare:auto"), cache)).isEmpty();
    assertThat(
            broker.startCache(
                cache.home(), Map.of("JAVA_TOOL_OPTIONS", "-Da=b -XX:SharedArchiveFile=x")))
        .isEmpty();
  }

  @Test
  void whoeverChoosesACollectorGetsNoSecondOne(@TempDir Path directory) throws Exception {
    Home home = cache(directory).home();

    assertThat(Launch.broker("x").command(home)).contains(Launch.COLLECTOR);
    assertThat(Launch.broker("x").option("-XX:+UseSerialGC").command(home))
        .contains("-XX:+UseSerialGC")
        .doesNotContain(Launch.COLLECTOR);
    assertThat(Launch.agent("x").variable("JDK_JAVA_OPTIONS", "-XX:+UseZGC").command(home))
        .doesNotContain(Launch.COLLECTOR);
  }

  @Test
  void aCacheThatJavaCannotMakeLeavesNothingUnfinished(@TempDir Path directory) throws Exception {
    StartCache cache = cache(directory);
    Path recorded = Files.writeString(directory.resolve("broker.aotconf"), "no record");

    assertThatThrownBy(() -> cache.make(recorded))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("found exit code");
    try (Stream<Path> files = Files.list(directory.resolve("broker/target"))) {
      assertThat(files).noneMatch(file -> file.toString().endsWith(".new"));
    }
  }

  private static List<String> startCache(Launch launch, StartCache cache) {
    return launch.startCache(cache.home(), Map.of());
  }

  private static StartCache cache(Path directory) throws IOException {
    for (String module : List.of("broker", "agent")) {
      Path target = directory.resolve(module).resolve("target");
      Files.createDirectories(target.resolve("lib"));
      Files.createFile(target.resolve("penstock-" + module + "-0.1.0.jar"));
      Files.createFile(target.resolve("lib/x.jar"));
      Files.createFile(target.resolve("lib/penstock-codec-0.1.0.jar"));
    }
    var cache = new StartCache(new Home(directory), "broker");
    Files.writeString(cache.file(), "learnt");
    Files.writeString(cache.stampFile(), cache.stamp());
    return cache;
  }

  @Test
  void whatMayHoldASecretIsNotPrinted() {
    Launch launch =
        Launch.agent("--data", "x").input("pen1.secret").variable("PENSTOCK_TOKEN", "secret");

    assertThat(launch).asString().doesNotContain("secret");
  }
}
