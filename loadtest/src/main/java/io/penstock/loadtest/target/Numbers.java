package io.penstock.loadtest.target;

/// Numbers in paths and queries; what is none is a bad request.
final class Numbers {

  static final class NotANumber extends RuntimeException {
    NotANumber() {
      super("not a number", null, false, false);
    }
  }

  /// From 0 to 2^63 - 1.
  static long parse(String text) {
    try {
      long number = Long.parseLong(text);
      if (number < 0) {
        throw new NotANumber();
      }
      return number;
    } catch (NumberFormatException e) {
      throw new NotANumber();
    }
  }

  private Numbers() {}
}
