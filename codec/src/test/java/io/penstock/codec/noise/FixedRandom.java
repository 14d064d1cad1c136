package io.penstock.codec.noise;

import java.nio.ByteBuffer;
import java.security.SecureRandom;

/// Randomness that was decided beforehand; asking for more of it than there is fails the test.
final class FixedRandom extends SecureRandom {
  private final transient ByteBuffer rest;

  FixedRandom(byte[] bytes) {
    this.rest = ByteBuffer.wrap(bytes);
  }

  @Override
  public void nextBytes(byte[] bytes) {
    rest.get(bytes);
  }
}
