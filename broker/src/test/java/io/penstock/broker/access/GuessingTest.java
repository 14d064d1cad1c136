package io.penstock.broker.access;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.access.AccessRig.Node;
import io.penstock.broker.access.Actor.Origin;
import io.penstock.broker.access.SignIns.SignIn;
import io.penstock.broker.access.SignIns.SignedIn;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Guessing passwords: what it gets the guesser, and what it costs everybody else.
class GuessingTest {
  private static final String EVE = "eve@example.org";
  private static final Map<String, String> SETTINGS =
      Map.of(
          "access.logins_per_account", "3",
          "access.logins_per_account_in_all", "6",
          "access.logins_per_source", "5");

  @TempDir Path directory;

  @SuppressWarnings("NullAway.Init") // every test starts it with settings of its own
  private AccessRig rig;

  @SuppressWarnings("NullAway.Init")
  private Node node;

  private void start(Map<String, String> settings) {
    rig = new AccessRig(directory.resolve("data"), settings);
    node = rig.node();
    rig.user(EVE, Role.ADMIN);
  }

  @AfterEach
  void stop() {
    rig.close();
  }

  private SignIn guess(String email, String address) {
    return node.accounts.signIns().login(email, "a wrong guess", AccessRig.from(address));
  }

  private SignIn signIn(String address) {
    return node.accounts.signIns().login(EVE, AccessRig.PASSWORD, AccessRig.from(address));
  }

  private static void assertLimited(SignIn outcome) {
    assertThat(outcome).isInstanceOf(SignIn.Limited.class);
  }

  private static void assertRefused(SignIn outcome) {
    assertThat(outcome).isInstanceOf(SignIn.Refused.class);
  }

  @Test
  void oneAddressGuessesAtOneAccountAFewTimes() {
    start(SETTINGS);
    for (int i = 0; i < 3; i++) {
      assertRefused(guess(EVE, "203.0.113.1"));
    }

    assertLimited(guess(EVE, "203.0.113.1"));
    assertLimited(signIn("203.0.113.1"));
    assertThat(signIn("203.0.113.2")).isInstanceOf(SignIn.Granted.class);
  }

  @Test
  void oneAddressGuessesAtManyAccountsAFewTimes() {
    start(SETTINGS);
    for (int i = 0; i < 5; i++) {
      assertRefused(guess("user" + i + "@example.org", "203.0.113.1"));
    }

    assertLimited(guess("another@example.org", "203.0.113.1"));
  }

  @Test
  void aNeighbourInTheSameIpv6NetworkIsTheSameSource() {
    start(SETTINGS);
    for (int i = 0; i < 5; i++) {
      assertRefused(guess("user" + i + "@example.org", "2001:db8:1:2::" + i));
    }

    assertLimited(guess("another@example.org", "2001:db8:1:2:ffff::9"));
    assertRefused(guess("another@example.org", "2001:db8:1:3::1"));
  }

  @Test
  void manyAddressesGuessAtOneAccountAFewTimes() {
    start(SETTINGS);
    for (int i = 0; i < 6; i++) {
      assertRefused(guess(EVE, "203.0.113." + i));
    }

    assertLimited(guess(EVE, "203.0.113.100"));
    assertLimited(signIn("203.0.113.101"));
  }

  @Test
  void anUnknownAccountIsLimitedLikeOneThatIsThere() {
    start(SETTINGS);
    for (int i = 0; i < 6; i++) {
      assertRefused(guess("nobody@example.org", "203.0.113." + i));
    }

    assertLimited(guess("nobody@example.org", "203.0.113.100"));
  }

  @Test
  void nobodyIsLockedOutFromWhereTheySignedInBefore() {
    start(SETTINGS);
    assertThat(signIn("192.0.2.7")).isInstanceOf(SignIn.Granted.class);

    for (int window = 0; window < 3; window++) {
      for (int i = 0; i < 20; i++) {
        guess(EVE, "203.0.113." + i);
      }
      assertThat(signIn("192.0.2.7")).isInstanceOf(SignIn.Granted.class);
      assertLimited(signIn("192.0.2.8"));
    }
    // A new broker, which has counted nothing, knows the place too.
    assertThat(
            rig.anotherNode()
                .accounts
                .signIns()
                .login(EVE, AccessRig.PASSWORD, AccessRig.from("192.0.2.7")))
        .isInstanceOf(SignIn.Granted.class);
  }

