package io.penstock.agent.identity;

import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.SecretBox;
import java.security.SecureRandom;
import javax.crypto.SecretKey;

/// A [SecretBox] among the parts of an identity.
final class Sealed {
  private Sealed() {}

  static byte[] seal(SecretKey key, byte[] context, byte[] plaintext, SecureRandom random) {
    return SecretBox.seal(key, context, plaintext, random);
  }

  static byte[] open(SecretKey key, byte[] context, byte[] sealed) throws IdentityException {
    try {
      return SecretBox.open(key, context, sealed);
    } catch (SealException e) {
      throw new IdentityException(String.valueOf(e.getMessage()));
    }
  }
}
