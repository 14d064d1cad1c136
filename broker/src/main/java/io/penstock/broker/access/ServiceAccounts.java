package io.penstock.broker.access;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.penstock.broker.access.AccessNews.News;
import io.penstock.broker.access.AccessTokens.Claims;
import io.penstock.broker.access.Actor.Origin;
import io.penstock.broker.audit.Audit;
import io.penstock.broker.store.AlarmKind;
import io.penstock.broker.store.AlarmTable;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.ServiceAccountTable;
import io.penstock.broker.store.ServiceAccountTable.Grant;
import io.penstock.broker.store.ServiceAccountTable.ServiceAccount;
import io.penstock.broker.store.ServiceAccountTable.ServiceToken;
import io.penstock.broker.store.StoreUnavailableException;
import io.penstock.broker.store.Tx;
import io.penstock.codec.seal.Octets;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/// Cloud services: their accounts, their tokens, and who stands behind a token at the edge.
///
/// [#known] never blocks: it answers from what was looked up at most five seconds ago.
public final class ServiceAccounts {
  private static final Duration FRESH = Duration.ofSeconds(5);
  private static final Duration OUTAGE = Duration.ofMinutes(10);
  private static final Duration LOOK_UP = Duration.ofSeconds(2);
  // A look-up asks the database up to twice.
  private static final Duration OTHERS_LOOK_UP = LOOK_UP.multipliedBy(3);
  private static final int BAD_TOKENS = 50;
  private static final Duration BAD_TOKEN_WINDOW = Duration.ofSeconds(10);
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,62}");

  private final Database database;
  private final ServiceAccountTable table;
  private final AlarmTable alarms = new AlarmTable();
  private final Audit audit;
  private final AccessTokens tokens;
  private final Accounts accounts;
  private final AccessNews news;
  private final Clock clock;
  private final Reach reach;
  private final Attempts badTokens = new Attempts(BAD_TOKENS, BAD_TOKEN_WINDOW);
  private final SharedLookUps<Asked, Optional<Seen>> lookUps =
      new SharedLookUps<>(
          OTHERS_LOOK_UP,
          () -> new StoreUnavailableException("a look-up of the same token does not end"));
  private final TokenUses uses;
  private final AtomicLong missed = new AtomicLong();
  private final Cache<Octets, Seen> seen =
      Caffeine.newBuilder().maximumSize(10_000).expireAfterWrite(OUTAGE).build();
  private volatile Instant awayUntil = Instant.EPOCH;

  public ServiceAccounts(
      Database database,
      ServiceAccountTable table,
      Audit audit,
      AccessTokens tokens,
      Accounts accounts,
      AccessNews news,
      Clock clock) {
    this.database = database;
    this.table = table;
    this.audit = audit;
    this.tokens = tokens;
    this.accounts = accounts;
    this.news = news;
    this.clock = clock;
    reach = new Reach(database);
    uses = new TokenUses(database, table);
    news.listen(this::heard);
  }

  /// Who invokes, and which `site/system`s.
  ///
  /// @param systems `site/system` or `site/*`; `*` = all, for people with the right
  public record Invoker(String name, List<String> systems) {
    public Invoker {
      systems = List.copyOf(systems);
    }

    public boolean mayInvoke(String site, String system) {
      for (String pattern : systems) {
        if (matches(pattern, site, system)) {
          return true;
        }
      }
      return false;
    }

    private static boolean matches(String pattern, String site, String system) {
      if (pattern.equals("*")) {
        return true;
      }
      int slash = pattern.indexOf('/');
      if (slash != site.length() || !pattern.startsWith(site)) {
        return false;
      }
      return pattern.endsWith("/*")
          || (pattern.startsWith(system, slash + 1)
              && pattern.length() == slash + 1 + system.length());
    }
  }

  /// Whose rights a look-up read.
  private sealed interface Subject {
    record OfService(String account) implements Subject {}

    record OfUser(String email, UUID session) implements Subject {}
  }

  /// What a look-up found. Nothing outlives the token itself, the database away or not.
  ///
  /// @param at when the database said so
  /// @param missed how often news might have been missed until then
  private record Seen(
      Invoker invoker, Subject subject, Instant at, Instant expiresAt, long missed) {
    boolean holds(Instant now, Duration within) {
      return now.isBefore(at.plus(within)) && now.isBefore(expiresAt);
    }
  }

  /// What may share one look-up.
  ///
  /// @param from where it matters
  /// @param news how much was heard before: who asks after news does not get an answer from before
  private record Asked(Octets token, Optional<String> from, long news) {}

  private void heard(News it) {
    switch (it) {
      case News.OfService(String account) -> forget(new Subject.OfService(account)::equals);
      case News.OfUser(String email) ->
          forget(of -> of instanceof Subject.OfUser user && user.email().equals(email));
      case News.OfSession(UUID id) ->
          forget(of -> of instanceof Subject.OfUser user && user.session().equals(id));
      // What is known may be wrong. It still counts for five seconds, but for no outage.
      case News.Anything _ -> missed.incrementAndGet();
      case News.OfBlocks _, News.OfChange _ -> {}
    }
  }

  private void forget(Predicate<Subject> whose) {
    seen.asMap().values().removeIf(found -> whose.test(found.subject()));
  }

  /// @param token shown once
  public record Issued(UUID id, String token, Instant expiresAt) {
    @Override
    public String toString() {
      return "Issued[" + id + ", secret]";
    }
  }

  /// Answers at once, or empty when it has to be looked up. While the database is away, what was
  /// known before holds on for ten minutes.
  public Optional<Invoker> known(String token) {
    Instant now = clock.instant();
    return seen(hash(token), now, !now.isAfter(awayUntil));
  }

  private Optional<Invoker> seen(Octets hash, Instant now, boolean away) {
    return Optional.ofNullable(seen.getIfPresent(hash))
        .filter(it -> it.holds(now, away && it.missed() == missed.get() ? OUTAGE : FRESH))
        .map(Seen::invoker);
  }

  /// What a look-up found.
  public sealed interface LookUp {
    record Found(Invoker invoker) implements LookUp {}

    /// Forged, unknown, expired, revoked or disabled.
    record Refused() implements LookUp {}

    record Limited(int retryAfterSeconds) implements LookUp {}
  }

  /// Looks the token up; blocks. A source that shows many bad ones hears no more of bad ones for a
  /// while; good ones of the same source are not touched.
  public LookUp lookUp(String token, Origin origin) {
    Optional<Claims> claims = tokens.verify(token);
    Octets hash = hash(token);
    String source = Sources.of(origin.ip());
    // One that we signed answers for itself alone, so that nobody else's bad ones stop it.
    String counted = claims.isPresent() ? source + " " + hash.base64Url() : source;
    OptionalInt blocked = badTokens.blockedSeconds(counted);
    if (blocked.isPresent()) {
      return new LookUp.Limited(blocked.getAsInt());
    }
    Optional<Seen> found;
    try {
      found = claims.flatMap(it -> behind(it, hash, origin));
    } catch (StoreUnavailableException away) {
      Instant now = clock.instant();
      awayUntil = now.plus(FRESH);
      return seen(hash, now, true).map(LookUp.Found::new).orElseThrow(() -> away);
    }
    if (found.isPresent()) {
      return new LookUp.Found(found.get().invoker());
    }
    seen.invalidate(hash);
    badTokens.failed(counted);
    accounts.refused(origin);
    return new LookUp.Refused();
  }

  private Optional<Seen> behind(Claims claims, Octets hash, Origin origin) {
    var asked =
        new Asked(
            hash,
            accounts.signIns().bindsSessions() ? origin.ip() : Optional.empty(),
            news.count());
    return lookUps
        .get(asked, () -> remembered(hash, behind(claims, origin), asked.news()))
        .filter(it -> clock.instant().isBefore(it.expiresAt()));
  }

  private Optional<Seen> remembered(Octets hash, Optional<Seen> found, long before) {
    if (found.isPresent() && news.count() == before && mayBeKnown(found.get())) {
      seen.put(hash, found.get());
      if (news.count() != before) {
        // Heard between the look and the put: it found nothing to take away.
        seen.invalidate(hash);
      }
    }
    return found;
  }

  /// A sign-in that is bound to an address is looked at each time: [#known] does not hear of one.
  private boolean mayBeKnown(Seen found) {
    return found.subject() instanceof Subject.OfService || !accounts.signIns().bindsSessions();
  }

  private Optional<Seen> behind(Claims claims, Origin origin) {
    return switch (claims) {
      case Claims.OfService service -> ofService(service);
      case Claims.OfUser user -> ofUser(user, origin);
      // Gateways invoke nothing.
      case Claims.OfGateway _ -> Optional.empty();
    };
  }

  private Optional<Seen> ofUser(Claims.OfUser claims, Origin origin) {
    long missedBefore = missed.get();
    return accounts
        .standing(claims, LOOK_UP)
        .filter(standing -> accounts.isUsableFrom(standing, origin))
        .filter(standing -> standing.role().permissions().contains(Permission.SYSTEMS_INVOKE))
        .map(
            standing ->
                new Seen(
                    new Invoker(standing.email(), reach.of(standing.scope(), LOOK_UP)),
                    new Subject.OfUser(standing.email(), standing.session()),
                    standing.readAt(),
                    claims.expiresAt(),
                    missedBefore));
  }

  private Optional<Seen> ofService(Claims.OfService claims) {
    Instant now = clock.instant();
    long missedBefore = missed.get();
    return database.within(
        LOOK_UP,
        tx -> {
          Optional<Grant> grant =
              table
                  .grantOf(tx, claims.token())
                  .filter(found -> found.account().name().equals(claims.account()));
          if (grant.isPresent() && !grant.get().intact()) {
            spoiled(tx, claims.account(), now);
          }
          Optional<Grant> good = grant.filter(found -> found.holds(now));
          good.ifPresent(_ -> uses.note(claims.token(), now));
          return good.map(
              found ->
                  new Seen(
                      new Invoker(found.account().name(), reach.of(tx, found.account().systems())),
                      new Subject.OfService(found.account().name()),
                      now,
                      claims.expiresAt(),
                      missedBefore));
        });
  }

  private void spoiled(Tx tx, String account, Instant now) {
    alarms.raise(
        tx,
        AlarmKind.DATABASE_TAMPERED,
        "service account " + account,
        "the row of this account or its token was changed behind the broker's back",
        now);
  }

  /// Writes which tokens were used, and when; called every ten seconds.
  public void writeUses() {
    uses.flush();
  }

  public static boolean isName(String text) {
    return NAME.matcher(text).matches();
  }

  public static boolean isSystem(String text) {
    return Reach.isSystem(text);
  }

  public List<ServiceAccount> list() {
    return database.transaction(table::list);
  }

  public Optional<ServiceAccount> find(String name) {
    return database.transaction(tx -> table.find(tx, name));
  }

  public List<ServiceToken> tokensOf(String name) {
    return database.transaction(tx -> table.tokensOf(tx, name));
  }

  /// False when the name is taken.
  public boolean create(String name, List<String> systems, Actor by) {
    return database.transaction(
        tx -> {
          if (!table.insert(tx, name, systems, by.name(), clock.instant())) {
            return false;
          }
          audit.record(
              tx,
              Accounts.event("service-account.create", by, name)
                  .changing(Map.of("systems", systems)));
          return true;
        });
  }

  /// False when there is none of that name.
  public boolean change(String name, List<String> systems, boolean disabled, Actor by) {
    return database.transaction(
        tx -> {
          if (!table.change(tx, name, systems, disabled)) {
            return false;
          }
          audit.record(
              tx,
              Accounts.event("service-account.update", by, name)
                  .changing(Map.of("systems", systems, "disabled", disabled)));
          news.tell(tx, new News.OfService(name));
          return true;
        });
  }

  public boolean delete(String name, Actor by) {
    return database.transaction(
        tx -> {
          if (!table.delete(tx, name)) {
            return false;
          }
          audit.record(tx, Accounts.event("service-account.delete", by, name));
          news.tell(tx, new News.OfService(name));
          return true;
        });
  }

  /// Empty when there is no such account, or it is disabled or spoiled.
  public Optional<Issued> issueToken(String name, Duration ttl, Actor by) {
    Instant now = clock.instant();
    Instant expires = Instant.ofEpochSecond(now.plus(ttl).getEpochSecond());
    return database.transaction(
        tx -> {
          Optional<ServiceAccount> account =
              table.find(tx, name).filter(found -> found.intact() && !found.disabled());
          if (account.isEmpty()) {
            return Optional.empty();
          }
          UUID id = UUID.randomUUID();
          table.insertToken(tx, id, name, by.name(), now, expires);
          audit.record(
              tx,
              Accounts.event("service-account.token", by, name)
                  .changing(Map.of("token_id", id.toString(), "expires_at", expires.toString())));
          return Optional.of(
              new Issued(
                  id, tokens.forService(name, account.get().systems(), id, expires), expires));
        });
  }

  public boolean revokeToken(String name, UUID id, Actor by) {
    return database.transaction(
        tx -> {
          if (!table.revokeToken(tx, name, id, clock.instant())) {
            return false;
          }
          audit.record(
              tx,
              Accounts.event("service-account.token-revoke", by, name)
                  .changing(Map.of("token_id", id.toString())));
          news.tell(tx, new News.OfService(name));
          return true;
        });
  }

  private static Octets hash(String token) {
    return Octets.sha256(token.getBytes(StandardCharsets.UTF_8));
  }
}
