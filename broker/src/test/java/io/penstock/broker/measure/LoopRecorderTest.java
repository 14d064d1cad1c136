package io.penstock.broker.measure;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.edge.InvocationRecord.HopMicros;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class LoopRecorderTest {
  private final SeriesTable table = new SeriesTable(100);
  private final LoopRecorder.Period period = new LoopRecorder.Period();
  private final LoopRecorder recorder = new LoopRecorder(table, period, () -> 42);
  private final Second second = new Second(table);

  private HopTimes drained() {
    second.begin(0);
    recorder.drain(second::add);
    return second.sum(_ -> true);
  }

  @Test
  void everyHopIsCountedAndTheySumToTheTotal() {
    var random = new SplittableRandom(1);
    for (int i = 0; i < 1_000; i++) {
      long broker = random.nextLong(500);
      long tunnel = random.nextLong(5_000);
      long agent = random.nextLong(500);
      long system = random.nextLong(300_000);
      long body = random.nextLong(50_000);
      recorder.record(
          Calls.answered(
              "a",
              "s",
              new HopMicros(
                  broker, tunnel, agent, system, broker + tunnel + agent + system + body)));
    }

    HopTimes times = drained();

    double sum = Hop.PARTS.stream().mapToDouble(hop -> times.of(hop).meanMs()).sum();
    assertThat(times.of(Hop.TOTAL).count()).isEqualTo(1_000);
    assertThat(Math.abs(sum - times.of(Hop.TOTAL).meanMs())).isLessThanOrEqualTo(times.errorMs());
  }

  @Test
  void whatAnAgentClaimsBeyondTheTimeIsStatedAsError() {
    recorder.record(Calls.answered("a", "s", new HopMicros(10, 0, 900, 9_000, 5_000)));

    HopTimes times = drained();

    assertThat(times.of(Hop.BODY).maxMs()).isZero();
    double sum = Hop.PARTS.stream().mapToDouble(hop -> times.of(hop).meanMs()).sum();
    assertThat(sum - times.of(Hop.TOTAL).meanMs()).isBetween(4.9, times.errorMs());
  }

  @Test
  void callsWithoutAnAnswerAreInNoOtherHop() {
    recorder.record(Calls.failed("a", "s", 60_000_000));
    recorder.record(Calls.answered("a", "s"));

    HopTimes times = drained();

    assertThat(times.calls()).isEqualTo(2);
    assertThat(times.errors()).isEqualTo(1);
    assertThat(times.of(Hop.FAILED).count()).isEqualTo(1);
    assertThat(times.of(Hop.TOTAL).maxMs()).isBetween(14.8, 15.2);
  }

  @Test
  void seriesBeyondTheLimitAreCountedTogether() {
    var few = new SeriesTable(2);
    var bounded = new LoopRecorder(few, period, () -> 0);
    for (int i = 0; i < 50; i++) {
      bounded.record(Calls.answered("agent-" + i, "s"));
    }

    var all = new Second(few);
    all.begin(0);
    bounded.drain(all::add);

    assertThat(all.series())
        .containsExactlyInAnyOrder(
            new SeriesKey("agent-0", "s"), new SeriesKey("agent-1", "s"), SeriesKey.OTHER);
    assertThat(all.sum(SeriesKey.OTHER::equals).calls()).isEqualTo(48);
    assertThat(few.overflowed()).isEqualTo(48);
  }

  @Test
  void aSeriesThatGaveItsPlaceUpComesBackUnderAnotherNumber() {
    recorder.record(Calls.answered("a", "s"));
    assertThat(drained().calls()).isEqualTo(1);

    table.forget(List.of(new SeriesKey("a", "s")));
    recorder.record(Calls.answered("b", "s"));
    recorder.record(Calls.answered("a", "s"));
    drained();

    assertThat(second.sum(new SeriesKey("a", "s")::equals).calls()).isEqualTo(1);
    assertThat(second.sum(new SeriesKey("b", "s")::equals).calls()).isEqualTo(1);
    assertThat(table.size()).isEqualTo(2);
  }

  @Test
  void aRingThatRunsOverSaysHowMuchIsLost() {
    for (int i = 0; i < LoopRecorder.CAPACITY + 5; i++) {
      recorder.record(Calls.answered("a", "s"));
    }

    assertThat(drained().calls()).isEqualTo(LoopRecorder.CAPACITY);
    assertThat(recorder.missed()).isEqualTo(5);
    recorder.record(Calls.answered("a", "s"));
    assertThat(drained().calls()).isEqualTo(1);
  }

  @Test
  void theSlowestOfEachSeriesAndFailedOnesAreAmongTheExamples() {
    for (int i = 0; i < 5_000; i++) {
      recorder.record(Calls.answered("a", "s", new HopMicros(1, 1, 1, 1, i == 1_234 ? 9_999 : 10)));
    }
    recorder.record(Calls.answered("b", "s", new HopMicros(1, 1, 1, 1, 77)));
    recorder.record(Calls.failed("a", "s", 5));
    var examples = new ArrayList<LoopRecorder.Example>();
    recorder.drainExamples(examples::add);

    List<RecentCalls.Recent> kept = new RecentCalls().take(examples);

    assertThat(kept)
        .filteredOn(recent -> recent.kind() == RecentCalls.Kind.SLOWEST)
        .extracting(recent -> recent.call().hops().total())
        .containsExactlyInAnyOrder(9_999L, 77L);
    assertThat(kept)
        .filteredOn(recent -> recent.kind() == RecentCalls.Kind.FAILED)
        .singleElement()
        .extracting(recent -> recent.call().verdict())
        .isEqualTo("deadline");
    assertThat(examples.size()).isLessThan(512);
  }

  /// What the hot path may not do. Examples are objects, and there are few.
  @Test
  void recordingMakesNoObjects() {
    var call = Calls.answered("a", "s");
    for (int i = 0; i < 20_000; i++) {
      recorder.record(call);
    }
    drained();
    var bean = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = bean.getCurrentThreadAllocatedBytes();

    for (int i = 0; i < 40_000; i++) {
      recorder.record(call);
    }

    long bytes = bean.getCurrentThreadAllocatedBytes() - before;
    assertThat(bytes / 40_000.0).isLessThan(1.0);
  }

  @Test
  void anotherThreadReadsWhatOneWritesWithoutLossOrDuplicate() throws InterruptedException {
    int calls = 400_000;
    var read = new AtomicLong();
    var sum = new AtomicLong();
    var done = new AtomicBoolean();
    Thread reader =
        Thread.ofPlatform()
            .start(
                () -> {
                  boolean last;
                  do {
                    last = done.get();
                    recorder.drain(
                        (_, _, _, _, _, _, _, total) -> {
                          read.incrementAndGet();
                          sum.addAndGet(total);
                        });
                    Thread.onSpinWait();
                  } while (!last);
                });
    long expected = 0;
    long missed = 0;
    for (int i = 0; i < calls; i++) {
      int micros = 10 + i % 100;
      recorder.record(Calls.answered("a", "s", new HopMicros(1, 1, 1, 1, micros)));
      if (recorder.missed() == missed) {
        expected += micros;
      }
      missed = recorder.missed();
    }
    done.set(true);
    reader.join();

    assertThat(read.get()).isEqualTo(calls - missed);
    assertThat(sum.get()).isEqualTo(expected);
  }
}
