package io.penstock.agent.plugin;

import com.fasterxml.jackson.databind.JsonNode;
import io.penstock.codec.exposure.ExposureRules;
import java.io.IOException;

/// A driver for one kind of system.
public interface Plugin {
  /// As in a system's `plugin`.
  String name();

  /// Starts serving a system whose settings were found to have no problems.
  ///
  /// @param rules the plugin decides by them, on every stream
  SystemInstance start(String system, JsonNode settings, ExposureRules rules) throws IOException;
}
