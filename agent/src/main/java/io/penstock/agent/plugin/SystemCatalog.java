package io.penstock.agent.plugin;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.util.AsciiString;
import io.penstock.agent.link.StreamTarget;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.OpenHead;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.RequestHead;
import io.penstock.codec.StreamKind;
import io.penstock.codec.exposure.ExposureRules;
import io.penstock.codec.http.InvocationPath;
import io.penstock.codec.message.ControlMessage.Allow;
import io.penstock.codec.message.ControlMessage.EffectiveRules;
import io.penstock.codec.message.ControlMessage.SystemRules;
import io.penstock.codec.message.ControlMessage.TestStage;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The systems that this agent serves, and the last word on what may be invoked on them: what a
/// definition allows, within the ceiling of the local file. Whatever is not allowed is refused
/// before anything on premise hears of it.
///
/// The local file's systems stand for the life of the process; deployed ones come, are replaced and
/// go by [#deploy], [#suspend] and [#remove]. Asked and changed on the tunnels' event loop only, so
/// a stream sees the instance of before or of after, and stays with it; [#effectiveRules] may be
/// asked by anybody.
public final class SystemCatalog implements StreamTarget, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SystemCatalog.class);

  /// @param instance null = suspended: known, and not callable
  private record Served(
      String plugin, @Nullable SystemInstance instance, ExposureRules rules, boolean local) {}

  private final Optional<List<Ceiling>> ceiling;
  private final EventLoop loop;
  private final Class<? extends Channel> channelType;
  private final List<Plugin> plugins;
  private final Map<AsciiString, Served> systems = new LinkedHashMap<>();
  private final Set<String> localNames;
  private volatile EffectiveRules effectiveRules;
  private InstanceWatcher watcher = (_, _) -> {};

  /// @param ceiling empty = the local file sets none
  /// @param plugins those of this build
  /// @throws SettingsException with every problem of every system at once
  public SystemCatalog(
      List<SystemDefinition> systems,
      Optional<List<Ceiling>> ceiling,
      EventLoop loop,
      Class<? extends Channel> channelType,
      List<Plugin> plugins) {
    this.ceiling = ceiling.map(List::copyOf);
    this.loop = loop;
    this.channelType = channelType;
    this.plugins = List.copyOf(plugins);
    if (ceiling.isEmpty()) {
      LOG.info("no ceiling is set: systems expose what their definitions allow");
    }
    var problems = new ArrayList<String>(ceilingProblems(ceiling.orElse(List.of())));
    for (SystemDefinition definition : systems) {
      addLocal(definition, problems);
    }
    localNames = systems.stream().map(SystemDefinition::name).collect(Collectors.toSet());
    effectiveRules = rules();
    if (!problems.isEmpty()) {
      close();
      throw new SettingsException(problems);
    }
  }

  private void addLocal(SystemDefinition definition, List<String> problems) {
    problems.addAll(allowProblems(definition.name(), definition.allow()));
    try {
      SystemInstance instance = start(definition);
      var served = new Served(definition.plugin(), instance, exposed(definition), true);
      if (systems.putIfAbsent(AsciiString.of(definition.name()), served) != null) {
        instance.close();
        problems.add(definition.name() + ": stands twice");
      }
    } catch (SettingsException bad) {
      bad.problems().stream().map(it -> definition.name() + "." + it).forEach(problems::add);
    }
  }

  private static List<String> ceilingProblems(List<Ceiling> ceiling) {
    return ceiling.stream()
        .flatMap(it -> ExposureRules.problems(it.allow()).stream().map(at("ceiling", it.system())))
        .toList();
  }

  private static List<String> allowProblems(String system, List<Allow> allow) {
    return ExposureRules.problems(allow).stream().map(at(system, "allow")).toList();
  }

  private static UnaryOperator<String> at(String first, String second) {
    return problem -> first + "." + second + ": " + problem;
  }

  private ExposureRules exposed(SystemDefinition definition) {
    ExposureRules wanted = ExposureRules.of(definition.allow());
    return ceiling.map(entries -> wanted.and(most(definition.name(), entries))).orElse(wanted);
  }

  /// A system that the ceiling does not name exposes nothing.
  private static ExposureRules most(String system, List<Ceiling> ceiling) {
    return ExposureRules.of(
        ceiling.stream()
            .filter(it -> it.system().equals(system))
            .flatMap(it -> it.allow().stream())
            .toList());
  }

  // Any thread.

  /// Does the local file define a system of this name? It stays the owner's.
  public boolean isLocal(String system) {
    return localNames.contains(system);
  }

  public boolean hasPlugin(String name) {
    return plugins.stream().anyMatch(it -> it.name().equals(name));
  }

  /// An instance that nobody can call yet. May read files, so not on the event loop.
  ///
  /// @throws SettingsException with every problem at once, each naming `plugin` or its setting
  public SystemInstance start(SystemDefinition definition) {
    Plugin plugin = plugin(definition);
    return settled(() -> plugin.start(definition, loop, channelType));
  }

  /// Tries to reach a system without serving it. Blocks for some seconds.
  ///
  /// @throws SettingsException as [#start]
  public List<TestStage> test(SystemDefinition definition) {
    Plugin plugin = plugin(definition);
    return settled(() -> plugin.test(definition));
  }

  private Plugin plugin(SystemDefinition definition) {
    return plugins.stream()
        .filter(it -> it.name().equals(definition.plugin()))
        .findFirst()
        .orElseThrow(
            () ->
                new SettingsException(
                    List.of(
                        "plugin: expected one of "
                            + plugins.stream().map(Plugin::name).toList()
                            + ", found "
                            + definition.plugin())));
  }

  private static <T> T settled(Supplier<T> asked) {
    try {
      return asked.get();
    } catch (SettingsException bad) {
      throw new SettingsException(bad.problems().stream().map(it -> "settings." + it).toList());
    }
  }

  @Override
  public EffectiveRules effectiveRules() {
    return effectiveRules;
  }

  /// About how long [#effectiveRules] would be on the wire with this system in it.
  public int rulesBytesWith(SystemDefinition definition) {
    return effectiveRules.systems().stream()
            .filter(it -> !it.system().equals(definition.name()))
            .mapToInt(it -> bytes(it.system(), it.allow()))
            .sum()
        + bytes(definition.name(), exposed(definition).toAllow());
  }

  private static int bytes(String system, List<Allow> allow) {
    int bytes = 64 + system.length();
    for (Allow rule : allow) {
      bytes += 32;
      for (String text : rule.methods()) {
        bytes += 3 + text.length();
      }
      for (String text : rule.paths()) {
        bytes += 3 + text.length();
      }
    }
    return bytes;
  }

  // On the event loop.

  public void watch(InstanceWatcher next) {
    watcher = next;
  }

  /// From now on new streams of the system go to `instance`; running ones finish on the one before.
  ///
  /// @throws IllegalStateException when the local file defines the system
  public void deploy(SystemDefinition definition, SystemInstance instance) {
    put(definition.name(), new Served(definition.plugin(), instance, exposed(definition), false));
  }

  /// Takes no calls until it is deployed again, and says so.
  public void suspend(String system) {
    Served served = systems.get(AsciiString.of(system));
    if (served != null) {
      put(system, new Served(served.plugin(), null, served.rules(), false));
    }
  }

  public void remove(String system) {
    requireDeployed(system);
    Served before = systems.remove(AsciiString.of(system));
    effectiveRules = rules();
    closed(system, before);
  }

  private void put(String system, Served served) {
    requireDeployed(system);
    Served before = systems.put(AsciiString.of(system), served);
    effectiveRules = rules();
    closed(system, before);
  }

  private void requireDeployed(String system) {
    if (isLocal(system)) {
      throw new IllegalStateException(system + " belongs to the local file");
    }
  }

  /// A plugin that fails to close does not undo the change.
  private static void closed(Object system, @Nullable Served before) {
    SystemInstance instance = before == null ? null : before.instance();
    if (instance == null) {
      return;
    }
    try {
      instance.close();
    } catch (RuntimeException bug) {
      LOG.error("{}: its plugin does not close: {}", system, bug.getClass().getName());
    }
  }

  private EffectiveRules rules() {
    return new EffectiveRules(
        systems.entrySet().stream()
            .map(
                it ->
                    new SystemRules(
                        it.getKey().toString(),
                        it.getValue().plugin(),
                        it.getValue().instance() != null,
                        it.getValue().rules().toAllow()))
            .toList());
  }

  @Override
  public StreamListener open(OpenHead head, ByteBuf rest, boolean end, MuxStream stream)
      throws ProtocolException {
    if (head.kind() != StreamKind.HTTP) {
      return refuse(stream, ErrorCode.BAD_REQUEST, "only http is served here");
    }
    Served served = systems.get(head.system());
    if (served == null) {
      return refuse(stream, ErrorCode.UNKNOWN_TARGET, "no such system");
    }
    RequestHead request = RequestHead.read(rest);
    if (InvocationPath.judge(request.path()) != InvocationPath.Judgement.CLEAN) {
      return refuse(stream, ErrorCode.BAD_REQUEST, "the path is ambiguous");
    }
    if (!served.rules().allows(request.method(), request.path())) {
      return refuse(stream, ErrorCode.NOT_EXPOSED, "not exposed");
    }
    SystemInstance instance = served.instance();
    if (instance == null) {
      return refuse(stream, ErrorCode.CONNECT_FAILED, "the system's plugin failed and pauses");
    }
    return open(instance, head, request, end, stream);
  }

  /// A plugin that fails takes its call with it, not the tunnel.
  private StreamListener open(
      SystemInstance instance, OpenHead head, RequestHead request, boolean end, MuxStream stream)
      throws ProtocolException {
    try {
      return instance.open(head, request, end, stream);
    } catch (RuntimeException bug) {
      // Its message may quote what it was given.
      LOG.error("{}: its plugin failed: {}", head.system(), bug.getClass().getName());
      stream.reset(ErrorCode.INTERNAL, false, "the system's plugin failed");
      watcher.failed(head.system().toString(), instance);
      return Refused.INSTANCE;
    }
  }

  private static StreamListener refuse(MuxStream stream, ErrorCode code, String text) {
    stream.reset(code, true, text);
    return Refused.INSTANCE;
  }

  /// No new calls; running ones go to their end.
  @Override
  public void close() {
    systems.forEach(SystemCatalog::closed);
  }
}
