package io.penstock.broker.edge;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.edge.ExchangeDeadlines.Limit;
import io.penstock.codec.Deadlines;
import org.junit.jupiter.api.Test;

class ExchangeDeadlinesTest {
  /// A clock may start anywhere, also just below its overflow.
  private static final long START = Long.MAX_VALUE - MILLISECONDS.toNanos(30);

  private static final Deadlines LIMITS = new Deadlines(5, 60, 300, 1_000);

  private static long at(long ms) {
    return START + MILLISECONDS.toNanos(ms);
  }

  @Test
  void boundsTheTimeUntilTheStreamIsOpen() {
    var deadlines = new ExchangeDeadlines(LIMITS, START);

    assertThat(deadlines.passed(at(64))).isEqualTo(Limit.NONE);
    assertThat(deadlines.passed(at(65))).isEqualTo(Limit.FIRST_BYTE);
    assertThat(deadlines.leftNanos(at(40))).isEqualTo(MILLISECONDS.toNanos(25));
  }

  @Test
  void countsTheFirstByteFromTheRequestsEnd() {
    var deadlines = new ExchangeDeadlines(LIMITS, START);
    deadlines.opened(at(10));
    deadlines.moved(at(200));

    deadlines.requestEnded(at(300));

    assertThat(deadlines.passed(at(364))).isEqualTo(Limit.NONE);
    assertThat(deadlines.passed(at(365))).isEqualTo(Limit.FIRST_BYTE);
  }

  @Test
  void countsTheFirstByteFromTheOpenedStreamWithoutABody() {
    var deadlines = new ExchangeDeadlines(LIMITS, START);
    deadlines.requestEnded(at(0));

    deadlines.opened(at(10));

    assertThat(deadlines.passed(at(74))).isEqualTo(Limit.NONE);
    assertThat(deadlines.passed(at(75))).isEqualTo(Limit.FIRST_BYTE);
  }

  @Test
  void letsAnUploadTakeItsTimeWhileItMoves() {
    var deadlines = new ExchangeDeadlines(LIMITS, START);
    deadlines.opened(at(0));
    deadlines.moved(at(250));
    deadlines.moved(at(500));

    assertThat(deadlines.passed(at(799))).isEqualTo(Limit.NONE);
    assertThat(deadlines.passed(at(800))).isEqualTo(Limit.IDLE);
  }

  @Test
  void endsAnAnswerThatStandsStill() {
    var deadlines = new ExchangeDeadlines(LIMITS, START);
    deadlines.opened(at(0));
    deadlines.requestEnded(at(0));
    deadlines.headArrived(at(50));
    deadlines.moved(at(100));

    assertThat(deadlines.passed(at(399))).isEqualTo(Limit.NONE);
    assertThat(deadlines.passed(at(400))).isEqualTo(Limit.IDLE);
  }

  @Test
  void waitsForTheFirstByteWhateverMovesBefore() {
    var deadlines = new ExchangeDeadlines(LIMITS, START);
    deadlines.opened(at(0));
    deadlines.requestEnded(at(0));

    deadlines.moved(at(60));

    assertThat(deadlines.passed(at(65))).isEqualTo(Limit.FIRST_BYTE);
  }

  @Test
  void holdsTheTotalAboveAll() {
    var deadlines = new ExchangeDeadlines(LIMITS, START);
    deadlines.opened(at(0));
    deadlines.headArrived(at(1));
    deadlines.moved(at(999));

    assertThat(deadlines.passed(at(999))).isEqualTo(Limit.NONE);
    assertThat(deadlines.leftNanos(at(999))).isEqualTo(MILLISECONDS.toNanos(1));
    assertThat(deadlines.passed(at(1_000))).isEqualTo(Limit.TOTAL);
  }

  @Test
  void tellsTheAgentWhatIsLeft() {
    var deadlines = new ExchangeDeadlines(LIMITS, START);

    assertThat(deadlines.remaining(at(400))).isEqualTo(new Deadlines(5, 60, 300, 600));
    assertThat(deadlines.remaining(at(2_000)).totalMs()).isEqualTo(1);
  }

  @Test
  void hasNoLimitWhereNoneIsSet() {
    var deadlines = new ExchangeDeadlines(new Deadlines(0, 0, 0, 0), START);
    deadlines.opened(at(0));

    assertThat(deadlines.leftNanos(at(1_000_000))).isEqualTo(Long.MAX_VALUE);
    assertThat(deadlines.passed(at(1_000_000))).isEqualTo(Limit.NONE);
    assertThat(deadlines.remaining(at(1_000)).totalMs()).isZero();
  }
}
