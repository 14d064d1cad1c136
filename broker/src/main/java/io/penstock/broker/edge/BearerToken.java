package io.penstock.broker.edge;

/// What a caller showed to prove itself. Prints nothing of it.
public record BearerToken(String secret) {
  private static final int MAX_CHARACTERS = 8 * 1024;

  public BearerToken {
    if (secret.isEmpty() || secret.length() > MAX_CHARACTERS) {
      throw new IllegalArgumentException("expected a token of 1 to 8192 characters");
    }
  }

  static boolean fits(int characters) {
    return characters > 0 && characters <= MAX_CHARACTERS;
  }

  @Override
  public String toString() {
    return "BearerToken[]";
  }
}
