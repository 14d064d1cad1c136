package io.penstock.broker.edge;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class InvocationTargetTest {

  @ParameterizedTest
  @CsvSource({
    "/invoke/plant/erp, /, /",
    "/invoke/plant/erp/, /, /",
    "/invoke/plant/erp?a=1, /?a=1, /",
    "/invoke/plant/erp/?, /?, /",
    "/invoke/plant/erp/a/b, /a/b, /a/b",
    "/invoke/plant/erp/a%20b;v=1?q=/x?y, /a%20b;v=1?q=/x?y, /a%20b;v=1"
  })
  void passesTheRestByteForByte(String target, String pathAndQuery, String path) {
    InvocationTarget parsed = InvocationTarget.parse(target).orElseThrow();

    assertThat(parsed).isEqualTo(new InvocationTarget("plant", "erp", pathAndQuery, path));
  }

  @Test
  void takesNamesOf63Characters() {
    String longest = "x".repeat(63);

    assertThat(InvocationTarget.parse("/invoke/A-1._z/" + longest)).isPresent();
    assertThat(InvocationTarget.parse("/invoke/plant/" + longest + "x")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/",
        "/invoke",
        "/invoke/",
        "/invoke/plant",
        "/invoke/plant/",
        "/invoke/plant?/erp",
        "/invoke/pl%61nt/erp",
        "/invoke/plant/e%72p/",
        "/invoke/plant/erp;v=1/",
        "/Invoke/plant/erp"
      })
  void namesNothing(String target) {
    assertThat(InvocationTarget.parse(target)).isEmpty();
  }
}
