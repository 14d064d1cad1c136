package io.penstock.broker.agents;

import io.penstock.codec.message.ControlMessage.HostFacts;
import java.util.Map;
import java.util.regex.Pattern;

/// What an agent may be called, and what it may say of its host.
final class Names {
  /// Names stand in URLs, host names and logs.
  private static final Pattern NAME =
      Pattern.compile("[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?");

  private static final int MAX_FACT_CHARS = 200;

  private Names() {}

  static boolean valid(String name) {
    return NAME.matcher(name).matches();
  }

  /// Strangers' text, for people: cut, and without control characters.
  static Map<String, String> facts(HostFacts host) {
    return Map.of(
        "hostname", fact(host.hostname()), "os", fact(host.os()), "version", fact(host.version()));
  }

  private static String fact(String text) {
    String printable = text.replaceAll("\\p{Cntrl}", "");
    return printable.length() > MAX_FACT_CHARS ? printable.substring(0, MAX_FACT_CHARS) : printable;
  }
}
