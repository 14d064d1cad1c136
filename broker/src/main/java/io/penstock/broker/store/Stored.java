package io.penstock.broker.store;

import java.util.Locale;

/// How an enum rests in a text column: in lower case, with hyphens.
final class Stored {
  private Stored() {}

  static String text(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  static <E extends Enum<E>> E constant(String text, Class<E> type) {
    return Enum.valueOf(type, text.toUpperCase(Locale.ROOT).replace('-', '_'));
  }
}
