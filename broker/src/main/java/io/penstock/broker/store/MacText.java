package io.penstock.broker.store;

import io.penstock.codec.seal.Octets;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// Fields as one unambiguous text each, for the MAC of their row.
final class MacText {
  private MacText() {}

  /// In key order, each part with its length before it.
  static String of(Map<String, String> map) {
    var text = new StringBuilder();
    new TreeMap<>(map).forEach((key, value) -> text.append(part(key)).append(part(value)));
    return text.toString();
  }

  static String of(Collection<String> values) {
    var text = new StringBuilder();
    values.forEach(value -> text.append(part(value)));
    return text.toString();
  }

  static String of(Optional<?> value) {
    return value.map(present -> "+" + text(present)).orElse("-");
  }

  private static String text(Object value) {
    return value instanceof Octets octets ? octets.hex() : value.toString();
  }

  private static String part(String value) {
    return value.length() + ":" + value;
  }
}
