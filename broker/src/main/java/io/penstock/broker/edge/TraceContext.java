package io.penstock.broker.edge;

import java.util.HexFormat;
import java.util.Optional;

/// A caller's `traceparent` (W3C Trace Context, section 3.2).
record TraceContext(long traceHigh, long traceLow, long span, int flags) {
  private static final int LENGTH = 55;
  private static final int TRACE = 3;
  private static final int SPAN = 36;
  private static final int FLAGS = 53;

  /// Empty when it is not valid; it is then as if there was none.
  static Optional<TraceContext> parse(CharSequence text) {
    if (text.length() < LENGTH || !hasShape(text)) {
      return Optional.empty();
    }
    var context =
        new TraceContext(
            HexFormat.fromHexDigitsToLong(text, TRACE, TRACE + 16),
            HexFormat.fromHexDigitsToLong(text, TRACE + 16, SPAN - 1),
            HexFormat.fromHexDigitsToLong(text, SPAN, FLAGS - 1),
            HexFormat.fromHexDigits(text, FLAGS, LENGTH));
    boolean zero = (context.traceHigh | context.traceLow) == 0 || context.span == 0;
    return zero ? Optional.empty() : Optional.of(context);
  }

  /// `version-trace-span-flags`. Version 00 has nothing behind it, later ones may; ff is none.
  private static boolean hasShape(CharSequence text) {
    for (int i = 0; i < LENGTH; i++) {
      boolean dash = i == TRACE - 1 || i == SPAN - 1 || i == FLAGS - 1;
      if (dash ? text.charAt(i) != '-' : !isLowerHex(text.charAt(i))) {
        return false;
      }
    }
    boolean version00 = text.charAt(0) == '0' && text.charAt(1) == '0';
    boolean versionFf = text.charAt(0) == 'f' && text.charAt(1) == 'f';
    boolean ends = text.length() == LENGTH;
    return !versionFf && (ends || (!version00 && text.charAt(LENGTH) == '-'));
  }

  private static boolean isLowerHex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  }
}
