package io.penstock.loadtest.target;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// Who may see the example ERP's ledger, by basic authentication. Nobody until a test says so.
/// Thread-safe.
public final class Logins {
  private final Map<String, String> passwords = new ConcurrentHashMap<>();

  public void set(String user, String password) {
    passwords.put(user, password);
  }

  /// The user of a right `Authorization` field.
  Optional<String> userOf(@Nullable String authorization) {
    if (authorization == null) {
      return Optional.empty();
    }
    return passwords.entrySet().stream()
        .filter(login -> authorization.equals(basic(login.getKey(), login.getValue())))
        .map(Map.Entry::getKey)
        .findFirst();
  }

  private static String basic(String user, String password) {
    byte[] login = (user + ":" + password).getBytes(StandardCharsets.UTF_8);
    return "Basic " + Base64.getEncoder().encodeToString(login);
  }
}
