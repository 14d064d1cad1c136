package io.penstock.codec.http;

import io.netty.util.AsciiString;
import io.penstock.codec.Fields;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/// The fields of one message that end at this hop because its Connection names them (RFC 9110,
/// section 7.6.1). Those that always end here are in [FieldFate].
public final class HopByHop {
  private static final HopByHop NONE = new HopByHop(List.of());

  private final List<String> named;

  private HopByHop(List<String> named) {
    this.named = named;
  }

  public static HopByHop of(Fields fields) {
    List<CharSequence> values = null;
    for (int i = 0; i < fields.count(); i++) {
      if (AsciiString.contentEqualsIgnoreCase(fields.name(i), "connection")) {
        values = values == null ? new ArrayList<>(1) : values;
        values.add(fields.value(i));
      }
    }
    return values == null ? NONE : namedBy(values.iterator());
  }

  /// For a message with these Connection values, in the order they came; usually there are none, or
  /// one of the usual two.
  public static HopByHop namedBy(Iterator<? extends CharSequence> connectionValues) {
    if (!connectionValues.hasNext()) {
      return NONE;
    }
    var named = new ArrayList<String>(2);
    while (connectionValues.hasNext()) {
      CharSequence value = connectionValues.next();
      if (!AsciiString.contentEqualsIgnoreCase(value, "close")
          && !AsciiString.contentEqualsIgnoreCase(value, "keep-alive")) {
        addOptions(value.toString(), named);
      }
    }
    return named.isEmpty() ? NONE : new HopByHop(named);
  }

  private static void addOptions(String value, List<String> named) {
    int from = 0;
    while (from <= value.length()) {
      int comma = value.indexOf(',', from);
      int to = comma < 0 ? value.length() : comma;
      String option = value.substring(from, to).strip();
      if (!option.isEmpty() && !option.equalsIgnoreCase("close")) {
        named.add(option);
      }
      from = to + 1;
    }
  }

  /// Whether Connection names a field of this name, in any case.
  public boolean ends(CharSequence name) {
    for (int i = 0; i < named.size(); i++) {
      if (AsciiString.contentEqualsIgnoreCase(name, named.get(i))) {
        return true;
      }
    }
    return false;
  }
}
