package io.penstock.broker.access;

import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Which agents somebody may see and touch (`gateway_access`). No entry at all means every one.
///
/// An entry is `agent:NAME`, `site:NAME`, `label:KEY=VALUE`, or, as the seed has it, a bare `NAME`:
/// the agent of that name and every agent of a site of that name. What is none of these grants
/// nothing.
public record Scope(List<String> entries) {
  public static final Scope EVERYTHING = new Scope(List.of());
  public static final String EXPECTED =
      "a list of agent:NAME, site:NAME, label:KEY=VALUE or NAME (an agent or a site)";

  private static final String NAME = "[A-Za-z0-9][A-Za-z0-9._-]{0,62}";
  private static final Pattern ENTRY =
      Pattern.compile(
          "(?:(?<kind>agent:|site:)?(?<name>"
              + NAME
              + ")|label:(?<key>[A-Za-z0-9][A-Za-z0-9._/-]{0,62})=(?<value>[A-Za-z0-9._-]{0,63}))");

  public Scope {
    entries = List.copyOf(entries);
  }

  public static boolean isEntry(String text) {
    return ENTRY.matcher(text).matches();
  }

  public boolean isEverything() {
    return entries.isEmpty();
  }

  public boolean holds(String agent, String site, Map<String, String> labels) {
    return isEverything()
        || entries.stream().anyMatch(entry -> matches(entry, agent, site, labels));
  }

  private static boolean matches(
      String entry, String agent, String site, Map<String, String> labels) {
    Matcher read = ENTRY.matcher(entry);
    if (!read.matches()) {
      return false;
    }
    String name = read.group("name");
    if (name == null) {
      return read.group("value").equals(labels.get(read.group("key")));
    }
    return switch (read.group("kind")) {
      case null -> name.equals(agent) || name.equals(site);
      case "agent:" -> name.equals(agent);
      default -> name.equals(site);
    };
  }
}
