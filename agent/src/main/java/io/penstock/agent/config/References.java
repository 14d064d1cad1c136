package io.penstock.agent.config;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.codec.schema.PluginSchema;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/// Puts the values of `${secret:NAME}` and `${vault:MOUNT/PATH#KEY}` in their places: in the texts
/// of secrets and settings at the top of a configuration. Not in what the schema marks
/// `destination`, so that nobody can make a secret a part of an address, and not in `allow`, which
/// the agent tells its broker. Values live in memory only. Blocks.
final class References {
  private static final Pattern REFERENCE = Pattern.compile("\\$\\{(secret|vault):([^}]*)}");
  private static final Pattern BEGUN = Pattern.compile("\\$\\{(secret|vault):");
  private static final JsonMapper JSON =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxNestingDepth(64).build())
                  .build())
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .build();

  private final Map<String, SecretStore> stores;
  private final SecretKeySpec digestKey;

  /// @param stores by the word before the colon
  References(Map<String, SecretStore> stores, SecureRandom random) {
    this.stores = Map.copyOf(stores);
    byte[] key = new byte[32];
    random.nextBytes(key);
    digestKey = new SecretKeySpec(key, "HmacSHA256");
  }

  sealed interface Resolution {
    /// @param secrets empty where the version has none
    /// @param settingsBy settings whose value came by a reference
    /// @param digest of all values, worth nothing outside of this process; empty = no references
    record Resolved(
        ObjectNode settings, ObjectNode secrets, SortedSet<String> settingsBy, byte[] digest)
        implements Resolution {
      boolean hasReferences() {
        return digest.length > 0;
      }

      @Override
      public String toString() {
        return "Resolved[secret]";
      }
    }

    /// @param detail names the reference and what is the matter, never a value
    record Missing(String detail) implements Resolution {}

    /// A reference where none may be, or one that is none.
    record Misplaced(String detail) implements Resolution {}

    /// Not JSON at all: the schema says more.
    record NoObject() implements Resolution {}
  }

  private static final class Stop extends Exception {
    private final Resolution because;

    Stop(Resolution because) {
      super("told as a resolution", null, false, false);
      this.because = because;
    }
  }

  Resolution resolve(PluginSchema schema, byte[] settingsJson, byte @Nullable [] secretsJson) {
    Optional<ObjectNode> settings = object(settingsJson);
    Optional<ObjectNode> secrets =
        secretsJson == null ? Optional.of(JSON.createObjectNode()) : object(secretsJson);
    if (settings.isEmpty() || secrets.isEmpty()) {
      return new Resolution.NoObject();
    }
    var values = new TreeMap<String, String>();
    var by = new TreeSet<String>();
    try {
      for (String field : names(settings.get())) {
        JsonNode value = settings.get().path(field);
        boolean forbidden = schema.destinationFields().contains(field) || !value.isTextual();
        if (forbidden) {
          requireNone(field, value);
        } else if (resolve(field, settings.get(), values)) {
          by.add(field);
        }
      }
      for (String field : names(secrets.get())) {
        if (secrets.get().path(field).isTextual()) {
          resolve(field, secrets.get(), values);
        }
      }
    } catch (Stop stop) {
      return stop.because;
    }
    return new Resolution.Resolved(settings.get(), secrets.get(), by, digest(values));
  }

  static byte[] bytes(ObjectNode node) {
    try {
      return JSON.writeValueAsBytes(node);
    } catch (IOException impossible) {
      throw new IllegalStateException("a tree is JSON");
    }
  }

  private static Optional<ObjectNode> object(byte[] json) {
    try {
      return JSON.readTree(json) instanceof ObjectNode object
          ? Optional.of(object)
          : Optional.empty();
    } catch (IOException _) {
      return Optional.empty();
    }
  }

  private static SortedSet<String> names(ObjectNode node) {
    var names = new TreeSet<String>();
    node.fieldNames().forEachRemaining(names::add);
    return names;
  }

  private static void requireNone(String field, JsonNode value) throws Stop {
    boolean found =
        value.isTextual()
            ? BEGUN.matcher(value.textValue()).find()
            : value.isContainerNode() && BEGUN.matcher(value.toString()).find();
    if (found) {
      throw new Stop(
          new Resolution.Misplaced(
              "/" + shown(field) + ": expected no secret reference, found one"));
    }
  }

  /// A stranger's name of a field, for one line.
  private static String shown(String field) {
    return field.length() <= 63 ? field : field.substring(0, 63);
  }

  /// False when the text holds none.
  private boolean resolve(String field, ObjectNode parent, Map<String, String> values) throws Stop {
    String text = parent.path(field).textValue();
    Matcher reference = REFERENCE.matcher(text);
    var resolved = new StringBuilder();
    int copied = 0;
    while (reference.find()) {
      resolved.append(text, copied, reference.start());
      resolved.append(value(field, reference.group(1), reference.group(2), values));
      copied = reference.end();
    }
    if (BEGUN.matcher(text.substring(copied)).find()) {
      throw new Stop(notAName(field));
    }
    if (copied == 0) {
      return false;
    }
    parent.put(field, resolved.append(text.substring(copied)).toString());
    return true;
  }

  /// What stands there may be a secret that only looks like a reference: it is not repeated.
  private static Resolution notAName(String field) {
    return new Resolution.Misplaced(
        "/"
            + shown(field)
            + ": expected a reference as ${secret:NAME} or ${vault:MOUNT/PATH#KEY}, found"
            + " another");
  }

  private String value(String field, String kind, String name, Map<String, String> values)
      throws Stop {
    String reference = "${" + kind + ":" + name + "}";
    SecretStore store = stores.get(kind);
    if (store == null) {
      throw new Stop(new Resolution.Missing("${" + kind + ":…}: agent.yaml sets up no " + kind));
    }
    if (!store.isName(name)) {
      throw new Stop(notAName(field));
    }
    String known = values.get(reference);
    if (known != null) {
      return known;
    }
    try {
      String value =
          store
              .find(name)
              .orElseThrow(
                  () -> new Stop(new Resolution.Missing(reference + ": there is none here")));
      values.put(reference, value);
      return value;
    } catch (SecretStoreException unreachable) {
      throw new Stop(new Resolution.Missing(reference + ": " + unreachable.text()));
    }
  }

  private byte[] digest(Map<String, String> values) {
    if (values.isEmpty()) {
      return new byte[0];
    }
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(digestKey);
      values.forEach(
          (reference, value) -> {
            mac.update(reference.getBytes(StandardCharsets.UTF_8));
            byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
            mac.update(ByteBuffer.allocate(4).putInt(bytes.length).array());
            mac.update(bytes);
            Arrays.fill(bytes, (byte) 0);
          });
      return mac.doFinal();
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException("every JDK has HMAC-SHA256", impossible);
    }
  }
}
