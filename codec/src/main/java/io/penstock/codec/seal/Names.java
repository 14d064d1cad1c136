package io.penstock.codec.seal;

/// The names that signed documents carry, checked in their constructors.
final class Names {
  private static final int MAX_CHARS = 63;

  private Names() {}

  /// The syntax of agents, systems and plugins; the name itself stays out of the message, it may be
  /// a stranger's.
  static void require(String name, String what) {
    if (name.isEmpty()
        || name.length() > MAX_CHARS
        || !name.chars().allMatch(Names::isNameCharacter)) {
      throw new SealException(
          what + ": expected 1 to 63 of letters, digits and ._-, found " + name.length());
    }
  }

  private static boolean isNameCharacter(int character) {
    return (character >= 'a' && character <= 'z')
        || (character >= 'A' && character <= 'Z')
        || (character >= '0' && character <= '9')
        || character == '.'
        || character == '_'
        || character == '-';
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
