package io.penstock.codec.schema;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.JsonMetaSchema;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.NonValidationKeyword;
import com.networknt.schema.PathType;
import com.networknt.schema.SchemaValidatorsConfig;
import com.networknt.schema.regex.RegularExpression;
import io.penstock.codec.exposure.ExposureRules;
import io.penstock.codec.message.ControlMessage.Allow;
import io.penstock.codec.seal.Destination;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.SealedSecrets;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/// The JSON Schema (2020-12) of one plugin. It describes settings and secrets as one object of flat
/// names: fields with `writeOnly` are secrets, sealed to the agent; all others are settings, which
/// the broker reads. A field with our own keyword `destination` says where the secrets go, so a
/// change of it demands them anew.
///
/// Immutable and thread-safe.
public final class PluginSchema {
  private static final List<String> NAMES = List.of("http");
  private static final JsonMapper JSON = mapper();
  private static final JsonSchemaFactory FACTORY = factory();
  private static final SchemaValidatorsConfig CONFIG =
      SchemaValidatorsConfig.builder()
          .pathType(PathType.JSON_POINTER)
          .regularExpressionFactory(PluginSchema::expression)
          .build();
  private static final Map<String, PluginSchema> ALL = loadAll();

  private final String plugin;
  private final String text;
  private final Octets id;
  private final SortedSet<String> secretFields;
  private final SortedSet<String> destinationFields;
  private final JsonSchema whole;
  private final JsonSchema withoutSecretValues;

  private PluginSchema(String plugin, byte[] bytes) throws IOException {
    this.plugin = plugin;
    this.text = new String(bytes, StandardCharsets.UTF_8);
    this.id = Octets.sha256(bytes);
    JsonNode schema = JSON.readTree(bytes);
    this.secretFields = fieldsWith(schema, "writeOnly");
    this.destinationFields = fieldsWith(schema, "destination");
    this.whole = FACTORY.getSchema(schema, CONFIG);
    this.withoutSecretValues = FACTORY.getSchema(withoutSecretRules(schema), CONFIG);
  }

  /// The plugins this version knows, sorted.
  public static Set<String> plugins() {
    return ALL.keySet();
  }

  public static Optional<PluginSchema> of(String plugin) {
    return Optional.ofNullable(ALL.get(plugin));
  }

  public String plugin() {
    return plugin;
  }

  /// The schema itself, for the console's forms.
  public String text() {
    return text;
  }

  /// SHA-256 of [#text]: what a header names.
  public Octets id() {
    return id;
  }

  public SortedSet<String> secretFields() {
    return secretFields;
  }

  public SortedSet<String> destinationFields() {
    return destinationFields;
  }

  /// As the broker and the console judge: they know which secrets there are, not what they say.
  /// Empty = valid.
  public List<Problem> validate(byte[] settingsJson, Set<String> secretNames) {
    var problems = new ArrayList<Problem>();
    Optional<ObjectNode> settings = object(settingsJson, "", problems);
    checkSize(settingsJson.length, problems);
    checkOwners(settings, secretNames, problems);
    settings.ifPresent(
        node -> {
          ObjectNode all = node.deepCopy();
          secretNames.stream()
              .filter(name -> secretFields.contains(name))
              .forEach(name -> all.put(name, ""));
          judge(withoutSecretValues, all, problems);
        });
    return List.copyOf(problems);
  }

  /// As the agent judges: everything. `secretsJson` is empty where the version has no secrets.
  public List<Problem> validate(byte[] settingsJson, Optional<byte[]> secretsJson) {
    var problems = new ArrayList<Problem>();
    Optional<ObjectNode> settings = object(settingsJson, "", problems);
    Optional<ObjectNode> secrets =
        secretsJson.isEmpty()
            ? Optional.of(JSON.createObjectNode())
            : object(secretsJson.get(), "/secrets", problems);
    checkSize(
        (long) settingsJson.length + secretsJson.map(bytes -> bytes.length).orElse(0), problems);
    secrets.ifPresent(node -> checkOwners(settings, names(node), problems));
    if (settings.isPresent() && secrets.isPresent()) {
      ObjectNode all = settings.get().deepCopy();
      // A name that is no secret's has been told, unnamed: it may be a secret in the wrong place.
      all.setAll(secrets.get().deepCopy().retain(secretFields));
      judge(whole, all, problems);
    }
    return List.copyOf(problems);
  }

  /// The fields that say where secrets go and differ; both have been validated. When any does, the
  /// new version must bring new secrets.
  public SortedSet<String> destinationsChanged(byte[] oldSettingsJson, byte[] newSettingsJson) {
    Optional<ObjectNode> before = object(oldSettingsJson, "", new ArrayList<>());
    Optional<ObjectNode> after = object(newSettingsJson, "", new ArrayList<>());
    var changed = new TreeSet<String>();
    for (String field : destinationFields) {
      // Settings that are none have no destination in common with anything.
      if (before.isEmpty()
          || after.isEmpty()
          || !before.get().path(field).equals(after.get().path(field))) {
        changed.add(field);
      }
    }
    return changed;
  }

