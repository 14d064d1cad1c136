package io.penstock.agent.plugin.http;

import io.netty.handler.ssl.SslContext;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/// Whom HTTPS systems are trusted by.
@FunctionalInterface
public interface SystemTls {
  /// @param caFile of the system, besides those of the agent
  SslContext context(Optional<Path> caFile) throws IOException;
}
