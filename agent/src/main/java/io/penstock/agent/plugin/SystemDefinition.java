package io.penstock.agent.plugin;

import com.fasterxml.jackson.databind.JsonNode;
import io.penstock.codec.message.ControlMessage.Allow;
import java.util.List;

/// A system as it stands in `agent.yaml` or in a deployed configuration.
///
/// @param settings the plugin's own, not checked yet
/// @param allow what may be called; empty = nothing
public record SystemDefinition(String name, String plugin, JsonNode settings, List<Allow> allow) {
  public SystemDefinition {
    allow = List.copyOf(allow);
  }
}
