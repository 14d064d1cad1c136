package io.penstock.codec.seal;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FingerprintTest {

  /// SHA-256("penstock fingerprint v1" and 32 zero bytes) begins with 992184b13b.
  @Test
  void isTheHeadOfTheHashInCrockfordsBase32() {
    assertThat(Fingerprint.of(new byte[32]).text()).isEqualTo("K4GR-9C9V");
  }

  @ParameterizedTest
  @ValueSource(strings = {"A1B0-CD0E", "a1b0cd0e", "  A1B0 CD0E\n", "alboCDOE", "aIb0-cdoe"})
  void matchesAsPeopleTypeIt(String typed) {
    assertThat(new Fingerprint("A1B0-CD0E").matches(typed)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "-", "A1B0-CD0", "A1B0-CD0EE", "A1B0-CD0F", "****-****"})
  void matchesNothingElse(String typed) {
    assertThat(new Fingerprint("A1B0-CD0E").matches(typed)).isFalse();
  }
}
