package io.penstock.agent.config;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// What the owner decides about configurations that the broker deploys.
///
/// @param forgetAfterLostSession everything in memory goes when no tunnel was up for so long; empty
///     = it stays
/// @param refresh how often references are looked up again
/// @param version of the agent, for diagnostics
public record ConfigurationSettings(
    Optional<Duration> forgetAfterLostSession,
    Duration refresh,
    Secrets secrets,
    Optional<Vault> vault,
    String version) {

  /// @param directory of files, one per secret
  /// @param systemdCredentials the directory that systemd made, if it did
  /// @param own files that no reference may reach
  public record Secrets(
      Optional<Path> directory,
      Map<String, String> environment,
      Optional<Path> systemdCredentials,
      Set<Path> own) {
    public Secrets {
      environment = Map.copyOf(environment);
      own = Set.copyOf(own);
    }

    @Override
    public String toString() {
      return "Secrets[" + directory + "]";
    }
  }

  /// @param secretIdFile of the AppRole, read at every login
  public record Vault(URI address, String roleId, Path secretIdFile, Optional<Path> caFile) {}
}
