package io.penstock.agent.identity;

import java.security.SecureRandom;

/// Random name of one run of an agent: two of them alive on one identity are a clone.
public record BootId(byte[] bytes) {
  private static final int BYTES = 16;

  public static BootId random(SecureRandom random) {
    byte[] bytes = new byte[BYTES];
    random.nextBytes(bytes);
    return new BootId(bytes);
  }
}
