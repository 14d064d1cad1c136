package io.penstock.loadtest.fault;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.loadtest.fault.DeliveryHistory.Answer;
import io.penstock.loadtest.fault.DeliveryHistory.Change;
import io.penstock.loadtest.fault.DeliveryHistory.End;
import io.penstock.loadtest.fault.DeliveryHistory.Fate;
import io.penstock.loadtest.fault.DeliveryHistory.Kind;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// The judge of the chaos tests objects to what is wrong, and only to that.
class DeliveryHistoryTest {
  private static final List<Change> THREE = List.of(good(1, 1), good(2, 2), good(3, 4));
  private static final List<Fate> FATES =
      List.of(applied(1), new Fate(2, Kind.SUPERSEDED), applied(4));
  private static final End GOOD_END = end(4, 4, 3);

  private static Change good(int number, long version) {
    return new Change(number, Optional.of(version), Answer.ACKNOWLEDGED);
  }

  private static Change unknown(int number, long version) {
    return new Change(number, Optional.of(version), Answer.UNKNOWN);
  }

  private static Fate applied(long version) {
    return new Fate(version, Kind.APPLIED);
  }

  private static End end(long deployed, long applied, int seen) {
    return new End(deployed, applied, 0, Optional.of(seen));
  }

  private static List<String> problems(
      List<Change> changes, List<Integer> seen, List<Fate> fates, End end) {
    return new DeliveryHistory("a/s", changes, seen, fates, end).problems();
  }

  @Test
  void acceptsWhatIsAppliedOrSupersededOnceAndInOrder() {
    assertThat(problems(THREE, List.of(1, 1, 3), FATES, GOOD_END)).isEmpty();
  }

  @Test
  void acceptsASupersededChangeThatASystemSawForAMoment() {
    assertThat(problems(THREE, List.of(1, 2, 3), FATES, GOOD_END)).isEmpty();
  }

  @Test
  void objectsToAnAcknowledgedChangeWithoutFate() {
    assertThat(problems(THREE, List.of(), List.of(applied(1), applied(4)), GOOD_END))
        .containsExactly("a/s: change 2 (version 2) was acknowledged and is lost");
  }

  @Test
  void objectsToALostNewestChange() {
    assertThat(problems(THREE, List.of(), FATES.subList(0, 2), end(2, 1, 1)))
        .contains(
            "a/s: change 3 (version 4) was acknowledged and is lost",
            "a/s: version 2 is deployed, acknowledged was 4",
            "a/s: version 1 is applied, deployed is 2");
  }

  @Test
  void objectsToAReceiptRecordedTwice() {
    assertThat(
            problems(
                THREE,
                List.of(),
                List.of(applied(1), applied(1), new Fate(2, Kind.SUPERSEDED), applied(4)),
                GOOD_END))
        .anyMatch(problem -> problem.contains("change 1 (version 1) has more than one fate"))
        .contains("a/s: version 1 was applied after 1");
  }

  @Test
  void objectsToAChangeThatWasAppliedAndSuperseded() {
    assertThat(
            problems(
                THREE,
                List.of(),
                List.of(applied(1), applied(2), new Fate(2, Kind.SUPERSEDED), applied(4)),
                GOOD_END))
        .singleElement()
        .asString()
        .contains("change 2 (version 2) has more than one fate");
  }

  @Test
  void objectsToReceiptsThatGoBack() {
    assertThat(problems(THREE, List.of(), List.of(applied(2), applied(1), applied(4)), GOOD_END))
        .containsExactly("a/s: version 1 was applied after 2");
  }

  @Test
  void objectsToASystemThatGoesBack() {
    assertThat(problems(THREE, List.of(2, 1, 3), FATES, GOOD_END))
        .containsExactly("a/s: change 1 was seen after 2");
  }

  @Test
  void objectsToWhatNobodyWrote() {
    assertThat(
            problems(
                THREE,
                List.of(9),
                List.of(applied(1), new Fate(2, Kind.SUPERSEDED), applied(3), applied(4)),
                GOOD_END))
        .containsExactlyInAnyOrder(
            "a/s: nobody wrote [Fate[version=3, kind=APPLIED]]",
            "a/s: change 9 was seen, and nobody wrote it");
  }

  @Test
  void objectsToTheNewestBeingSupersededByNothing() {
    assertThat(
            problems(
                THREE,
                List.of(),
                List.of(applied(1), applied(2), new Fate(4, Kind.SUPERSEDED)),
                end(4, 2, 2)))
        .contains("a/s: version 4 was superseded by none that is newer");
  }

  @Test
  void objectsToARefusal() {
    assertThat(
            problems(
                THREE,
                List.of(),
                List.of(applied(1), new Fate(2, Kind.REFUSED), applied(4)),
                GOOD_END))
        .containsExactly("a/s: version 2 was refused");
  }

  @Test
  void objectsToAnEndThatIsNotTheNewest() {
    assertThat(problems(THREE, List.of(), FATES, new End(4, 4, 2, Optional.of(1))))
        .containsExactlyInAnyOrder(
            "a/s: 2 messages wait for ever",
            "a/s: calls see change Optional[1], applied is Optional[3]");
  }

  @Test
  void objectsToWhatWasRefusedToItsAuthorAndYetApplied() {
    List<Change> changes =
        List.of(good(1, 1), new Change(2, Optional.of(2L), Answer.NOT_DEPLOYED), good(3, 4));
    assertThat(
            problems(changes, List.of(2, 3), List.of(applied(1), applied(2), applied(4)), GOOD_END))
        .containsExactlyInAnyOrder(
            "a/s: change 2 (version 2) was never deployed, and yet [Fate[version=2, kind=APPLIED]]",
            "a/s: change 2 (version 2) was seen, and never deployed");
  }

  @Test
  void leavesAChangeWithoutAnswerBothWays() {
    List<Change> changes = List.of(good(1, 1), unknown(2, 2));
    assertThat(problems(changes, List.of(1), List.of(applied(1)), end(1, 1, 1))).isEmpty();
    assertThat(problems(changes, List.of(1, 2), List.of(applied(1), applied(2)), end(2, 2, 2)))
        .isEmpty();
    var lostWriting = new Change(2, Optional.empty(), Answer.NOT_DEPLOYED);
    assertThat(
            problems(
                List.of(good(1, 1), lostWriting, good(3, 3)),
                List.of(),
                List.of(applied(1), applied(3)),
                end(3, 3, 3)))
        .isEmpty();
  }
}
