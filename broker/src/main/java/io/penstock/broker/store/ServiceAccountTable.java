package io.penstock.broker.store;

import io.penstock.broker.keys.RowMac;
import io.vertx.sqlclient.Row;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/// Cloud services and the tokens they call with. Accounts and tokens carry an HMAC over what they
/// grant; one that fails is not `intact` and must be denied.
public final class ServiceAccountTable {
  private static final String ACCOUNTS = "service_accounts";
  private static final String TOKENS = "service_tokens";
  private static final String ACCOUNT_COLUMNS =
      "a.name, a.systems, a.disabled, a.created_at, a.created_by, a.last_used_at, a.row_version,"
          + " a.mac";

  private final RowMac rowMac;

  public ServiceAccountTable(RowMac rowMac) {
    this.rowMac = rowMac;
  }

  /// `systems` are "site/system" or "site/*".
  public record ServiceAccount(
      String name,
      List<String> systems,
      boolean disabled,
      Instant createdAt,
      String createdBy,
      Optional<Instant> lastUsedAt,
      long rowVersion,
      boolean intact) {
    public ServiceAccount {
      systems = List.copyOf(systems);
    }
  }

  public record ServiceToken(
      UUID id,
      String account,
      Instant issuedAt,
      String issuedBy,
      Instant expiresAt,
      Optional<Instant> revokedAt,
      Optional<Instant> lastUsedAt,
      boolean intact) {}

  /// A token together with its account, as a call needs it.
  public record Grant(ServiceAccount account, ServiceToken token) {
    public boolean holds(Instant now) {
      return intact()
          && !account.disabled()
          && token.revokedAt().isEmpty()
          && now.isBefore(token.expiresAt());
    }

    public boolean intact() {
      return account.intact() && token.intact();
    }
  }

  /// False when the name is taken.
  public boolean insert(Tx tx, String name, List<String> systems, String by, Instant at) {
    var account = new ServiceAccount(name, systems, false, at, by, Optional.empty(), 1, true);
    return tx.update(
            """
            insert into service_accounts (name, systems, created_at, created_by, mac)
            values ($1, $2, $3, $4, $5) on conflict do nothing\
            """,
            name,
            systems,
            at,
            by,
            rowMac.of(ACCOUNTS, granted(account)))
        == 1;
  }

  public Optional<ServiceAccount> find(Tx tx, String name) {
    return tx.one("select " + ACCOUNT_COLUMNS + " from service_accounts a where a.name = $1", name)
        .map(this::readAccount);
  }

  public List<ServiceAccount> list(Tx tx) {
    var accounts = new ArrayList<ServiceAccount>();
    tx.query("select " + ACCOUNT_COLUMNS + " from service_accounts a order by a.name")
        .forEach(row -> accounts.add(readAccount(row)));
    return accounts;
  }

  public boolean change(Tx tx, String name, List<String> systems, boolean disabled) {
    Optional<ServiceAccount> old =
        tx.one(
                "select "
                    + ACCOUNT_COLUMNS
                    + " from service_accounts a where a.name = $1 for update",
                name)
            .map(this::readAccount)
            .filter(ServiceAccount::intact);
    if (old.isEmpty()) {
      return false;
    }
    ServiceAccount account = old.get();
    var next =
        new ServiceAccount(
            name,
            systems,
            disabled,
            account.createdAt(),
            account.createdBy(),
            account.lastUsedAt(),
            account.rowVersion() + 1,
            true);
    return tx.update(
            "update service_accounts set systems = $2, disabled = $3, row_version = $4, mac = $5"
                + " where name = $1",
            name,
            systems,
            disabled,
            next.rowVersion(),
            rowMac.of(ACCOUNTS, granted(next)))
        == 1;
  }

  public boolean delete(Tx tx, String name) {
    return tx.update("delete from service_accounts where name = $1", name) == 1;
  }

  public void insertToken(
      Tx tx, UUID id, String account, String by, Instant issuedAt, Instant expiresAt) {
    tx.update(
        """
        insert into service_tokens (id, account, issued_at, issued_by, expires_at, mac)
        values ($1, $2, $3, $4, $5, $6)\
        """,
        id,
        account,
        issuedAt,
        by,
        expiresAt,
        rowMac.of(TOKENS, granted(id, account, expiresAt)));
  }

