package io.penstock.broker.store;

import io.penstock.broker.keys.RowMac;
import io.penstock.codec.seal.Octets;
import io.vertx.sqlclient.Row;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// People who sign in. Every row carries an HMAC over what it grants; a row that fails it is
/// returned with `intact` false and must be denied.
public final class UserTable {
  private static final String TABLE = "users";

  /// Of rows that belong to somebody at a provider, so that none of the others is taken for one.
  private static final String OIDC = "users of a provider";
  private static final String COLUMNS =
      "email, role, password_hash, disabled, gateway_access, created_at, created_by, last_login_at,"
          + " row_version, mac, oidc_issuer, oidc_subject";

  private final RowMac rowMac;

  public UserTable(RowMac rowMac) {
    this.rowMac = rowMac;
  }

  /// Who somebody is at an identity provider, whatever their address becomes.
  public record OidcIdentity(String issuer, String subject) {}

  /// `email` in lower case. An empty `passwordHash` lets nobody in by password.
  public record User(
      String email,
      String role,
      String passwordHash,
      boolean disabled,
      List<String> gatewayAccess,
      Instant createdAt,
      String createdBy,
      Optional<Instant> lastLoginAt,
      long rowVersion,
      boolean intact,
      Optional<OidcIdentity> oidc) {
    public User {
      gatewayAccess = List.copyOf(gatewayAccess);
    }

    @Override
    public String toString() {
      return "User["
          + email
          + ", "
          + role
          + (disabled ? ", disabled" : "")
          + (intact ? "" : ", tampered")
          + "]";
    }
  }

  /// False when the address is taken.
  public boolean insert(
      Tx tx,
      String email,
      String role,
      String passwordHash,
      List<String> gatewayAccess,
      String by,
      Instant at) {
    return insert(
        tx,
        new User(
            email,
            role,
            passwordHash,
            false,
            gatewayAccess,
            at,
            by,
            Optional.empty(),
            1,
            true,
            Optional.empty()));
  }

  /// One who has no password; false when the address or the identity is taken.
  public boolean insertOidc(
      Tx tx, String email, String role, OidcIdentity identity, String by, Instant at) {
    return insert(
        tx,
        new User(
            email,
            role,
            "",
            false,
            List.of(),
            at,
            by,
            Optional.empty(),
            1,
            true,
            Optional.of(identity)));
  }

  private boolean insert(Tx tx, User user) {
    return tx.update(
            """
            insert into users (email, role, password_hash, gateway_access, created_at, created_by, mac, oidc_issuer, oidc_subject)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing\
            """,
            user.email(),
            user.role(),
            user.passwordHash(),
            user.gatewayAccess(),
            user.createdAt(),
            user.createdBy(),
            mac(user),
            user.oidc().map(OidcIdentity::issuer),
            user.oidc().map(OidcIdentity::subject))
        == 1;
  }

  public Optional<User> find(Tx tx, OidcIdentity identity) {
    return tx.one(
            "select " + COLUMNS + " from users where oidc_issuer = $1 and oidc_subject = $2",
            identity.issuer(),
            identity.subject())
        .map(this::read);
  }

  public Optional<User> find(Tx tx, String email) {
    return tx.one("select " + COLUMNS + " from users where email = $1", email).map(this::read);
  }

  /// [#find], and nobody else changes the row until the transaction ends.
  public Optional<User> findForUpdate(Tx tx, String email) {
    return tx.one("select " + COLUMNS + " from users where email = $1 for update", email)
        .map(this::read);
  }

  public List<User> list(Tx tx) {
    var users = new ArrayList<User>();
    tx.query("select " + COLUMNS + " from users order by email")
        .forEach(row -> users.add(read(row)));
    return users;
  }

  public boolean isEmpty(Tx tx) {
    return tx.one("select 1 from users limit 1").isEmpty();
  }

