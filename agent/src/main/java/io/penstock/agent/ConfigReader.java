package io.penstock.agent;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// Reads keys by dotted name from the environment (`PENSTOCK_SECTION_KEY`) or else the YAML file,
/// and collects every problem instead of stopping at the first. Each key asked for becomes known;
/// [#finish] then names the keys nobody asked for.
final class ConfigReader {
  private static final String ENVIRONMENT_PREFIX = "PENSTOCK_";
  private static final YAMLMapper YAML =
      YAMLMapper.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  private final JsonNode tree;
  private final Map<String, String> environment;
  private final Set<String> known = new TreeSet<>();
  private final List<String> problems = new ArrayList<>();

  private ConfigReader(JsonNode tree, Map<String, String> environment) {
    this.tree = tree;
    this.environment = Map.copyOf(environment);
  }

  /// Without a file only the environment counts.
  static ConfigReader of(Optional<Path> file, Map<String, String> environment) {
    if (file.isEmpty()) {
      return ofYaml("", environment);
    }
    try {
      return ofYaml(Files.readString(file.get()), environment);
    } catch (IOException unreadable) {
      throw new ConfigException(List.of("cannot read the configuration file: " + unreadable));
    }
  }

  static ConfigReader ofYaml(String yaml, Map<String, String> environment) {
    try {
      JsonNode tree = YAML.readTree(yaml);
      return new ConfigReader(tree == null ? MissingNode.getInstance() : tree, environment);
    } catch (JsonProcessingException malformed) {
      throw new ConfigException(List.of("not YAML: " + describe(malformed)));
    }
  }

  /// The place only: the parser's own message quotes the file.
  private static String describe(JsonProcessingException malformed) {
    var location = malformed.getLocation();
    return location == null ? "cannot be read" : "line " + location.getLineNr();
  }

  Optional<String> text(String key) {
    known.add(key);
    String variable = environment.get(variable(key));
    if (variable != null) {
      return Optional.of(variable).filter(value -> !value.isBlank());
    }
    JsonNode node = node(key);
    if (node.isMissingNode() || node.isNull()) {
      return Optional.empty();
    }
    if (!node.isValueNode()) {
      problem(key + ": expected a single value");
      return Optional.empty();
    }
    return Optional.of(node.asText()).filter(value -> !value.isBlank());
  }

  Optional<Path> path(String key) {
    return text(key).map(Path::of);
  }

  /// A file that must be there.
  Optional<Path> readableFile(String key) {
    Optional<Path> file = path(key);
    file.filter(it -> !Files.isReadable(it)).ifPresent(it -> problem(key + ": cannot read " + it));
    return file;
  }

  int integer(String key, int fallback, int least, int most) {
    Optional<String> text = text(key);
    if (text.isEmpty()) {
      return fallback;
    }
    try {
      int value = Integer.parseInt(text.get());
      if (value >= least && value <= most) {
        return value;
      }
    } catch (NumberFormatException _) {
      // Told below, together with the range.
    }
    problem(
        key + ": expected a whole number from " + least + " to " + most + ", found " + text.get());
    return fallback;
  }

  /// A list of texts; in the environment separated by commas.
  List<String> texts(String key) {
    known.add(key);
    String variable = environment.get(variable(key));
    if (variable != null) {
      return variable.isBlank() ? List.of() : List.of(variable.strip().split("\\s*,\\s*", -1));
    }
    return texts(key, node(key));
  }

  /// The texts of a list that stands somewhere below a [#tree].
  List<String> texts(String key, JsonNode node) {
    if (node.isMissingNode() || node.isNull()) {
      return List.of();
    }
    if (!node.isArray()) {
      problem(key + ": expected a list");
      return List.of();
    }
    var values = new ArrayList<String>();
    node.forEach(item -> values.add(item.asText()));
    return List.copyOf(values);
  }

  /// A part of the file that its reader checks itself; in the environment it is YAML on one line.
  JsonNode tree(String key) {
    known.add(key);
    String variable = environment.get(variable(key));
    if (variable == null) {
      return node(key);
    }
    try {
      JsonNode parsed = YAML.readTree(variable);
      return parsed == null ? MissingNode.getInstance() : parsed;
    } catch (JsonProcessingException malformed) {
      problem(variable(key) + ": not YAML");
      return MissingNode.getInstance();
    }
  }

  void requireOnly(String key, JsonNode node, Set<String> names) {
    if (!node.isObject()) {
      problem(key + ": expected keys and values");
      return;
    }
    node.fieldNames()
        .forEachRemaining(
            name -> require(names.contains(name), key + "." + name + ": unknown key"));
  }

  void require(boolean holds, String problem) {
    if (!holds) {
      problem(problem);
    }
  }

  void problem(String problem) {
    problems.add(problem);
  }

  /// Throws [ConfigException] when anything was wrong.
  void finish() {
    if (!tree.isMissingNode() && !tree.isNull() && !tree.isObject()) {
      problem("expected keys and values at the top of the file");
    }
    findUnknown("", tree);
    if (!problems.isEmpty()) {
      throw new ConfigException(problems);
    }
  }

  private void findUnknown(String prefix, JsonNode node) {
    node.properties()
        .forEach(
            entry -> {
              String key = prefix + entry.getKey();
              if (known.contains(key)) {
                return;
              }
              if (known.stream().noneMatch(name -> name.startsWith(key + "."))) {
                problem(key + ": unknown key");
              } else if (entry.getValue().isObject()) {
                findUnknown(key + ".", entry.getValue());
              } else if (!entry.getValue().isNull()) {
                problem(key + ": expected a section with keys");
              }
            });
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
