package io.penstock.codec.seal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EnrollmentTokenTest {
  private static final EnrollmentToken TOKEN = token(Optional.of(Octets.of(filled(32, 3))));

  @Test
  void readsItsOwnText() {
    assertThat(EnrollmentToken.parse(TOKEN.text())).isEqualTo(TOKEN);
    assertThat(EnrollmentToken.parse("\n " + TOKEN.text() + "\r\n")).isEqualTo(TOKEN);
  }

  @Test
  void readsATokenWithoutCa() {
    EnrollmentToken token = token(Optional.empty());

    assertThat(EnrollmentToken.parse(token.text())).isEqualTo(token);
  }

  @Test
  void tellsEveryTypingMistake() {
    String text = TOKEN.text();

    for (int at = EnrollmentToken.PREFIX.length(); at < text.length(); at++) {
      String changed =
          text.substring(0, at) + (text.charAt(at) == 'x' ? 'y' : 'x') + text.substring(at + 1);
      String cut = text.substring(0, at);
      assertThatThrownBy(() -> EnrollmentToken.parse(changed))
          .as("character %d", at)
          .hasMessageContaining("mistyped");
      assertThatThrownBy(() -> EnrollmentToken.parse(cut))
          .as("cut at %d", at)
          .hasMessageContaining("mistyped");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "pen2.AAAA", "eyJhbGciOi", "pen1", "PEN1.AAAA"})
  void refusesWhatIsNoToken(String text) {
    assertThatThrownBy(() -> EnrollmentToken.parse(text)).hasMessageContaining("begins with pen1.");
  }

  @Test
  void printsNothingSecret() {
    assertThat(TOKEN.toString()).isEqualTo("EnrollmentToken[" + "01".repeat(16) + ", secret]");
    assertThat(TOKEN.secret().toString()).isEqualTo("TokenSecret[secret]");
  }

  @Test
  void refusesAMessageThatQuotesTheToken() {
    String text = TOKEN.text() + "!";

    assertThatThrownBy(() -> EnrollmentToken.parse(text))
        .satisfies(e -> assertThat(e.getMessage()).doesNotContain(text.substring(20, 60)));
  }

  private static EnrollmentToken token(Optional<Octets> ca) {
    return new EnrollmentToken(
        Octets.of(filled(16, 1)),
        TokenSecret.of(filled(32, 2)),
        Octets.of(filled(32, 4)),
        Instant.ofEpochSecond(1_790_000_000),
        "https://broker.example:8443",
        ca);
  }

  private static byte[] filled(int length, int value) {
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }
}
