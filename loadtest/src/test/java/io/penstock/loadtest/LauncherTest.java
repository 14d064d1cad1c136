package io.penstock.loadtest;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.loadtest.fault.Home;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The launcher against a home with fake sources, a fake JDK that says how it was called, and a
/// fake Maven that makes the jars.
@Timeout(60)
class LauncherTest {
  private static final List<String> TOOLS =
      List.of(
          "sh",
          "sed",
          "find",
          "head",
          "dirname",
          "readlink",
          "flock",
          "mkdir",
          "mv",
          "cat",
          "rm",
          "touch",
          "env",
          "uname",
          "basename",
          "tr",
          "grep",
          "sleep",
          "wc");

  @TempDir Path directory;
  private Path home;
  private Path bin;
  private final Map<String, String> environment = new HashMap<>();

  record Result(int exitCode, String out, String err, long pid) {}

  @BeforeEach
  void prepare() throws IOException {
    Path real = Home.find().root();
    home = Files.createDirectories(directory.resolve("a home with spaces"));
    Files.copy(real.resolve("penstock"), home.resolve("penstock"));
    Files.copy(real.resolve("mvnw"), home.resolve("mvnw"));
    for (String module : List.of("codec", "broker", "agent", "loadtest")) {
      Files.createDirectories(home.resolve(module).resolve("src/main/java"));
      Files.writeString(home.resolve(module).resolve("pom.xml"), "<project/>");
      Files.writeString(home.resolve(module).resolve("src/main/java/A.java"), "class A {}");
    }
    Files.writeString(home.resolve("pom.xml"), "<project/>");
    bin = Files.createDirectories(directory.resolve("bin"));
    for (String tool : TOOLS) {
      for (String place : List.of("/bin", "/usr/bin")) {
        if (Files.exists(Path.of(place, tool)) && !Files.exists(bin.resolve(tool))) {
          script(bin.resolve(tool), "exec " + place + "/" + tool + " \"$@\"\n");
        }
      }
    }
    environment.put("PATH", bin.toString());
    environment.put("HOME", directory.toString());
    environment.put("JAVA_HOME", jdk("jdk-25", "25.0.1").toString());
    maven("exit 0");
  }

  @Test
  void aloneItShowsEveryCommandInOneLine() throws Exception {
    Result result = launch();

    assertThat(result.exitCode()).isZero();
    assertThat(result.out())
        .contains("demo  ", "broker  ", "agent  ", "ctl  ", "doctor  ", "loadtest  ");
    assertThat(launch("--help")).extracting(Result::out).isEqualTo(result.out());
  }

  @Test
  void anUnknownCommandIsWrongUsage() throws Exception {
    Result result = launch("nonsense");

    assertThat(result.exitCode()).isEqualTo(2);
    assertThat(result.err()).contains("unknown command 'nonsense'", "demo  ");
  }

  @ParameterizedTest
  @CsvSource({
    "broker, broker, io.penstock.broker.Broker",
    "ctl, broker, io.penstock.broker.ctl.Ctl",
    "doctor, broker, io.penstock.broker.ctl.Doctor",
    "agent, agent, io.penstock.agent.Agent",
    "demo, loadtest, io.penstock.loadtest.demo.Demo",
    "loadtest, loadtest, io.penstock.loadtest.LoadTest",
    "warm-up, loadtest, io.penstock.loadtest.demo.WarmUp"
  })
  void becomesTheMainClassOfACommand(String command, String module, String mainClass)
      throws Exception {
    Result result = launch(command, "--flag", "two words", "");

    assertThat(result.exitCode()).isEqualTo(7);
    assertThat(result.out().lines())
        .contains("arg[" + mainClass + "]", "arg[--flag]", "arg[two words]", "arg[]")
        .contains("arg[-XX:+UseCompactObjectHeaders]", "arg[-Dpenstock.home=" + home + "]")
        .contains("arg[%1$s/%2$s/target/penstock-%2$s-0.1.0.jar]".formatted(home, module));
    assertThat(result.out()).contains("pid[" + result.pid() + "]");
  }

  @Test
  void worksThroughSymbolicLinksAndFromAnyDirectory() throws Exception {
    Path first =
        Files.createSymbolicLink(
            directory.resolve("first"), Path.of("a home with spaces/penstock"));
    Path elsewhere = Files.createDirectories(directory.resolve("else where"));
    Path second = Files.createSymbolicLink(elsewhere.resolve("second"), Path.of("../first"));

    Result result = run(elsewhere, second.toString(), "ctl");

    assertThat(first).isSymbolicLink();
    assertThat(result.out())
        .contains("arg[-Dpenstock.home=" + home + "]", "cwd[" + elsewhere + "]");
  }

