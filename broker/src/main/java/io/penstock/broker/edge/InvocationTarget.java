package io.penstock.broker.edge;

import java.util.Optional;

/// `/invoke/{site}/{system}/{path…}?query`, taken apart without changing a byte of what goes on.
///
/// @param pathAndQuery for the system, begins with `/`
/// @param path the same without query, for the rules
record InvocationTarget(String site, String system, String pathAndQuery, String path) {
  static final String PREFIX = "/invoke/";

  private static final int MAX_NAME = 63;

  /// `originForm` has passed the [TargetGate]. Empty: it names nothing that could be invoked.
  static Optional<InvocationTarget> parse(String originForm) {
    if (!originForm.startsWith(PREFIX)) {
      return Optional.empty();
    }
    int query = originForm.indexOf('?');
    int end = query < 0 ? originForm.length() : query;
    int siteEnd = nameEnd(originForm, PREFIX.length(), end);
    if (siteEnd < 0 || siteEnd == end) {
      return Optional.empty();
    }
    int systemEnd = nameEnd(originForm, siteEnd + 1, end);
    if (systemEnd < 0) {
      return Optional.empty();
    }
    String site = originForm.substring(PREFIX.length(), siteEnd);
    String system = originForm.substring(siteEnd + 1, systemEnd);
    return Optional.of(rest(originForm, site, system, systemEnd, end));
  }

  private static InvocationTarget rest(
      String originForm, String site, String system, int systemEnd, int end) {
    if (systemEnd == end) {
      return new InvocationTarget(site, system, "/" + originForm.substring(end), "/");
    }
    String pathAndQuery = originForm.substring(systemEnd);
    String path = end == originForm.length() ? pathAndQuery : originForm.substring(systemEnd, end);
    return new InvocationTarget(site, system, pathAndQuery, path);
  }

  /// Where the name that begins at `from` ends, or -1: names are `[A-Za-z0-9._-]{1,63}`.
  private static int nameEnd(String text, int from, int end) {
    int i = from;
    while (i < end && text.charAt(i) != '/') {
      if (!isNameCharacter(text.charAt(i))) {
        return -1;
      }
      i++;
    }
    return i == from || i - from > MAX_NAME ? -1 : i;
  }

  private static boolean isNameCharacter(char c) {
    return (c >= 'a' && c <= 'z')
        || (c >= 'A' && c <= 'Z')
        || (c >= '0' && c <= '9')
        || c == '.'
        || c == '_'
        || c == '-';
  }
}
