package io.penstock.broker.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.penstock.broker.config.DataDirectory;
import io.penstock.broker.keys.RowMac;
import io.penstock.broker.keys.TestRowMac;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.ThreadingModel;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import io.vertx.pgclient.PgException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class DatabaseTest {
  private static final OutboxTable OUTBOX = new OutboxTable();
  private static TestDatabase test;

  @BeforeAll
  static void open() {
    test = TestDatabase.create();
  }

  @AfterAll
  static void close() {
    test.close();
  }

  @Test
  void commitsWhatTheWorkReturnsFrom() {
    test.database().run(tx -> insert(tx, "commits"));

    assertThat(count("commits")).isEqualTo(1);
  }

  @Test
  void rollsBackWhateverTheWorkThrows() {
    assertThatThrownBy(
            () ->
                test.database()
                    .run(
                        tx -> {
                          insert(tx, "rolls-back");
                          throw new IllegalArgumentException("no");
                        }))
        .isInstanceOf(IllegalArgumentException.class);

    assertThat(count("rolls-back")).isZero();
  }

  @Test
  void aFailedStatementIsThrownAndTheConnectionIsUsableAgain() {
    for (int i = 0; i < 30; i++) {
      assertThatThrownBy(() -> test.database().run(tx -> tx.update("select nonsense")))
          .isInstanceOf(PgException.class);
    }

    assertThat(test.database().answers(Duration.ofSeconds(5))).isTrue();
  }

  @Test
  void statementsThatWereSentSeeWhatThoseBeforeThemChangedAndWaitedFor() throws Exception {
    test.execute("create table gate (name text primary key, value int not null)");
    test.execute("insert into gate values ('one', 1)");
    var release = new CountDownLatch(1);
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var writer = holding("update gate set value = 2", release, threads);
      var reader =
          threads.submit(
              () ->
                  test.database()
                      .transaction(
                          tx -> {
                            // New to the connection, so prepared first.
                            var lock = tx.send("select name from gate for update");
                            var value = tx.sendForOne("select value as n from gate");
                            assertThat(lock.get()).hasSize(1);
                            return Values.number(value.get().orElseThrow(), "n");
                          }));
      // Both have arrived, and the first one waits.
      assertThat(eventually(() -> waitingForALock() == 1)).isTrue();
      release.countDown();
      writer.get(20, TimeUnit.SECONDS);
      assertThat(reader.get(20, TimeUnit.SECONDS)).isEqualTo(2);
    }
  }

  @Test
  void aSentStatementThatFailedIsThrownThoughNobodyAskedForItsAnswer() {
    assertThatThrownBy(
            () ->
                test.database()
                    .run(
                        tx -> {
                          insert(tx, "sent-and-failed");
                          tx.send("select 1/0");
                        }))
        .isInstanceOf(PgException.class)
        .hasMessageContaining("22012");
    assertThatThrownBy(
            () ->
                test.database()
                    .run(
                        tx -> {
                          insert(tx, "sent-and-failed");
                          tx.send("select 1/0");
                          tx.send("select 1");
                        }))
        .isInstanceOf(PgException.class);

    assertThat(count("sent-and-failed")).isZero();
  }

  @Test
  void anAuditRowThatPostgresRefusesUndoesItsTransaction() {
    RowMac mac = TestRowMac.random();
    AuditTable.Entry twice = entry(1);

    assertThatThrownBy(
            () ->
                test.database()
                    .run(
                        tx -> {
                          insert(tx, "refused-audit");
                          new AuditTable().insert(tx, twice, mac);
                          new AuditTable().insert(tx, twice, mac);
                        }))
        .isInstanceOf(PgException.class);

    assertThat(count("refused-audit")).isZero();
  }

  @Test
  void whatWasGivenUpWhileItsAuditRowWaitedIsNotCommittedLater() throws Exception {
    RowMac mac = TestRowMac.random();
    var givenUp = new CountDownLatch(1);
    Vertx vertx = Vertx.vertx();
    try (Database hasty = Database.connect(vertx, () -> test.address(), 1, Duration.ofSeconds(1));
        var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var other = holding("lock table audit_log in exclusive mode", givenUp, threads);
      assertThatThrownBy(
              () ->
                  hasty.run(
                      tx -> {
                        insert(tx, "given-up");
                        new AuditTable().insert(tx, entry(1), mac);
                      }))
          .isInstanceOf(StoreUnavailableException.class);
      givenUp.countDown();
      other.get(20, TimeUnit.SECONDS);
      // Its one connection comes back once it is rolled back.
      assertThat(eventually(() -> hasty.answers(Duration.ofMillis(500)))).isTrue();
      assertThat(hasty.usage().inUse()).isZero();
    } finally {
      vertx.close().await();
    }

    assertThat(count("given-up")).isZero();
  }

  /// Another transaction that has run `sql` and keeps what that locked.
  private static java.util.concurrent.Future<?> holding(
      String sql, CountDownLatch release, ExecutorService threads) {
    var locked = new CountDownLatch(1);
    var held =
        threads.submit(
            () ->
                test.database()
                    .run(
                        tx -> {
                          tx.update(sql);
                          locked.countDown();
                          await(release);
                        }));
    await(locked);
    return held;
  }

  private static long waitingForALock() {
    return test.number("select count(*) as n from pg_locks where not granted");
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void whatIsRepeatableIsDoneAgainAfterADeadlock() throws Exception {
    test.execute("create table circle (name text primary key, touched int not null)");
    test.execute("insert into circle values ('a', 0), ('b', 0)");
    var bothHoldOne = new CyclicBarrier(2);
    var runs = new AtomicInteger();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var one = threads.submit(() -> touch("a", "b", bothHoldOne, runs));
      var other = threads.submit(() -> touch("b", "a", bothHoldOne, runs));
      one.get(20, TimeUnit.SECONDS);
      other.get(20, TimeUnit.SECONDS);
    }

    // One of them was the victim, and began anew.
    assertThat(runs).hasValue(3);
    long touched =
        test.database()
            .transaction(
                tx ->
                    Values.number(
                        tx.one("select sum(touched) as n from circle").orElseThrow(), "n"));
    assertThat(touched).isEqualTo(4);
  }

  private static boolean touch(
      String first, String second, CyclicBarrier bothHoldOne, AtomicInteger runs) {
    return test.database()
        .repeatable(
            tx -> {
              String sql = "update circle set touched = touched + 1 where name = $1";
              tx.update(sql, first);
              if (runs.incrementAndGet() <= 2) {
                await(bothHoldOne);
              }
              return tx.update(sql, second) == 1;
            });
  }

  private static void await(CyclicBarrier barrier) {
    try {
      barrier.await(10, TimeUnit.SECONDS);
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void auditRowsOfOneTransactionKeepTheirOrder() {
    var table = new AuditTable();
    RowMac mac = TestRowMac.random();
    test.database()
        .run(
            tx -> {
              for (int i = 0; i < 600; i++) {
                table.insert(tx, entry(i), mac);
              }
            });

    var all = AuditFilters.ofType("test.order");
    List<AuditTable.Stored> stored = test.database().transaction(tx -> table.list(tx, all));
    assertThat(stored.reversed())
        .extracting(it -> it.entry().changes().get("n"))
        .isEqualTo(IntStream.range(0, 600).boxed().toList());
    assertThat(stored.getFirst().entry().ipAddress()).contains("192.0.2.7");
    assertThat(stored.getFirst().entry().reason()).isEmpty();
  }

  private static AuditTable.Entry entry(int number) {
    return new AuditTable.Entry(
        UUID.randomUUID(),
        Instant.EPOCH,
        "test.order",
        Optional.of("somebody"),
        Optional.empty(),
        Optional.of("order"),
        Map.of("n", number),
        Optional.of("192.0.2.7"),
        Optional.empty(),
        Optional.empty(),
        Optional.of("success"),
        Optional.empty(),
        Optional.empty());
  }

  @Test
  void afterCommitRunsOnlyAfterACommit() {
    List<String> ran = new ArrayList<>();

    test.database().run(tx -> tx.afterCommit(() -> ran.add("committed")));
    assertThatThrownBy(
            () ->
                test.database()
                    .run(
                        tx -> {
                          tx.afterCommit(() -> ran.add("rolled back"));
                          throw new IllegalStateException();
                        }))
        .isInstanceOf(IllegalStateException.class);

    assertThat(ran).containsExactly("committed");
  }

  @Test
  void refusesToBlockAnEventLoop() {
    var thrown = new CompletableFuture<Throwable>();

    test.vertx()
        .runOnContext(_ -> thrown.complete(catchThrowable(() -> test.database().run(_ -> {}))));

    assertThat(thrown.join())
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("event loop");
  }

  @Test
  void worksOnAVertxVirtualThread() {
    var counted = new CompletableFuture<Integer>();
    var verticle =
        new VerticleBase() {
          @Override
          public Future<?> start() {
            test.database().run(tx -> insert(tx, "virtual"));
            counted.complete(count("virtual"));
            return Future.succeededFuture();
          }
        };

    test.vertx()
        .deployVerticle(
            verticle, new DeploymentOptions().setThreadingModel(ThreadingModel.VIRTUAL_THREAD))
        .await();

    assertThat(counted.join()).isEqualTo(1);
  }

  @Test
  void manyVirtualThreadsShareTheFewConnections() throws Exception {
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 200; i++) {
        threads.execute(() -> test.database().run(tx -> insert(tx, "many")));
      }
      threads.shutdown();
      assertThat(threads.awaitTermination(60, TimeUnit.SECONDS)).isTrue();
    }

    assertThat(count("many")).isEqualTo(200);
  }

  /// Waiting for a connection ends by our deadline alone: the pool's own timer may end a wait that
  /// is over, and then loses the connection.
  @Test
  void manyThatWaitForFewConnectionsLoseNone() throws Exception {
    Vertx vertx = Vertx.vertx();
    var unhandled = new AtomicInteger();
    vertx.exceptionHandler(_ -> unhandled.incrementAndGet());
    int connections = 4;
    Duration deadline = Duration.ofSeconds(1);
    try (Database few = Database.connect(vertx, () -> test.address(), connections, deadline);
        var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var all = new ArrayList<java.util.concurrent.Future<?>>();
      for (int i = 0; i < 24; i++) {
        all.add(threads.submit(() -> workFor(few, Duration.ofSeconds(6))));
      }
      for (var one : all) {
        one.get();
      }
      var together = new CyclicBarrier(connections);
      List<CompletableFuture<Integer>> held = new ArrayList<>();
      for (int i = 0; i < connections; i++) {
        held.add(
            CompletableFuture.supplyAsync(
                () ->
                    few.transaction(
                        _ -> {
                          try {
                            return together.await(1, TimeUnit.SECONDS);
                          } catch (Exception e) {
                            throw new IllegalStateException("a connection is missing", e);
                          }
                        }),
                threads));
      }
      assertThat(held).allSatisfy(one -> assertThat(one.get()).isNotNegative());
      assertThat(unhandled).hasValue(0);
    } finally {
      vertx.close().await();
    }
  }

  private static void workFor(Database database, Duration time) {
    long end = System.nanoTime() + time.toNanos();
    while (System.nanoTime() < end) {
      try {
        database.run(tx -> tx.query("select 1"));
      } catch (StoreUnavailableException _) {
        // On a busy machine some wait too long, which is what they are told; no connection may be
        // lost by it.
      }
    }
  }

  @Test
  void saysUnavailableWhenNobodyListens() {
    Vertx vertx = Vertx.vertx();
    DatabaseAddress nobody = DatabaseAddress.local(1, "x", "x", "x");
    try (Database database = Database.connect(vertx, () -> nobody, 2, Duration.ofSeconds(2))) {
      assertThatThrownBy(() -> database.run(_ -> {})).isInstanceOf(StoreUnavailableException.class);
      assertThat(database.answers(Duration.ofSeconds(2))).isFalse();
    } finally {
      vertx.close().await();
    }
  }

  @Test
  void saysUnavailableWhileTheServerIsStoppedAndRecoversByItself(@TempDir Path directory)
      throws Exception {
    Vertx vertx = Vertx.vertx();
    try (DataDirectory data = DataDirectory.open(directory)) {
      TestBinaries.placeIn(data);
      try (EmbeddedPostgres postgres = EmbeddedPostgres.start(data, "penstock");
          Database database =
              Database.connect(vertx, postgres::address, 2, Duration.ofMillis(500))) {
        Path cluster = directory.resolve("postgres/data");
        database.run(tx -> tx.update("create table t (x int)"));
        List<ProcessHandle> server = new ArrayList<>();
        ProcessHandle postmaster = Postmaster.livingOn(cluster).orElseThrow().process();
        server.add(postmaster);
        postmaster.descendants().forEach(server::add);

        signal("STOP", server);
        for (int i = 0; i < 6; i++) {
          assertThatThrownBy(() -> database.run(tx -> tx.update("insert into t values (1)")))
              .isInstanceOf(StoreUnavailableException.class);
        }
        signal("CONT", server);

        assertThat(eventually(() -> database.answers(Duration.ofMillis(500)))).isTrue();
        assertThat(
                eventually(
                    () -> database.transaction(tx -> tx.update("insert into t values (2)") == 1)))
            .isTrue();
        // A commit that went unanswered may have happened; an insert that went unanswered may not.
        assertThat(
                database.<Integer>transaction(tx -> tx.query("select x from t where x = 1").size()))
            .isZero();

        var restarted = new CompletableFuture<Void>();
        postgres.onRestart(() -> restarted.complete(null));
        assertThat(postmaster.destroyForcibly()).isTrue();
        restarted.get(60, TimeUnit.SECONDS);

        assertThat(
                eventually(
                    () ->
                        database.transaction(
                            tx -> tx.query("select x from t where x = 2").size() == 1)))
            .isTrue();
      }
    } finally {
      vertx.close().await();
    }
  }

  private interface Attempt {
    boolean succeeds();
  }

  private static boolean eventually(Attempt attempt) {
    long end = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    while (System.nanoTime() < end) {
      try {
        if (attempt.succeeds()) {
          return true;
        }
      } catch (StoreUnavailableException _) {
        Thread.onSpinWait();
      }
    }
    return false;
  }

  private static void signal(String name, List<ProcessHandle> processes) throws Exception {
    var command = new ArrayList<>(List.of("kill", "-" + name));
    processes.forEach(process -> command.add(Long.toString(process.pid())));
    assertThat(new ProcessBuilder(command).start().waitFor()).isZero();
  }

  private static void insert(Tx tx, String topic) {
    OUTBOX.insert(tx, topic, "key", new JsonObject(), Instant.now());
  }

  private static int count(String topic) {
    return test.database()
        .transaction(tx -> tx.query("select 1 from outbox where topic = $1", topic).size());
  }
}