  @Test
  void passesItsOwnJavaOptionsOnAsWordsAndNotAsAVariable() throws Exception {
    environment.put("PENSTOCK_JAVA_OPTS", "-Xmx256m -Da=b");

    Result result = launch("broker");

    assertThat(result.out()).contains("arg[-Xmx256m]", "arg[-Da=b]", "opts[]");
  }

  @Test
  void takesAStartCacheThatIsThereAndKeepsTheJvmQuietAboutIt() throws Exception {
    Path cache = startCache();

    assertThat(launch("broker").out().lines())
        .contains("arg[-XX:AOTCache=" + cache + "]", "arg[-Xlog:aot=off]", "arg[-Xlog:cds=off]");
    assertThat(launch("agent").out()).doesNotContain("AOT", "-Xlog");
  }

  @Test
  void onlyBrokerAndAgentTakeAStartCacheAndDoctorHearsWhetherThereIsOne() throws Exception {
    Path cache = startCache();

    assertThat(launch("ctl").out()).doesNotContain("AOT", "-Xlog", "start-cache");
    assertThat(launch("doctor").out())
        .contains("arg[-Dpenstock.start-cache=true]")
        .doesNotContain("AOT", "-Xlog");
    Files.delete(cache);
    assertThat(launch("doctor").out()).doesNotContain("start-cache");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "broker/target/penstock-broker-0.1.0.jar",
        "broker/target/lib/penstock-codec-0.1.0.jar"
      })
  void aStartCacheOlderThanAJarIsNotTaken(String jar) throws Exception {
    startCache();
    Path newer = home.resolve(jar);
    if (!Files.exists(newer)) {
      Files.createFile(newer);
    }
    makeNewer(newer);

    assertThat(launch("broker").out()).doesNotContain("AOT", "-Xlog");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/another/jdk\nJAVA_VERSION=\"25.0.1\"\n",
        "JDK\nJAVA_VERSION=\"25.0.2\"\n",
        "JDK\nJAVA_VERSION=\"25.0.1\"\nJAVA_RUNTIME_VERSION=\"25.0.1+8\"\n",
        ""
      })
  void aStartCacheOfAnotherJdkIsNotTaken(String stamp) throws Exception {
    Path cache = startCache();
    Files.writeString(
        stampOf(cache),
        stamp.replace("JDK", directory.resolve("jdk-25").toRealPath().toString())
            + stampedSizes(cache));

    assertThat(launch("broker").out()).doesNotContain("AOT", "-Xlog");
  }

  @Test
  void aStartCacheOfAnotherJarIsNotTaken() throws Exception {
    Path cache = startCache();
    Path jar = cache.resolveSibling("penstock-broker-0.1.0.jar");
    FileTime before = Files.getLastModifiedTime(jar);
    Files.writeString(jar, "another build");
    Files.setLastModifiedTime(jar, before);

    assertThat(launch("broker").out()).doesNotContain("AOT", "-Xlog");
  }

  @Test
  void aStartCacheWithoutAStampIsNotTaken() throws Exception {
    Path cache = startCache();
    Files.delete(stampOf(cache));

    assertThat(launch("broker").out()).doesNotContain("AOT", "-Xlog");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"-XX:AOTMode=off", "-Da=b -XX:SharedArchiveFile=x.jsa", "-Xshare:off -Da=b"})
  void whoeverHasOptionsAboutCachesGetsNoneOfOurs(String options) throws Exception {
    startCache();
    environment.put("PENSTOCK_JAVA_OPTS", options);

    assertThat(launch("broker").out()).contains(options.split(" ")).doesNotContain("AOTCache");
  }

  /// The JVM reads these variables itself, and would not start with them and ours.
  @ParameterizedTest
  @CsvSource({
    "JAVA_TOOL_OPTIONS, -Da=b -Xshare:off",
    "JDK_JAVA_OPTIONS, -XX:AOTMode=off",
    "_JAVA_OPTIONS, -XX:SharedArchiveFile=x.jsa"
  })
  void alsoWhoHasThemInAVariableOfJava(String variable, String options) throws Exception {
    Path cache = startCache();
    assertThat(launch("broker").out()).contains(cache.toString());
    environment.put(variable, options);

    assertThat(launch("broker").out()).doesNotContain("AOTCache", "-Xlog");
  }

  @Test
  void serversGetACollectorUnlessSomebodyChoosesOne() throws Exception {
    assertThat(launch("broker").out()).contains("arg[-XX:+UseParallelGC]");
    assertThat(launch("agent").out()).contains("arg[-XX:+UseParallelGC]");
    assertThat(launch("ctl").out()).contains("UseSerialGC").doesNotContain("UseParallelGC");

    environment.put("PENSTOCK_JAVA_OPTS", "-Da=b -XX:+UseZGC");
    assertThat(launch("broker").out()).contains("UseZGC").doesNotContain("UseParallelGC");
    environment.put("PENSTOCK_JAVA_OPTS", "-XX:+UseLargePages -XX:ParallelGCThreads=2");
    assertThat(launch("broker").out()).contains("UseParallelGC");
    environment.put("JDK_JAVA_OPTIONS", "-XX:+UseG1GC");
    assertThat(launch("agent").out()).doesNotContain("UseParallelGC");
  }

  /// Ant's lines in Maven's log.
  @ParameterizedTest
  @ValueSource(strings = {"INFO", "WARNING"})
  void aStartCacheThatCouldNotBeMadeIsSaidOnce(String level) throws Exception {
    maven("echo '[" + level + "]      [exec] penstock: no start caches: the disk is full'; exit 0");

    Result first = launch("ctl");

    assertThat(first.err()).contains("penstock: no start caches: the disk is full");
    assertThat(first.exitCode()).isEqualTo(7);
    assertThat(launch("ctl").err()).isEmpty();
  }

  /// It runs inside of one, whose jars may look older than sources of other modules.
  @Test
  void theBuildsOwnWarmUpStartsNoBuild() throws Exception {
    assertThat(launch("warm-up", "--built").out()).contains("arg[--built]");
    assertThat(log()).isEmpty();
  }

  @Test
  void aJdkOfAnotherVersionIsNotTaken() throws Exception {
    environment.put("JAVA_HOME", jdk("jdk-17", "17.0.15").toString());
    Path sdks = Files.createDirectories(directory.resolve(".jdks"));
    Files.move(jdk("mine", "25"), sdks.resolve("mine"));

    Result result = launch("ctl");

    assertThat(result.out()).doesNotContain("jdk-17");
  }

  @Test
  void aJdkWithoutAReleaseFileIsAsked() throws Exception {
    Path jdk = jdk("asked", "25.0.2");
    Files.delete(jdk.resolve("release"));
    environment.put("JAVA_HOME", jdk.toString());

    assertThat(launch("ctl").out()).contains("java[" + jdk + "/bin/java]");
  }

  @ParameterizedTest
  @ValueSource(strings = {"pen1.secret", "--token=pen1.secret"})
  void anEnrollmentTokenInTheArgumentsIsRefusedAndNotRepeated(String argument) throws Exception {
    Result result = launch("agent", "--config", "x", argument);

    assertThat(result.exitCode()).isEqualTo(2);
    assertThat(result.err()).contains("token in the arguments is refused").doesNotContain("secret");
    assertThat(result.out()).isEmpty();
    assertThat(log()).isEmpty();
  }

  @Test
  void buildsOnFirstUseAndNotAgain() throws Exception {
    Result first = launch("ctl");
    Result second = launch("ctl");

    assertThat(first.err()).contains("building (first use)");
    assertThat(first.exitCode()).isEqualTo(7);
    assertThat(second.err()).isEmpty();
    assertThat(log())
        .containsExactly("mvn -B -Dstyle.color=never -Dmaven.test.skip=true package in " + home);
  }

  @ParameterizedTest
  @ValueSource(strings = {"codec/src/main/java/A.java", "broker/pom.xml", "pom.xml"})
  void buildsAgainWhenASourceIsNewer(String source) throws Exception {
    launch("ctl");
    makeNewer(home.resolve(source));

    Result result = launch("ctl");

    assertThat(result.err()).contains("building (sources are newer than the jars)");
    assertThat(log()).hasSize(2);
  }

  @Test
  void jarsBuiltByHandAreTaken() throws Exception {
    launch("ctl");
    Files.delete(home.resolve("target/penstock.built"));

    assertThat(launch("ctl").err()).isEmpty();
    assertThat(log()).hasSize(1);
  }

  @Test
  void aFailedBuildIsSaidAndTriedAgain() throws Exception {
    maven("echo '[ERROR] something is wrong'; exit 1");

    Result failed = launch("ctl");
    Result again = launch("ctl");

    assertThat(failed.exitCode()).isEqualTo(1);
    assertThat(failed.err()).contains("something is wrong", "the build failed");
    assertThat(failed.out()).isEmpty();
    assertThat(again.err()).contains("the last build did not finish", "the build failed");
  }

  @Test
  void theBuildReadsNothingOfStandardInput() throws Exception {
    maven("cat > " + "\"$LOG.stdin\"; exit 0");
    Process process = start(home, home.resolve("penstock").toString(), "ctl");
    process.getOutputStream().write("a password\n".getBytes(StandardCharsets.UTF_8));
    process.getOutputStream().close();

    finish(process);

    assertThat(Path.of(directory + "/log.stdin")).isEmptyFile();
  }

  @Test
  void twoLaunchesAtATimeBuildOnce() throws Exception {
    maven("sleep 1; exit 0");
    Process one = start(home, home.resolve("penstock").toString(), "ctl");
    Process two = start(home, home.resolve("penstock").toString(), "ctl");

    Result first = finish(one);
    Result second = finish(two);

    assertThat(first.exitCode()).isEqualTo(7);
    assertThat(second.exitCode()).isEqualTo(7);
    assertThat(first.err() + second.err()).contains("waiting for another build");
    assertThat(log()).hasSize(1);
  }

  @Test
  void withoutMavenItSaysWhatIsMissing() throws Exception {
    Files.delete(bin.resolve("mvn"));

    Result result = launch("ctl");

    assertThat(result.exitCode()).isEqualTo(1);
    assertThat(result.err()).contains("no Maven on PATH", "MVNW_REPOURL");
  }

  private Result launch(String... arguments) throws Exception {
    return run(home, home.resolve("penstock").toString(), arguments);
  }

  private Result run(Path cwd, String script, String... arguments) throws Exception {
    List<String> all = new ArrayList<>(List.of(script));
    all.addAll(List.of(arguments));
    Process process = start(cwd, all.toArray(String[]::new));
    process.getOutputStream().close();
    return finish(process);
  }

  private Process start(Path cwd, String... command) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command).directory(cwd.toFile());
    builder.environment().clear();
    builder.environment().putAll(environment);
    builder.environment().put("LOG", directory.resolve("log").toString());
    return builder.start();
  }

  private static Result finish(Process process) throws Exception {
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    return new Result(process.exitValue(), out, err, process.pid());
  }

  private List<String> log() throws IOException {
    Path log = directory.resolve("log");
    return Files.exists(log) ? Files.readAllLines(log) : List.of();
  }

  private Path jdk(String name, String version) throws IOException {
    Path jdk = Files.createDirectories(directory.resolve(name));
    Files.createDirectories(jdk.resolve("bin"));
    Files.writeString(
        jdk.resolve("release"), "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"" + version + "\"\n");
    script(
        jdk.resolve("bin/java"),
        """
        if [ "$1" = -version ]; then echo 'openjdk version "%s" 2026-01-01' >&2; exit 0; fi
        echo "java[$0]"
        echo "pid[$$]"
        echo "cwd[$(pwd)]"
        echo "opts[${PENSTOCK_JAVA_OPTS:-}]"
        for argument in "$@"; do echo "arg[$argument]"; done
        exit 7
        """
            .formatted(version));
    script(jdk.resolve("bin/javac"), "exit 1\n");
    return jdk;
  }

  /// One for the broker that fits.
  private Path startCache() throws Exception {
    launch("ctl");
    Path cache = Files.createFile(home.resolve("broker/target/penstock-broker-0.1.0.aot"));
    Files.writeString(
        stampOf(cache),
        directory.resolve("jdk-25").toRealPath()
            + "\nJAVA_VERSION=\"25.0.1\"\n"
            + stampedSizes(cache));
    return cache;
  }

  private static Path stampOf(Path cache) {
    return cache.resolveSibling(cache.getFileName() + ".of");
  }

  private static String stampedSizes(Path cache) throws IOException {
    var sizes = new StringBuilder();
    for (String jar : List.of("penstock-broker-0.1.0.jar", "lib/penstock-codec-0.1.0.jar")) {
      sizes.append(jar).append('=').append(Files.size(cache.resolveSibling(jar))).append('\n');
    }
    return sizes.toString();
  }

  private void maven(String ending) throws IOException {
    Files.deleteIfExists(bin.resolve("mvn"));
    script(
        bin.resolve("mvn"),
        """
        echo "mvn $* in $(pwd)" >> "$LOG"
        for module in codec broker agent loadtest; do
          mkdir -p $module/target/lib
          touch $module/target/penstock-$module-0.1.0.jar $module/target/lib/penstock-codec-0.1.0.jar
        done
        """
            + ending
            + "\n");
  }

  private static void script(Path file, String body) throws IOException {
    Files.writeString(file, "#!/bin/sh\n" + body);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private static void makeNewer(Path file) throws IOException {
    Files.setLastModifiedTime(file, FileTime.from(Instant.now().plusSeconds(5)));
  }
}
