package io.penstock.broker.edge;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Cases of W3C Trace Context, section 3.2.
class TraceContextTest {
  private static final String VALID = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

  @Test
  void readsVersion00() {
    assertThat(TraceContext.parse(VALID))
        .contains(
            new TraceContext(0x0af7651916cd43ddL, 0x8448eb211c80319cL, 0xb7ad6b7169203331L, 1));
  }

  @Test
  void readsTheKnownPartOfALaterVersion() {
    assertThat(TraceContext.parse("cc" + VALID.substring(2) + "-what-follows")).isPresent();
    assertThat(TraceContext.parse("cc" + VALID.substring(2))).isPresent();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
        "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
      })
  void takesOthersForNone(String text) {
    assertThat(TraceContext.parse(text)).isEmpty();
  }
}
