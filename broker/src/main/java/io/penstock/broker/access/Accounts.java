package io.penstock.broker.access;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.penstock.broker.access.Actor.Origin;
import io.penstock.broker.audit.Audit;
import io.penstock.broker.audit.AuditEvent;
import io.penstock.broker.config.BrokerConfig;
import io.penstock.broker.store.AlarmTable;
import io.penstock.broker.store.AlarmTable.Severity;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.SessionTable;
import io.penstock.broker.store.SessionTable.Rotation;
import io.penstock.broker.store.SessionTable.Session;
import io.penstock.broker.store.Tx;
import io.penstock.broker.store.UserTable;
import io.penstock.broker.store.UserTable.User;
import io.penstock.codec.seal.Octets;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.regex.Pattern;

/// People: sign-in, refresh, sign-out, and their accounts. Blocks; called on virtual threads.
///
/// A sign-in is a *session* row; access tokens name it and are good only while it lives, looked up
/// again at the latest five seconds later, so that sign-out and disabling take effect everywhere.
public final class Accounts {
  private static final Pattern EMAIL =
      Pattern.compile("[^\\s@\"\\\\<>]{1,64}@[A-Za-z0-9.-]{1,190}");
  private static final Duration FRESH = Duration.ofSeconds(5);

  private final Database database;
  private final UserTable users;
  private final SessionTable sessions = new SessionTable();
  private final AlarmTable alarms = new AlarmTable();
  private final Audit audit;
  private final Passwords passwords;
  private final AccessTokens tokens;
  private final BrokerConfig.Access limits;
  private final SecureRandom random;
  private final Clock clock;
  private final Attempts byAccount;
  private final Attempts bySource;
  private final Cache<UUID, Optional<Standing>> standings =
      Caffeine.newBuilder().maximumSize(10_000).expireAfterWrite(FRESH).build();

  public Accounts(
      Database database,
      UserTable users,
      Audit audit,
      Passwords passwords,
      AccessTokens tokens,
      BrokerConfig.Access limits,
      SecureRandom random,
      Clock clock) {
    this.database = database;
    this.users = users;
    this.audit = audit;
    this.passwords = passwords;
    this.tokens = tokens;
    this.limits = limits;
    this.random = random;
    this.clock = clock;
    byAccount = new Attempts(limits.loginsPerAccount(), limits.loginWindow());
    bySource = new Attempts(limits.loginsPerSource(), limits.loginWindow());
  }

  /// Whose session is live, and with which rights.
  private record Standing(String email, Role role, List<String> gatewayAccess) {}

  /// What a sign-in or refresh hands out. Secrets: never printed.
  public record SignedIn(
      String token, Instant expiresAt, String refreshToken, Instant sessionExpiresAt) {
    @Override
    public String toString() {
      return "SignedIn[secret, until " + expiresAt + "]";
    }
  }

  /// The outcome of a sign-in or refresh.
  public sealed interface SignIn {
    record Granted(SignedIn tokens) implements SignIn {}

    /// Wrong password, unknown, disabled, spoiled row: the caller is not told which.
    record Refused() implements SignIn {}

    record Limited(int retryAfterSeconds) implements SignIn {}
  }

  /// The outcome of a change to an account.
  public enum Change {
    DONE,
    UNKNOWN,
    TAKEN,
    LAST_ADMIN
  }

  public SignIn login(String email, String password, Origin origin) {
    String name = email.toLowerCase(Locale.ROOT);
    String source = origin.ip().orElse("");
    OptionalInt blocked = blocked(name, source);
    if (blocked.isPresent()) {
      audit.record(failure(name, origin, "blocked", "too many failed attempts"));
      return new SignIn.Limited(blocked.getAsInt());
    }
    // Counted before the slow check, so that guesses side by side do not slip past the limit.
    byAccount.failed(name);
    bySource.failed(source);
    Optional<User> user = database.transaction(tx -> users.find(tx, name));
    boolean right =
        passwords.matches(password, user.filter(User::intact).map(User::passwordHash).orElse(""));
    if (!right || user.orElseThrow().disabled()) {
      refused(name, user, origin);
      return new SignIn.Refused();
    }
    byAccount.succeeded(name);
    bySource.undo(source);
    return new SignIn.Granted(database.transaction(tx -> open(tx, user.orElseThrow(), origin)));
  }

  private OptionalInt blocked(String name, String source) {
    OptionalInt account = byAccount.blockedSeconds(name);
    return account.isPresent() ? account : bySource.blockedSeconds(source);
  }

