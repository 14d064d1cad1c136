package io.penstock.codec.audit;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.penstock.codec.seal.Octets;
import java.math.BigDecimal;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// JSON as bytes that do not depend on who wrote it down: a database that keeps JSON as a value
/// gives it back with other spaces, another order of members and other spellings of numbers.
final class CanonicalJson {
  static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .build();

  private CanonicalJson() {}

  /// Empty for what is no JSON, or JSON beyond the limits of its reader.
  static Optional<JsonNode> of(String text) {
    try {
      return Optional.ofNullable(JSON.readTree(text)).filter(node -> !node.isMissingNode());
    } catch (JsonProcessingException _) {
      return Optional.empty();
    }
  }

  /// The same for two values that say the same.
  static Octets digest(JsonNode node) {
    var bytes = new RecordBytes("penstock json 1");
    append(bytes, node);
    return bytes.sha256();
  }

  /// Appends each value with its kind before it, texts with their length, members by name.
  static void append(RecordBytes out, JsonNode node) {
    switch (node.getNodeType()) {
      case OBJECT -> {
        Map<String, JsonNode> members = new TreeMap<>();
        node.properties().forEach(member -> members.put(member.getKey(), member.getValue()));
        out.mark('o').number(members.size());
        members.forEach(
            (name, value) -> {
              out.text(name);
              append(out, value);
            });
      }
      case ARRAY -> {
        out.mark('a').number(node.size());
        node.forEach(value -> append(out, value));
      }
      case STRING -> out.mark('s').text(node.textValue());
      case NUMBER -> out.mark('n').text(number(node.decimalValue()));
      case BOOLEAN -> out.mark(node.booleanValue() ? 't' : 'f');
      case NULL -> out.mark('0');
      case BINARY, MISSING, POJO ->
          throw new IllegalArgumentException("not parsed from JSON: " + node.getNodeType());
    }
  }

  private static String number(BigDecimal value) {
    BigDecimal shortest = value.stripTrailingZeros();
    return shortest.unscaledValue() + "e" + -(long) shortest.scale();
  }
}
