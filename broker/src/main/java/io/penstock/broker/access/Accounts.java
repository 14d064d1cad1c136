package io.penstock.broker.access;

import io.penstock.broker.access.AccessNews.News;
import io.penstock.broker.access.Actor.Origin;
import io.penstock.broker.access.Standings.Standing;
import io.penstock.broker.audit.Audit;
import io.penstock.broker.audit.AuditEvent;
import io.penstock.broker.config.BrokerConfig;
import io.penstock.broker.config.OidcConfig;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.KnownSourceTable;
import io.penstock.broker.store.SessionTable;
import io.penstock.broker.store.Tx;
import io.penstock.broker.store.UserTable;
import io.penstock.broker.store.UserTable.User;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// People: their accounts and rights, and who is behind a token. Blocks; called on virtual threads.
public final class Accounts {
  public static final String EXPECTED_EMAIL =
      "an address such as name@example.com, before the @ at most 64 of A-Z a-z 0-9 . _ ~ + : -";

  /// What a path of the API can name.
  private static final Pattern EMAIL =
      Pattern.compile("[A-Za-z0-9._~+:-]{1,64}@[A-Za-z0-9.-]{1,190}");

  /// Of these too there may be users, from before.
  private static final Pattern ANY_EMAIL =
      Pattern.compile("[^\\s\\p{Cntrl}@\"\\\\<>]{1,64}@[A-Za-z0-9.-]{1,190}");

  /// Beyond any deadline of the database's own.
  private static final Duration UNHURRIED = Duration.ofMinutes(1);

  private final Database database;
  private final UserTable users;
  private final SessionTable sessions = new SessionTable();
  private final KnownSourceTable knownSources = new KnownSourceTable();
  private final Audit audit;
  private final Passwords passwords;
  private final AccessTokens tokens;
  private final AccessNews news;
  private final Clock clock;
  private final Standings standings;
  private final SessionWatches watches;
  private final SignIns signIns;
  private final BrokerConfig.Access limits;
  private final SecureRandom random;
  private final RefusalLog refusals;
  private final Reach reach;

  public Accounts(
      Database database,
      UserTable users,
      Audit audit,
      Passwords passwords,
      AccessTokens tokens,
      AccessNews news,
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
    standings = new Standings(database, users, news, clock);
    watches = new SessionWatches(standings, news);
    reach = new Reach(database);
    refusals = new RefusalLog(audit, System::nanoTime);
    signIns =
        new SignIns(
            database, users, audit, passwords, tokens, news, refusals, limits, random, clock);
  }

  /// The outcome of a change to an account.
  public enum Change {
    DONE,
    UNKNOWN,
    TAKEN,
    LAST_ADMIN,
    /// They sign in by an identity provider.
    NO_PASSWORD
  }

  public SignIns signIns() {
    return signIns;
  }

  /// Signing in by an identity provider.
  ///
  /// @param externalUrl what browsers reach this broker by, unless `config` knows better
  public OidcSignIns oidc(Vertx vertx, OidcConfig config, String externalUrl) {
    return new OidcSignIns(
        vertx,
        database,
        users,
        audit,
        signIns,
        refusals,
        news,
        limits,
        config,
        config.consoleUrl().orElse(externalUrl) + "/api/v1/auth/oidc/callback",
        random,
        clock);
  }

  /// For what goes on after its request was answered.
  public SessionWatches watches() {
    return watches;
  }

  /// The actor behind an access token; empty when it is none or its session is over.
  public Optional<Actor> authenticate(String token, Origin origin) {
    return tokens
        .verify(token)
        .filter(AccessTokens.Claims.OfUser.class::isInstance)
        .map(AccessTokens.Claims.OfUser.class::cast)
        .flatMap(claims -> standing(claims, UNHURRIED))
        .filter(standing -> isUsableFrom(standing, origin))
        .map(standing -> actor(standing, origin));
  }

  /// Whether the sign-in is bound to no other address.
  boolean isUsableFrom(Standing standing, Origin origin) {
    return signIns.isBoundTo(standing.address(), origin);
  }

  /// Whether one of our keys signed this token and it is not expired; whether it lets somebody in
  /// is another question.
  public boolean isOurs(String token) {
    return tokens.verify(token).isPresent();
  }

  /// A token that let nobody in.
  public void refused(Origin origin) {
    refusals.ofToken(
        AuditEvent.of("authentication.failure", "denied")
            .because("invalid_token")
            .from(origin.ip(), origin.userAgent(), Optional.of(origin.resource())));
  }

  /// Writes how many refusals were not written one by one; called every ten seconds.
  public void writeCounts() {
    refusals.flush();
  }

  /// Whom a verified token stands for now.
  ///
  /// @param limit how long the database may take
  Optional<Standing> standing(AccessTokens.Claims.OfUser claims, Duration limit) {
    return standings
        .of(claims.session(), limit)
        .filter(standing -> standing.email().equals(claims.email()));
  }

  /// Whether `agent` is one, for `actor`. Everything that is about one agent asks here.
  public boolean sees(Actor actor, String agent) {
    return actor.scope().isEverything()
        || database.transaction(tx -> reach.holds(tx, actor.scope(), agent));
  }

  /// The agents of somebody's scope; empty = every one.
  public Optional<List<String>> agentsOf(Tx tx, Actor actor) {
    return actor.scope().isEverything()
        ? Optional.empty()
        : Optional.of(reach.agents(tx, actor.scope()));
  }

