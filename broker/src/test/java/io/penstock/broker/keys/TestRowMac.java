package io.penstock.broker.keys;

import java.security.SecureRandom;

/// The MAC of a broker that is otherwise not there.
public final class TestRowMac {
  private TestRowMac() {}

  public static RowMac random() {
    byte[] key = new byte[32];
    new SecureRandom().nextBytes(key);
    return new RowMac(key);
  }
}
