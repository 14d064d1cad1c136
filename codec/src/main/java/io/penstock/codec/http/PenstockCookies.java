package io.penstock.codec.http;

import java.util.Optional;

/// Keeps the console's cookies apart from the systems that share its origin: a cookie whose name
/// begins with `penstock`, with or without a prefix that browsers know, in any case, passes neither
/// to a system nor from one (contract, "Invocation").
public final class PenstockCookies {

  private static final String OURS = "penstock";
  private static final String[] BROWSER_PREFIXES = {
    "__Host-", "__Secure-", "__Http-", "__Host-Http-"
  };

  private PenstockCookies() {}

  /// A Cookie value without our cookies; empty if nothing is left of it.
  public static Optional<String> strip(String cookies) {
    if (!mentionsUs(cookies)) {
      return Optional.of(cookies);
    }
    StringBuilder kept = new StringBuilder(cookies.length());
    int from = 0;
    while (from <= cookies.length()) {
      int semicolon = cookies.indexOf(';', from);
      int to = semicolon < 0 ? cookies.length() : semicolon;
      String pair = cookies.substring(from, to).strip();
      if (!pair.isEmpty() && !isOurs(pair)) {
        kept.append(kept.isEmpty() ? "" : "; ").append(pair);
      }
      from = to + 1;
    }
    return kept.isEmpty() ? Optional.empty() : Optional.of(kept.toString());
  }

  /// Whether a Set-Cookie value of a system may reach the caller.
  public static boolean maySet(String setCookie) {
    return !isOurs(setCookie);
  }

  /// A browser keeps `=penstock=x` as a nameless cookie and sends it back as `penstock=x`, so
  /// leading `=` and blanks do not count.
  private static boolean isOurs(String pair) {
    int i = 0;
    while (i < pair.length() && (pair.charAt(i) == '=' || Character.isWhitespace(pair.charAt(i)))) {
      i++;
    }
    if (isOursAt(pair, i)) {
      return true;
    }
    for (String prefix : BROWSER_PREFIXES) {
      if (pair.regionMatches(true, i, prefix, 0, prefix.length())
          && isOursAt(pair, i + prefix.length())) {
        return true;
      }
    }
    return false;
  }

  private static boolean isOursAt(String pair, int at) {
    return pair.regionMatches(true, at, OURS, 0, OURS.length());
  }

  private static boolean mentionsUs(String cookies) {
    for (int i = 0; i <= cookies.length() - OURS.length(); i++) {
      if (isOursAt(cookies, i)) {
        return true;
      }
    }
    return false;
  }
}
