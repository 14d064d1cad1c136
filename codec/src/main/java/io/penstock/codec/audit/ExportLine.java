package io.penstock.codec.audit;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.RootLink;
import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.VerifyingKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// One line of an export (`docs/audit.md`, "Exports"): the header first, then entries in their
/// order, each checkpoint before the entries that it covers, and an end.
public sealed interface ExportLine {
  /// What to believe signatures by, and the newest checkpoint there is.
  ///
  /// @param rootLinks how older roots lead to this one, oldest first
  /// @param upTo position that the newest checkpoint covers, where the export ends
  record Header(
      VerifyingKey root,
      List<RootLink> rootLinks,
      String keysetJws,
      String checkpointJws,
      long upTo)
      implements ExportLine {
    public Header {
      rootLinks = List.copyOf(rootLinks);
    }
  }

  /// @param found what is there for it, if anything is
  record Sealed(ChainEntry entry, Optional<AuditRecord> found) implements ExportLine {}

  /// A record between sealed ones that has no place.
  record Unchained(long id, AuditRecord found) implements ExportLine {}

  record Checkpoint(String jws) implements ExportLine {}

  /// @param position of the last entry
  record End(long position) implements ExportLine {}

  int FORMAT = 1;

  /// Without the line's end.
  default String text() {
    try {
      return CanonicalJson.JSON.writeValueAsString(json());
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree is always writable", e);
    }
  }

  private ObjectNode json() {
    ObjectNode json = CanonicalJson.JSON.createObjectNode();
    switch (this) {
      case Header it -> {
        json.put("penstock_audit_export", FORMAT)
            .put("root_public", it.root().octets().base64Url());
        ArrayNode links = json.putArray("cross_signatures");
        it.rootLinks()
            .forEach(
                link ->
                    links
                        .addObject()
                        .put("root_public", link.root().octets().base64Url())
                        .put("jws", link.jws()));
        json.put("keyset", it.keysetJws())
            .put("checkpoint", it.checkpointJws())
            .put("up_to", it.upTo());
      }
      case Sealed it -> {
        json.put("position", it.entry().position())
            .put("kind", it.entry().kind().text())
            .put("hash", it.entry().hash().base64Url())
            .put("id", it.entry().id());
        it.found().ifPresent(found -> json.set("record", found.json(it.entry().id())));
      }
      case Unchained it -> json.set("unchained", it.found().json(it.id()));
      case Checkpoint it -> json.put("checkpoint", it.jws());
      case End it -> json.put("end", it.position());
    }
    return json;
  }

  /// Throws [SealException] for anything else than such a line, and for a line that says more than
  /// what is read from it: nothing would prove the rest.
  static ExportLine parse(String line) {
    JsonNode json =
        CanonicalJson.of(line).orElseThrow(() -> new SealException("the line is not JSON"));
    ExportLine parsed = parsed(json);
    if (!CanonicalJson.digest(json).equals(CanonicalJson.digest(parsed.json()))) {
      throw new SealException("the line says something else than an export's line can say");
    }
    return parsed;
  }

  private static ExportLine parsed(JsonNode json) {
    if (json.has("penstock_audit_export")) {
      return header(json);
    }
    if (json.has("position")) {
      return sealed(json);
    }
    if (json.has("unchained")) {
      JsonNode found = json.path("unchained");
      return new Unchained(number(found, "id"), AuditRecord.of(found));
    }
    if (json.has("checkpoint")) {
      return new Checkpoint(text(json, "checkpoint"));
    }
    if (json.has("end")) {
      return new End(number(json, "end"));
    }
    throw new SealException("the line is none of an export's");
  }

  private static Header header(JsonNode json) {
    long format = number(json, "penstock_audit_export");
    if (format != FORMAT) {
      throw new SealException("the export's format: expected " + FORMAT + ", found " + format);
    }
    var links = new ArrayList<RootLink>();
    json.path("cross_signatures")
        .forEach(
            link ->
                links.add(
                    new RootLink(
                        VerifyingKey.fromBase64Url(text(link, "root_public")), text(link, "jws"))));
    return new Header(
        VerifyingKey.fromBase64Url(text(json, "root_public")),
        links,
        text(json, "keyset"),
        text(json, "checkpoint"),
        number(json, "up_to"));
  }

  private static Sealed sealed(JsonNode json) {
    long id = number(json, "id");
    JsonNode found = json.path("record");
    if (!found.isMissingNode() && number(found, "id") != id) {
      throw new SealException("an entry and its record with two numbers");
    }
    return new Sealed(
        new ChainEntry(
            number(json, "position"),
            id,
            ChainEntry.Kind.of(text(json, "kind")),
            Octets.fromBase64Url(text(json, "hash"))),
        found.isMissingNode() ? Optional.empty() : Optional.of(AuditRecord.of(found)));
  }

  private static String text(JsonNode json, String name) {
    JsonNode value = json.path(name);
    if (!value.isTextual()) {
      throw new SealException("a line without " + name);
    }
    return value.textValue();
  }

  private static long number(JsonNode json, String name) {
    JsonNode value = json.path(name);
    if (!value.isIntegralNumber() || !value.canConvertToLong()) {
      throw new SealException("a line without " + name);
    }
    return value.longValue();
  }
}
