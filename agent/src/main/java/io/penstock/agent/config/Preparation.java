package io.penstock.agent.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.agent.config.Prepared.Opened;
import io.penstock.agent.config.References.Resolution;
import io.penstock.agent.plugin.SettingsException;
import io.penstock.agent.plugin.SystemCatalog;
import io.penstock.agent.plugin.SystemDefinition;
import io.penstock.codec.message.ConfigurationDocument;
import io.penstock.codec.message.ControlMessage.Allow;
import io.penstock.codec.schema.PluginSchema;
import io.penstock.codec.schema.Problem;
import io.penstock.codec.seal.ConfigurationCheck;
import io.penstock.codec.seal.ConfigurationCheck.Verdict;
import io.penstock.codec.seal.ConfigurationHeader;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.Receipt.Reason;
import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.SealedFor;
import io.penstock.codec.seal.SealedSecrets;
import io.penstock.codec.seal.SealedSecrets.Opening;
import io.penstock.codec.seal.SealingKey;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// From a document to an instance that nobody can call yet: every check of
/// `docs/sealed-configuration.md`, section 6, in its order, with one addition: references are
/// looked up before the schema judges, because what it judges is what the system will get. Has no
/// effect
/// outside; blocks; any thread.
final class Preparation {
  private static final Logger LOG = LoggerFactory.getLogger(Preparation.class);

  private final SystemCatalog catalog;
  private final References references;

  Preparation(SystemCatalog catalog, References references) {
    this.catalog = catalog;
    this.references = references;
  }

  /// Not a bug: the version is not applied.
  static final class RefusedException extends Exception {
    private final Refusal refusal;

    RefusedException(Reason reason, String detail) {
      this(new Refusal(reason, detail));
    }

    RefusedException(Refusal refusal) {
      super(refusal.reason().text(), null, false, false);
      this.refusal = refusal;
    }

    Refusal refusal() {
      return refusal;
    }
  }

  /// What becomes of settings and secrets once their references are looked up.
  record Definition(SystemDefinition definition, byte[] digest) {}

  /// @param keys of this agent, newest first
  /// @param before the version that runs, if one does
  Prepared prepare(
      ConfigurationCheck check,
      List<SealingKey> keys,
      Optional<Prepared> before,
      ConfigurationDocument document)
      throws RefusedException {
    Opened opened = open(check, keys, before, document);
    try {
      return start(opened, define(opened));
    } catch (RefusedException | RuntimeException failed) {
      opened.wipe();
      throw failed;
    }
  }

  /// Checks 1 to 11.
  Opened open(
      ConfigurationCheck check,
      List<SealingKey> keys,
      Optional<Prepared> before,
      ConfigurationDocument document)
      throws RefusedException {
    Optional<byte[]> sealed = Optional.ofNullable(document.sealed());
    return switch (check.judge(document.header(), document.settings(), sealed)) {
      case Verdict.Refused(Reason reason, String detail) ->
          throw new RefusedException(reason, detail);
      case Verdict.Accepted accepted -> {
        requireOldDestination(accepted.header(), document.settings(), before);
        yield new Opened(
            accepted.header(),
            accepted.held(),
            document.settings(),
            secrets(accepted, document.settings(), keys),
            accepted.sealed().flatMap(it -> it.keyFor(keys)).map(Preparation::recipient));
      }
    };
  }

  private static Octets recipient(SealingKey key) {
    return SealedSecrets.recipientOf(key.publicKey());
  }

  /// Secrets that were carried forward stay where they were sent before.
  private static void requireOldDestination(
      ConfigurationHeader header, byte[] settings, Optional<Prepared> before)
      throws RefusedException {
    Optional<PluginSchema> schema = PluginSchema.of(header.plugin());
    if (before.isEmpty() || schema.isEmpty() || header.secrets().isEmpty()) {
      return;
    }
    Opened old = before.get().opened();
    if (!old.header().secrets().equals(header.secrets())) {
      return;
    }
    SortedSet<String> changed = schema.get().destinationsChanged(old.settings(), settings);
    if (!changed.isEmpty()) {
      throw new RefusedException(
          Reason.DESTINATION_WITHOUT_SECRETS,
          changed + ": expected new secrets for a new destination, found the old ones");
    }
  }

  private static byte @Nullable [] secrets(
      Verdict.Accepted accepted, byte[] settings, List<SealingKey> keys) throws RefusedException {
    Optional<SealedSecrets> sealed = accepted.sealed();
    if (sealed.isEmpty()) {
      return null;
    }
    return switch (sealed.get().open(keys, owner(accepted.header(), settings))) {
      case Opening.Opened it -> it.secretsJson();
      case Opening.Refused(Reason reason, String detail) ->
          throw new RefusedException(reason, detail);
    };
  }