  @Test
  void aFamiliarPlaceIsNoPlaceToGuessEither() {
    start(SETTINGS);
    signIn("192.0.2.7");
    for (int i = 0; i < 3; i++) {
      assertRefused(guess(EVE, "192.0.2.7"));
    }

    assertLimited(guess(EVE, "192.0.2.7"));
  }

  @Test
  void anAdminForgivesByANewPassword() {
    start(SETTINGS);
    for (int i = 0; i < 6; i++) {
      guess(EVE, "203.0.113." + i);
    }
    assertLimited(signIn("192.0.2.7"));

    node.accounts.setPassword(EVE, AccessRig.PASSWORD, AccessRig.ADMIN);

    assertThat(signIn("192.0.2.7")).isInstanceOf(SignIn.Granted.class);
  }

  /// Behind one address there may be a whole company, and one who guesses.
  @Test
  void aSourceThatGuessesHasRefreshesAndFamiliarPeopleStill() {
    start(SETTINGS);
    rig.user("bob@example.org", Role.VIEWER);
    SignedIn eve = node.signIn(EVE);
    for (int i = 0; i < 6; i++) {
      guess("user" + i + "@example.org", "192.0.2.7");
      assertRefused(node.accounts.signIns().refresh("penr." + i, AccessRig.ORIGIN));
      assertRefused(
          node.accounts.signIns().refresh("penr." + "A".repeat(42) + i, AccessRig.ORIGIN));
    }
    assertLimited(guess("another@example.org", "192.0.2.7"));

    assertThat(node.accounts.signIns().refresh(eve.refreshToken(), AccessRig.ORIGIN))
        .isInstanceOf(SignIn.Granted.class);
    assertThat(signIn("192.0.2.7")).as("familiar there").isInstanceOf(SignIn.Granted.class);
    assertLimited(
        node.accounts.signIns().login("bob@example.org", AccessRig.PASSWORD, AccessRig.ORIGIN));
  }

  @Test
  void theRightPasswordManyTimesAtOnceIsNoGuess() {
    start(SETTINGS);
    for (int round = 0; round < 2; round++) {
      List<CompletableFuture<SignIn>> all = atOnce(20, _ -> signIn("192.0.2.7"));

      assertThat(all).allSatisfy(it -> assertThat(it.join()).isInstanceOf(SignIn.Granted.class));
    }
  }

  /// Each thread that looks at passwords may be in the middle of one when the limit is reached.
  @Test
  void guessesSideBySideDoNotSlipPastTheLimit() {
    start(SETTINGS);
    int workers = Math.max(1, Runtime.getRuntime().availableProcessors() / 2);

    List<CompletableFuture<SignIn>> all = atOnce(30, _ -> guess(EVE, "203.0.113.1"));

    assertThat(all.stream().filter(it -> it.join() instanceof SignIn.Refused).count())
        .isBetween(3L, 2L + workers);
    assertThat(all.stream().filter(it -> it.join() instanceof SignIn.Limited).count())
        .isGreaterThanOrEqualTo(28L - workers);
    assertLimited(signIn("203.0.113.1"));
  }

  private static List<CompletableFuture<SignIn>> atOnce(int times, IntFunction<SignIn> attempt) {
    try (var callers = Executors.newVirtualThreadPerTaskExecutor()) {
      return IntStream.range(0, times)
          .mapToObj(i -> CompletableFuture.supplyAsync(() -> attempt.apply(i), callers))
          .toList();
    }
  }

