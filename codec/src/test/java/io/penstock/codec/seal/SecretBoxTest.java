package io.penstock.codec.seal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.security.SecureRandom;
import java.util.Arrays;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;

class SecretBoxTest {
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final byte[] CONTEXT = {1, 2, 3};
  private static final byte[] PLAIN =
      "thirty-two bytes of something ok".getBytes(java.nio.charset.StandardCharsets.US_ASCII);

  private final SecretKey key = new SecretKeySpec(new byte[32], "AES");

  @Test
  void opensWhatItSealedAndNeverSealsTheSameTwice() {
    byte[] first = SecretBox.seal(key, CONTEXT, PLAIN, RANDOM);
    byte[] second = SecretBox.seal(key, CONTEXT, PLAIN, RANDOM);

    assertThat(SecretBox.open(key, CONTEXT, first)).isEqualTo(PLAIN);
    assertThat(first).hasSize(12 + PLAIN.length + 16).isNotEqualTo(second);
  }

  @Test
  void refusesEveryFlippedByteAndEveryTruncation() {
    byte[] sealed = SecretBox.seal(key, CONTEXT, PLAIN, RANDOM);

    for (int i = 0; i < sealed.length; i++) {
      byte[] flipped = sealed.clone();
      flipped[i] ^= 1;
      byte[] cut = Arrays.copyOf(sealed, i);
      assertThatThrownBy(() -> SecretBox.open(key, CONTEXT, flipped))
          .isInstanceOf(SealException.class);
      assertThatThrownBy(() -> SecretBox.open(key, CONTEXT, cut)).isInstanceOf(SealException.class);
    }
  }

  @Test
  void refusesAnotherContextAndAnotherKey() {
    byte[] sealed = SecretBox.seal(key, CONTEXT, PLAIN, RANDOM);
    byte[] other = new byte[32];
    other[0] = 1;

    assertThatThrownBy(() -> SecretBox.open(key, new byte[] {1, 2}, sealed))
        .isInstanceOf(SealException.class);
    assertThatThrownBy(() -> SecretBox.open(new SecretKeySpec(other, "AES"), CONTEXT, sealed))
        .isInstanceOf(SealException.class);
  }
}
