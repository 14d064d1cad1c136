package io.penstock.broker.config;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Pattern;

/// Reads keys by dotted name from flags, environment and YAML, in this order of precedence, and
/// collects every problem instead of stopping at the first. Each key asked for becomes known;
/// [#finish] then names the keys nobody asked for.
final class ConfigReader {
  private static final String ENVIRONMENT_PREFIX = "PENSTOCK_";
  private static final Pattern DURATION = Pattern.compile("(\\d{1,9})(ms|s|m|h|d)");
  private static final Pattern SIZE = Pattern.compile("(\\d{1,12})(B|KiB|MiB|GiB)?");

  private final JsonNode tree;
  private final Map<String, String> environment;
  private final Map<String, String> flags;
  private final Set<String> known = new TreeSet<>();
  private final List<String> problems = new ArrayList<>();

  private ConfigReader(JsonNode tree, Map<String, String> environment, Map<String, String> flags) {
    this.tree = tree;
    this.environment = Map.copyOf(environment);
    this.flags = Map.copyOf(flags);
  }

  /// `flags` are dotted keys given on the command line. A missing file is a problem only when it
  /// was named.
  static ConfigReader of(
      Optional<Path> file, Map<String, String> environment, Map<String, String> flags) {
    if (file.isEmpty()) {
      return new ConfigReader(MissingNode.getInstance(), environment, flags);
    }
    try {
      return new ConfigReader(parse(Files.readString(file.get())), environment, flags);
    } catch (JsonProcessingException e) {
      throw new ConfigException(
          List.of(file.get() + " is not YAML: " + e.getOriginalMessage() + at(e)));
    } catch (IOException e) {
      throw new ConfigException(List.of("cannot read the configuration file: " + e));
    }
  }

  static ConfigReader ofYaml(
      String yaml, Map<String, String> environment, Map<String, String> flags) {
    try {
      return new ConfigReader(parse(yaml), environment, flags);
    } catch (JsonProcessingException e) {
      throw new ConfigException(List.of("not YAML: " + e.getOriginalMessage() + at(e)));
    }
  }

  private static JsonNode parse(String yaml) throws JsonProcessingException {
    return YAMLMapper.builder()
        .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
        .build()
        .readTree(yaml);
  }

  private static String at(JsonProcessingException e) {
    return e.getLocation() == null ? "" : " (line " + e.getLocation().getLineNr() + ")";
  }

  String text(String key, String fallback) {
    return raw(key).orElse(fallback);
  }

  Optional<String> optionalText(String key) {
    return raw(key).filter(value -> !value.isBlank());
  }

  Optional<Path> optionalPath(String key) {
    return optionalText(key).map(Path::of);
  }

  int integer(String key, int fallback, int least, int most) {
    return value(key, fallback, text -> parseInteger(key, text, least, most));
  }

  private Integer parseInteger(String key, String text, int least, int most) {
    try {
      int value = Integer.parseInt(text);
      if (value >= least && value <= most) {
        return value;
      }
    } catch (NumberFormatException _) {
      // Told below, together with the range.
    }
    throw new IllegalArgumentException(
        key + ": expected a whole number from " + least + " to " + most + ", found " + text);
  }

  double decimal(String key, double fallback, double least, double most) {
    return value(
        key,
        fallback,
        text -> {
          try {
            double found = Double.parseDouble(text);
            if (found >= least && found <= most) {
              return found;
            }
          } catch (NumberFormatException _) {
            // Told below, together with the range.
          }
          throw expected(key, "a number from " + least + " to " + most, text);
        });
  }

  /// The keys of a section whose names the owner chooses.
  List<String> names(String section) {
    var names = new ArrayList<String>();
    JsonNode node = node(section);
    require(
        node.isMissingNode() || node.isNull() || node.isObject(),
        section + ": expected a section with keys");
    node.properties().forEach(entry -> names.add(entry.getKey()));
    if (names.isEmpty()) {
      known.add(section);
    }
    return List.copyOf(names);
  }

  Duration duration(String key, Duration fallback, Duration least, Duration most) {
    return value(
        key,
        fallback,
        text -> {
          Duration found = parseDuration(text);
          if (found.compareTo(least) < 0 || found.compareTo(most) > 0) {
            throw expected(
                key,
                "a time from " + least.toMillis() + "ms to " + most.toSeconds() + "s, such as 30s",
                text);
          }
          return found;
        });
  }

  private static Duration parseDuration(String text) {
    var match = DURATION.matcher(text);
    if (!match.matches()) {
      return Duration.ofSeconds(-1);
    }
    long number = Long.parseLong(match.group(1));
    return switch (match.group(2)) {
      case "ms" -> Duration.ofMillis(number);
      case "s" -> Duration.ofSeconds(number);
      case "m" -> Duration.ofMinutes(number);
      case "h" -> Duration.ofHours(number);
      default -> Duration.ofDays(number);
    };
  }

