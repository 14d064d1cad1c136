package io.penstock.codec.seal;

import java.security.SecureRandom;
import java.util.Arrays;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;
import org.bouncycastle.crypto.generators.Argon2BytesGenerator;
import org.bouncycastle.crypto.params.Argon2Parameters;

/// How a passphrase becomes an AES-256 key: Argon2id (RFC 9106), version 1.3. The parameters stand
/// in the clear in front of what [SecretBox] seals with the key, so a file may ask for more memory
/// than anybody has: what is beyond reason is refused before anything is allocated.
public record PassphraseKey(Octets salt, int memoryKib, int passes, int lanes) {
  public static final int SALT_BYTES = 16;
  private static final int KEY_BYTES = 32;

  private static final int MEMORY_KIB = 64 * 1024;
  private static final int PASSES = 3;
  private static final int LANES = 1;

  private static final int MIN_MEMORY_KIB = 8;
  private static final int MAX_MEMORY_KIB = 1024 * 1024;
  private static final int MAX_PASSES = 64;
  private static final int MAX_LANES = 16;

  public PassphraseKey {
    if (salt.length() != SALT_BYTES
        || memoryKib < MIN_MEMORY_KIB
        || memoryKib > MAX_MEMORY_KIB
        || passes < 1
        || passes > MAX_PASSES
        || lanes < 1
        || lanes > MAX_LANES) {
      throw new SealException("impossible Argon2id parameters");
    }
  }

  /// For a new seal: 64 MiB, 3 passes, a salt of its own.
  public static PassphraseKey fresh(SecureRandom random) {
    byte[] salt = new byte[SALT_BYTES];
    random.nextBytes(salt);
    return new PassphraseKey(Octets.of(salt), MEMORY_KIB, PASSES, LANES);
  }

  /// Takes its time, as it is meant to.
  ///
  /// @param passphrase the caller wipes it
  public SecretKey derive(byte[] passphrase) {
    var generator = new Argon2BytesGenerator();
    generator.init(
        new Argon2Parameters.Builder(Argon2Parameters.ARGON2_id)
            .withVersion(Argon2Parameters.ARGON2_VERSION_13)
            .withSalt(salt.bytes())
            .withMemoryAsKB(memoryKib)
            .withIterations(passes)
            .withParallelism(lanes)
            .build());
    byte[] key = new byte[KEY_BYTES];
    generator.generateBytes(passphrase, key);
    try {
      return new SecretKeySpec(key, "AES");
    } finally {
      Arrays.fill(key, (byte) 0);
    }
  }
}
