package io.penstock.agent.plugin;

import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.penstock.codec.message.ControlMessage.TestStage;
import java.util.List;

/// The driver for one kind of system.
public interface Plugin {

  /// What a definition's `plugin` says to mean this one.
  String name();

  /// Makes a system callable; contacts nothing yet. May read files, so not on the event loop.
  ///
  /// @param loop the event loop of the tunnels, on which every stream runs
  /// @throws SettingsException with every problem of the definition's settings at once
  SystemInstance start(
      SystemDefinition definition, EventLoop loop, Class<? extends Channel> channelType);

  /// Tries to reach a system, stage by stage up to the first that fails. Blocks for some seconds.
  ///
  /// @throws SettingsException as [#start]
  List<TestStage> test(SystemDefinition definition);
}