  /// Where settings that have been validated send their secrets.
  public Destination destinationOf(byte[] settingsJson) {
    ObjectNode settings =
        object(settingsJson, "", new ArrayList<>())
            .orElseThrow(() -> new SealException("settings: expected a JSON object"));
    var fields = new TreeMap<String, String>();
    for (String field : destinationFields) {
      JsonNode value = settings.path(field);
      if (value.isTextual()) {
        fields.put(field, value.textValue());
      } else if (!value.isMissingNode()) {
        throw new SealException("settings: " + field + ": expected text");
      }
    }
    return Destination.of(fields);
  }

  private void judge(JsonSchema schema, ObjectNode all, List<Problem> problems) {
    var findings = new Findings(secretFields);
    schema.validate(all).stream()
        .map(findings::problem)
        .filter(Predicate.not(problems::contains))
        .forEach(problems::add);
    if (problems.isEmpty() && all.path("allow").isArray()) {
      judgeAllow(all.path("allow"), problems);
    }
  }

  /// What no JSON Schema can say of path patterns.
  private static void judgeAllow(JsonNode allow, List<Problem> problems) {
    for (int i = 0; i < allow.size(); i++) {
      JsonNode entry = allow.path(i);
      var rule = new Allow(texts(entry.path("methods")), texts(entry.path("paths")));
      for (String problem : ExposureRules.problems(List.of(rule))) {
        problems.add(new Problem("/allow/" + i, "methods and paths that mean something", problem));
      }
    }
  }

  private void checkOwners(
      Optional<ObjectNode> settings, Set<String> secretNames, List<Problem> problems) {
    for (String name : settings.map(PluginSchema::names).orElse(Set.of())) {
      if (secretFields.contains(name)) {
        problems.add(new Problem("/" + name, "a secret, sealed", "it among the settings"));
      }
    }
    int unknown = 0;
    for (String name : secretNames) {
      if (!secretFields.contains(name)) {
        unknown++;
      }
    }
    if (unknown > 0) {
      problems.add(new Problem("/secrets", "only " + secretFields, unknown + " with another name"));
    }
  }

  private static void checkSize(long bytes, List<Problem> problems) {
    if (bytes > SealedSecrets.MAX_CONFIGURATION_BYTES) {
      problems.add(
          new Problem(
              "",
              "at most " + SealedSecrets.MAX_CONFIGURATION_BYTES + " bytes with the secrets",
              Long.toString(bytes)));
    }
  }

  private static Optional<ObjectNode> object(byte[] json, String path, List<Problem> problems) {
    if (json.length <= SealedSecrets.MAX_CONFIGURATION_BYTES) {
      try {
        if (JSON.readTree(json) instanceof ObjectNode object) {
          return Optional.of(object);
        }
      } catch (IOException _) {
        // Jackson quotes its input; told below in our words.
      }
    }
    problems.add(
        new Problem(
            path, "a JSON object without a name twice", json.length + " bytes that are none"));
    return Optional.empty();
  }

  private static Set<String> names(ObjectNode node) {
    var names = new TreeSet<String>();
    node.fieldNames().forEachRemaining(names::add);
    return names;
  }

  private static List<String> texts(JsonNode array) {
    var texts = new ArrayList<String>();
    array.forEach(element -> texts.add(element.asText()));
    return texts;
  }

  private static SortedSet<String> fieldsWith(JsonNode schema, String keyword) {
    var fields = new TreeSet<String>();
    schema
        .path("properties")
        .properties()
        .forEach(
            property -> {
              if (property.getValue().path(keyword).asBoolean()) {
                fields.add(property.getKey());
              }
            });
    return Collections.unmodifiableSortedSet(fields);
  }

  /// The same schema, in which a secret may be anything.
  private static JsonNode withoutSecretRules(JsonNode schema) {
    ObjectNode copy = schema.deepCopy();
    JsonNode properties = copy.path("properties");
    for (String field : fieldsWith(schema, "writeOnly")) {
      ((ObjectNode) properties).put(field, true);
    }
    return copy;
  }

  private static Map<String, PluginSchema> loadAll() {
    var all = new TreeMap<String, PluginSchema>();
    for (String plugin : NAMES) {
      String resource = plugin + ".json";
      try (InputStream in =
          Objects.requireNonNull(
              PluginSchema.class.getResourceAsStream(resource), "no resource " + resource)) {
        all.put(plugin, new PluginSchema(plugin, in.readAllBytes()));
      } catch (IOException e) {
        throw new UncheckedIOException("the schema of plugin " + plugin + " cannot be read", e);
      }
    }
    return Collections.unmodifiableMap(all);
  }

  private static JsonSchemaFactory factory() {
    JsonMetaSchema ours =
        JsonMetaSchema.builder(JsonMetaSchema.getV202012())
            .keyword(new NonValidationKeyword("destination"))
            .build();
    return JsonSchemaFactory.builder().defaultMetaSchemaIri(ours.getIri()).metaSchema(ours).build();
  }

  /// JSON Schema's `$` is the end of the text (ECMA-262); Java's also stands before a last line
  /// break, with which a credential would break out of its header field.
  private static RegularExpression expression(String regex) {
    var pattern =
        Pattern.compile(
            regex.endsWith("$") ? regex.substring(0, regex.length() - 1) + "\\z" : regex);
    return text -> pattern.matcher(text).find();
  }

  private static JsonMapper mapper() {
    return JsonMapper.builder(
            JsonFactory.builder()
                .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(64).build())
                .build())
        .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
        .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
        .build();
  }
}