  /// Who has all of `permissions` and reaches all of `agents` now, by name.
  public List<String> whoMay(Set<Permission> permissions, List<String> agents) {
    return database.transaction(
        tx ->
            users.list(tx).stream()
                .filter(user -> user.intact() && !user.disabled())
                .filter(user -> may(tx, user, permissions, agents))
                .map(User::email)
                .toList());
  }

  private boolean may(Tx tx, User user, Set<Permission> permissions, List<String> agents) {
    var scope = new Scope(user.gatewayAccess());
    return role(user).permissionsWithin(scope).containsAll(permissions)
        && (scope.isEverything() || agents.stream().allMatch(one -> reach.holds(tx, scope, one)));
  }

  private static Actor actor(Standing standing, Origin origin) {
    return new Actor(
        standing.email(),
        standing.role(),
        standing.role().permissionsWithin(standing.scope()),
        standing.scope().entries(),
        standing.session(),
        origin);
  }

  public List<User> list() {
    return database.transaction(users::list);
  }

  public Optional<User> find(String email) {
    return database.transaction(tx -> users.find(tx, email.toLowerCase(Locale.ROOT)));
  }

  /// Whether a user may have this address.
  public static boolean isEmail(String text) {
    return EMAIL.matcher(text).matches();
  }

  /// Whether there is any use in looking for a user of this address.
  static boolean mayBeEmail(String text) {
    return ANY_EMAIL.matcher(text).matches();
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
          audit.record(
              tx,
              event("user.create", by, name)
                  .changing(Map.of("role", role.text(), "gateway_access", gatewayAccess)));
          return Change.DONE;
        });
  }

  public Change disable(String email, boolean disabled, Actor by) {
    String name = email.toLowerCase(Locale.ROOT);
    return database.transaction(
        tx -> {
          Optional<User> user = locked(tx, name, disabled);
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
          news.tell(tx, new News.OfUser(name));
          return Change.DONE;
        });
  }

  /// A new role or scope; running sessions have it at once.
  ///
  /// @param role empty = stays
  /// @param gatewayAccess empty = stays; an empty list = every agent
  public Change change(
      String email, Optional<Role> role, Optional<List<String>> gatewayAccess, Actor by) {
    String name = email.toLowerCase(Locale.ROOT);
    return database.transaction(
        tx -> {
          boolean mayCostAnAdmin =
              role.filter(next -> next != Role.ADMIN).isPresent()
                  || gatewayAccess.filter(next -> !next.isEmpty()).isPresent();
          Optional<User> found = locked(tx, name, mayCostAnAdmin);
          if (found.isEmpty()) {
            return Change.UNKNOWN;
          }
          User old = found.get();
          Role nextRole = role.orElse(role(old));
          List<String> nextAccess = gatewayAccess.orElse(old.gatewayAccess());
          boolean staysAdmin = nextRole == Role.ADMIN && nextAccess.isEmpty();
          if (!staysAdmin && isLastAdmin(tx, old)) {
            return Change.LAST_ADMIN;
          }
          if (!users.changeRights(tx, name, nextRole.stored(), nextAccess)) {
            return Change.UNKNOWN;
          }
          audit.record(
              tx,
              event("user.update", by, name)
                  .changing(
                      Map.of(
                          "role",
                          Map.of("old", role(old).text(), "new", nextRole.text()),
                          "gateway_access",
                          Map.of("old", old.gatewayAccess(), "new", nextAccess))));
          news.tell(tx, new News.OfUser(name));
          return Change.DONE;
        });
  }

  /// Ends every session of that person.
  public Change setPassword(String email, String password, Actor by) {
    String name = email.toLowerCase(Locale.ROOT);
    String hash = passwords.hash(password);
    return database.transaction(
        tx -> {
          if (users.findForUpdate(tx, name).flatMap(User::oidc).isPresent()) {
            return Change.NO_PASSWORD;
          }
          if (!users.changePassword(tx, name, hash)) {
            return Change.UNKNOWN;
          }
          sessions.revokeAllOf(tx, name, "password", clock.instant());
          knownSources.forget(tx, name);
          tx.afterCommit(() -> signIns.forgive(name));
          audit.record(tx, event("user.password", by, name));
          news.tell(tx, new News.OfUser(name));
          return Change.DONE;
        });
  }

  public Change delete(String email, Actor by) {
    String name = email.toLowerCase(Locale.ROOT);
    return database.transaction(
        tx -> {
          Optional<User> user = locked(tx, name, true);
          if (user.isEmpty()) {
            return Change.UNKNOWN;
          }
          if (isLastAdmin(tx, user.get())) {
            return Change.LAST_ADMIN;
          }
          users.delete(tx, name);
          audit.record(tx, event("user.delete", by, name));
          news.tell(tx, new News.OfUser(name));
          return Change.DONE;
        });
  }

  /// As the user is until the transaction ends. The Admins are locked before, so that two changes
  /// never hold one each and wait for the other's.
  private Optional<User> locked(Tx tx, String name, boolean mayCostAnAdmin) {
    if (mayCostAnAdmin) {
      users.enabledAdmins(tx);
    }
    return users.findForUpdate(tx, name);
  }

  private boolean isLastAdmin(Tx tx, User user) {
    return role(user) == Role.ADMIN
        && !user.disabled()
        && user.gatewayAccess().isEmpty()
        && users.enabledAdmins(tx) <= 1;
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
        .agreedBy(by.approvedBy())
        .from(by.origin().ip(), by.origin().userAgent(), Optional.of(by.origin().resource()));
  }

  /// What access tokens verify with, as a JWK set.
  public JsonObject publicKeys() {
    return tokens.publicKeys();
  }

  static Role role(User user) {
    return Role.of(user.role()).orElse(Role.VIEWER);
  }
}
