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
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The systems that this agent serves, and the last word on what may be invoked on them: what a
/// definition allows, within the ceiling of the local file. Whatever is not allowed is refused
/// before anything on premise hears of it. Immutable; asked on the tunnels' event loop.
public final class SystemCatalog implements StreamTarget, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SystemCatalog.class);

  private record Served(SystemInstance instance, ExposureRules rules) {}

  private final Map<AsciiString, Served> systems = new LinkedHashMap<>();
  private final EffectiveRules effectiveRules;

  /// @param ceiling empty = the local file sets none
  /// @param plugins those of this build
  /// @throws SettingsException with every problem of every system at once
  public SystemCatalog(
      List<SystemDefinition> systems,
      Optional<List<Ceiling>> ceiling,
      EventLoop loop,
      Class<? extends Channel> channelType,
      List<Plugin> plugins) {
    if (ceiling.isEmpty()) {
      LOG.info("no ceiling is set: systems expose what their definitions allow");
    }
    var problems = new ArrayList<String>(ceilingProblems(ceiling.orElse(List.of())));
    var reported = new ArrayList<SystemRules>();
    for (SystemDefinition definition : systems) {
      problems.addAll(allowProblems(definition.name(), definition.allow()));
      ExposureRules rules = exposed(definition, ceiling);
      start(definition, loop, channelType, plugins, problems)
          .ifPresent(
              instance -> {
                put(definition.name(), new Served(instance, rules), problems);
                reported.add(
                    new SystemRules(definition.name(), definition.plugin(), true, rules.toAllow()));
              });
    }
    if (!problems.isEmpty()) {
      close();
      throw new SettingsException(problems);
    }
    effectiveRules = new EffectiveRules(reported);
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

  private static ExposureRules exposed(
      SystemDefinition definition, Optional<List<Ceiling>> ceiling) {
    ExposureRules deployed = ExposureRules.of(definition.allow());
    return ceiling.map(entries -> deployed.and(most(definition.name(), entries))).orElse(deployed);
  }

  /// A system that the ceiling does not name exposes nothing.
  private static ExposureRules most(String system, List<Ceiling> ceiling) {
    return ExposureRules.of(
        ceiling.stream()
            .filter(it -> it.system().equals(system))
            .flatMap(it -> it.allow().stream())
            .toList());
  }

  private static Optional<SystemInstance> start(
      SystemDefinition definition,
      EventLoop loop,
      Class<? extends Channel> channelType,
      List<Plugin> plugins,
      List<String> problems) {
    Optional<Plugin> plugin =
        plugins.stream().filter(it -> it.name().equals(definition.plugin())).findFirst();
    if (plugin.isEmpty()) {
      problems.add(
          definition.name()
              + ".plugin: expected one of "
              + plugins.stream().map(Plugin::name).toList()
              + ", found "
              + definition.plugin());
      return Optional.empty();
    }
    try {
      return Optional.of(plugin.get().start(definition, loop, channelType));
    } catch (SettingsException bad) {
      bad.problems().stream()
          .map(it -> definition.name() + ".settings." + it)
          .forEach(problems::add);
      return Optional.empty();
    }
  }

  private void put(String name, Served served, List<String> problems) {
    if (systems.putIfAbsent(AsciiString.of(name), served) != null) {
      problems.add(name + ": stands twice");
    }
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
    return served.instance().open(head, request, end, stream);
  }

  private static StreamListener refuse(MuxStream stream, ErrorCode code, String text) {
    stream.reset(code, true, text);
    return Refused.INSTANCE;
  }

  @Override
  public EffectiveRules effectiveRules() {
    return effectiveRules;
  }

  /// No new calls; running ones go to their end.
  @Override
  public void close() {
    systems.values().forEach(served -> served.instance().close());
  }
}
