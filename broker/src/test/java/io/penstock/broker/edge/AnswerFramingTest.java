package io.penstock.broker.edge;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.edge.AnswerFraming.Kind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AnswerFramingTest {
  private static AnswerFraming framing(
      int status, long length, boolean end, boolean headRequest, boolean http10) {
    return AnswerFraming.of(status, length, end, headRequest, http10).orElseThrow();
  }

  @ParameterizedTest
  @CsvSource({
    "200, 5, false, false, false, LENGTH",
    "200, 5, false, false, true, LENGTH",
    "200, 0, true, false, false, LENGTH",
    "200, -1, true, false, false, LENGTH",
    "200, -1, false, false, false, CHUNKED",
    "200, -1, false, false, true, UNTIL_CLOSE",
    "200, 5, true, true, false, NONE",
    "200, -1, false, true, false, NONE",
    "204, -1, true, false, false, NONE",
    "205, -1, true, false, false, NONE",
    "304, 5, true, false, false, NONE"
  })
  void findsTheEnd(
      int status, long length, boolean end, boolean headRequest, boolean http10, Kind kind) {
    assertThat(framing(status, length, end, headRequest, http10).kind()).isEqualTo(kind);
  }

  @Test
  void refusesWhatContradictsItself() {
    assertThat(AnswerFraming.of(200, 5, true, false, false)).isEmpty();
    assertThat(AnswerFraming.of(200, AnswerFields.BAD_LENGTH, false, false, false)).isEmpty();
  }

  @Test
  void holdsABodyToItsLength() {
    AnswerFraming framing = framing(200, 5, false, false, false);

    assertThat(framing.takes(3)).isTrue();
    assertThat(framing.mayEnd()).isFalse();
    assertThat(framing.takes(2)).isTrue();
    assertThat(framing.mayEnd()).isTrue();
    assertThat(framing.takes(1)).isFalse();
  }

  @Test
  void takesNoBodyWhereThereIsNone() {
    AnswerFraming framing = framing(204, AnswerFields.NO_LENGTH, false, false, false);

    assertThat(framing.mayEnd()).isTrue();
    assertThat(framing.takes(1)).isFalse();
  }

  @Test
  void saysThatABodyIsEmptyWhereTheSystemDidNot() {
    assertThat(framing(200, AnswerFields.NO_LENGTH, true, false, false).saysEmpty()).isTrue();
    assertThat(framing(200, 0, true, false, false).saysEmpty()).isFalse();
  }
}
