package io.penstock.codec.seal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PassphraseKeyTest {
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final byte[] PASSPHRASE = "password".getBytes(StandardCharsets.US_ASCII);
  private static final Octets SALT =
      Octets.of("somesaltsomesalt".getBytes(StandardCharsets.US_ASCII));

  /// From the reference implementation:
  /// `printf password | argon2 somesaltsomesalt -id -t 3 -k 65536 -p 1 -l 32 -r`.
  @Test
  void isWhatTheReferenceImplementationDerives() {
    byte[] key = new PassphraseKey(SALT, 64 * 1024, 3, 1).derive(PASSPHRASE).getEncoded();

    assertThat(HexFormat.of().formatHex(key))
        .isEqualTo("7664ad4ba1a3c999fcdd0991ffc2270f78302d2383233db5e7befc85d1bb1819");
  }

  @Test
  void aFreshOneHasASaltOfItsOwnAndTheParametersOfTheDocumentation() {
    PassphraseKey first = PassphraseKey.fresh(RANDOM);
    PassphraseKey second = PassphraseKey.fresh(RANDOM);

    assertThat(first.salt()).isNotEqualTo(second.salt());
    assertThat(first.memoryKib()).isEqualTo(64 * 1024);
    assertThat(first.passes()).isEqualTo(3);
    assertThat(first.lanes()).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource({"7,1,1", "1048577,1,1", "8,0,1", "8,65,1", "8,1,0", "8,1,17"})
  void refusesParametersBeyondReasonBeforeItAllocates(int memoryKib, int passes, int lanes) {
    assertThatThrownBy(() -> new PassphraseKey(SALT, memoryKib, passes, lanes))
        .isInstanceOf(SealException.class);
  }

  @Test
  void refusesASaltOfAnotherLength() {
    assertThatThrownBy(() -> new PassphraseKey(Octets.of(new byte[15]), 8, 1, 1))
        .isInstanceOf(SealException.class);
  }
}
