package io.penstock.codec.schema;

import com.fasterxml.jackson.databind.JsonNode;
import com.networknt.schema.ValidationMessage;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The validator's messages in our words. They are made anew from keyword, schema and type, because
/// the validator's own texts quote values.
final class Findings {
  private static final int MAX_SHOWN_CHARS = 80;

  private final Set<String> secretFields;

  Findings(Set<String> secretFields) {
    this.secretFields = secretFields;
  }

  Problem problem(ValidationMessage message) {
    String at = message.getInstanceLocation().toString();
    String property = message.getProperty();
    String keyword = message.getType();
    JsonNode rule = message.getSchemaNode();
    JsonNode value = message.getInstanceNode();
    return switch (keyword) {
      case "required" -> new Problem(at + "/" + property, "a value", "none");
      case "additionalProperties" ->
          new Problem(at + "/" + shortened(property), "no such key", "one");
      case "dependentRequired" ->
          new Problem(at, "both or neither of the fields that need each other", "one");
      case "false" -> new Problem(at, "none beside the other kind of credentials", "one");
      default -> new Problem(at, expected(keyword, rule), found(at, keyword, value));
    };
  }

  private static String expected(String keyword, @Nullable JsonNode rule) {
    String limit = rule == null ? "" : rule.asText();
    return switch (keyword) {
      case "type" -> "type " + limit;
      case "minimum" -> limit + " or more";
      case "maximum" -> limit + " or less";
      case "minLength" -> "at least " + limit + " characters";
      case "maxLength" -> "at most " + limit + " characters";
      case "minItems" -> "at least " + limit + " entries";
      case "maxItems" -> "at most " + limit + " entries";
      case "pattern" -> "text like " + limit;
      case "not" -> "a name that HTTP itself does not use";
      case "enum", "const" -> "one of " + rule;
      default -> "what " + keyword + " of the schema asks";
    };
  }

  private String found(String path, String keyword, @Nullable JsonNode value) {
    if (value == null) {
      return "none";
    }
    if (keyword.equals("type") || value.isContainerNode()) {
      return value.isContainerNode() && !keyword.equals("type")
          ? value.size() + " entries"
          : value.getNodeType().name().toLowerCase(java.util.Locale.ROOT);
    }
    if (isSecret(path)) {
      return "a secret of " + value.asText().length() + " characters";
    }
    return shortened(value.asText());
  }

  private boolean isSecret(String path) {
    return secretFields.stream()
        .anyMatch(field -> path.equals("/" + field) || path.startsWith("/" + field + "/"));
  }

  private static String shortened(@Nullable String text) {
    String line = String.valueOf(text).replaceAll("\\p{Cntrl}", "?");
    return line.length() <= MAX_SHOWN_CHARS ? line : line.substring(0, MAX_SHOWN_CHARS) + "…";
  }
}
