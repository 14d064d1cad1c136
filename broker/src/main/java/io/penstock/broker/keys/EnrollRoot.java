package io.penstock.broker.keys;

import io.penstock.codec.seal.TokenSecret;
import java.util.Arrays;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;

/// Derives the secret of every enrollment token; none is stored.
public final class EnrollRoot {
  private final SecretKey key;

  EnrollRoot(byte[] key) {
    this.key = new SecretKeySpec(key, "HKDF");
  }

  public TokenSecret secretOf(TokenBinding binding) {
    byte[] psk = MasterKey.expand(key, binding.encoded());
    try {
      return TokenSecret.of(psk);
    } finally {
      Arrays.fill(psk, (byte) 0);
    }
  }

  @Override
  public String toString() {
    return "EnrollRoot[secret]";
  }
}
