package io.penstock.codec.message;

/// Checks of compact constructors; the message names the field, the expected and the found.
final class Expect {
  private Expect() {}

  static void length(String field, byte[] bytes, int expected) {
    if (bytes == null || bytes.length != expected) {
      throw new IllegalArgumentException(
          field
              + ": expected "
              + expected
              + " bytes, found "
              + (bytes == null ? "none" : bytes.length));
    }
  }

  static void atMost(String field, byte[] bytes, int limit) {
    if (bytes == null || bytes.length == 0 || bytes.length > limit) {
      throw new IllegalArgumentException(
          field
              + ": expected 1 to "
              + limit
              + " bytes, found "
              + (bytes == null ? "none" : bytes.length));
    }
  }

  static void text(String field, String text, int limit) {
    if (text == null || text.isEmpty() || text.length() > limit) {
      throw new IllegalArgumentException(
          field
              + ": expected 1 to "
              + limit
              + " characters, found "
              + (text == null ? "none" : text.length()));
    }
  }

  static void fromOne(String field, long number) {
    if (number < 1) {
      throw new IllegalArgumentException(field + ": expected 1 or more, found " + number);
    }
  }
}