  private void refused(String name, Optional<User> user, Origin origin) {
    boolean spoiled = user.isPresent() && !user.get().intact();
    database.run(
        tx -> {
          audit.record(tx, failure(name, origin, "denied", "invalid_credentials"));
          if (spoiled) {
            alarms.raise(
                tx,
                "database-tampered",
                Severity.CRITICAL,
                "user " + name,
                "the row of this user was changed behind the broker's back",
                clock.instant());
          }
        });
  }

  private static AuditEvent failure(String name, Origin origin, String result, String reason) {
    return AuditEvent.of("authentication.failure", result)
        .by(name)
        .because(reason)
        .from(origin.ip(), origin.userAgent(), Optional.of(origin.resource()));
  }

  private SignedIn open(Tx tx, User user, Origin origin) {
    Instant now = clock.instant();
    var session =
        new Session(
            UUID.randomUUID(), user.email(), now, now.plus(limits.sessionTtl()), Optional.empty());
    String refresh = newRefreshToken();
    sessions.open(tx, session, hash(refresh), origin.ip(), origin.userAgent());
    users.loggedIn(tx, user.email(), now);
    audit.record(
        tx,
        AuditEvent.of("authentication.success", "success")
            .by(user.email())
            .from(origin.ip(), origin.userAgent(), Optional.of(origin.resource())));
    return signedIn(user, session, refresh, now);
  }

  private SignedIn signedIn(User user, Session session, String refresh, Instant now) {
    Instant expires = now.plus(limits.tokenTtl());
    if (expires.isAfter(session.expiresAt())) {
      expires = session.expiresAt();
    }
    String token =
        tokens.forUser(user.email(), role(user), user.gatewayAccess(), session.id(), expires);
    return new SignedIn(token, expires, refresh, session.expiresAt());
  }

  /// Spends a refresh token. One that comes twice ends its whole session, with an alarm: somebody
  /// has a copy.
  public SignIn refresh(String refreshToken, Origin origin) {
    Instant now = clock.instant();
    String next = newRefreshToken();
    return database.transaction(
        tx ->
            switch (sessions.rotate(tx, hash(refreshToken), hash(next), now)) {
              case Rotation.Refused() -> new SignIn.Refused();
              case Rotation.Reused(Session session) -> {
                reused(tx, session, origin);
                yield new SignIn.Refused();
              }
              case Rotation.Rotated(Session session) ->
                  users
                      .find(tx, session.userEmail())
                      .filter(user -> user.intact() && !user.disabled())
                      .<SignIn>map(user -> new SignIn.Granted(signedIn(user, session, next, now)))
                      .orElseGet(SignIn.Refused::new);
            });
  }

  private void reused(Tx tx, Session session, Origin origin) {
    audit.record(tx, failure(session.userEmail(), origin, "blocked", "refresh_token_reuse"));
    alarms.raise(
        tx,
        "refresh-token-reused",
        Severity.HIGH,
        "user " + session.userEmail(),
        "a refresh token was used twice: the session is ended",
        clock.instant());
    tx.afterCommit(() -> standings.invalidate(session.id()));
  }

  public void logout(Actor actor) {
    database.run(
        tx -> {
          sessions.revoke(tx, actor.session(), "logout", clock.instant());
          audit.record(tx, event("authentication.logout", actor, actor.name()));
          tx.afterCommit(() -> standings.invalidate(actor.session()));
        });
  }

  /// The actor behind an access token; empty when it is none or its session is over.
  public Optional<Actor> authenticate(String token, Origin origin) {
    return tokens
        .verify(token)
        .filter(AccessTokens.Claims.OfUser.class::isInstance)
        .map(AccessTokens.Claims.OfUser.class::cast)
        .flatMap(
            claims ->
                standing(claims.session())
                    .filter(standing -> standing.email().equals(claims.email()))
                    .map(standing -> actor(standing, claims.session(), origin)));
  }

  private static Actor actor(Standing standing, UUID session, Origin origin) {
    return new Actor(
        standing.email(),
        standing.role(),
        standing.role().permissions(),
        standing.gatewayAccess(),
        session,
        origin);
  }

  private Optional<Standing> standing(UUID session) {
    Optional<Standing> known = standings.getIfPresent(session);
    if (known != null) {
      return known;
    }
    Optional<Standing> found = database.transaction(tx -> readStanding(tx, session));
    standings.put(session, found);
    return found;
  }