  /// How many could still administer everything. None of them changes until the transaction ends,
  /// so two of them cannot take away each other at once.
  public long enabledAdmins(Tx tx) {
    return tx.query(
            "select email from users where role = 'admin' and not disabled and gateway_access ="
                + " '{}' order by email for update")
        .size();
  }

  public boolean changeRights(Tx tx, String email, String role, List<String> gatewayAccess) {
    return change(
        tx, email, old -> with(old, role, gatewayAccess, old.passwordHash(), old.disabled()));
  }

  public boolean changeDisabled(Tx tx, String email, boolean disabled) {
    return change(
        tx, email, old -> with(old, old.role(), old.gatewayAccess(), old.passwordHash(), disabled));
  }

  public boolean changePassword(Tx tx, String email, String passwordHash) {
    return change(
        tx, email, old -> with(old, old.role(), old.gatewayAccess(), passwordHash, old.disabled()));
  }

  public boolean delete(Tx tx, String email) {
    return tx.update("delete from users where email = $1", email) == 1;
  }

  public void loggedIn(Tx tx, String email, Instant at) {
    tx.update("update users set last_login_at = $2 where email = $1", email, at);
  }

  private interface Change {
    User of(User old);
  }

  /// A row that was tampered with is not made good by changing it.
  private boolean change(Tx tx, String email, Change change) {
    Optional<User> old = findForUpdate(tx, email).filter(User::intact);
    if (old.isEmpty()) {
      return false;
    }
    User next = change.of(old.get());
    return tx.update(
            "update users set role = $2, password_hash = $3, disabled = $4, row_version = $5, mac ="
                + " $6, gateway_access = $7 where email = $1",
            email,
            next.role(),
            next.passwordHash(),
            next.disabled(),
            next.rowVersion(),
            mac(next),
            next.gatewayAccess())
        == 1;
  }

  private static User with(
      User old, String role, List<String> gatewayAccess, String passwordHash, boolean disabled) {
    return new User(
        old.email(),
        role,
        passwordHash,
        disabled,
        gatewayAccess,
        old.createdAt(),
        old.createdBy(),
        old.lastLoginAt(),
        old.rowVersion() + 1,
        true,
        old.oidc());
  }

  private User read(Row row) {
    var user =
        new User(
            Values.text(row, "email"),
            Values.text(row, "role"),
            Values.text(row, "password_hash"),
            Values.flag(row, "disabled"),
            Values.list(row, "gateway_access"),
            Values.instant(row, "created_at"),
            Values.text(row, "created_by"),
            Values.optionalInstant(row, "last_login_at"),
            Values.number(row, "row_version"),
            true,
            identity(row));
    if (Values.octets(row, "mac").equals(mac(user))) {
      return user;
    }
    return new User(
        user.email(),
        user.role(),
        user.passwordHash(),
        user.disabled(),
        user.gatewayAccess(),
        user.createdAt(),
        user.createdBy(),
        user.lastLoginAt(),
        user.rowVersion(),
        false,
        user.oidc());
  }

  /// Half of one is none; the row's HMAC does not hold then.
  private static Optional<OidcIdentity> identity(Row row) {
    return Values.optionalText(row, "oidc_issuer")
        .flatMap(
            issuer ->
                Values.optionalText(row, "oidc_subject")
                    .map(subject -> new OidcIdentity(issuer, subject)));
  }

  private Octets mac(User user) {
    return rowMac.of(user.oidc().isPresent() ? OIDC : TABLE, granted(user));
  }

  private static List<String> granted(User user) {
    var fields =
        new ArrayList<>(
            List.of(
                user.email(),
                Long.toString(user.rowVersion()),
                user.role(),
                user.passwordHash(),
                Boolean.toString(user.disabled())));
    user.oidc()
        .ifPresent(
            identity -> {
              fields.add(identity.issuer());
              fields.add(identity.subject());
            });
    fields.addAll(user.gatewayAccess());
    return fields;
  }
}
