package io.penstock.broker.access;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.access.Passwords.Check;
import java.security.SecureRandom;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PasswordsTest {
  private static final String EVE = "eve.sullivan@example.org";
  private final Passwords passwords = new Passwords(new SecureRandom());

  @ParameterizedTest
  @ValueSource(
      strings = {
        "short",
        "password1234",
        "Password1234!",
        "P@ssw0rd1234",
        "qwertyuiop123",
        "1qaz2wsx3edc",
        "aaaaaaaaaaaaaaaa",
        "abcabcabcabcabc",
        "123456789012",
        "eve.sullivan1",
        "eve.sullivan@example.org",
        "penstockpenstock",
        "letmeinletmein",
      })
  void aPasswordThatIsGuessedSoonIsNotTaken(String weak) {
    assertThat(Passwords.weakness(weak, EVE))
        .hasValueSatisfying(why -> assertThat(why).startsWith("expected ").doesNotContain(weak));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "plaice granite 4711 umbrella",
        "x7Kq-93mW-zzP0",
        "Pferd Zement Wolke Akku",
        "\u00fcber den \u00c4quator \u4f60\u597d 7",
      })
  void aGoodOneIs(String strong) {
    assertThat(Passwords.weakness(strong, EVE)).isEmpty();
  }

  @Test
  void whatIsGeneratedIsGood() {
    for (int i = 0; i < 100; i++) {
      assertThat(Passwords.weakness(passwords.generate(), EVE)).isEmpty();
    }
  }

  /// Its judge looks at pieces of every length at every place.
  @Test
  void aLongOneIsJudgedInNoTime() {
    String longest = "aA1!".repeat(64);
    long began = System.nanoTime();

    assertThat(Passwords.weakness(longest, EVE)).isPresent();

    assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(5));
    assertThat(Passwords.weakness("x" + longest, EVE)).hasValue("expected at most 256 characters");
  }

  @Test
  void onlyTheRightOneMatches() {
    String hash = passwords.hash("plaice granite 4711 umbrella");

    assertThat(hash).startsWith("$argon2id$v=19$m=19456,t=2,p=1$");
    assertThat(passwords.check("plaice granite 4711 umbrella", hash, false)).isEqualTo(Check.RIGHT);
    assertThat(passwords.check("plaice granite 4711 umbrella", hash, true)).isEqualTo(Check.RIGHT);
    assertThat(passwords.check("plaice granite 4711 umbrell", hash, false)).isEqualTo(Check.WRONG);
    assertThat(passwords.check("plaice granite 4711 umbrella", "", false)).isEqualTo(Check.WRONG);
    assertThat(passwords.hash("plaice granite 4711 umbrella")).isNotEqualTo(hash);
  }
}