  private Optional<Standing> readStanding(Tx tx, UUID id) {
    Instant now = clock.instant();
    return sessions
        .find(tx, id)
        .filter(session -> session.isLive(now))
        .flatMap(session -> users.find(tx, session.userEmail()))
        .filter(user -> user.intact() && !user.disabled())
        .map(user -> new Standing(user.email(), role(user), user.gatewayAccess()));
  }

  public List<User> list() {
    return database.transaction(users::list);
  }

  public Optional<User> find(String email) {
    return database.transaction(tx -> users.find(tx, email.toLowerCase(Locale.ROOT)));
  }

  public static boolean isEmail(String text) {
    return EMAIL.matcher(text).matches();
  }

  public Change create(
      String email, Role role, String password, List<String> gatewayAccess, Actor by) {
    String name = email.toLowerCase(Locale.ROOT);
    String hash = passwords.hash(password);
    return database.transaction(
        tx -> {
          if (!users.insert(
              tx, name, role.stored(), hash, gatewayAccess, by.name(), clock.instant())) {
            return Change.TAKEN;
          }
          audit.record(tx, event("user.create", by, name).changing(Map.of("role", role.text())));
          return Change.DONE;
        });
  }

  public Change disable(String email, boolean disabled, Actor by) {
    String name = email.toLowerCase(Locale.ROOT);
    return database.transaction(
        tx -> {
          Optional<User> user = users.find(tx, name);
          if (user.isEmpty()) {
            return Change.UNKNOWN;
          }
          if (disabled && isLastAdmin(tx, user.get())) {
            return Change.LAST_ADMIN;
          }
          if (!users.changeDisabled(tx, name, disabled)) {
            return Change.UNKNOWN;
          }
          if (disabled) {
            sessions.revokeAllOf(tx, name, "disabled", clock.instant());
          }
          audit.record(tx, event(disabled ? "user.disable" : "user.enable", by, name));
          tx.afterCommit(standings::invalidateAll);
          return Change.DONE;
        });
  }

  public Change delete(String email, Actor by) {
    String name = email.toLowerCase(Locale.ROOT);
    return database.transaction(
        tx -> {
          Optional<User> user = users.find(tx, name);
          if (user.isEmpty()) {
            return Change.UNKNOWN;
          }
          if (isLastAdmin(tx, user.get())) {
            return Change.LAST_ADMIN;
          }
          users.delete(tx, name);
          audit.record(tx, event("user.delete", by, name));
          tx.afterCommit(standings::invalidateAll);
          return Change.DONE;
        });
  }

  private boolean isLastAdmin(Tx tx, User user) {
    return role(user) == Role.ADMIN && !user.disabled() && users.enabledAdmins(tx) <= 1;
  }

  /// The first start on an empty database: one Admin with a random password, shown once.
  public Optional<FirstAdmin> createFirstAdmin() {
    // A hash takes its time by intent, and nearly every start finds users.
    if (!database.transaction(users::isEmpty)) {
      return Optional.empty();
    }
    String password = passwords.generate();
    String hash = passwords.hash(password);
    String email = "admin@penstock.local";
    boolean created =
        database.transaction(
            tx -> {
              if (!users.isEmpty(tx)) {
                return false;
              }
              users.insert(
                  tx, email, Role.ADMIN.stored(), hash, List.of(), "penstock", clock.instant());
              audit.record(tx, AuditEvent.of("user.create", "success").by("penstock").on(email));
              return true;
            });
    return created ? Optional.of(new FirstAdmin(email, password)) : Optional.empty();
  }

  /// Shown once, on standard output.
  public record FirstAdmin(String email, String password) {
    @Override
    public String toString() {
      return "FirstAdmin[" + email + ", secret]";
    }
  }

  /// An event of what `by` did to `target`.
  public static AuditEvent event(String type, Actor by, String target) {
    return AuditEvent.of(type, "success")
        .by(by.name())
        .on(target)
        .from(by.origin().ip(), by.origin().userAgent(), Optional.of(by.origin().resource()));
  }

  /// What access tokens verify with, as a JWK set.
  public JsonObject publicKeys() {
    return tokens.publicKeys();
  }

  private static Role role(User user) {
    return Role.of(user.role()).orElse(Role.VIEWER);
  }

  private String newRefreshToken() {
    byte[] bytes = new byte[32];
    random.nextBytes(bytes);
    return "penr." + Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  private static Octets hash(String token) {
    return Octets.sha256(token.getBytes(StandardCharsets.UTF_8));
  }
}
