package io.penstock.codec.http;

/// The path that a call takes to an on-premise system. It travels byte for byte, so whatever two
/// readers of it could resolve to different resources is refused instead of repaired, by the broker
/// when the call comes in and by the agent before it goes out (protocol, "HTTP through the
/// tunnel"). The query is the system's own; only bytes that end a request line are refused in it.
public final class InvocationPath {

  /// What the path was found to be.
  public enum Judgement {
    CLEAN,
    NOT_ABSOLUTE,
    /// A control, blank, non-ASCII byte or a fragment.
    BAD_CHARACTER,
    BACKSLASH,
    EMPTY_SEGMENT,
    /// `.` or `..`, also as `%2e`, also before a `;` parameter.
    DOT_SEGMENT,
    /// `%` without two hexadecimal digits.
    BAD_ESCAPE,
    /// `%2f`, `%5c` or an escaped control character.
    HIDDEN_DELIMITER,
    /// An escaped UTF-8 sequence longer than its character needs, such as `%c0%af`.
    OVERLONG_ESCAPE
  }

  private static final int NO_ESCAPE = -1;
  private static final int MALFORMED = -2;

  private InvocationPath() {}

  /// Judges an origin-form target, path with optional query, as it stands in the request line.
  public static Judgement judge(CharSequence target) {
    if (target.isEmpty() || target.charAt(0) != '/') {
      return Judgement.NOT_ABSOLUTE;
    }
    int pathEnd = pathEnd(target);
    int i = 0;
    while (i < pathEnd) {
      int segment = i + 1;
      int segmentEnd = segmentEnd(target, segment, pathEnd);
      Judgement judgement = judgeSegment(target, segment, segmentEnd, segmentEnd == pathEnd);
      if (judgement != Judgement.CLEAN) {
        return judgement;
      }
      i = segmentEnd;
    }
    return judgeQuery(target, pathEnd);
  }

  /// The origin form of a target whose authority the gate found to be the Host: `http://host/a?b`
  /// is `/a?b`; others stay as they are.
  public static String originForm(String target) {
    int scheme = target.startsWith("/") ? -1 : target.indexOf("://");
    if (scheme < 0) {
      return target;
    }
    int authority = scheme + 3;
    for (int i = authority; i < target.length(); i++) {
      char c = target.charAt(i);
      if (c == '/') {
        return target.substring(i);
      }
      if (c == '?') {
        return "/" + target.substring(i);
      }
    }
    return "/";
  }

  private static int pathEnd(CharSequence target) {
    int i = 0;
    while (i < target.length() && target.charAt(i) != '?') {
      i++;
    }
    return i;
  }

  private static int segmentEnd(CharSequence target, int from, int pathEnd) {
    int i = from;
    while (i < pathEnd && target.charAt(i) != '/') {
      i++;
    }
    return i;
  }

  private static Judgement judgeSegment(CharSequence target, int from, int to, boolean last) {
    if (from == to) {
      return last ? Judgement.CLEAN : Judgement.EMPTY_SEGMENT;
    }
    // The name ends at the first parameter: some servers resolve `..;x` as `..`.
    int nameDots = 0;
    boolean onlyDots = true;
    boolean inName = true;
    int i = from;
    while (i < to) {
      int escaped = escaped(target, i, to);
      Judgement judgement = judgeCharacter(target, i, to, escaped);
      if (judgement != Judgement.CLEAN) {
        return judgement;
      }
      int character = escaped == NO_ESCAPE ? target.charAt(i) : escaped;
      inName &= character != ';';
      if (inName) {
        onlyDots &= character == '.';
        nameDots++;
      }
      i += escaped == NO_ESCAPE ? 1 : 3;
    }
    return onlyDots && (nameDots == 1 || nameDots == 2) ? Judgement.DOT_SEGMENT : Judgement.CLEAN;
  }

  private static Judgement judgeCharacter(CharSequence target, int at, int to, int escaped) {
    char c = target.charAt(at);
    if (c == '\\') {
      return Judgement.BACKSLASH;
    }
    if (!isVisible(c)) {
      return Judgement.BAD_CHARACTER;
    }
    if (escaped == NO_ESCAPE) {
      return Judgement.CLEAN;
    }
    return escaped == MALFORMED ? Judgement.BAD_ESCAPE : judgeEscaped(target, at, to, escaped);
  }

  private static Judgement judgeEscaped(CharSequence target, int at, int to, int escaped) {
    if (escaped < 0x20 || escaped == 0x7f || escaped == '/' || escaped == '\\') {
      return Judgement.HIDDEN_DELIMITER;
    }
    boolean mayBeOverlong =
        escaped == 0xc0 || escaped == 0xc1 || escaped == 0xe0 || escaped == 0xf0;
    return mayBeOverlong && isOverlong(escaped, escaped(target, at + 3, to))
        ? Judgement.OVERLONG_ESCAPE
        : Judgement.CLEAN;
  }

  /// RFC 3629 section 3: what may follow a first byte that could begin a sequence longer than
  /// needed. Alone it is a Latin-1 letter.
  private static boolean isOverlong(int first, int second) {
    if (second < 0x80) {
      return false;
    }
    return switch (first) {
      case 0xe0 -> second < 0xa0;
      case 0xf0 -> second < 0x90;
      default -> second < 0xc0;
    };
  }

  /// The byte that the escape at `at` stands for, [#NO_ESCAPE] where none begins, [#MALFORMED]
  /// where it is malformed.
  private static int escaped(CharSequence target, int at, int to) {
    if (at >= to || target.charAt(at) != '%') {
      return NO_ESCAPE;
    }
    if (at + 2 >= to) {
      return MALFORMED;
    }
    int high = hex(target.charAt(at + 1));
    int low = hex(target.charAt(at + 2));
    return high < 0 || low < 0 ? MALFORMED : high << 4 | low;
  }

  private static int hex(char c) {
    return c < 0x80 ? Octets.hex((byte) c) : -1;
  }

  private static boolean isVisible(char c) {
    return c > ' ' && c < 0x7f && c != '#';
  }

  private static Judgement judgeQuery(CharSequence target, int from) {
    for (int i = from; i < target.length(); i++) {
      if (!isVisible(target.charAt(i))) {
        return Judgement.BAD_CHARACTER;
      }
    }
    return Judgement.CLEAN;
  }
}