  long bytes(String key, long fallback, long least, long most) {
    return value(
        key,
        fallback,
        text -> {
          long found = parseSize(text);
          if (found < least || found > most) {
            throw expected(
                key, "a size from " + least + " to " + most + " bytes, such as 64MiB", text);
          }
          return found;
        });
  }

  private static long parseSize(String text) {
    var match = SIZE.matcher(text);
    if (!match.matches()) {
      return -1;
    }
    long number = Long.parseLong(match.group(1));
    String unit = match.group(2);
    if (unit == null || unit.equals("B")) {
      return number;
    }
    return number
        << switch (unit) {
          case "KiB" -> 10;
          case "MiB" -> 20;
          default -> 30;
        };
  }

  <E extends Enum<E>> E choice(String key, Class<E> type, E fallback) {
    return value(
        key,
        fallback,
        text -> {
          for (E constant : type.getEnumConstants()) {
            if (constant.name().toLowerCase(Locale.ROOT).equals(text)) {
              return constant;
            }
          }
          throw expected(key, "one of " + names(type), text);
        });
  }

  private static String names(Class<? extends Enum<?>> type) {
    var names = new ArrayList<String>();
    for (Enum<?> constant : type.getEnumConstants()) {
      names.add(constant.name().toLowerCase(Locale.ROOT));
    }
    return String.join(", ", names);
  }

  List<String> list(String key) {
    JsonNode node = node(key);
    if (!flags.containsKey(key) && !environment.containsKey(variable(key)) && node.isArray()) {
      known.add(key);
      var values = new ArrayList<String>();
      node.forEach(item -> values.add(item.asText()));
      return List.copyOf(values);
    }
    return raw(key)
        .filter(text -> !text.isBlank())
        .map(text -> List.of(text.split("\\s*,\\s*")))
        .orElse(List.of());
  }

  /// A check across keys, or of a value's meaning.
  void require(boolean holds, String problem) {
    if (!holds) {
      problems.add(problem);
    }
  }

  void finish() {
    unknownKeys("", tree);
    unknownVariables();
    if (!problems.isEmpty()) {
      throw new ConfigException(problems);
    }
  }

  private void unknownKeys(String prefix, JsonNode node) {
    if (!node.isObject()) {
      return;
    }
    node.properties()
        .forEach(
            entry -> {
              String key = prefix + entry.getKey();
              if (isSection(key)) {
                unknownSection(key, entry.getValue());
              } else if (!known.contains(key)) {
                problems.add(key + ": unknown key");
              }
            });
  }

  private void unknownSection(String key, JsonNode node) {
    if (!node.isObject() && !node.isNull()) {
      problems.add(key + ": expected a section with keys");
    }
    unknownKeys(key + ".", node);
  }

  private boolean isSection(String key) {
    return known.stream().anyMatch(name -> name.startsWith(key + "."));
  }

  /// Only variables that begin like one of our sections: others of the prefix belong to the agent
  /// or the launcher.
  private void unknownVariables() {
    Set<String> variables = new TreeSet<>();
    Set<String> sections = new TreeSet<>();
    for (String key : known) {
      variables.add(variable(key));
      if (key.contains(".")) {
        sections.add(variable(key.substring(0, key.indexOf('.'))) + "_");
      }
    }
    for (String name : new TreeSet<>(environment.keySet())) {
      if (sections.stream().anyMatch(name::startsWith) && !variables.contains(name)) {
        problems.add(name + ": unknown key (environment)");
      }
    }
  }

  private <T> T value(String key, T fallback, Function<String, T> parse) {
    Optional<String> text = raw(key);
    if (text.isEmpty()) {
      return fallback;
    }
    try {
      return parse.apply(text.get());
    } catch (IllegalArgumentException e) {
      problems.add(String.valueOf(e.getMessage()));
      return fallback;
    }
  }

  private static IllegalArgumentException expected(String key, String expected, String found) {
    return new IllegalArgumentException(key + ": expected " + expected + ", found " + found);
  }

  private Optional<String> raw(String key) {
    known.add(key);
    String flag = flags.get(key);
    if (flag != null) {
      return Optional.of(flag);
    }
    String variable = environment.get(variable(key));
    if (variable != null) {
      return Optional.of(variable);
    }
    JsonNode node = node(key);
    if (node.isMissingNode() || node.isNull()) {
      return Optional.empty();
    }
    if (!node.isValueNode()) {
      problems.add(key + ": expected a single value");
      return Optional.empty();
    }
    return Optional.of(node.asText());
  }

  private JsonNode node(String key) {
    JsonNode node = tree;
    for (String part : key.split("\\.", -1)) {
      node = node.path(part);
    }
    return node;
  }

  private static String variable(String key) {
    return ENVIRONMENT_PREFIX + key.replace('.', '_').toUpperCase(Locale.ROOT);
  }
}
