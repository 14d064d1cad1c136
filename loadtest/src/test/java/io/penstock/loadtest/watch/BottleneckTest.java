package io.penstock.loadtest.watch;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;

class BottleneckTest {
  private static final long MS = 1_000_000;
  private static final long SECOND = 1_000 * MS;

  private static Histogram of(long... nanos) {
    Histogram histogram = new Histogram(3);
    for (long one : nanos) {
      histogram.recordValue(one);
    }
    return histogram;
  }

  @Test
  void aGeneratorThatIsMostOfTheResponseTimeInvalidatesTheFlow() {
    List<String> reasons = Bottleneck.USUAL.ofFlow("small", of(8 * MS), of(10 * MS));

    assertThat(reasons).hasSize(1);
    assertThat(reasons.getFirst()).contains("flow small", "8.0 ms", "10.0 ms");
  }

  @Test
  void latenessThatIsSmallBesideTheResponseTimeIsFine() {
    assertThat(Bottleneck.USUAL.ofFlow("small", of(8 * MS), of(100 * MS))).isEmpty();
  }

  @Test
  void aVeryLateGeneratorIsNeverFineHoweverSlowTheAnswers() {
    assertThat(Bottleneck.USUAL.ofFlow("small", of(11 * MS), of(1_000 * MS))).hasSize(1);
  }

  @Test
  void latenessBelowAMillisecondIsFine() {
    assertThat(Bottleneck.USUAL.ofFlow("small", of(MS / 2), of(MS / 2))).isEmpty();
  }

  @Test
  void closedLoopIsNeverLate() {
    assertThat(Bottleneck.USUAL.ofFlow("bulk", of(), of(MS))).isEmpty();
  }

  @Test
  void lateWithoutAnyAnswerIsStillLate() {
    assertThat(Bottleneck.USUAL.ofFlow("small", of(8 * MS), of())).hasSize(1);
  }

  @Test
  void aBusyLoopAndLongCollectionsInvalidate() {
    assertThat(
            Bottleneck.USUAL.ofGenerator(new GeneratorUse(SECOND, List.of(0.2, 0.95), 3, 30 * MS)))
        .hasSize(2)
        .anyMatch(reason -> reason.contains("95 %"))
        .anyMatch(reason -> reason.contains("3.0 %"));
    assertThat(
            Bottleneck.USUAL.ofGenerator(
                new GeneratorUse(
                    SECOND, List.of(0.2), Map.of("the proxy", 0.97, "the fleet", 0.1), 0, 0)))
        .singleElement()
        .asString()
        .contains("of the proxy", "97 %");
    assertThat(Bottleneck.USUAL.ofGenerator(new GeneratorUse(SECOND, List.of(0.5), 1, 5 * MS)))
        .isEmpty();
  }
}
