package io.penstock.agent.config;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// `${secret:NAME}`: what the agent's owner keeps beside it. The file NAME in the owner's
/// directory, then `PENSTOCK_SECRET_NAME` in the environment (upper case, `_` for what is no letter
/// or digit),
/// then the systemd credential NAME.
///
/// Whatever the agent itself lives by (passphrase, token, its own credential) is not found here,
/// wherever it lies: a deployed configuration could send it anywhere.
final class OwnerSecrets implements SecretStore {
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,62}");
  private static final String ENVIRONMENT_PREFIX = "PENSTOCK_SECRET_";
  private static final int MAX_BYTES = 64 * 1024;

  private final List<Path> directories;
  private final Map<String, String> environment;
  private final Set<Path> own;

  /// @param own files that are never given away
  OwnerSecrets(
      Optional<Path> directory,
      Map<String, String> environment,
      Optional<Path> systemdCredentials,
      Set<Path> own) {
    var all = new ArrayList<Path>();
    directory.ifPresent(all::add);
    systemdCredentials.ifPresent(all::add);
    this.directories = List.copyOf(all);
    this.environment = Map.copyOf(environment);
    this.own = Set.copyOf(own);
  }

  @Override
  public boolean isName(String name) {
    return NAME.matcher(name).matches();
  }

  @Override
  public Optional<String> find(String name) throws SecretStoreException {
    for (Path directory : directories) {
      Optional<String> content = read(directory.resolve(name));
      if (content.isPresent()) {
        return content;
      }
    }
    return Optional.ofNullable(environment.get(variable(name)));
  }

  private static String variable(String name) {
    return ENVIRONMENT_PREFIX + name.toUpperCase(Locale.ROOT).replaceAll("[^A-Z0-9]", "_");
  }

  private Optional<String> read(Path file) throws SecretStoreException {
    try {
      if (isOwn(file)) {
        return Optional.empty();
      }
      byte[] bytes = Files.readAllBytes(file);
      if (bytes.length > MAX_BYTES) {
        throw new SecretStoreException("its file has more than " + MAX_BYTES + " bytes");
      }
      return Optional.of(new String(bytes, StandardCharsets.UTF_8).replaceFirst("[\r\n]+\\z", ""));
    } catch (NoSuchFileException _) {
      return Optional.empty();
    } catch (IOException unreadable) {
      throw new SecretStoreException(
          "its file cannot be read (" + unreadable.getClass().getSimpleName() + ")");
    }
  }

  private boolean isOwn(Path file) throws IOException {
    for (Path kept : own) {
      if (Files.exists(kept) && Files.exists(file) && Files.isSameFile(kept, file)) {
        return true;
      }
    }
    return false;
  }
}
