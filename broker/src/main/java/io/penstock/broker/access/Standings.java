package io.penstock.broker.access;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.penstock.broker.access.AccessNews.News;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.SessionTable;
import io.penstock.broker.store.SessionTable.Session;
import io.penstock.broker.store.Tx;
import io.penstock.broker.store.UserTable;
import io.penstock.broker.store.UserTable.User;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/// Whose sign-in is live, and with which rights. What was read is forgotten when news says that it
/// changed, and holds for five seconds at most, so that sign-out, disabling and a new role take
/// effect everywhere also where news does not arrive. Thread-safe; blocks.
final class Standings {
  static final Duration FRESH = Duration.ofSeconds(5);
  private static final int MAX_KNOWN = 10_000;

  /// Beyond any deadline of the database's own.
  private static final Duration WATCHED = Duration.ofMinutes(1);

  private final Database database;
  private final UserTable users;
  private final SessionTable sessions = new SessionTable();
  private final AccessNews news;
  private final Clock clock;
  private final Cache<UUID, Read> known = Caffeine.newBuilder().maximumSize(MAX_KNOWN).build();

  /// @param address where the sign-in came from
  /// @param readAt from before the database was asked
  record Standing(
      UUID session,
      String email,
      Role role,
      Scope scope,
      Optional<String> address,
      Instant readAt,
      Instant expiresAt) {

    /// Whether `later` may do what this may, no more and no less.
    boolean grantsSameAs(Standing later) {
      return email.equals(later.email) && role == later.role && scope.equals(later.scope);
    }
  }

  private record Read(Optional<Standing> standing, Instant at) {
    boolean holds(Instant now, Duration within) {
      return now.isBefore(at.plus(within))
          && standing.map(found -> now.isBefore(found.expiresAt())).orElse(true);
    }
  }

  Standings(Database database, UserTable users, AccessNews news, Clock clock) {
    this.database = database;
    this.users = users;
    this.news = news;
    this.clock = clock;
    news.listen(this::heard);
  }

  private void heard(News it) {
    switch (it) {
      case News.OfSession(UUID id) -> known.invalidate(id);
      case News.OfUser(String email) ->
          known
              .asMap()
              .values()
              .removeIf(
                  read -> read.standing().filter(found -> found.email().equals(email)).isPresent());
      case News.Anything() -> known.invalidateAll();
      case News.OfService _, News.OfBlocks _, News.OfChange _ -> {}
    }
  }

  /// Empty when the sign-in is over, or its user is disabled, spoiled or gone.
  ///
  /// @param limit how long the database may take
  Optional<Standing> of(UUID session, Duration limit) {
    Instant now = clock.instant();
    Read read = known.getIfPresent(session);
    return read != null && read.holds(now, FRESH)
        ? read.standing()
        : readAll(List.of(session), limit).getOrDefault(session, Optional.empty());
  }

  /// Asks the database about those of which nothing is known that is younger than `within`.
  Map<UUID, Optional<Standing>> of(List<UUID> wanted, Duration within) {
    Instant now = clock.instant();
    var found = new HashMap<UUID, Optional<Standing>>();
    for (UUID session : wanted) {
      Read read = known.getIfPresent(session);
      if (read != null && read.holds(now, within)) {
        found.put(session, read.standing());
      }
    }
    List<UUID> missing = wanted.stream().filter(id -> !found.containsKey(id)).toList();
    if (!missing.isEmpty()) {
      found.putAll(readAll(missing, WATCHED));
    }
    return found;
  }

  private Map<UUID, Optional<Standing>> readAll(List<UUID> wanted, Duration limit) {
    Instant now = clock.instant();
    long before = news.count();
    Map<UUID, Standing> live = database.within(limit, tx -> read(tx, wanted, now));
    var all = new HashMap<UUID, Optional<Standing>>();
    wanted.forEach(id -> all.put(id, Optional.ofNullable(live.get(id))));
    if (news.count() == before) {
      all.forEach((id, standing) -> known.put(id, new Read(standing, now)));
      if (news.count() != before) {
        // Heard between the look and the put: it found nothing to take away.
        known.invalidateAll(wanted);
      }
    }
    return all;
  }

  private Map<UUID, Standing> read(Tx tx, List<UUID> wanted, Instant now) {
    var people = new HashMap<String, Optional<User>>();
    var live = new HashMap<UUID, Standing>();
    for (Session session : sessions.findAll(tx, wanted)) {
      if (session.isLive(now)) {
        people
            .computeIfAbsent(session.userEmail(), email -> users.find(tx, email))
            .filter(user -> user.intact() && !user.disabled())
            .ifPresent(user -> live.put(session.id(), standing(user, session, now)));
      }
    }
    return live;
  }

  private static Standing standing(User user, Session session, Instant now) {
    return new Standing(
        session.id(),
        user.email(),
        Accounts.role(user),
        new Scope(user.gatewayAccess()),
        session.remoteIp(),
        now,
        session.expiresAt());
  }
}
