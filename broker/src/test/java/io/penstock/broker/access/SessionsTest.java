package io.penstock.broker.access;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.access.AccessRig.Node;
import io.penstock.broker.access.Accounts.Change;
import io.penstock.broker.access.ServiceAccounts.LookUp;
import io.penstock.broker.access.SignIns.PasswordChange;
import io.penstock.broker.access.SignIns.SignIn;
import io.penstock.broker.access.SignIns.SignedIn;
import io.penstock.broker.store.Hints;
import io.penstock.broker.store.SessionTable;
import io.penstock.broker.store.Tx;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// How long a sign-in lasts, on two brokers that share a database.
class SessionsTest {
  private static final String EVE = "eve@example.org";
  private static final Duration AT_ONCE = Duration.ofSeconds(3);

  @TempDir Path directory;
  private AccessRig rig;
  private Node here;
  private Node there;

  @BeforeEach
  void start() {
    rig = new AccessRig(directory.resolve("data"));
    here = rig.node();
    there = rig.anotherNode();
    rig.user(EVE, Role.ENGINEER);
  }

  @AfterEach
  void stop() {
    rig.close();
  }

  private static void await(BooleanSupplier condition) {
    long deadline = System.nanoTime() + AT_ONCE.toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("waited too long").isLessThan(deadline);
      LockSupport.parkNanos(2_000_000);
    }
  }

  /// A way to lose everything.
  record Ending(String name, End end) {
    interface End {
      void at(Node node, Actor eve);
    }

    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Ending> endings() {
    return Stream.of(
        new Ending("logout", (node, eve) -> node.accounts.signIns().logout(eve)),
        new Ending("disable", (node, _) -> node.accounts.disable(EVE, true, AccessRig.ADMIN)),
        new Ending("delete", (node, _) -> node.accounts.delete(EVE, AccessRig.ADMIN)),
        new Ending(
            "password by an Admin",
            (node, _) ->
                node.accounts.setPassword(EVE, "other words 99 of gravel", AccessRig.ADMIN)));
  }

  @ParameterizedTest
  @MethodSource("endings")
  void whatEndsASessionEndsItAtOnceOnEveryNodeAndPath(Ending ending) {
    try (Hints _ = there.listening()) {
      SignedIn eve = here.signIn(EVE);
      assertThat(there.authenticate(eve)).isPresent();
      assertThat(there.services.lookUp(eve.token(), AccessRig.ORIGIN))
          .isInstanceOf(LookUp.Found.class);
      assertThat(there.services.known(eve.token())).isPresent();

      ending.end().at(here, here.authenticate(eve).orElseThrow());

      assertThat(here.authenticate(eve)).isEmpty();
      assertThat(here.accounts.signIns().refresh(eve.refreshToken(), AccessRig.ORIGIN))
          .isInstanceOf(SignIn.Refused.class);
      // The clock stands still: only the news can tell.
      await(() -> there.authenticate(eve).isEmpty() && there.services.known(eve.token()).isEmpty());
      assertThat(there.services.lookUp(eve.token(), AccessRig.ORIGIN))
          .isInstanceOf(LookUp.Refused.class);
    }
  }

  @ParameterizedTest
  @MethodSource("endings")
  void withoutNewsItEndsWithinFiveSeconds(Ending ending) {
    SignedIn eve = here.signIn(EVE);
    assertThat(there.authenticate(eve)).isPresent();
    rig.pass(Duration.ofMillis(4_900));
    // Found from what was read 4.9 s ago, and as old as that.
    assertThat(there.services.lookUp(eve.token(), AccessRig.ORIGIN))
        .isInstanceOf(LookUp.Found.class);
    ending.end().at(here, here.authenticate(eve).orElseThrow());

    rig.pass(Duration.ofMillis(100));

    assertThat(there.authenticate(eve)).isEmpty();
    assertThat(there.services.known(eve.token())).isEmpty();
    assertThat(there.services.lookUp(eve.token(), AccessRig.ORIGIN))
        .isInstanceOf(LookUp.Refused.class);
  }

  @Test
  void aRoleThatIsTakenAwayIsGoneOnEveryNodeWhileTheSessionGoesOn() {
    try (Hints _ = there.listening()) {
      SignedIn eve = here.signIn(EVE);
      assertThat(there.authenticate(eve).orElseThrow().may(Permission.SYSTEMS_UPDATE)).isTrue();
      there.services.lookUp(eve.token(), AccessRig.ORIGIN);

      assertThat(
              here.accounts.change(
                  EVE, Optional.of(Role.VIEWER), Optional.empty(), AccessRig.ADMIN))
          .isEqualTo(Change.DONE);

      assertThat(here.authenticate(eve).orElseThrow().may(Permission.SYSTEMS_UPDATE)).isFalse();
      await(() -> there.authenticate(eve).orElseThrow().role() == Role.VIEWER);
      assertThat(there.services.known(eve.token())).isEmpty();
      assertThat(there.services.lookUp(eve.token(), AccessRig.ORIGIN))
          .isInstanceOf(LookUp.Refused.class);
      assertThat(rig.audited("user.update"))
          .singleElement()
          .satisfies(entry -> assertThat(entry.resourceId()).contains(EVE));
    }
  }

  @Test
  void aRefreshTokenUsedTwiceEndsItsWholeFamilyOnEveryNode() {
    try (Hints _ = there.listening()) {
      SignedIn first = here.signIn(EVE);
      SignedIn second = refreshed(here, first);
      SignedIn third = refreshed(there, second);
      assertThat(there.authenticate(third)).isPresent();

      SignIn stolen = here.accounts.signIns().refresh(first.refreshToken(), AccessRig.ORIGIN);

      assertThat(stolen).isInstanceOf(SignIn.Refused.class);
      assertThat(here.authenticate(third)).isEmpty();
      await(() -> there.authenticate(third).isEmpty());
      assertThat(there.accounts.signIns().refresh(third.refreshToken(), AccessRig.ORIGIN))
          .isInstanceOf(SignIn.Refused.class);
      assertThat(rig.alarms())
          .singleElement()
          .satisfies(
              alarm -> {
                assertThat(alarm.kind()).isEqualTo("refresh-token-reused");
                assertThat(alarm.subject()).isEqualTo("user " + EVE);
              });
      assertThat(rig.audited("authentication.failure"))
          .anySatisfy(
              entry -> {
                assertThat(entry.reason()).contains("refresh_token_reuse");
                assertThat(entry.user()).contains(EVE);
              });
    }
  }

  private static SignedIn refreshed(Node node, SignedIn from) {
    SignIn outcome = node.accounts.signIns().refresh(from.refreshToken(), AccessRig.ORIGIN);
    return ((SignIn.Granted) outcome).tokens();
  }

  @Test
  void aSessionIsRefreshedForADayAndNoLonger() {
    SignedIn signedIn = here.signIn(EVE);
    SignedIn now = signedIn;
    for (int hour = 1; hour < 24; hour++) {
      rig.pass(Duration.ofHours(1));
      now = refreshed(here, now);
      assertThat(now.sessionExpiresAt()).isEqualTo(signedIn.sessionExpiresAt());
    }
    rig.pass(Duration.ofMinutes(55));
    now = refreshed(here, now);
    assertThat(now.expiresAt()).isEqualTo(now.sessionExpiresAt());

    rig.pass(Duration.ofMinutes(5));

    assertThat(here.authenticate(now)).isEmpty();
    assertThat(here.accounts.signIns().refresh(now.refreshToken(), AccessRig.ORIGIN))
        .isInstanceOf(SignIn.Refused.class);
  }

  @Test
  void aNewPasswordOfOnesOwnEndsTheOtherSessions() {
    SignedIn mine = here.signIn(EVE);
    SignedIn other = here.signIn(EVE);
    Actor eve = here.authenticate(mine).orElseThrow();
    String next = "gravel 99 and other words";

    assertThat(here.accounts.signIns().changePassword("wrong", next, eve))
        .isInstanceOf(PasswordChange.WrongPassword.class);
    assertThat(here.authenticate(other)).isPresent();
    assertThat(here.accounts.signIns().changePassword(AccessRig.PASSWORD, next, eve))
        .isInstanceOf(PasswordChange.Done.class);

    assertThat(here.authenticate(mine)).isPresent();
    assertThat(here.authenticate(other)).isEmpty();
    assertThat(here.accounts.signIns().login(EVE, AccessRig.PASSWORD, AccessRig.ORIGIN))
        .isInstanceOf(SignIn.Refused.class);
    assertThat(here.accounts.signIns().login(EVE, next, AccessRig.ORIGIN))
        .isInstanceOf(SignIn.Granted.class);
  }

  /// What an Admin does to a user's row while something else is about to use what it read there.
  private interface Meanwhile {
    void in(Tx tx);
  }

  /// Holds the user's row until `slow` waits for it, as often as said, and changes it then.
  private <T> List<T> overtaken(Meanwhile change, List<Supplier<T>> slow) {
    try (var callers = Executors.newVirtualThreadPerTaskExecutor()) {
      var outcomes = new ArrayList<CompletableFuture<T>>();
      rig.real
          .database()
          .run(
              tx -> {
                rig.users().findForUpdate(tx, EVE);
                slow.forEach(it -> outcomes.add(CompletableFuture.supplyAsync(it, callers)));
                await(() -> waiting() == slow.size());
                change.in(tx);
              });
      return outcomes.stream().map(CompletableFuture::join).toList();
    }
  }

  private long waiting() {
    return rig.real.number(
        "select count(*) as n from pg_stat_activity where datname = current_database()"
            + " and wait_event_type = 'Lock'");
  }

  @Test
  void anOldPasswordOpensNothingAfterANewOneIsSet() {
    String hash = here.passwords.hash("gravel 99 and other words");

    List<SignIn> outcome =
        overtaken(
            tx -> rig.users().changePassword(tx, EVE, hash),
            List.of(
                () -> here.accounts.signIns().login(EVE, AccessRig.PASSWORD, AccessRig.ORIGIN)));

    assertThat(outcome).singleElement().isInstanceOf(SignIn.Refused.class);
    assertThat(rig.real.number("select count(*) as n from sessions")).isZero();
  }

  @Test
  void nobodyComesInWhileTheyAreDisabled() {
    List<SignIn> outcome =
        overtaken(
            tx -> rig.users().changeDisabled(tx, EVE, true),
            List.of(
                () -> here.accounts.signIns().login(EVE, AccessRig.PASSWORD, AccessRig.ORIGIN)));

    assertThat(outcome).singleElement().isInstanceOf(SignIn.Refused.class);
  }

  @Test
  void anAdminsPasswordIsNotReplacedByWhoKnewTheOldOne() {
    Actor eve = here.authenticate(here.signIn(EVE)).orElseThrow();
    String admins = here.passwords.hash("gravel 99 and other words");

    List<PasswordChange> outcome =
        overtaken(
            tx -> rig.users().changePassword(tx, EVE, admins),
            List.of(
                () ->
                    here.accounts
                        .signIns()
                        .changePassword(AccessRig.PASSWORD, "plaice 77 of my own", eve)));

    assertThat(outcome).singleElement().isInstanceOf(PasswordChange.WrongPassword.class);
    assertThat(here.accounts.signIns().login(EVE, "gravel 99 and other words", AccessRig.ORIGIN))
        .isInstanceOf(SignIn.Granted.class);
  }

  @Test
  void aSessionThatEndedChangesNoPassword() {
    Actor eve = here.authenticate(here.signIn(EVE)).orElseThrow();

    List<PasswordChange> outcome =
        overtaken(
            tx -> new SessionTable().revoke(tx, eve.session(), "a test", Instant.now()),
            List.of(
                () ->
                    here.accounts
                        .signIns()
                        .changePassword(AccessRig.PASSWORD, "plaice 77 of my own", eve)));

    assertThat(outcome).singleElement().isInstanceOf(PasswordChange.SignedOut.class);
    assertThat(here.accounts.signIns().login(EVE, AccessRig.PASSWORD, AccessRig.ORIGIN))
        .isInstanceOf(SignIn.Granted.class);
  }

  @Test
  void twoChangesAtOnceBothStay() {
    rig.user("root@example.org", Role.ADMIN);
    List<Change> outcome =
        overtaken(
            _ -> {},
            List.of(
                () ->
                    here.accounts.change(
                        EVE, Optional.of(Role.OPERATOR), Optional.empty(), AccessRig.ADMIN),
                () ->
                    here.accounts.change(
                        EVE,
                        Optional.empty(),
                        Optional.of(List.of("site:berlin")),
                        AccessRig.ADMIN)));

    assertThat(outcome).containsExactly(Change.DONE, Change.DONE);
    var eve = here.accounts.find(EVE).orElseThrow();
    assertThat(eve.role()).isEqualTo(Role.OPERATOR.stored());
    assertThat(eve.gatewayAccess()).containsExactly("site:berlin");
  }

  @Test
  void onesOwnPasswordIsNotGuessedWithoutLimit() {
    Actor eve = here.authenticate(here.signIn(EVE)).orElseThrow();
    SignIns signIns = here.accounts.signIns();

    for (int i = 0; i < 5; i++) {
      assertThat(signIns.changePassword("guess " + i, AccessRig.PASSWORD, eve))
          .isInstanceOf(PasswordChange.WrongPassword.class);
    }

    assertThat(signIns.changePassword(AccessRig.PASSWORD, "gravel 99 and words", eve))
        .isInstanceOf(PasswordChange.Limited.class);
  }

  @ParameterizedTest
  @MethodSource("endings")
  void aFeedIsToldWhenItsSessionEndsOnAnotherNode(Ending ending) throws InterruptedException {
    try (Hints _ = there.listening()) {
      SignedIn eve = here.signIn(EVE);
      var over = new CountDownLatch(1);
      there.accounts.watches().watch(there.authenticate(eve).orElseThrow(), over::countDown);

      ending.end().at(here, here.authenticate(eve).orElseThrow());

      assertThat(over.await(AT_ONCE.toMillis(), TimeUnit.MILLISECONDS)).isTrue();
    }
  }

  @Test
  void aFeedIsToldOnceWhenItsReaderMayDoSomethingElse() {
    SignedIn eve = here.signIn(EVE);
    var ends = new AtomicInteger();
    there.accounts.watches().watch(there.authenticate(eve).orElseThrow(), ends::incrementAndGet);
    there.accounts.watches().check();
    assertThat(ends).hasValue(0);
    here.accounts.change(
        EVE, Optional.empty(), Optional.of(List.of("site:berlin")), AccessRig.ADMIN);

    // No news reaches this node: the check that comes every two seconds finds it.
    rig.pass(Duration.ofSeconds(2));
    there.accounts.watches().check();
    there.accounts.watches().check();

    assertThat(ends).hasValue(1);
  }

  @Test
  void aFeedThatEndedByItselfIsNotTold() {
    SignedIn eve = here.signIn(EVE);
    Actor actor = here.authenticate(eve).orElseThrow();
    var ends = new AtomicInteger();
    here.accounts.watches().watch(actor, ends::incrementAndGet).orElseThrow().close();

    here.accounts.signIns().logout(actor);
    here.accounts.watches().check();

    assertThat(ends).hasValue(0);
  }

  @Test
  void theLastAdminOfEverythingStaysOne() {
    rig.user("root@example.org", Role.ADMIN);
    rig.user("local@example.org", Role.ADMIN, "site:berlin");

    assertThat(
            here.accounts.change(
                "root@example.org", Optional.of(Role.VIEWER), Optional.empty(), AccessRig.ADMIN))
        .isEqualTo(Change.LAST_ADMIN);
    assertThat(
            here.accounts.change(
                "root@example.org",
                Optional.empty(),
                Optional.of(List.of("site:berlin")),
                AccessRig.ADMIN))
        .isEqualTo(Change.LAST_ADMIN);
    assertThat(here.accounts.disable("local@example.org", true, AccessRig.ADMIN))
        .isEqualTo(Change.DONE);
  }
}
