package io.penstock.agent.plugin;

/// Hears of instances that fail by themselves, not by what their system answers. On the tunnels'
/// event loop.
@FunctionalInterface
public interface InstanceWatcher {
  void failed(String system, SystemInstance instance);
}
