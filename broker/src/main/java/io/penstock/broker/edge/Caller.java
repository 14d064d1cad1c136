package io.penstock.broker.edge;

import io.netty.util.AsciiString;
import java.util.function.BiPredicate;

/// Who invokes, and what. One object per identity, kept by whoever authenticates: the hot path
/// makes nothing of it anew.
public final class Caller {
  private static final int MAX_WIRE_CHARACTERS = 255;

  private final String name;
  private final AsciiString wireName;
  private final BiPredicate<String, String> rights;

  /// @param name for the system's `Penstock-Caller` and for audit
  /// @param rights asked with site and system; thread-safe, never blocks
  public Caller(String name, BiPredicate<String, String> rights) {
    this.name = name;
    this.rights = rights;
    // OPEN carries a text8 (docs/protocol.md, section 5); characters beyond ASCII become `?`.
    wireName = new AsciiString(name.substring(0, Math.min(name.length(), MAX_WIRE_CHARACTERS)));
  }

  public String name() {
    return name;
  }

  AsciiString wireName() {
    return wireName;
  }

  boolean mayInvoke(String site, String system) {
    return rights.test(site, system);
  }

  @Override
  public String toString() {
    return name;
  }
}