  /// Somebody who types the password where the address belongs.
  @Test
  void whatIsNoAddressIsAnUnknownUserAndStaysOutOfTheTrail() {
    start(SETTINGS);

    for (String name : List.of("correct horse battery", "a\u0000@x", "x".repeat(4_000) + "@y")) {
      assertRefused(guess(name, "203.0.113.1"));
    }
    assertRefused(guess("nobody@example.org", "203.0.113.1"));

    assertThat(rig.audited("authentication.failure"))
        .hasSize(4)
        .extracting(entry -> entry.user().orElse(""))
        .containsExactlyInAnyOrder("", "", "", "nobody@example.org");
  }

  /// Those that this test's own threads have started, and not other tests beside it: they inherit
  /// what is theirs as a mark.
  private static long passwordThreads(ClassLoader mark) {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().contains("password-"))
        .filter(thread -> mark.equals(thread.getContextClassLoader()))
        .count();
  }

  /// As many at once as the API lets in, from ten thousand addresses.
  @Test
  void tenThousandAttemptsCostAFewThreadsAndAFewRows() throws InterruptedException {
    ClassLoader before = Thread.currentThread().getContextClassLoader();
    var mark = new ClassLoader("mark", before) {};
    start(Map.of());
    Thread.currentThread().setContextClassLoader(mark);
    long began = System.nanoTime();
    int rowsBefore = rig.audited("authentication.failure").size();
    var outcomes = new ConcurrentHashMap<Class<?>, AtomicInteger>();
    var signedInMeanwhile = new AtomicInteger();
    var slots = new Semaphore(256);
    try (var attempts = Executors.newVirtualThreadPerTaskExecutor()) {
      node.signIn(EVE);
      for (int i = 0; i < 10_000; i++) {
        String address = "127." + (1 + i / 65_536) + "." + (i / 256) % 256 + "." + i % 256;
        String email = i % 2 == 0 ? EVE : "user" + i + "@example.org";
        slots.acquire();
        attempts.execute(
            () -> {
              try {
                SignIn outcome = guess(email, address);
                outcomes
                    .computeIfAbsent(outcome.getClass(), _ -> new AtomicInteger())
                    .incrementAndGet();
              } finally {
                slots.release();
              }
            });
        if (i % 1_000 == 999) {
          node.signIn(EVE);
          signedInMeanwhile.incrementAndGet();
        }
      }
    } finally {
      Thread.currentThread().setContextClassLoader(before);
    }
    node.accounts.writeCounts();

    assertThat(outcomes.keySet())
        .isSubsetOf(SignIn.Refused.class, SignIn.Limited.class, SignIn.Busy.class);
    assertThat(outcomes.values().stream().mapToInt(AtomicInteger::get).sum()).isEqualTo(10_000);
    assertThat(outcomes.get(SignIn.Busy.class)).as("the queue is short").isNotNull();
    assertThat(signedInMeanwhile).as("from a familiar place").hasValue(10);
    assertThat(passwordThreads(mark))
        .isBetween(1L, Runtime.getRuntime().availableProcessors() + 1L);
    // One by one at first, then by source, and what has no room there in one sum.
    long seconds = Duration.ofNanos(System.nanoTime() - began).toSeconds() + 1;
    long rows =
        rig.real.number(
                "select count(*) as n from audit_log where event_type ="
                    + " 'authentication.failure'")
            - rowsBefore;
    assertThat(rows).isLessThanOrEqualTo(50 + 50 * seconds + 101);
  }

  @Test
  void whatIsNotWrittenOneByOneIsCounted() {
    start(SETTINGS);
    for (int i = 0; i < 60; i++) {
      guess(EVE, "203.0.113.1");
    }

    node.accounts.writeCounts();

    long single = 0;
    long counted = 0;
    for (var row : rig.audited("authentication.failure")) {
      if (row.changes().get("count") instanceof Number count) {
        assertThat(row.reason()).contains("counted");
        counted += count.longValue();
      } else {
        single++;
      }
    }
    assertThat(single + counted).isEqualTo(60);
    assertThat(single).as("a second's worth, and some more a little later").isBetween(10L, 59L);
  }

  @Test
  void aSessionThatIsBoundToItsAddressIsOfNoUseElsewhere() {
    start(Map.of("access.session_binding", "address"));
    SignedIn eve = node.signIn(EVE);
    Origin elsewhere = AccessRig.from("198.51.100.1");
    assertThat(node.accounts.authenticate(eve.token(), AccessRig.ORIGIN)).isPresent();
    assertThat(node.services.lookUp(eve.token(), AccessRig.ORIGIN))
        .isInstanceOf(ServiceAccounts.LookUp.Found.class);

    assertThat(node.accounts.authenticate(eve.token(), elsewhere)).isEmpty();
    assertThat(node.services.known(eve.token())).as("which does not ask from where").isEmpty();
    assertThat(node.services.lookUp(eve.token(), elsewhere))
        .isInstanceOf(ServiceAccounts.LookUp.Refused.class);
    assertRefused(node.accounts.signIns().refresh(eve.refreshToken(), elsewhere));
    // Whoever has it there has the refresh token too: it is over.
    assertThat(node.accounts.authenticate(eve.token(), AccessRig.ORIGIN)).isEmpty();
  }

  @Test
  void aServiceAccountReachesTheSitesThatItsSelectorsMeanNow() {
    start(Map.of());
    for (String[] agent :
        List.of(
            new String[] {"a-1", "berlin", "blue", "approved"},
            new String[] {"a-2", "berlin", "blue", "approved"},
            new String[] {"b-1", "bonn", "blue", "approved"},
            new String[] {"b-2", "bonn", "red", "approved"},
            new String[] {"b-3", "kiel", "blue", "revoked"})) {
      rig.real.execute(
          "insert into agents (name, site, labels, state, created_at) values ('%s', '%s',"
                  .formatted((Object[]) agent)
              + " '{\"ring\":\"%s\"}', '%s', now())".formatted(agent[2], agent[3]));
    }
    String token =
        rig.token("billing", Duration.ofHours(1), "label:ring=blue/erp", "agent:b-1/mes");

    var found = (ServiceAccounts.LookUp.Found) node.services.lookUp(token, AccessRig.ORIGIN);

    assertThat(found.invoker().mayInvoke("berlin", "erp")).isTrue();
    assertThat(found.invoker().mayInvoke("berlin", "mes")).isFalse();
    assertThat(found.invoker().mayInvoke("bonn", "erp")).as("one of its agents is red").isFalse();
    assertThat(found.invoker().mayInvoke("bonn", "mes")).as("b-2 could answer").isFalse();
    assertThat(found.invoker().mayInvoke("kiel", "erp")).isFalse();

    rig.real.execute("update agents set state = 'revoked' where name = 'b-2'");
    rig.pass(Duration.ofSeconds(5));
    found = (ServiceAccounts.LookUp.Found) node.services.lookUp(token, AccessRig.ORIGIN);
    assertThat(found.invoker().mayInvoke("bonn", "erp")).isTrue();
    assertThat(found.invoker().mayInvoke("bonn", "mes")).isTrue();
  }

  @Test
  void aPersonWithAScopeInvokesOnlyWhatAnswersWithinIt() {
    start(Map.of());
    rig.real.execute(
        "insert into agents (name, site, labels, state, created_at) values ('a-1', 'berlin', '{}',"
            + " 'approved', now()), ('b-1', 'bonn', '{}', 'approved', now())");
    rig.user("limited@example.org", Role.ENGINEER, "site:berlin");

    var limited =
        (ServiceAccounts.LookUp.Found)
            node.services.lookUp(node.signIn("limited@example.org").token(), AccessRig.ORIGIN);
    var everywhere =
        (ServiceAccounts.LookUp.Found)
            node.services.lookUp(node.signIn(EVE).token(), AccessRig.ORIGIN);

    assertThat(limited.invoker().mayInvoke("berlin", "erp")).isTrue();
    assertThat(limited.invoker().mayInvoke("bonn", "erp")).isFalse();
    assertThat(everywhere.invoker().mayInvoke("bonn", "erp")).isTrue();
  }
}
