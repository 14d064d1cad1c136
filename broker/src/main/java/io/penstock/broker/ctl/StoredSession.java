package io.penstock.broker.ctl;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.URI;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Optional;

/// A sign-in that later calls use: where, whom to trust, and the two tokens. The CA is kept as
/// text, so that its file may go.
record StoredSession(
    URI url,
    Optional<String> caPem,
    String user,
    String token,
    Optional<Instant> expiresAt,
    String refreshToken,
    String sessionExpiresAt) {

  /// From an answer of `/auth/login`.
  static StoredSession of(URI url, Optional<String> caPem, String user, JsonNode login) {
    return new StoredSession(
        url,
        caPem,
        user,
        login.path("token").asText(),
        instant(login.path("expires_at")),
        login.path("refresh_token").asText(),
        login.path("session_expires_at").asText());
  }

  /// With what `/auth/refresh` answered; what it leaves out stays.
  StoredSession refreshed(JsonNode answer) {
    return new StoredSession(
        url,
        caPem,
        user,
        answer.path("token").asText(token),
        instant(answer.path("expires_at")),
        answer.path("refresh_token").asText(refreshToken),
        answer.path("session_expires_at").asText(sessionExpiresAt));
  }

  static StoredSession fromJson(JsonNode node) {
    return new StoredSession(
        URI.create(node.path("url").asText()),
        Optional.of(node.path("ca").asText("")).filter(pem -> !pem.isEmpty()),
        node.path("user").asText(),
        node.path("token").asText(),
        instant(node.path("expires_at")),
        node.path("refresh_token").asText(),
        node.path("session_expires_at").asText());
  }

  ObjectNode toJson() {
    ObjectNode node = Json.object();
    node.put("url", url.toString());
    node.put("ca", caPem.orElse(""));
    node.put("user", user);
    node.put("token", token);
    node.put("expires_at", expiresAt.map(Instant::toString).orElse(""));
    node.put("refresh_token", refreshToken);
    node.put("session_expires_at", sessionExpiresAt);
    return node;
  }

  /// A token without a readable end is used until the broker refuses it.
  boolean endsBefore(Instant moment) {
    return expiresAt.map(end -> end.isBefore(moment)).orElse(false);
  }

  private static Optional<Instant> instant(JsonNode node) {
    if (node.isNumber()) {
      return Optional.of(Instant.ofEpochSecond(node.asLong()));
    }
    try {
      return Optional.of(Instant.parse(node.asText()));
    } catch (DateTimeException unreadable) {
      return Optional.empty();
    }
  }

  @Override
  public String toString() {
    return "session of " + user + " at " + url;
  }
}
