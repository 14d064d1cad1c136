package io.penstock.agent.config;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// Where references lead, as the owner has set it up.
///
/// @param byWord by the word before a reference's colon
/// @param vault to be closed with the process
record Stores(Map<String, SecretStore> byWord, Optional<VaultSecrets> vault) {
  static Stores of(ConfigurationSettings settings) throws IOException {
    var byWord = new HashMap<String, SecretStore>();
    ConfigurationSettings.Secrets secrets = settings.secrets();
    byWord.put(
        "secret",
        new OwnerSecrets(
            secrets.directory(),
            secrets.environment(),
            secrets.systemdCredentials(),
            secrets.own()));
    Optional<VaultSecrets> vault = Optional.empty();
    if (settings.vault().isPresent()) {
      ConfigurationSettings.Vault at = settings.vault().get();
      var client =
          new VaultSecrets(
              new VaultSecrets.Settings(at.address(), at.roleId(), at.secretIdFile(), at.caFile()));
      byWord.put("vault", client);
      vault = Optional.of(client);
    }
    return new Stores(byWord, vault);
  }
}
