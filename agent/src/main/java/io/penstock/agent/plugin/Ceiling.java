package io.penstock.agent.plugin;

import io.penstock.codec.message.ControlMessage.Allow;
import java.util.List;

/// The most that the cloud may allow on one system, from the agent's local file.
public record Ceiling(String system, List<Allow> allow) {
  public Ceiling {
    allow = List.copyOf(allow);
  }
}
