package io.penstock.broker.measure;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Where the time of a call goes, and all of it.
public enum Hop {
  /// Until OPEN was handed to the tunnel, and from the arrival of the answer's head until it left.
  BROKER(0),
  /// Both ways together: one clock cannot tell them apart.
  TUNNEL(1),
  AGENT(2),
  SYSTEM(3),
  /// From the answer's head to its last byte.
  BODY(4),
  /// All of a call that was answered: the sum of the others.
  TOTAL(5),
  /// All of a call that no system answered, which is in none of the others.
  FAILED(6);

  static final int COUNT = values().length;

  /// Those that add up to the total, in the order of a call.
  public static final List<Hop> PARTS = List.of(BROKER, TUNNEL, AGENT, SYSTEM, BODY);

  private final int index;

  Hop(int index) {
    this.index = index;
  }

  /// Its place in arrays and columns.
  int index() {
    return index;
  }

  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  public static Optional<Hop> of(String text) {
    return Arrays.stream(values()).filter(hop -> hop.text().equals(text)).findFirst();
  }
}
