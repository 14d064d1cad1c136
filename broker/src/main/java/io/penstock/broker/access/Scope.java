package io.penstock.broker.access;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Which agents somebody may see and touch (`gateway_access`). No entry at all means every one.
///
/// An entry is `agent:NAME`, `site:NAME`, `label:KEY=VALUE`, or, as the seed has it, a bare `NAME`:
/// the agent of that name and every agent of a site of that name. What is none of these grants
/// nothing.
///
/// Two scopes are equal when their entries are.
public final class Scope {
  public static final String EXPECTED =
      "a list of agent:NAME, site:NAME, label:KEY=VALUE or NAME (an agent or a site)";

  private static final String NAME = "[A-Za-z0-9][A-Za-z0-9._-]{0,62}";
  private static final Pattern ENTRY =
      Pattern.compile(
          "(?:(?<kind>agent:|site:)?(?<name>"
              + NAME
              + ")|label:(?<key>[A-Za-z0-9][A-Za-z0-9._/-]{0,62})=(?<value>[A-Za-z0-9._-]{0,63}))");

  public static final Scope EVERYTHING = new Scope(List.of());

  private final List<String> entries;
  private final List<Selector> selectors;

  /// An entry as it was read.
  private sealed interface Selector {
    boolean holds(String agent, String site, Map<String, String> labels);

    record OfAgent(String name) implements Selector {
      @Override
      public boolean holds(String agent, String site, Map<String, String> labels) {
        return name.equals(agent);
      }
    }

    record OfSite(String name) implements Selector {
      @Override
      public boolean holds(String agent, String site, Map<String, String> labels) {
        return name.equals(site);
      }
    }

    record OfEither(String name) implements Selector {
      @Override
      public boolean holds(String agent, String site, Map<String, String> labels) {
        return name.equals(agent) || name.equals(site);
      }
    }

    record OfLabel(String key, String value) implements Selector {
      @Override
      public boolean holds(String agent, String site, Map<String, String> labels) {
        return value.equals(labels.get(key));
      }
    }
  }

  public Scope(List<String> entries) {
    this.entries = List.copyOf(entries);
    var read = new ArrayList<Selector>();
    this.entries.forEach(entry -> selector(entry).ifPresent(read::add));
    selectors = List.copyOf(read);
  }

  private static Optional<Selector> selector(String entry) {
    Matcher read = ENTRY.matcher(entry);
    if (!read.matches()) {
      return Optional.empty();
    }
    String name = read.group("name");
    if (name == null) {
      return Optional.of(new Selector.OfLabel(read.group("key"), read.group("value")));
    }
    return Optional.of(
        switch (read.group("kind")) {
          case null -> new Selector.OfEither(name);
          case "agent:" -> new Selector.OfAgent(name);
          default -> new Selector.OfSite(name);
        });
  }

  public static boolean isEntry(String text) {
    return ENTRY.matcher(text).matches();
  }

  public List<String> entries() {
    return entries;
  }

  public boolean isEverything() {
    return entries.isEmpty();
  }

  public boolean holds(String agent, String site, Map<String, String> labels) {
    if (isEverything()) {
      return true;
    }
    for (Selector selector : selectors) {
      if (selector.holds(agent, site, labels)) {
        return true;
      }
    }
    return false;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Scope scope && scope.entries.equals(entries);
  }

  @Override
  public int hashCode() {
    return entries.hashCode();
  }

  @Override
  public String toString() {
    return "Scope" + entries;
  }
}
