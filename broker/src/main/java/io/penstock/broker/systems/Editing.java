package io.penstock.broker.systems;

import io.penstock.broker.access.Actor;
import io.penstock.broker.store.SystemRow;
import io.penstock.broker.store.SystemTable;
import io.penstock.broker.store.SystemVersion;
import io.penstock.broker.store.Tx;
import io.penstock.broker.systems.Refusal.Reason;
import io.penstock.broker.systems.SystemOperations.Edit;
import io.penstock.broker.systems.SystemOperations.Made;
import io.penstock.broker.systems.SystemOperations.Recipient;
import io.penstock.broker.systems.SystemOperations.Secrets;
import io.penstock.broker.systems.Versions.Opened;
import io.penstock.codec.schema.PluginSchema;
import io.penstock.codec.schema.Problem;
import io.penstock.codec.seal.AgentRecord;
import io.penstock.codec.seal.ConfigurationHeader;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.SealedSecrets;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;

/// Makes versions: judged by the plugin's schema, bound to the version before, signed. None of them
/// reaches the agent before it is deployed.
final class Editing {
  private static final byte[] NOTHING = {};

  private final SystemTable table;
  private final Versions versions;
  private final Standing standing;
  private final Recorder recorder;
  private final Clock clock;

  Editing(SystemTable table, Versions versions, Standing standing, Recorder recorder, Clock clock) {
    this.table = table;
    this.versions = versions;
    this.standing = standing;
    this.recorder = recorder;
    this.clock = clock;
  }

  /// What a version is made of, once it has been judged.
  private record Content(
      PluginSchema schema,
      byte[] settings,
      Optional<SealedSecrets> sealed,
      Optional<Octets> agentRecipient,
      List<String> secretNames,
      String secretsWord) {
    List<Recipient> recipients() {
      return Recipient.of(sealed, agentRecipient);
    }
  }

  Made put(Tx tx, String agent, String system, Edit edit, Actor by) {
    AgentRecord approved = standing.lockApproved(tx, agent);
    Standing.requireSystemName(system);
    Optional<SystemRow> row = table.lock(tx, agent, system);
    requireExpected(row, edit);
    Optional<Opened> before = table.newest(tx, agent, system).map(old -> versions.open(tx, old));
    Content content = judged(approved, row, before, edit);
    return make(
        tx, approved, row, before, content, system, row.isEmpty() ? "create" : "update", by);
  }

  /// The old content again, under a new number: agents do not go back to an old one.
  Made rollback(Tx tx, String agent, String system, long version, Actor by) {
    AgentRecord approved = standing.lockApproved(tx, agent);
    SystemRow row = table.lock(tx, agent, system).orElseThrow(Standing::unknownSystem);
    Opened old =
        table
            .version(tx, agent, system, version)
            .map(found -> versions.open(tx, found))
            .orElseThrow(() -> Standing.unknownVersion(version));
    if (old.sealed().isPresent()) {
      requireGeneration(approved, old.row());
    }
    Optional<Opened> before =
        table.newest(tx, agent, system).map(found -> versions.open(tx, found));
    PluginSchema schema = schema(old.row().plugin());
    requireValid(schema, old.settings(), Set.copyOf(old.row().secretNames()));
    var content =
        new Content(
            schema,
            old.settings(),
            old.secrets(),
            old.agentRecipient(),
            old.row().secretNames(),
            old.sealed().isPresent() ? "of version " + version : "none");
    return make(tx, approved, Optional.of(row), before, content, system, "rollback", by);
  }

  private static void requireExpected(Optional<SystemRow> row, Edit edit) {
    long found = row.map(SystemRow::version).orElse(0L);
    if (edit.expectedVersion().isPresent() && edit.expectedVersion().getAsLong() != found) {
      throw Refusal.of(
          Reason.VERSION_CONFLICT,
          "expected version "
              + edit.expectedVersion().getAsLong()
              + " to be the newest, found "
              + found);
    }
  }

