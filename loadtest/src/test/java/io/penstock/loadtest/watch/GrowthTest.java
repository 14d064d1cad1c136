package io.penstock.loadtest.watch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.penstock.loadtest.watch.GrowthLimits.Quantity;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import java.util.function.IntToDoubleFunction;
import org.junit.jupiter.api.Test;

class GrowthTest {
  private static final long SECOND = 1_000_000_000;
  private static final GrowthLimits LIMITS =
      new GrowthLimits(Map.of(Quantity.HEAP, 0.5, Quantity.OPEN_FILES, 1.0));

  /// @param heapMb by second
  private static List<ProcessSamples.Sample> samples(
      int seconds, IntToDoubleFunction heapMb, IntToDoubleFunction openFiles) {
    List<ProcessSamples.Sample> samples = new ArrayList<>();
    for (int i = 0; i < seconds; i++) {
      samples.add(
          new ProcessSamples.Sample(
              i * SECOND,
              "broker",
              0,
              100_000_000,
              OptionalLong.of(Math.round(heapMb.applyAsDouble(i) * 1e6)),
              Math.round(openFiles.applyAsDouble(i)),
              25));
    }
    return samples;
  }

  private static Growth of(List<ProcessSamples.Sample> samples, Quantity quantity) {
    return Growth.of(samples, 0, LIMITS).stream()
        .filter(growth -> growth.quantity() == quantity)
        .findFirst()
        .orElseThrow();
  }

  @Test
  void aLeakBelowTheSawtoothOfCollectionsIsSeenWithItsSlope() {
    var random = new SplittableRandom(1);
    // 2 MB a minute below a sawtooth of 30 MB, with noise.
    Growth heap =
        of(
            samples(
                1_800, i -> 20 + i * 2.0 / 60 + i % 37 * 30.0 / 37 + random.nextDouble(), _ -> 40),
            Quantity.HEAP);

    assertThat(heap.verdict()).isEqualTo(Growth.Verdict.GROWS);
    assertThat(heap.perMinute()).isCloseTo(2, within(0.1));
    assertThat(heap.text()).contains("broker heap MB", "(limit 0.500): GROWS");
  }

  @Test
  void aSawtoothThatGoesNowhereIsSteady() {
    Growth heap = of(samples(1_800, i -> 20 + i % 37 * 0.5, _ -> 40), Quantity.HEAP);

    assertThat(heap.verdict()).isEqualTo(Growth.Verdict.STEADY);
    assertThat(heap.perMinute()).isCloseTo(0, within(0.05));
  }

  @Test
  void whatComesUpWhileTheProcessSettlesDoesNotCount() {
    Growth heap = of(samples(1_800, i -> Math.min(60, 20 + i / 6.0), _ -> 40), Quantity.HEAP);

    assertThat(heap.verdict()).isEqualTo(Growth.Verdict.STEADY);
    assertThat(heap.first()).isEqualTo(60);
  }

  @Test
  void aFewSpikesTurnNoLine() {
    Growth files =
        of(samples(1_800, _ -> 20, i -> i > 1_500 && i < 1_560 ? 900 : 40), Quantity.OPEN_FILES);

    assertThat(files.verdict()).isEqualTo(Growth.Verdict.STEADY);
  }

  @Test
  void noiseAroundALineBelowTheLimitIsSteady() {
    var random = new SplittableRandom(3);
    Growth heap = of(samples(600, i -> 50 + random.nextDouble() * 8, _ -> 40), Quantity.HEAP);

    assertThat(heap.verdict()).isEqualTo(Growth.Verdict.STEADY);
  }

  @Test
  void filesThatAreNeverClosedAreSeen() {
    Growth files = of(samples(600, _ -> 20, i -> 40 + i / 20), Quantity.OPEN_FILES);

    assertThat(files.verdict()).isEqualTo(Growth.Verdict.GROWS);
    assertThat(files.perMinute()).isCloseTo(3, within(0.1));
    assertThat(of(samples(600, _ -> 20, i -> 40 + i / 20), Quantity.THREADS).verdict())
        .isEqualTo(Growth.Verdict.STEADY);
  }

  @Test
  void aFewSamplesSayNothing() {
    assertThat(of(samples(5, i -> i, _ -> 40), Quantity.HEAP).verdict())
        .isEqualTo(Growth.Verdict.TOO_SHORT);
    assertThat(Growth.of(List.of(), 0, LIMITS)).isEmpty();
  }

  @Test
  void aLimitOnWhatWasNeverSeenIsAVerdictOfItsOwn() {
    List<ProcessSamples.Sample> noHeap =
        List.of(
            new ProcessSamples.Sample(SECOND, "broker", 0, 1_000, OptionalLong.empty(), 40, 25));

    Growth heap = of(noHeap, Quantity.HEAP);

    assertThat(heap.verdict()).isEqualTo(Growth.Verdict.NOT_KNOWN);
    assertThat(heap.text()).isEqualTo("broker heap MB (limit 0.500): NOT KNOWN");
  }

  @Test
  void aLimitIsAboveNothing() {
    assertThatThrownBy(() -> new GrowthLimits(Map.of(Quantity.THREADS, 0.0)))
        .hasMessage("threads: expected a limit per minute above 0, found 0.0");
  }
}
