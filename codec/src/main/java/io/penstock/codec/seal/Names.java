package io.penstock.codec.seal;

import java.util.regex.Pattern;

/// The names that signed documents carry, checked in their constructors.
final class Names {
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,63}");

  private Names() {}

  /// The syntax of agents, systems and plugins; the name itself stays out of the message, it may be
  /// a stranger's.
  static void require(String name, String what) {
    if (!NAME.matcher(name).matches()) {
      throw new SealException(
          what + ": expected 1 to 63 of letters, digits and ._-, found " + name.length());
    }
  }

  static void requireText(String text, int maxChars, String what) {
    if (text.isEmpty() || text.length() > maxChars) {
      throw new SealException(
          what + ": expected 1 to " + maxChars + " characters, found " + text.length());
    }
  }

  static void requireFromOne(long number, String what) {
    if (number < 1) {
      throw new SealException(what + ": expected 1 or more, found " + number);
    }
  }
}