  private Content judged(
      AgentRecord approved, Optional<SystemRow> row, Optional<Opened> before, Edit edit) {
    PluginSchema schema = schema(edit.plugin());
    // What a removed system had is not carried into a new one of its name.
    Optional<Opened> carrying = row.filter(r -> !r.removed()).flatMap(_ -> before);
    return switch (edit.secrets()) {
      case Secrets.Sealed it -> sealed(approved, schema, edit, it);
      case Secrets.Carried it -> carried(approved, schema, edit, carrying, it);
      case Secrets.None it -> without(schema, edit, carrying, it);
    };
  }

  private static Content sealed(
      AgentRecord approved, PluginSchema schema, Edit edit, Secrets.Sealed secrets) {
    SealedSecrets sealed = parsed(secrets.sealedJson());
    if (secrets.names().isEmpty()) {
      throw Refusal.of(
          Reason.BAD_SECRETS, "secret_names: expected the names in sealed, found none");
    }
    if (Set.copyOf(secrets.names()).size() != secrets.names().size()) {
      throw Refusal.of(Reason.BAD_SECRETS, "secret_names: expected each name once");
    }
    requireValid(schema, edit.settingsJson(), Set.copyOf(secrets.names()));
    requireSize(edit.settingsJson(), sealed);
    if (!sealed.isFor(approved.sealingPublic())) {
      throw Refusal.of(
          Reason.WRONG_RECIPIENT,
          "sealed: expected a wrap for the sealing key of generation "
              + approved.generation()
              + ", found none: fetch the agent's sealing key again and seal anew");
    }
    return new Content(
        schema,
        edit.settingsJson(),
        Optional.of(sealed),
        Optional.of(SealedSecrets.recipientOf(approved.sealingPublic())),
        secrets.names().stream().sorted().toList(),
        "new");
  }

  private static Content carried(
      AgentRecord approved,
      PluginSchema schema,
      Edit edit,
      Optional<Opened> before,
      Secrets.Carried secrets) {
    Opened old =
        before
            .filter(opened -> opened.sealed().isPresent())
            .orElseThrow(
                () ->
                    Refusal.of(
                        Reason.NO_SECRETS_TO_CARRY,
                        "carry_secrets: expected secrets in the version before, found none"));
    requireGeneration(approved, old.row());
    List<String> names = old.row().secretNames();
    if (!secrets.names().isEmpty() && !Set.copyOf(secrets.names()).equals(Set.copyOf(names))) {
      throw Refusal.of(
          Reason.BAD_SECRETS,
          "secret_names: expected those of the version before, " + String.join(", ", names));
    }
    requireValid(schema, edit.settingsJson(), Set.copyOf(names));
    requireSameDestination(schema, old, edit);
    SealedSecrets sealed = old.secrets().orElseThrow();
    requireSize(edit.settingsJson(), sealed);
    return new Content(
        schema, edit.settingsJson(), Optional.of(sealed), old.agentRecipient(), names, "carried");
  }

  private static void requireSameDestination(PluginSchema schema, Opened old, Edit edit) {
    if (!old.row().plugin().equals(schema.plugin())) {
      throw Refusal.of(
          Reason.DESTINATION_CHANGED,
          "carry_secrets: expected plugin "
              + old.row().plugin()
              + ", found "
              + schema.plugin()
              + ": seal the secrets again");
    }
    SortedSet<String> changed = schema.destinationsChanged(old.settings(), edit.settingsJson());
    if (!changed.isEmpty()) {
      throw Refusal.of(
          Reason.DESTINATION_CHANGED,
          "carry_secrets: expected the destination as it was, found another "
              + String.join(", ", changed)
              + ": seal the secrets again");
    }
  }

  private static Content without(
      PluginSchema schema, Edit edit, Optional<Opened> before, Secrets.None secrets) {
    boolean hadSome = before.flatMap(Opened::sealed).isPresent();
    if (hadSome && !secrets.explicit()) {
      throw Refusal.of(
          Reason.SECRETS_MISSING,
          "the version before has secrets: expected sealed, carry_secrets, or sealed null with no"
              + " secret_names to drop them");
    }
    requireValid(schema, edit.settingsJson(), Set.of());
    return new Content(
        schema,
        edit.settingsJson(),
        Optional.empty(),
        Optional.empty(),
        List.of(),
        hadSome ? "dropped" : "none");
  }

