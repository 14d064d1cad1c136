package io.penstock.codec.exposure;

import java.util.Optional;

/// One path pattern: literal segments, `*` for any characters within one segment, `/**` at the end
/// for a whole subtree and its root. Compared character by character, case-sensitive, nothing is
/// decoded.
///
/// A segment that is only `*` wants at least one character. Matching makes no objects.
final class PathPattern {
  private static final String SUBTREE = "/**";

  private final String text;

  /// The pattern without `/**`.
  private final String fixed;

  private final boolean subtree;

  private PathPattern(String text) {
    this.text = text;
    subtree = text.endsWith(SUBTREE);
    fixed = subtree ? text.substring(0, text.length() - SUBTREE.length()) : text;
  }

  /// Empty for a text that is no pattern; [#problem] says why.
  static Optional<PathPattern> of(String text) {
    return problem(text).isEmpty() ? Optional.of(new PathPattern(text)) : Optional.empty();
  }

  static Optional<String> problem(String text) {
    if (!text.startsWith("/")) {
      return Optional.of("a path begins with /");
    }
    String fixed = text.endsWith(SUBTREE) ? text.substring(0, text.length() - 3) : text;
    if (fixed.contains("**")) {
      return Optional.of("** stands only at the end, after /");
    }
    if (text.indexOf('?') >= 0) {
      return Optional.of("a path has no query");
    }
    if (!fixed.isEmpty() && !RawPath.isUnambiguous(fixed, fixed.length())) {
      return Optional.of("no path that may be invoked looks like it");
    }
    return Optional.empty();
  }

  /// `path` up to `end`.
  boolean matches(CharSequence path, int end) {
    int inPattern = 0;
    int inPath = 0;
    while (inPattern < fixed.length()) {
      if (inPath >= end) {
        return false;
      }
      int patternEnd = segmentEnd(fixed, inPattern + 1, fixed.length());
      int pathEnd = segmentEnd(path, inPath + 1, end);
      if (!segmentMatches(inPattern + 1, patternEnd, path, inPath + 1, pathEnd)) {
        return false;
      }
      inPattern = patternEnd;
      inPath = pathEnd;
    }
    return inPath == end || subtree;
  }

  /// Both start at a slash or at the end of their text, so a segment begins one behind it.
  private static int segmentEnd(CharSequence text, int from, int end) {
    int at = from;
    while (at < end && text.charAt(at) != '/') {
      at++;
    }
    return at;
  }

  /// Wildcards without recursion: on a mismatch the last `*` takes one character more.
  private boolean segmentMatches(int from, int to, CharSequence path, int pathFrom, int pathTo) {
    if (to - from == 1 && fixed.charAt(from) == '*') {
      return pathTo > pathFrom;
    }
    int p = from;
    int s = pathFrom;
    int star = -1;
    int retry = 0;
    while (s < pathTo) {
      if (p < to && fixed.charAt(p) == '*') {
        star = p++;
        retry = s;
      } else if (p < to && fixed.charAt(p) == path.charAt(s)) {
        p++;
        s++;
      } else if (star >= 0) {
        p = star + 1;
        s = ++retry;
      } else {
        return false;
      }
    }
    while (p < to && fixed.charAt(p) == '*') {
      p++;
    }
    return p == to;
  }

  /// Whether every path of `other` is one of ours. Its own text stands for all of them: its `*` can
  /// only be met by one of ours.
  boolean covers(PathPattern other) {
    return (subtree || !other.subtree) && matches(other.fixed, other.fixed.length());
  }

  /// False only when no path can match both.
  boolean mayMeet(PathPattern other) {
    String ours = literalBeginning();
    String theirs = other.literalBeginning();
    return ours.startsWith(theirs) || theirs.startsWith(ours);
  }

  private String literalBeginning() {
    int star = fixed.indexOf('*');
    return star < 0 ? fixed : fixed.substring(0, star);
  }

  @Override
  public String toString() {
    return text;
  }
}
