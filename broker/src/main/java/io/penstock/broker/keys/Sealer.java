package io.penstock.broker.keys;

import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.SecretBox;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Arrays;
import javax.crypto.SecretKey;

/// A [SecretBox] with its version in front: `version 1 ‖ nonce 12 ‖ ciphertext and tag`.
final class Sealer {
  private static final byte VERSION = 1;

  private final SecretKey key;
  private final SecureRandom random;

  Sealer(SecretKey key, SecureRandom random) {
    this.key = key;
    this.random = random;
  }

  byte[] seal(String context, byte[] plaintext) {
    byte[] box = SecretBox.seal(key, additional(context), plaintext, random);
    byte[] sealed = new byte[1 + box.length];
    sealed[0] = VERSION;
    System.arraycopy(box, 0, sealed, 1, box.length);
    return sealed;
  }

  byte[] open(String context, byte[] sealed) {
    if (sealed.length == 0 || sealed[0] != VERSION) {
      throw new SealException("a sealed value of another format");
    }
    try {
      return SecretBox.open(key, additional(context), Arrays.copyOfRange(sealed, 1, sealed.length));
    } catch (SealException e) {
      throw new SealException(
          "a sealed value does not open: another key, another context, or changed", e);
    }
  }

  private static byte[] additional(String context) {
    return context.getBytes(StandardCharsets.UTF_8);
  }
}
