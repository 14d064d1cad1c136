package io.penstock.broker;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.audit.Audit;
import io.penstock.broker.edge.RollUp;
import io.penstock.broker.keys.TestRowMac;
import io.penstock.broker.store.AuditTable;
import io.penstock.broker.store.BreakableDatabase;
import io.penstock.broker.store.TestDatabase;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class InvocationAuditTest {
  private static final int MAX_WAITING = 1_200;

  private TestDatabase real;
  private BreakableDatabase database;
  private InvocationAudit audit;

  @BeforeEach
  void start() {
    real = TestDatabase.create();
    database = new BreakableDatabase(real);
    audit =
        new InvocationAudit(
            database.database(),
            new Audit(database.database(), TestRowMac.random(), Clock.systemUTC()),
            MAX_WAITING);
  }

  @AfterEach
  void stop() {
    database.close();
    real.close();
  }

  private static List<RollUp> rollUps(int from, int to) {
    Instant minute = Instant.parse("2026-11-01T12:00:00Z");
    return IntStream.range(from, to)
        .mapToObj(n -> new RollUp(minute, "caller-" + n, "berlin", "erp", "ok", n, 2, 3, 4, 5))
        .toList();
  }

  private List<String> written() {
    return TestAudit.of(real).stream().map(entry -> entry.user().orElse("")).toList();
  }

  private static List<String> callers(int from, int to) {
    return IntStream.range(from, to).mapToObj(n -> "caller-" + n).toList();
  }

  @Test
  void aRollUpIsOneEventWithItsSums() {
    audit.accept(rollUps(7, 8));

    AuditTable.Entry entry = TestAudit.of(real).getFirst();
    assertThat(entry.eventType()).isEqualTo("invocation.summary");
    assertThat(entry.user()).contains("caller-7");
    assertThat(entry.resourceId()).contains("berlin/erp");
    assertThat(entry.result()).contains("ok");
    assertThat(entry.changes())
        .containsEntry("minute", "2026-11-01T12:00:00Z")
        .containsEntry("invocations", 7)
        .containsEntry("bytes_in", 2)
        .containsEntry("bytes_out", 3)
        .containsEntry("total_micros", 4)
        .containsEntry("max_micros", 5);
  }

  @Test
  void moreThanOneTransactionTakesIsAllWrittenInOrder() {
    audit.accept(rollUps(0, 1_101));

    assertThat(written()).isEqualTo(callers(0, 1_101));
  }

  @Test
  void whatAnOutageHoldsUpIsWrittenAfterItOnceAndInOrder() {
    audit.accept(rollUps(0, 2));
    database.cut();
    audit.accept(rollUps(2, 600));
    audit.accept(rollUps(600, 603));
    assertThat(written()).isEqualTo(callers(0, 2));

    database.mend();
    audit.accept(rollUps(603, 604));

    assertThat(written()).isEqualTo(callers(0, 604));
  }

  @Test
  void anOutageThatLastsLosesTheOldestAndNoMore() {
    database.cut();
    audit.accept(rollUps(0, 700));
    audit.accept(rollUps(700, 1_400));

    database.mend();
    audit.accept(List.of());

    assertThat(written()).isEqualTo(callers(1_400 - MAX_WAITING, 1_400));
  }
}
