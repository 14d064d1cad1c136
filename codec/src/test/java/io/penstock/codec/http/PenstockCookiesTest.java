package io.penstock.codec.http;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PenstockCookiesTest {

  @Test
  void leavesForeignCookiesByteForByte() {
    assertThat(PenstockCookies.strip("a=1;b=2 ;  c")).contains("a=1;b=2 ;  c");
    assertThat(PenstockCookies.strip("a=not-penstock; b=2")).contains("a=not-penstock; b=2");
  }

  @Test
  void takesOursOutFromAnyPlace() {
    assertThat(PenstockCookies.strip("penstock_refresh=x; a=1")).contains("a=1");
    assertThat(PenstockCookies.strip("a=1;__Host-penstock=x;b=2")).contains("a=1; b=2");
    assertThat(PenstockCookies.strip("a=1; PENSTOCK=x")).contains("a=1");
    assertThat(PenstockCookies.strip("a=1; =penstock=x")).contains("a=1");
    assertThat(PenstockCookies.strip("penstock; __Secure-Penstock-x=1")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "penstock=x; Path=/",
        "__Host-penstock-session=x",
        " =penstock=x",
        "__host-PENSTOCK=",
        "penstock"
      })
  void keepsSystemsFromSettingOurs(String setCookie) {
    assertThat(PenstockCookies.maySet(setCookie)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"a=penstock", "session=1; Domain=penstock.example", "x-penstock=1", ""})
  void letsSystemsSetTheirOwn(String setCookie) {
    assertThat(PenstockCookies.maySet(setCookie)).isTrue();
  }
}
