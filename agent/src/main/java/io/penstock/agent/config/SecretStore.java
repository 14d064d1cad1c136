package io.penstock.agent.config;

import java.util.Optional;

/// Where the values of one kind of reference are. Blocks.
interface SecretStore {

  /// Empty = there is none of this name.
  ///
  /// @param name what stands between the colon and the brace
  /// @throws SecretStoreException when nobody can tell; its text holds no value
  Optional<String> find(String name) throws SecretStoreException;

  /// Whether `name` can be one at all.
  boolean isName(String name);
}
