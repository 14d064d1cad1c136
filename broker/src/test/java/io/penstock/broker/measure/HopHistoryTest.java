package io.penstock.broker.measure;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.measure.HopArchive.Question;
import io.penstock.broker.measure.Measuring.Interval;
import io.penstock.broker.store.BreakableDatabase;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.TestDatabase;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HopHistoryTest {
  private static final Instant START = Instant.parse("2026-01-02T03:00:00Z");
  private static final Set<Hop> EVERY_HOP = EnumSet.allOf(Hop.class);
  private static final SeriesKey ERP = new SeriesKey("press-1", "erp");
  private static final SeriesKey DB = new SeriesKey("press-2", "db");

  private final SplittableRandom random = new SplittableRandom(11);
  private TestDatabase postgres;
  private SetClock clock;

  @BeforeAll
  void startDatabase() {
    postgres = TestDatabase.create();
  }

  @AfterAll
  void stopDatabase() {
    postgres.close();
  }

  @BeforeEach
  void empty() {
    postgres.execute("truncate hop_times");
    clock = new SetClock(START);
  }

  private HopHistory history(Database database, String node) {
    return new HopHistory(database, node, clock, HopHistory.MAX_WAITING);
  }

  private HopArchive archive(HopHistory history) {
    return new HopArchive(history, new Measuring(100, clock, _ -> {}), "none", clock);
  }

  /// Random calls of one series, added to `all` too.
  private HopTimes calls(int count, HopTimes all) {
    var times = new HopTimes();
    for (int i = 0; i < count; i++) {
      int system = random.nextInt(1, 2_000_000);
      int flags = random.nextInt(20) == 0 ? LoopRecorder.FAILED : 0;
      times.record(flags, 40, 900, 70, system, 5, system + 1_015);
      all.record(flags, 40, 900, 70, system, 5, system + 1_015);
    }
    return times;
  }

  private static Interval interval(long second, HopTimes erp, HopTimes db) {
    var all = new HopTimes();
    all.add(erp);
    all.add(db);
    return new Interval(
        second, List.of(erp.encoded(ERP), db.encoded(DB), all.encoded(SeriesKey.ALL)));
  }

  private static Question question(Instant from, Instant to) {
    return new Question(Optional.empty(), Optional.empty(), Optional.empty(), from, to);
  }

  private static void assertSame(HopTimes found, HopTimes expected) {
    assertThat(found.calls()).isEqualTo(expected.calls());
    assertThat(found.errors()).isEqualTo(expected.errors());
    for (Hop hop : Hop.values()) {
      assertThat(found.of(hop).count()).as(hop.text()).isEqualTo(expected.of(hop).count());
      assertThat(found.of(hop).meanMs()).as(hop.text()).isEqualTo(expected.of(hop).meanMs());
      assertThat(found.of(hop).cells()).as(hop.text()).isEqualTo(expected.of(hop).cells());
      for (double percentile : new double[] {0, 1, 25, 50, 90, 99, 99.9, 100}) {
        assertThat(found.of(hop).percentileMs(percentile))
            .as("%s p%s", hop.text(), percentile)
            .isEqualTo(expected.of(hop).percentileMs(percentile));
      }
    }
  }

  /// Two hours in ten-second intervals, as they pass.
  private HopTimes twoHours(HopHistory history, HopTimes all) {
    var erp = new HopTimes();
    for (int i = 0; i < 720; i++) {
      history.accept(
          interval(clock.instant().getEpochSecond(), calls(20, erp), calls(3, new HopTimes())));
      clock.pass(Duration.ofSeconds(10));
      if (i % 30 == 0) {
        history.flush();
        history.rollUp();
      }
    }
    history.flush();
    history.rollUp();
    all.add(erp);
    return erp;
  }

  @Test
  void coarserRowsAreExactlyWhatOneHistogramWouldHaveBeen() {
    HopHistory history = history(postgres.database(), "node-1");
    HopTimes erp = twoHours(history, new HopTimes());
    postgres.execute("delete from hop_times where resolution_s < 600");
    var ofErp =
        new Question(
            Optional.of("press-1"),
            Optional.empty(),
            Optional.empty(),
            START,
            START.plus(Duration.ofHours(2)));
    clock.pass(Duration.ofDays(2));

    HopTimes found = archive(history).total(ofErp, EVERY_HOP);

    assertThat(postgres.number("select count(*) as n from hop_times where agent = 'press-1'"))
        .isEqualTo(12);
    assertSame(found, erp);
  }

  @Test
  void aTimeThatIsPartlySummedUpIsCountedOnce() {
    HopHistory history = history(postgres.database(), "node-1");
    var all = new HopTimes();
    for (int i = 0; i < 100; i++) {
      history.accept(interval(clock.instant().getEpochSecond(), calls(5, all), calls(5, all)));
      clock.pass(Duration.ofSeconds(10));
    }
    history.flush();
    history.rollUp();
    Instant end = clock.instant();

    for (Duration back : List.of(Duration.ofMinutes(20), Duration.ofHours(5), Duration.ofDays(5))) {
      HopTimes found = archive(history).total(question(end.minus(back), end), EVERY_HOP);
      assertSame(found, all);
    }
  }

  @Test
  void pointsFallWhereTheCallsWereAndSilenceIsNoPoint() {
    HopHistory history = history(postgres.database(), "node-1");
    long first = clock.instant().getEpochSecond();
    history.accept(interval(first, calls(5, new HopTimes()), calls(5, new HopTimes())));
    history.accept(interval(first + 300, calls(7, new HopTimes()), calls(1, new HopTimes())));
    clock.pass(Duration.ofSeconds(400));
    history.flush();

    var points =
        archive(history).points(question(START, clock.instant()), Set.of(Hop.TOTAL), 10).points();

    assertThat(points.keySet()).containsExactly(first, first + 300);
    assertThat(Objects.requireNonNull(points.get(first + 300)).calls()).isEqualTo(8);
  }

  @Test
  void rowsOfSeveralNodesAndRunsAreAddedUp() {
    var all = new HopTimes();
    long second = clock.instant().getEpochSecond();
    for (String node : List.of("node-1", "node-2")) {
      HopHistory history = history(postgres.database(), node);
      history.accept(interval(second, calls(10, all), calls(10, all)));
      history.flush();
    }
    // The first one again after a restart, within the same interval.
    clock.pass(Duration.ofSeconds(3));
    HopHistory again = history(postgres.database(), "node-1");
    again.accept(interval(second, calls(10, all), calls(10, all)));
    again.flush();
    clock.pass(Duration.ofSeconds(10));

    HopArchive.Points points =
        archive(again).points(question(START, clock.instant()), EVERY_HOP, 10);

    assertThat(points.nodes()).containsExactly("node-1", "node-2");
    assertSame(Objects.requireNonNull(points.points().get(second)), all);
  }

  @Test
  void somebodyWithAScopeGetsTheSumOfWhatTheySee() {
    HopHistory history = history(postgres.database(), "node-1");
    var erp = new HopTimes();
    history.accept(
        interval(clock.instant().getEpochSecond(), calls(50, erp), calls(60, new HopTimes())));
    history.flush();
    clock.pass(Duration.ofSeconds(20));
    var scoped =
        new Question(
            Optional.empty(),
            Optional.empty(),
            Optional.of(series -> series.agent().equals("press-1")),
            START,
            clock.instant());

    assertSame(archive(history).total(scoped, EVERY_HOP), erp);
    assertThat(archive(history).bySeries(scoped, EVERY_HOP).keySet()).containsExactly(ERP);
  }

  @Test
  void rowsWaitWhilePostgresIsAwayAndAreWrittenOnceItIsBack() {
    try (var breakable = new BreakableDatabase(postgres)) {
      HopHistory history = history(breakable.database(), "node-1");
      var all = new HopTimes();
      breakable.cut();
      for (int i = 0; i < 12; i++) {
        history.accept(interval(clock.instant().getEpochSecond(), calls(4, all), calls(4, all)));
        clock.pass(Duration.ofSeconds(10));
      }
      history.flush();
      assertThat(history.waiting()).isEqualTo(36);

      breakable.mend();
      history.flush();
      history.rollUp();

      assertThat(history.waiting()).isZero();
      assertThat(history.dropped()).isZero();
      assertSame(archive(history).total(question(START, clock.instant()), EVERY_HOP), all);
      assertThat(postgres.number("select count(*) as n from hop_times where resolution_s = 60"))
          .isEqualTo(6);
    }
  }

  @Test
  void theOldestRowsAreDroppedAndCountedWhenItStaysAway() {
    var bounded = new HopHistory(postgres.database(), "node-1", clock, 10);
    for (int i = 0; i < 5; i++) {
      bounded.accept(
          interval(
              clock.instant().getEpochSecond(),
              calls(1, new HopTimes()),
              calls(1, new HopTimes())));
      clock.pass(Duration.ofSeconds(10));
    }

    assertThat(bounded.waiting()).isEqualTo(10);
    assertThat(bounded.dropped()).isEqualTo(5);
    bounded.flush();
    assertThat(postgres.number("select count(*) as n from hop_times")).isEqualTo(10);
    assertThat(postgres.number("select extract(epoch from min(at))::bigint as n from hop_times"))
        .isEqualTo(START.getEpochSecond() + 10);
  }

  @Test
  void oldRowsAreTakenAwayByResolution() {
    HopHistory history = history(postgres.database(), "node-1");
    twoHours(history, new HopTimes());

    history.prune();

    var counts = new ArrayList<Long>();
    for (Resolution one : Resolution.values()) {
      counts.add(
          postgres.number(
              "select count(*) as n from hop_times where agent = '' and resolution_s = "
                  + one.seconds()));
    }
    // An hour and two minutes of the finest; the others are not old yet.
    assertThat(counts).containsExactly(372L, 120L, 12L);
  }
}
