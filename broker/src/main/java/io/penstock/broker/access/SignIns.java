package io.penstock.broker.access;

import io.penstock.broker.access.AccessNews.News;
import io.penstock.broker.access.Actor.Origin;
import io.penstock.broker.audit.Audit;
import io.penstock.broker.audit.AuditEvent;
import io.penstock.broker.config.BrokerConfig;
import io.penstock.broker.store.AlarmKind;
import io.penstock.broker.store.AlarmTable;
import io.penstock.broker.store.AlarmTable.Cause;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.KnownSourceTable;
import io.penstock.broker.store.SessionTable;
import io.penstock.broker.store.SessionTable.Rotation;
import io.penstock.broker.store.SessionTable.Session;
import io.penstock.broker.store.Tx;
import io.penstock.broker.store.UserTable;
import io.penstock.broker.store.UserTable.User;
import io.penstock.codec.seal.Octets;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.regex.Pattern;

/// Signing in, staying signed in, signing out. Blocks; called on virtual threads.
///
/// A sign-in is a *session* row; access tokens name it and are good only while it lives. It is
/// refreshed by a token that works once: shown a second time, it ends the session, because one of
/// its two holders is a thief.
public final class SignIns {
  private static final Duration KEPT = Duration.ofDays(30);
  private static final Duration FAMILIAR = Duration.ofDays(90);
  private static final int BUSY_SECONDS = 2;
  private static final Pattern REFRESH_TOKEN = Pattern.compile("penr\\.[A-Za-z0-9_-]{43}");

  private final Database database;
  private final UserTable users;
  private final SessionTable sessions = new SessionTable();
  private final AlarmTable alarms = new AlarmTable();
  private final Audit audit;
  private final Passwords passwords;
  private final AccessTokens tokens;
  private final AccessNews news;
  private final BrokerConfig.Access limits;
  private final SecureRandom random;
  private final Clock clock;
  private final KnownSourceTable knownSources = new KnownSourceTable();
  private final SignInGate gate;
  private final RefusalLog refusals;

  SignIns(
      Database database,
      UserTable users,
      Audit audit,
      Passwords passwords,
      AccessTokens tokens,
      AccessNews news,
      RefusalLog refusals,
      BrokerConfig.Access limits,
      SecureRandom random,
      Clock clock) {
    this.database = database;
    this.users = users;
    this.audit = audit;
    this.passwords = passwords;
    this.tokens = tokens;
    this.news = news;
    this.limits = limits;
    this.random = random;
    this.clock = clock;
    this.refusals = refusals;
    gate = new SignInGate(limits);
  }

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

