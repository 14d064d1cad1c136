package io.penstock.broker.store;

import io.penstock.codec.seal.Octets;
import io.vertx.sqlclient.Row;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Enrollment tokens without their secrets. Their limits need no HMAC: the secret is derived from
/// them.
public final class EnrollmentTokenTable {
  private static final String COLUMNS =
      """
      id, agent, site, labels, allowed_cidrs, reenroll, created_at, created_by, expires_at, used_at, used_by_agent, used_dev_key,
      host(used_from) as used_from, refusals, last_refusal_at, host(last_refusal_from) as last_refusal_from, last_refusal_reason\
      """;

  public record Token(
      Octets id,
      Optional<String> agent,
      Optional<String> site,
      Map<String, String> labels,
      List<String> allowedCidrs,
      boolean reenroll,
      Instant createdAt,
      String createdBy,
      Instant expiresAt,
      Optional<Use> use,
      long refusals,
      Optional<Refusal> lastRefusal) {
    public Token {
      labels = Map.copyOf(labels);
      allowedCidrs = List.copyOf(allowedCidrs);
    }
  }

  public record Use(Instant at, String agent, Octets devKey, Optional<String> from) {}

  public record Refusal(Instant at, Optional<String> from, String reason) {}

  /// What became of an attempt to spend a token.
  public sealed interface Consumption {
    record Consumed(Token token) implements Consumption {}

    /// Spent before by this very dev key: the same enrollment, tried again after a crash or a lost
    /// answer.
    record Repeated(Token token, String agent) implements Consumption {}

    /// Spent before by another dev key.
    record Reused(Token token) implements Consumption {}

    record Expired(Token token) implements Consumption {}

    record Unknown() implements Consumption {}
  }

  public void insert(Tx tx, Token token) {
    tx.update(
        """
        insert into enrollment_tokens (id, agent, site, labels, allowed_cidrs, reenroll, created_at, created_by, expires_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)\
        """,
        token.id(),
        token.agent(),
        token.site(),
        token.labels(),
        token.allowedCidrs(),
        token.reenroll(),
        token.createdAt(),
        token.createdBy(),
        token.expiresAt());
  }

  public Optional<Token> find(Tx tx, Octets id) {
    return tx.one("select " + COLUMNS + " from enrollment_tokens where id = $1", id)
        .map(EnrollmentTokenTable::read);
  }

  /// Locks the token until the transaction ends: of many agents racing for it one comes first.
  public Optional<Token> lock(Tx tx, Octets id) {
    return tx.one("select " + COLUMNS + " from enrollment_tokens where id = $1 for update", id)
        .map(EnrollmentTokenTable::read);
  }

  /// Spends a token that the caller has locked and judged.
  public void spend(Tx tx, Octets id, Use use) {
    tx.update(
        """
        update enrollment_tokens set used_at = $2, used_by_agent = $3, used_dev_key = $4, used_from = $5::text::inet where id = $1\
        """,
        id,
        use.at(),
        use.agent(),
        use.devKey(),
        use.from());
  }

  public List<Token> list(Tx tx) {
    var tokens = new ArrayList<Token>();
    tx.query("select " + COLUMNS + " from enrollment_tokens order by created_at desc limit 1000")
        .forEach(row -> tokens.add(read(row)));
    return tokens;
  }

  public boolean delete(Tx tx, Octets id) {
    return tx.update("delete from enrollment_tokens where id = $1", id) == 1;
  }

  /// Spends the token for `agent`, in the transaction that makes its pending row. Of many callers
  /// exactly one consumes: the row is locked.
  public Consumption consume(
      Tx tx, Octets id, String agent, Octets devKey, Optional<String> from, Instant now) {
    Optional<Token> found =
        tx.one("select " + COLUMNS + " from enrollment_tokens where id = $1 for update", id)
            .map(EnrollmentTokenTable::read);
    if (found.isEmpty()) {
      return new Consumption.Unknown();
    }
    Token token = found.get();
    if (token.use().isPresent()) {
      Use use = token.use().get();
      return use.devKey().equals(devKey)
          ? new Consumption.Repeated(token, use.agent())
          : new Consumption.Reused(token);
    }
    if (!now.isBefore(token.expiresAt())) {
      return new Consumption.Expired(token);
    }
    tx.update(
        """
        update enrollment_tokens set used_at = $2, used_by_agent = $3, used_dev_key = $4, used_from = $5::text::inet where id = $1\
        """,
        id,
        now,
        agent,
        devKey,
        from);
    return new Consumption.Consumed(token);
  }

  /// For the Admin's token page; the wire says nothing.
  public void refused(Tx tx, Octets id, String reason, Optional<String> from, Instant at) {
    tx.update(
        """
        update enrollment_tokens set refusals = refusals + 1, last_refusal_at = $2, last_refusal_reason = $3,
        last_refusal_from = $4::text::inet where id = $1\
        """,
        id,
        at,
        reason,
        from);
  }

  private static Token read(Row row) {
    return new Token(
        Values.octets(row, "id"),
        Values.optionalText(row, "agent"),
        Values.optionalText(row, "site"),
        Values.textMap(row, "labels"),
        Values.list(row, "allowed_cidrs"),
        Values.flag(row, "reenroll"),
        Values.instant(row, "created_at"),
        Values.text(row, "created_by"),
        Values.instant(row, "expires_at"),
        Values.optionalInstant(row, "used_at").map(at -> readUse(row, at)),
        Values.number(row, "refusals"),
        Values.optionalInstant(row, "last_refusal_at").map(at -> readRefusal(row, at)));
  }

  private static Use readUse(Row row, Instant at) {
    return new Use(
        at,
        Values.text(row, "used_by_agent"),
        Values.octets(row, "used_dev_key"),
        Values.optionalText(row, "used_from"));
  }

  private static Refusal readRefusal(Row row, Instant at) {
    return new Refusal(
        at, Values.optionalText(row, "last_refusal_from"), Values.text(row, "last_refusal_reason"));
  }
}
