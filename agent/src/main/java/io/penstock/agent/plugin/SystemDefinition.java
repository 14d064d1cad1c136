package io.penstock.agent.plugin;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.penstock.codec.message.ControlMessage.Allow;
import java.util.List;

/// A system as it stands in `agent.yaml` or in a deployed configuration.
///
/// @param settings the plugin's own, not checked yet
/// @param secrets likewise; missing where there are none
/// @param allow what may be called; empty = nothing
public record SystemDefinition(
    String name, String plugin, JsonNode settings, JsonNode secrets, List<Allow> allow) {
  public SystemDefinition {
    allow = List.copyOf(allow);
  }

  /// One without secrets.
  public SystemDefinition(String name, String plugin, JsonNode settings, List<Allow> allow) {
    this(name, plugin, settings, MissingNode.getInstance(), allow);
  }

  /// Settings may hold what a reference stood for.
  @Override
  public String toString() {
    return "SystemDefinition[" + name + ", " + plugin + "]";
  }
}
