package io.penstock.codec.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FieldFateTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Connection",
        "Keep-Alive",
        "TE",
        "Transfer-Encoding",
        "Upgrade",
        "Proxy-Authenticate",
        "Proxy-Authentication-Info",
        "Proxy-Authorization",
        "Proxy-Connection",
        "HTTP2-Settings",
        "Host",
        "Expect",
        "Forwarded",
        "Traceparent"
      })
  void endsHereInAnyCase(String name) {
    assertThat(FieldFate.of(name)).isEqualTo(FieldFate.STAY);
    assertThat(FieldFate.of(name.toUpperCase(Locale.ROOT))).isEqualTo(FieldFate.STAY);
    assertThat(FieldFate.of(name.toLowerCase(Locale.ROOT))).isEqualTo(FieldFate.STAY);
  }

  @ParameterizedTest
  @CsvSource({
    "cookie, COOKIE",
    "Set-Cookie, SET_COOKIE",
    "AUTHORIZATION, AUTHORIZATION",
    "tracestate, TRACE_STATE",
    "Content-Length, CONTENT_LENGTH",
    "X-Content-Type-Options, CONTENT_TYPE_OPTIONS",
    "Trailer, PASS",
    "Content-Type, PASS",
    "X-Host, PASS",
    "Penstock-Caller, PASS"
  })
  void knowsWhatBrokerOrAgentTreatsByItself(String name, FieldFate fate) {
    assertThat(FieldFate.of(name)).isEqualTo(fate);
  }

  @Test
  void everyNameThatBeginsWithOurPrefixIsOurs() {
    assertThat(FieldFate.isOurs("Penstock-Caller")).isTrue();
    assertThat(FieldFate.isOurs("PENSTOCK-anything")).isTrue();
    assertThat(FieldFate.isOurs("penstock-")).isTrue();
    assertThat(FieldFate.isOurs("Penstock")).isFalse();
    assertThat(FieldFate.isOurs("X-Penstock-Caller")).isFalse();
    assertThat(FieldFate.isOurs("")).isFalse();
  }
}
