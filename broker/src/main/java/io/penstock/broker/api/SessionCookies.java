package io.penstock.broker.api;

import io.penstock.broker.access.SignIns.SignedIn;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/// The console's session, where scripts cannot read it: `__Host-` cookies are of this very host,
/// come over TLS alone and cannot be set by a neighbour; their names begin so that they pass
/// neither to systems nor from them.
final class SessionCookies {
  static final String ACCESS = "__Host-penstock-access";
  static final String REFRESH = "__Host-penstock-refresh";
  private static final String ATTRIBUTES = "; Path=/; Secure; HttpOnly; SameSite=Strict";

  /// They are over in this browser.
  static final List<String> CLEARED =
      List.of(ACCESS + "=; Max-Age=0" + ATTRIBUTES, REFRESH + "=; Max-Age=0" + ATTRIBUTES);

  private SessionCookies() {}

  static List<String> of(SignedIn tokens, Clock clock) {
    Instant now = clock.instant();
    return List.of(
        cookie(ACCESS, tokens.token(), Duration.between(now, tokens.expiresAt())),
        cookie(REFRESH, tokens.refreshToken(), Duration.between(now, tokens.sessionExpiresAt())));
  }

  private static String cookie(String name, String value, Duration life) {
    return name + "=" + value + "; Max-Age=" + Math.max(0, life.toSeconds()) + ATTRIBUTES;
  }
}
