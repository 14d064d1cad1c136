package io.penstock.broker.store;

import io.penstock.codec.seal.Octets;
import io.vertx.sqlclient.Row;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/// Sign-ins and the refresh tokens that grew from them. Only hashes of tokens rest here.
public final class SessionTable {

  public record Session(
      UUID id,
      String userEmail,
      Instant createdAt,
      Instant expiresAt,
      Optional<String> remoteIp,
      Optional<Instant> revokedAt) {
    public boolean isLive(Instant now) {
      return revokedAt.isEmpty() && now.isBefore(expiresAt);
    }
  }

  /// What a refresh token turned out to be.
  public sealed interface Rotation {
    record Rotated(Session session) implements Rotation {}

    /// It was used before: somebody has a copy. The session is revoked now.
    record Reused(Session session) implements Rotation {}

    record Refused() implements Rotation {}
  }

  public void open(Tx tx, Session session, Octets refreshHash, Optional<String> userAgent) {
    tx.update(
        """
        insert into sessions (id, user_email, created_at, expires_at, remote_ip, user_agent)
        values ($1, $2, $3, $4, $5::text::inet, $6)\
        """,
        session.id(),
        session.userEmail(),
        session.createdAt(),
        session.expiresAt(),
        session.remoteIp(),
        userAgent);
    issue(tx, session.id(), refreshHash, session.createdAt());
  }

  private static void issue(Tx tx, UUID session, Octets hash, Instant at) {
    tx.update(
        "insert into refresh_tokens (hash, session_id, issued_at) values ($1, $2, $3)",
        hash,
        session,
        at);
  }

  /// Spends one refresh token and puts the next in its place. Of two callers with the same token
  /// one rotates, the other is told of reuse.
  public Rotation rotate(Tx tx, Octets hash, Octets nextHash, Instant now) {
    Optional<Row> found =
        tx.one(
            """
            select s.id, s.user_email, s.created_at, s.expires_at, host(s.remote_ip) as remote_ip, s.revoked_at, t.used_at
            from refresh_tokens t join sessions s on s.id = t.session_id where t.hash = $1 for update\
            """,
            hash);
    if (found.isEmpty()) {
      return new Rotation.Refused();
    }
    Session session = read(found.get());
    if (!session.isLive(now)) {
      return new Rotation.Refused();
    }
    if (Values.optionalInstant(found.get(), "used_at").isPresent()) {
      revoke(tx, session.id(), "refresh-token-reuse", now);
      return new Rotation.Reused(session);
    }
    tx.update("update refresh_tokens set used_at = $2 where hash = $1", hash, now);
    issue(tx, session.id(), nextHash, now);
    return new Rotation.Rotated(session);
  }

  /// Whose session a refresh token is of, whether it was used or not.
  public Optional<Session> ofRefreshToken(Tx tx, Octets hash) {
    return tx.one(
            """
            select s.id, s.user_email, s.created_at, s.expires_at, host(s.remote_ip) as remote_ip, s.revoked_at
            from refresh_tokens t join sessions s on s.id = t.session_id where t.hash = $1\
            """,
            hash)
        .map(SessionTable::read);
  }

  /// Those of `ids` that are known, in no order.
  public List<Session> findAll(Tx tx, List<UUID> ids) {
    var found = new ArrayList<Session>();
    tx.query(
            "select id, user_email, created_at, expires_at, host(remote_ip) as remote_ip,"
                + " revoked_at from sessions where id = any($1::text[]::uuid[])",
            ids)
        .forEach(row -> found.add(read(row)));
    return found;
  }

  public boolean revoke(Tx tx, UUID id, String reason, Instant at) {
    return tx.update(
            "update sessions set revoked_at = $2, reason = $3 where id = $1 and revoked_at is null",
            id,
            at,
            reason)
        == 1;
  }

  public int revokeAllOf(Tx tx, String email, String reason, Instant at) {
    return tx.update(
        "update sessions set revoked_at = $2, reason = $3 where user_email = $1 and revoked_at is"
            + " null",
        email,
        at,
        reason);
  }

  /// All of a user but one.
  public int revokeOthersOf(Tx tx, String email, UUID kept, String reason, Instant at) {
    return tx.update(
        "update sessions set revoked_at = $2, reason = $3 where user_email = $1 and revoked_at is"
            + " null and id <> $4",
        email,
        at,
        reason,
        kept);
  }

  public int dropExpired(Tx tx, Instant before) {
    return tx.update("delete from sessions where expires_at < $1", before);
  }

  private static Session read(Row row) {
    return new Session(
        row.getUUID("id"),
        Values.text(row, "user_email"),
        Values.instant(row, "created_at"),
        Values.instant(row, "expires_at"),
        Values.optionalText(row, "remote_ip"),
        Values.optionalInstant(row, "revoked_at"));
  }
}