  private static PluginSchema schema(String plugin) {
    return PluginSchema.of(plugin)
        .orElseThrow(
            () ->
                Refusal.of(
                    Reason.UNKNOWN_PLUGIN,
                    "plugin: expected one of " + String.join(", ", PluginSchema.plugins())));
  }

  private static SealedSecrets parsed(byte[] json) {
    try {
      return SealedSecrets.fromJson(json);
    } catch (SealException e) {
      throw Refusal.of(Reason.BAD_SECRETS, String.valueOf(e.getMessage()));
    }
  }

  private static void requireValid(PluginSchema schema, byte[] settings, Set<String> secretNames) {
    if (settings.length > SealedSecrets.MAX_CONFIGURATION_BYTES) {
      throw tooLarge(settings.length);
    }
    List<Problem> problems = schema.validate(settings, secretNames);
    if (!problems.isEmpty()) {
      throw Refusal.invalid(problems);
    }
  }

  private static void requireSize(byte[] settings, SealedSecrets sealed) {
    long total = (long) settings.length + sealed.secretsLength();
    if (total > SealedSecrets.MAX_CONFIGURATION_BYTES) {
      throw tooLarge(total);
    }
  }

  private static RefusedException tooLarge(long found) {
    return Refusal.of(
        Reason.TOO_LARGE,
        "settings and secrets: expected at most "
            + SealedSecrets.MAX_CONFIGURATION_BYTES
            + " bytes, found "
            + found);
  }

  private static void requireGeneration(AgentRecord approved, SystemVersion version) {
    if (version.generation() != approved.generation()) {
      throw Refusal.of(
          Reason.OLD_GENERATION,
          "the secrets of version "
              + version.version()
              + " are sealed to generation "
              + version.generation()
              + " of the agent, which is now "
              + approved.generation()
              + ": seal them again");
    }
  }

  private Made make(
      Tx tx,
      AgentRecord approved,
      Optional<SystemRow> row,
      Optional<Opened> before,
      Content content,
      String system,
      String verb,
      Actor by) {
    Instant now = clock.instant().truncatedTo(ChronoUnit.MILLIS);
    String agent = approved.agent();
    String plugin = content.schema().plugin();
    SystemRow next =
        row.map(old -> old.edited(plugin, versions.nextNumber(tx, old), by.name(), now))
            .orElseGet(() -> SystemRow.first(agent, system, plugin, by.name(), now));
    if (row.isPresent()) {
      table.update(tx, next);
    } else {
      table.insert(tx, next);
    }
    var header =
        new ConfigurationHeader(
            agent,
            approved.generation(),
            system,
            plugin,
            content.schema().id(),
            next.version(),
            before
                .map(opened -> opened.row().headerSha256())
                .orElse(ConfigurationHeader.NOTHING_BEFORE),
            Octets.sha256(content.settings()),
            content.sealed().map(SealedSecrets::hashes).orElse(null),
            by.name(),
            now.getEpochSecond());
    SystemVersion made =
        versions.make(
            tx,
            header,
            content.settings(),
            content.sealed(),
            content.agentRecipient(),
            content.secretNames(),
            now);
    recorder.done(tx, "system." + verb, agent, system, by, changes(made, before, content));
    return new Made(
        agent, system, plugin, made.version(), made.headerSha256(), "sealed", content.recipients());
  }

  private static Map<String, Object> changes(
      SystemVersion made, Optional<Opened> before, Content content) {
    var changes = new LinkedHashMap<String, Object>();
    changes.put("version", made.version());
    changes.put("plugin", made.plugin());
    changes.put("secrets", content.secretsWord());
    if (content.sealed().isPresent()) {
      changes.put(
          "recipients",
          content.recipients().stream().map(recipient -> recipient.keyId().base64Url()).toList());
    }
    changes.put(
        "settings",
        SettingsDiff.audited(
            SettingsDiff.of(before.map(Opened::settings).orElse(NOTHING), content.settings())));
    return changes;
  }
}
