package io.penstock.agent.plugin;

import com.fasterxml.jackson.databind.JsonNode;
import io.netty.buffer.ByteBuf;
import io.netty.util.AsciiString;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.OpenHead;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.exposure.ExposureRules;
import io.penstock.codec.message.ControlMessage.Allow;
import io.penstock.codec.message.ControlMessage.EffectiveRules;
import io.penstock.codec.message.ControlMessage.SystemRules;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The systems this agent serves, each with its rules under the ceiling: deny by default, and what
/// the ceiling does not name is not exposed either (design: exposure).
public final class SystemCatalog implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SystemCatalog.class);

  private final Map<AsciiString, Served> served;

  private record Served(SystemDefinition definition, ExposureRules rules, SystemInstance instance) {
    SystemRules effective() {
      return new SystemRules(definition.name(), definition.plugin(), true, rules.toAllow());
    }
  }

  private SystemCatalog(Map<AsciiString, Served> served) {
    this.served = Map.copyOf(served);
  }

  /// What is wrong with the systems and the ceiling of a configuration, all at once.
  ///
  /// @param settingsProblems what each plugin says of settings, by its name
  public static List<String> problems(
      List<SystemDefinition> systems,
      Optional<List<Ceiling>> ceiling,
      Map<String, Function<JsonNode, List<String>>> settingsProblems) {
    var problems = new ArrayList<String>();
    for (SystemDefinition system : systems) {
      String key = "system " + system.name() + ": ";
      Function<JsonNode, List<String>> settings = settingsProblems.get(system.plugin());
      if (settings == null) {
        problems.add(key + "there is no plugin '" + system.plugin() + "'");
      } else {
        settings.apply(system.settings()).forEach(it -> problems.add(key + "settings." + it));
      }
      ExposureRules.problems(system.allow()).forEach(it -> problems.add(key + "allow: " + it));
    }
    for (Ceiling over : ceiling.orElse(List.of())) {
      ExposureRules.problems(over.allow())
          .forEach(it -> problems.add("ceiling of " + over.system() + ": " + it));
    }
    return problems;
  }

  /// Starts every system. They have no [#problems].
  public static SystemCatalog start(
      List<SystemDefinition> systems, Optional<List<Ceiling>> ceiling, List<Plugin> plugins)
      throws IOException {
    if (ceiling.isEmpty()) {
      LOG.info("no ceiling: what may be called is what the systems' rules allow");
    }
    var served = new HashMap<AsciiString, Served>();
    for (SystemDefinition system : systems) {
      ExposureRules rules = rules(system, ceiling);
      SystemInstance instance =
          plugin(plugins, system.plugin())
              .orElseThrow()
              .start(system.name(), system.settings(), rules);
      served.put(AsciiString.of(system.name()), new Served(system, rules, instance));
    }
    return new SystemCatalog(served);
  }

  private static Optional<Plugin> plugin(List<Plugin> plugins, String name) {
    return plugins.stream().filter(it -> it.name().equals(name)).findFirst();
  }

  private static ExposureRules rules(SystemDefinition system, Optional<List<Ceiling>> ceiling) {
    ExposureRules deployed = ExposureRules.of(system.allow());
    if (ceiling.isEmpty()) {
      return deployed;
    }
    List<Allow> over =
        ceiling.get().stream()
            .filter(it -> it.system().equals(system.name()))
            .flatMap(it -> it.allow().stream())
            .toList();
    return deployed.and(ExposureRules.of(over));
  }

  /// A stream of the broker. On the tunnels' event loop.
  public StreamListener open(OpenHead head, ByteBuf rest, boolean end, MuxStream stream)
      throws ProtocolException {
    Served system = served.get(head.system());
    if (system == null) {
      stream.reset(ErrorCode.UNKNOWN_TARGET, true, "this agent has no such system");
      return Refused.LISTENER;
    }
    return system.instance().open(head, rest, end, stream);
  }

  /// What is really served, for the broker's early refusals.
  public EffectiveRules effectiveRules() {
    return new EffectiveRules(served.values().stream().map(Served::effective).toList());
  }

  @Override
  public void close() {
    served.values().forEach(it -> it.instance().close());
  }
}
