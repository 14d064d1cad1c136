package io.penstock.codec.noise;

import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.NamedParameterSpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.HexFormat;
import javax.crypto.DecapsulateException;
import javax.crypto.KEM;

/// One ML-KEM-768 key pair (FIPS 203) and the KEM functions of the Noise HFS extension (its section
/// 3), with keys as the raw bytes of the standard. A ciphertext of the right length always
/// decapsulates: a wrong one yields another secret (implicit rejection), which the next AEAD tag
/// then shows.
final class MlKem768 {
  static final int ENCAPSULATION_KEY_BYTES = 1184;
  static final int CIPHERTEXT_BYTES = 1088;

  private static final String NAME = "ML-KEM-768";

  /// SubjectPublicKeyInfo of the JDK: these bytes, then the raw key.
  private static final byte[] SPKI_HEAD =
      HexFormat.of().parseHex("308204b2300b0609608648016503040402038204a100");

  private final KeyPair keys;

  private MlKem768(KeyPair keys) {
    this.keys = keys;
  }

  /// GENERATE_KEM_KEYPAIR.
  static MlKem768 generate(SecureRandom random) {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance(NAME);
      generator.initialize(NamedParameterSpec.ML_KEM_768, random);
      return new MlKem768(generator.generateKeyPair());
    } catch (GeneralSecurityException missing) {
      throw new IllegalStateException("ML-KEM-768 is part of JDK 25", missing);
    }
  }

  byte[] encapsulationKey() {
    byte[] spki = keys.getPublic().getEncoded();
    return Arrays.copyOfRange(spki, SPKI_HEAD.length, spki.length);
  }

  /// The first half of GENERATE_KEM_CIPHERTEXT: takes the peer's key only if it is one (FIPS 203
  /// section 7.2: its length and every coefficient below the modulus).
  static KEM.Encapsulator encapsulator(byte[] encapsulationKey, SecureRandom random)
      throws HandshakeException {
    if (encapsulationKey.length != ENCAPSULATION_KEY_BYTES) {
      throw new HandshakeException("an ML-KEM-768 encapsulation key has 1184 bytes");
    }
    byte[] spki = Arrays.copyOf(SPKI_HEAD, SPKI_HEAD.length + ENCAPSULATION_KEY_BYTES);
    System.arraycopy(encapsulationKey, 0, spki, SPKI_HEAD.length, ENCAPSULATION_KEY_BYTES);
    try {
      var key = KeyFactory.getInstance(NAME).generatePublic(new X509EncodedKeySpec(spki));
      return KEM.getInstance(NAME).newEncapsulator(key, random);
    } catch (InvalidKeySpecException | InvalidKeyException _) {
      throw new HandshakeException("the peer's ML-KEM-768 key is not one");
    } catch (GeneralSecurityException missing) {
      throw new IllegalStateException("ML-KEM-768 is part of JDK 25", missing);
    }
  }

  /// KEM. The JDK refuses a ciphertext of another length.
  byte[] decapsulate(byte[] ciphertext) throws HandshakeException {
    try {
      var decapsulator = KEM.getInstance(NAME).newDecapsulator(keys.getPrivate());
      return decapsulator.decapsulate(ciphertext).getEncoded();
    } catch (DecapsulateException _) {
      throw new HandshakeException("the peer's ML-KEM-768 ciphertext is not one");
    } catch (GeneralSecurityException missing) {
      throw new IllegalStateException("ML-KEM-768 is part of JDK 25", missing);
    }
  }
}
