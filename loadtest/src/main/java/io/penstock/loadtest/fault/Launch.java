package io.penstock.loadtest.fault;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// What to start: a module's main class, its arguments, and the JVM around it.
public record Launch(
    String name,
    String module,
    String mainClass,
    List<String> arguments,
    List<String> jvmOptions,
    Map<String, String> environment,
    Optional<String> input) {

  /// The launcher's options; a test compares the two.
  static final List<String> JVM_OPTIONS =
      List.of(
          "--enable-native-access=ALL-UNNAMED",
          "--sun-misc-unsafe-memory-access=allow",
          "-XX:+UseCompactObjectHeaders",
          "-XX:+ExitOnOutOfMemoryError",
          "-XX:MetaspaceSize=128m",
          "-Dio.netty.leakDetection.samplingInterval=4096");

  /// The launcher's, for whoever chooses none.
  static final String COLLECTOR = "-XX:+UseParallelGC";

  private static final Pattern CHOSEN_COLLECTOR = Pattern.compile("-XX:\\+Use\\w*GC(\\s|$)");

  /// From which java takes options besides.
  static final List<String> OPTION_VARIABLES =
      List.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS");

  static final List<String> CACHE_WORDS = List.of("AOT", "SharedArchiveFile", "-Xshare");

  private static final String BROKER = "io.penstock.broker.Broker";
  private static final String AGENT = "io.penstock.agent.Agent";
  private static final List<String> CACHED = List.of(BROKER, AGENT);

  /// Not a module: the agent's class path with this module's jar, which brings the host.
  private static final String AGENT_HOST = "agent-host";

  public Launch {
    arguments = List.copyOf(arguments);
    jvmOptions = List.copyOf(jvmOptions);
    environment = Map.copyOf(environment);
  }

  public static Launch broker(String... arguments) {
    return of("broker", "broker", BROKER, arguments);
  }

  public static Launch agent(String... arguments) {
    return of("agent", "agent", AGENT, arguments);
  }

  /// Several agents in one process, each with its own configuration file.
  public static Launch agentHost(List<Path> configurations) {
    return of(
        "agent-host",
        AGENT_HOST,
        "io.penstock.loadtest.fault.AgentHost",
        configurations.stream().map(Path::toString).toArray(String[]::new));
  }

  public static Launch erp(String... arguments) {
    return of("erp", "loadtest", "io.penstock.loadtest.target.ExampleErp", arguments);
  }

  public static Launch demo(String... arguments) {
    return of("demo", "loadtest", "io.penstock.loadtest.demo.Demo", arguments);
  }

  public static Launch ctl(String... arguments) {
    return of("ctl", "broker", "io.penstock.broker.ctl.Ctl", arguments);
  }

  private static Launch of(String name, String module, String mainClass, String... arguments) {
    return new Launch(
        name, module, mainClass, Arrays.asList(arguments), List.of(), Map.of(), Optional.empty());
  }

  /// Names the log file; two agents need two names.
  public Launch named(String otherName) {
    return new Launch(otherName, module, mainClass, arguments, jvmOptions, environment, input);
  }

  /// `-Xmx`, for example `256m`.
  public Launch heap(String most) {
    return option("-Xmx" + most);
  }

  public Launch option(String option) {
    List<String> options = new ArrayList<>(jvmOptions);
    options.add(option);
    return new Launch(name, module, mainClass, arguments, options, environment, input);
  }

  public Launch property(String key, String value) {
    return option("-D" + key + "=" + value);
  }

  public Launch variable(String key, String value) {
    Map<String, String> variables = new HashMap<>(environment);
    variables.put(key, value);
    return new Launch(name, module, mainClass, arguments, jvmOptions, variables, input);
  }

  /// What it reads from standard input, which then ends.
  public Launch input(String text) {
    return new Launch(
        name, module, mainClass, arguments, jvmOptions, environment, Optional.of(text));
  }

  List<String> command(Home home) {
    List<String> options = new ArrayList<>(startCache(home, System.getenv()));
    if (said(System.getenv()).noneMatch(it -> CHOSEN_COLLECTOR.matcher(it).find())) {
      options.add(COLLECTOR);
    }
    options.addAll(jvmOptions);
    List<String> command = java(options);
    command.add("-Dpenstock.home=" + home.root());
    command.add("-cp");
    command.add(
        module.equals(AGENT_HOST)
            ? home.jar("agent") + ":" + home.jar("loadtest")
            : home.jar(module).toString());
    command.add(mainClass);
    command.addAll(arguments);
    return command;
  }

  /// As the launcher does it: broker and agent only, and a caller who has a wish about caches gets
  /// none of ours.
  List<String> startCache(Home home, Map<String, String> inherited) {
    boolean wish =
        said(inherited).anyMatch(option -> CACHE_WORDS.stream().anyMatch(option::contains));
    return wish || !CACHED.contains(mainClass)
        ? List.of()
        : StartCache.all(home).stream()
            .filter(cache -> cache.module().equals(module))
            .flatMap(cache -> cache.options().stream())
            .toList();
  }

  /// Everything from which its java takes options.
  private Stream<String> said(Map<String, String> inherited) {
    Map<String, String> variables = new HashMap<>(inherited);
    variables.putAll(environment);
    return Stream.concat(
        jvmOptions.stream(), OPTION_VARIABLES.stream().map(v -> variables.getOrDefault(v, "")));
  }

  /// This JVM's program with the launcher's options and more.
  static List<String> java(List<String> options) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(JVM_OPTIONS);
    command.addAll(options);
    return command;
  }

  /// Its input and environment may hold secrets.
  @Override
  public String toString() {
    return name + " " + arguments;
  }
}
