package io.penstock.codec.http;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/// The fields of one message that end at this hop: the fixed ones of RFC 9110 section 7.6.1 and
/// those its Connection names. They are left out when the message is written again; framing and
/// Host are written anew there anyway.
public final class HopByHop {

  private static final Set<String> FIXED =
      Set.of(
          "connection",
          "http2-settings",
          "keep-alive",
          "proxy-authenticate",
          "proxy-authentication-info",
          "proxy-authorization",
          "proxy-connection",
          "te",
          "transfer-encoding",
          "upgrade");

  private static final HopByHop NONE_NAMED = new HopByHop(List.of());

  private final List<String> named;

  private HopByHop(List<String> named) {
    this.named = named;
  }

  /// For a message with these Connection values, in the order they came.
  public static HopByHop namedBy(Iterable<? extends CharSequence> connectionValues) {
    List<String> named = new ArrayList<>(2);
    for (CharSequence value : connectionValues) {
      addOptions(value.toString(), named);
    }
    return named.isEmpty() ? NONE_NAMED : new HopByHop(named);
  }

  /// Whether a field of this name, in any case, stays behind.
  public boolean ends(CharSequence name) {
    String lowerCase = name.toString().toLowerCase(Locale.ROOT);
    return FIXED.contains(lowerCase) || named.contains(lowerCase);
  }

  /// The usual options are no fields, or fixed ones.
  private static void addOptions(String value, List<String> named) {
    int from = 0;
    while (from <= value.length()) {
      int comma = value.indexOf(',', from);
      int to = comma < 0 ? value.length() : comma;
      String option = value.substring(from, to).strip().toLowerCase(Locale.ROOT);
      if (!option.isEmpty() && !option.equals("close") && !FIXED.contains(option)) {
        named.add(option);
      }
      from = to + 1;
    }
  }
}
