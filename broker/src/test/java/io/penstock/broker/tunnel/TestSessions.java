package io.penstock.broker.tunnel;

import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SigningKey;
import io.penstock.codec.seal.VerifyingKey;
import java.security.SecureRandom;

/// What a session without a real handshake is admitted with.
public final class TestSessions {
  public static final VerifyingKey KEY = SigningKey.generate(new SecureRandom()).verifyingKey();
  public static final Octets HASH = Octets.of(new byte[32]);

  private TestSessions() {}
}