  public List<ServiceToken> tokensOf(Tx tx, String account) {
    var tokens = new ArrayList<ServiceToken>();
    tx.query(
            """
            select id, account, issued_at, issued_by, expires_at, revoked_at, last_used_at as token_used_at, mac as token_mac
            from service_tokens where account = $1 order by issued_at\
            """,
            account)
        .forEach(row -> tokens.add(readToken(row)));
    return tokens;
  }

  public boolean revokeToken(Tx tx, String account, UUID id, Instant at) {
    return tx.update(
            "update service_tokens set revoked_at = $3 where id = $2 and account = $1 and"
                + " revoked_at is null",
            account,
            id,
            at)
        == 1;
  }

  public Optional<Grant> grantOf(Tx tx, UUID tokenId) {
    return tx.one(
            "select "
                + ACCOUNT_COLUMNS
                + ", t.id, t.account, t.issued_at, t.issued_by, t.expires_at, t.revoked_at,"
                + " t.last_used_at as token_used_at, t.mac as token_mac from service_tokens t join"
                + " service_accounts a on a.name = t.account where t.id = $1",
            tokenId)
        .map(row -> new Grant(readAccount(row), readToken(row)));
  }

  /// When tokens were used last, which no MAC covers. Those that are gone are left out.
  ///
  /// @return how many of them are there
  public int used(Tx tx, Map<UUID, Instant> tokens) {
    List<Map.Entry<UUID, Instant>> all = List.copyOf(tokens.entrySet());
    UUID[] ids = all.stream().map(Map.Entry::getKey).toArray(UUID[]::new);
    OffsetDateTime[] times = Values.times(all, Map.Entry::getValue);
    // Accounts first, as who deletes one does.
    tx.update(
        """
        update service_accounts as a set last_used_at = greatest(a.last_used_at, u.at)
        from (select t.account, max(n.at) as at from unnest($1::uuid[], $2::timestamptz[]) as n (id, at)
              join service_tokens t on t.id = n.id group by t.account) as u
        where a.name = u.account\
        """,
        ids,
        times);
    return tx.update(
        """
        update service_tokens as t set last_used_at = greatest(t.last_used_at, u.at)
        from unnest($1::uuid[], $2::timestamptz[]) as u (id, at) where t.id = u.id\
        """,
        ids,
        times);
  }

  private ServiceAccount readAccount(Row row) {
    String name = Values.text(row, "name");
    List<String> systems = Values.list(row, "systems");
    boolean disabled = Values.flag(row, "disabled");
    long version = Values.number(row, "row_version");
    Instant createdAt = Values.instant(row, "created_at");
    String createdBy = Values.text(row, "created_by");
    Optional<Instant> lastUsedAt = Values.optionalInstant(row, "last_used_at");
    var account =
        new ServiceAccount(
            name, systems, disabled, createdAt, createdBy, lastUsedAt, version, true);
    boolean intact = rowMac.holds(Values.octets(row, "mac"), ACCOUNTS, granted(account));
    return new ServiceAccount(
        name, systems, disabled, createdAt, createdBy, lastUsedAt, version, intact);
  }

  private ServiceToken readToken(Row row) {
    UUID id = row.getUUID("id");
    String account = Values.text(row, "account");
    Instant expiresAt = Values.instant(row, "expires_at");
    return new ServiceToken(
        id,
        account,
        Values.instant(row, "issued_at"),
        Values.text(row, "issued_by"),
        expiresAt,
        Values.optionalInstant(row, "revoked_at"),
        Values.optionalInstant(row, "token_used_at"),
        rowMac.holds(Values.octets(row, "token_mac"), TOKENS, granted(id, account, expiresAt)));
  }

  private static List<String> granted(ServiceAccount account) {
    var fields =
        new ArrayList<>(
            List.of(
                account.name(),
                Long.toString(account.rowVersion()),
                Boolean.toString(account.disabled())));
    fields.addAll(account.systems());
    return fields;
  }

  private static List<String> granted(UUID id, String account, Instant expiresAt) {
    return List.of(id.toString(), account, Long.toString(expiresAt.getEpochSecond()));
  }
}
