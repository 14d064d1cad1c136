package io.penstock.agent.config;

import io.penstock.agent.plugin.SystemDefinition;
import io.penstock.agent.plugin.SystemInstance;
import io.penstock.codec.seal.ConfigurationHeader;
import io.penstock.codec.seal.HeldVersion;
import io.penstock.codec.seal.Octets;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// One version of one system, in memory: what was verified and opened, and the instance that was
/// made of it. The opened secrets stay as long as it runs, so that references can be looked up
/// again; [#wipe] ends them.
///
/// @param digest of the values that references stood for; empty = it has none
record Prepared(
    Opened opened, SystemDefinition definition, byte[] digest, SystemInstance instance) {

  /// Verified and opened.
  ///
  /// @param secrets JSON; null where the version has none
  /// @param openedBy SHA-256 of the sealing key; empty where there was nothing to open
  record Opened(
      ConfigurationHeader header,
      HeldVersion held,
      byte[] settings,
      byte @Nullable [] secrets,
      Optional<Octets> openedBy) {
    void wipe() {
      if (secrets != null) {
        Arrays.fill(secrets, (byte) 0);
      }
    }

    @Override
    public String toString() {
      return "Opened[" + header.system() + " " + held.version() + "]";
    }
  }

  String system() {
    return opened.header().system();
  }

  HeldVersion held() {
    return opened.held();
  }

  boolean hasReferences() {
    return digest.length > 0;
  }

  /// Another instance of the very same: its secrets are still needed.
  @SuppressWarnings("ReferenceEquality") // whose bytes are wiped is a matter of the object
  boolean isSameOpened(Prepared other) {
    return opened == other.opened;
  }

  void wipe() {
    opened.wipe();
  }

  @Override
  public String toString() {
    return "Prepared[" + opened + "]";
  }
}