    /// Too many passwords are being looked at: nothing was decided.
    record Busy(int retryAfterSeconds) implements SignIn {}
  }

  /// Who wants to sign in, and whether they did from there before.
  private record Found(Optional<User> user, boolean familiar) {
    static final Found NOBODY = new Found(Optional.empty(), false);

    /// None for whom no password lets in: looking at theirs takes as long, and finds it wrong.
    String hash() {
      return user.filter(SignIns::mayEnter).map(User::passwordHash).orElse("");
    }
  }

  private static boolean mayEnter(User user) {
    return user.intact() && !user.disabled();
  }

  /// The limits on guesses, as one of them meets them.
  private final class Guessing implements Passwords.Guess {
    private final String name;
    private final String source;
    private final boolean familiar;

    Guessing(String name, String source, boolean familiar) {
      this.name = name;
      this.source = source;
      this.familiar = familiar;
    }

    OptionalInt blocked() {
      return gate.blocked(name, source, familiar);
    }

    @Override
    public boolean mayBeMade() {
      return blocked().isEmpty();
    }

    @Override
    public void wasWrong() {
      gate.failed(name, source, familiar);
    }
  }

  public SignIn login(String email, String password, Origin origin) {
    String name = email.toLowerCase(Locale.ROOT);
    String source = Sources.of(origin.ip());
    OptionalInt blocked = gate.blocked(name, source);
    if (blocked.isPresent()) {
      return limited(name, origin, blocked.getAsInt());
    }
    // What is no address names nobody, and is perhaps a password in the wrong field.
    Found found =
        Accounts.mayBeEmail(name)
            ? database.transaction(tx -> find(tx, name, source))
            : Found.NOBODY;
    var guess = new Guessing(name, source, found.familiar());
    OptionalInt later = guess.blocked();
    if (later.isPresent()) {
      return limited(name, origin, later.getAsInt());
    }
    return switch (passwords.check(password, found.hash(), found.familiar(), guess)) {
      case BUSY -> new SignIn.Busy(BUSY_SECONDS);
      case CALLED_OFF -> limited(name, origin, guess.blocked().orElse(1));
      case WRONG -> refused(name, found, origin);
      case RIGHT -> granted(found, name, source, origin);
    };
  }

  private Found find(Tx tx, String name, String source) {
    Instant since = clock.instant().minus(FAMILIAR);
    return new Found(users.find(tx, name), knownSources.isKnown(tx, name, source, since));
  }

  private SignIn limited(String name, Origin origin, int seconds) {
    refusals.ofSignIn(failure(name, origin, "blocked", "too many failed attempts"));
    return new SignIn.Limited(seconds);
  }

  /// What was looked at may be over by now: an Admin's new password or disabling that is committed
  /// in the meantime wins, and one that comes later finds the new session and ends it.
  private SignIn granted(Found found, String name, String source, Origin origin) {
    String matched = found.hash();
    Optional<SignedIn> opened =
        database.transaction(
            tx ->
                users
                    .findForUpdate(tx, name)
                    .filter(user -> mayEnter(user) && user.passwordHash().equals(matched))
                    .map(
                        user -> {
                          knownSources.seen(tx, name, source, clock.instant());
                          return open(tx, user, origin, Map.of());
                        }));
    if (opened.isEmpty()) {
      return refused(name, found, origin);
    }
    gate.succeeded(name, source);
    return new SignIn.Granted(opened.get());
  }

  private SignIn refused(String name, Found found, Origin origin) {
    refusals.ofSignIn(failure(name, origin, "denied", "invalid_credentials"));
    if (found.user().filter(user -> !user.intact()).isPresent()) {
      tampered(name);
    }
    return new SignIn.Refused();
  }

  void tampered(String name) {
    database.run(
        tx ->
            alarms.raise(
                tx,
                AlarmKind.DATABASE_TAMPERED,
                "user " + name,
                "the row of this user was changed behind the broker's back",
                clock.instant()));
  }

  private static AuditEvent failure(String name, Origin origin, String result, String reason) {
    AuditEvent event =
        AuditEvent.of("authentication.failure", result)
            .because(reason)
            .from(origin.ip(), origin.userAgent(), Optional.of(origin.resource()));
    return Accounts.mayBeEmail(name) ? event.by(name) : event;
  }

  /// @param how for the audit trail
  SignedIn open(Tx tx, User user, Origin origin, Map<String, Object> how) {
    // As the database will tell it.
    Instant now = clock.instant().truncatedTo(ChronoUnit.MICROS);
    var session =
        new Session(
            UUID.randomUUID(),
            user.email(),
            now,
            now.plus(limits.sessionTtl()),
            origin.ip(),
            Optional.empty());
    String refresh = newRefreshToken();
    sessions.open(tx, session, hash(refresh), origin.userAgent());
    users.loggedIn(tx, user.email(), now);
    audit.record(
        tx,
        AuditEvent.of("authentication.success", "success")
            .by(user.email())
            .changing(how)
            .from(origin.ip(), origin.userAgent(), Optional.of(origin.resource())));
    return signedIn(user, session, refresh, now);
  }

  private SignedIn signedIn(User user, Session session, String refresh, Instant now) {
    Instant expires = now.plus(limits.tokenTtl());
    if (expires.isAfter(session.expiresAt())) {
      expires = session.expiresAt();
    }
    String token =
        tokens.forUser(
            user.email(), Accounts.role(user), user.gatewayAccess(), session.id(), expires);
    return new SignedIn(token, expires, refresh, session.expiresAt());
  }

  /// Spends a refresh token. One that comes twice ends its whole session, with an alarm: somebody
  /// has a copy. There is no limit on guesses: nobody guesses 256 bits.
  public SignIn refresh(String refreshToken, Origin origin) {
    SignIn outcome =
        REFRESH_TOKEN.matcher(refreshToken).matches()
            ? rotated(refreshToken, origin)
            : new SignIn.Refused();
    if (outcome instanceof SignIn.Refused) {
      refusals.ofToken(failure("", origin, "denied", "invalid_refresh_token"));
    }
    return outcome;
  }

  private SignIn rotated(String refreshToken, Origin origin) {
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
              case Rotation.Rotated(Session session) -> rotated(tx, session, next, origin);
            });
  }

  private SignIn rotated(Tx tx, Session session, String next, Origin origin) {
    Instant now = clock.instant();
    if (!isBoundTo(session.remoteIp(), origin)) {
      sessions.revoke(tx, session.id(), "address", now);
      news.tell(tx, new News.OfSession(session.id()));
      return new SignIn.Refused();
    }
    return users
        .find(tx, session.userEmail())
        .filter(SignIns::mayEnter)
        .<SignIn>map(user -> new SignIn.Granted(signedIn(user, session, next, now)))
        .orElseGet(SignIn.Refused::new);
  }

  boolean bindsSessions() {
    return limits.sessionBinding() != BrokerConfig.SessionBinding.NONE;
  }

  /// Whether a sign-in from `address` may be used by `origin`.
  boolean isBoundTo(Optional<String> address, Origin origin) {
    return !bindsSessions() || address.equals(origin.ip());
  }

  private void reused(Tx tx, Session session, Origin origin) {
    audit.record(tx, failure(session.userEmail(), origin, "blocked", "refresh_token_reuse"));
    alarms.raise(
        tx,
        Cause.of(
                AlarmKind.REFRESH_TOKEN_REUSED,
                AlarmKind.About.USER.subject(session.userEmail()),
                "a refresh token was used twice: the session is ended")
            .from(origin.ip()),
        clock.instant());
    news.tell(tx, new News.OfSession(session.id()));
  }

  public void logout(Actor actor) {
    database.run(
        tx -> {
          sessions.revoke(tx, actor.session(), "logout", clock.instant());
          audit.record(tx, Accounts.event("authentication.logout", actor, actor.name()));
          news.tell(tx, new News.OfSession(actor.session()));
        });
  }

  /// Ends the session that a refresh token belongs to, also one that is spent.
  ///
  /// @return false when there is none, or it ended before
  public boolean logout(String refreshToken, Origin origin) {
    return REFRESH_TOKEN.matcher(refreshToken).matches()
        && database.transaction(
            tx ->
                sessions
                    .ofRefreshToken(tx, hash(refreshToken))
                    .filter(found -> found.isLive(clock.instant()))
                    .map(found -> ended(tx, found, origin))
                    .orElse(false));
  }

  private boolean ended(Tx tx, Session session, Origin origin) {
    String name = session.userEmail();
    sessions.revoke(tx, session.id(), "logout", clock.instant());
    audit.record(
        tx,
        AuditEvent.of("authentication.logout", "success")
            .by(name)
            .on(name)
            .from(origin.ip(), origin.userAgent(), Optional.of(origin.resource())));
    news.tell(tx, new News.OfSession(session.id()));
    return true;
  }

  /// The outcome of a change of one's own password.
  public sealed interface PasswordChange {
    record Done() implements PasswordChange {}

    record WrongPassword() implements PasswordChange {}

    /// The session that asked ended in the meantime.
    record SignedOut() implements PasswordChange {}

    record Limited(int retryAfterSeconds) implements PasswordChange {}
  }

  /// Ends every other session of this person: whoever knew the old one is out.
  public PasswordChange changePassword(String old, String next, Actor by) {
    String name = by.name();
    // Somebody who found a signed-in screen must not guess here without limit.
    String source = Sources.of(by.origin().ip());
    OptionalInt blocked = gate.blocked(name, source);
    if (blocked.isPresent()) {
      return new PasswordChange.Limited(blocked.getAsInt());
    }
    var found = new Found(database.transaction(tx -> users.find(tx, name)), true);
    var guess = new Guessing(name, source, true);
    return switch (passwords.check(old, found.hash(), true, guess)) {
      case BUSY -> new PasswordChange.Limited(BUSY_SECONDS);
      case CALLED_OFF -> new PasswordChange.Limited(guess.blocked().orElse(1));
      case WRONG -> {
        refusals.ofSignIn(failure(name, by.origin(), "denied", "invalid_credentials"));
        yield new PasswordChange.WrongPassword();
      }
      case RIGHT -> {
        gate.succeeded(name, source);
        String hash = passwords.hash(next);
        yield database.transaction(tx -> change(tx, found.hash(), hash, by));
      }
    };
  }

  /// @param old the hash that the old password matched: a new one that an Admin set meanwhile stays
  private PasswordChange change(Tx tx, String old, String next, Actor by) {
    String name = by.name();
    Instant now = clock.instant();
    boolean unchanged =
        users
            .findForUpdate(tx, name)
            .filter(user -> mayEnter(user) && user.passwordHash().equals(old))
            .isPresent();
    boolean signedIn =
        sessions.findAll(tx, List.of(by.session())).stream().anyMatch(it -> it.isLive(now));
    if (!signedIn) {
      return new PasswordChange.SignedOut();
    }
    if (!unchanged || !users.changePassword(tx, name, next)) {
      return new PasswordChange.WrongPassword();
    }
    sessions.revokeOthersOf(tx, name, by.session(), "password", now);
    audit.record(tx, Accounts.event("user.password", by, name));
    news.tell(tx, new News.OfUser(name));
    return new PasswordChange.Done();
  }

  /// An Admin vouches: guesses at this account from unfamiliar places count anew.
  void forgive(String name) {
    gate.forgive(name);
  }

  /// Sessions that ended long ago go; the audit trail tells of them.
  public void dropOld() {
    database.transaction(tx -> sessions.dropExpired(tx, clock.instant().minus(KEPT)));
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