  /// Whom and where the secrets are sealed for: the one place that says so. Only the plugin's
  /// schema knows what of the settings is a destination.
  static SealedFor owner(ConfigurationHeader header, byte[] settings) throws RefusedException {
    PluginSchema schema =
        PluginSchema.of(header.plugin()).orElseThrow(() -> unknownPlugin(header.plugin()));
    try {
      return header.owner(schema.destinationOf(settings));
    } catch (SealException noDestination) {
      throw new RefusedException(Reason.SCHEMA_INVALID, String.valueOf(noDestination.getMessage()));
    }
  }

  private static RefusedException unknownPlugin(String plugin) {
    return new RefusedException(Reason.UNKNOWN_PLUGIN, "plugin: this agent has no " + plugin);
  }

  /// Plugin, references and schema.
  Definition define(Opened opened) throws RefusedException {
    String plugin = opened.header().plugin();
    Optional<PluginSchema> schema = PluginSchema.of(plugin);
    if (schema.isEmpty() || !catalog.hasPlugin(plugin)) {
      throw unknownPlugin(plugin);
    }
    return switch (references.resolve(schema.get(), opened.settings(), opened.secrets())) {
      case Resolution.Missing(String detail) ->
          throw new RefusedException(Reason.MISSING_SECRET_REFERENCE, detail);
      case Resolution.Misplaced(String detail) ->
          throw new RefusedException(Reason.SCHEMA_INVALID, detail);
      case Resolution.NoObject() ->
          throw invalid(
              schema.get().validate(opened.settings(), Optional.ofNullable(opened.secrets())),
              List.of(),
              false);
      case Resolution.Resolved it -> defined(opened, schema.get(), it);
    };
  }

  private static Definition defined(
      Opened opened, PluginSchema schema, Resolution.Resolved resolved) throws RefusedException {
    List<Problem> problems = problems(opened, schema, resolved);
    if (!problems.isEmpty()) {
      throw invalid(problems, resolved.settingsBy(), resolved.hasReferences());
    }
    ObjectNode settings = resolved.settings().deepCopy();
    JsonNode allow = settings.remove("allow");
    return new Definition(
        new SystemDefinition(
            opened.header().system(),
            opened.header().plugin(),
            settings,
            resolved.secrets(),
            allow(allow)),
        resolved.digest());
  }

  private static List<Problem> problems(
      Opened opened, PluginSchema schema, Resolution.Resolved resolved) {
    byte[] secrets = References.bytes(resolved.secrets());
    try {
      return schema.validate(
          References.bytes(resolved.settings()),
          opened.secrets() == null ? Optional.empty() : Optional.of(secrets));
    } finally {
      Arrays.fill(secrets, (byte) 0);
    }
  }

  /// @param byReference settings whose value the broker does not know and must not learn here
  /// @param mayPass a value that came by a reference may be the wrong one
  private static RefusedException invalid(
      List<Problem> problems, Iterable<String> byReference, boolean mayPass) {
    String text =
        problems.stream()
            .map(problem -> words(problem, byReference))
            .collect(Collectors.joining("; "));
    return new RefusedException(new Refusal(Reason.SCHEMA_INVALID, text, mayPass));
  }

  private static String words(Problem problem, Iterable<String> byReference) {
    for (String field : byReference) {
      if (problem.path().equals("/" + field) || problem.path().isEmpty()) {
        return (problem.path().isEmpty() ? "settings" : problem.path())
            + ": expected "
            + problem.expected()
            + ", found the value of a reference";
      }
    }
    return problem.toString();
  }

  private static List<Allow> allow(@Nullable JsonNode list) {
    var rules = new ArrayList<Allow>();
    if (list != null) {
      list.forEach(
          rule -> rules.add(new Allow(texts(rule.path("methods")), texts(rule.path("paths")))));
    }
    return rules;
  }

  private static List<String> texts(JsonNode list) {
    var texts = new ArrayList<String>();
    list.forEach(item -> texts.add(item.asText()));
    return texts;
  }

  /// An instance beside the one that serves.
  Prepared start(Opened opened, Definition as) throws RefusedException {
    String system = as.definition().name();
    if (catalog.isLocal(system)) {
      throw new RefusedException(
          new Refusal(
              Reason.START_FAILED,
              system + ": agent.yaml defines a system of this name, and it stays the owner's",
              false));
    }
    try {
      return new Prepared(opened, as.definition(), as.digest(), catalog.start(as.definition()));
    } catch (SettingsException unusable) {
      throw new RefusedException(Reason.START_FAILED, String.join("; ", unusable.problems()));
    } catch (RuntimeException bug) {
      // Its message may quote what it was given.
      LOG.error("{}: its plugin does not start: {}", system, bug.getClass().getName());
      throw new RefusedException(
          Reason.START_FAILED, "the plugin failed: " + bug.getClass().getSimpleName());
    }
  }

  /// The same version anew, with what references say now.
  Prepared restart(Prepared running) throws RefusedException {
    return start(running.opened(), define(running.opened()));
  }
}
