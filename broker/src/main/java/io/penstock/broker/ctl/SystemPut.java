package io.penstock.broker.ctl;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.codec.schema.PluginSchema;
import io.penstock.codec.schema.Problem;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `ctl system put`: makes a version of a system, its secrets sealed here.
@Command(
    name = "put",
    description = "Make a version of a system: all of its settings, and its secrets.",
    footer = {
      "",
      "Examples:",
      "  penstock ctl system put plant-1 erp --plugin http --set base_url=https://erp.plant \\",
      "      --allow \"GET /api/**\" --set user=penstock --secret-stdin password < password.txt",
      "  penstock ctl system put plant-1 erp --plugin http --settings-file erp.json \\",
      "      --carry-secrets --deploy --wait 30",
      "",
      "It is not in force before it is deployed. Secrets are sealed to the agent, and to the"
          + " owner's",
      "recovery key if one is pinned (penstock ctl recovery-key pin FILE.pub)."
    })
final class SystemPut implements Callable<Integer> {
  private static final int MAX_SECRET_BYTES = 1024 * 1024;

  private final Terminal terminal;
  private final BrokerApi api;

  @Parameters(index = "0", paramLabel = "AGENT", description = "The agent's name.")
  String agent = "";

  @Parameters(index = "1", paramLabel = "SYSTEM", description = "The system's name.")
  String system = "";

  @Option(
      names = "--plugin",
      required = true,
      paramLabel = "PLUGIN",
      description = "What speaks to the system, such as http.")
  String plugin = "";

  @Option(
      names = "--settings-file",
      paramLabel = "FILE",
      description = "Settings as a JSON object; --set and --allow go on top.")
  @Nullable Path settingsFile;

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = "One setting, in the type of the plugin's schema; lists as JSON.")
  List<String> set = List.of();

  @Option(
      names = "--allow",
      paramLabel = "\"METHODS PATHS\"",
      description = "What may be invoked, such as \"GET,POST /api/**\".")
  List<String> allow = List.of();

  @Option(
      names = "--secret-stdin",
      paramLabel = "KEY",
      description = "A secret, from the first line of standard input.")
  @Nullable String secretStdin;

  @Option(
      names = "--secret-file",
      paramLabel = "KEY=FILE",
      description = "A secret, from a file; a line break at its end does not count.")
  List<String> secretFiles = List.of();

  @Option(
      names = "--carry-secrets",
      description = "The secrets of the version before, as they are.")
  boolean carrySecrets;

  @Option(names = "--drop-secrets", description = "No secrets, although the version before has.")
  boolean dropSecrets;

  @Option(
      names = "--expect-version",
      paramLabel = "N",
      description = "Refuse if the newest version is another.")
  @Nullable Long expectedVersion;

  @Option(
      names = "--root",
      paramLabel = "SHA256",
      description = "Hash of the broker's root key, from elsewhere than the broker.")
  @Nullable String root;

  @Option(
      names = "--fingerprint",
      paramLabel = "XXXX-XXXX",
      description = "As the agent shows it; asked for when its sealing key or the root changed.")
  @Nullable String fingerprint;

  @Option(names = "--deploy", description = "Deploy it at once.")
  boolean deploy;

  @Option(
      names = "--wait",
      paramLabel = "SECONDS",
      description = "With --deploy: wait so long for the agent's signed receipt.")
  @Nullable Integer wait;

  SystemPut(Terminal terminal, BrokerApi api) {
    this.terminal = terminal;
    this.api = api;
  }

  @Override
  public Integer call() {
    requireOneWayOfSecrets();
    PluginSchema schema =
        PluginSchema.of(plugin)
            .orElseThrow(
                () ->
                    Failure.wrongUsage(
                        "--plugin: expected one of " + String.join(", ", PluginSchema.plugins())));
    SystemSettings settings = settings(schema);
    ObjectNode body = Json.object().put("plugin", plugin);
    body.set("settings", settings.node());
    Optional<SealedTo> sealedHere = addSecrets(body, schema, settings.bytes());
    if (expectedVersion != null) {
      body.put("expected_version", expectedVersion);
    }
    JsonNode made = api.put(SystemCommands.path(agent, system), body);
    long version = made.path("version").asLong();
    SealedTo to = sealedHere.orElseGet(() -> carriedTo(made));
    if (deploy) {
      return SystemCommands.deploy(terminal, api, agent, system, version, wait, to);
    }
    terminal.answer(
        to.addedTo(made),
        "version " + version + " of " + system + " is made, not deployed" + to.words());
    return ExitCode.FINE;
  }

  /// What is carried keeps its wraps, so a key that was pinned since cannot open it.
  private SealedTo carriedTo(JsonNode made) {
    Optional<RecoveryPublicKey> pinned = api.pins().recovery();
    SealedTo to = SealedTo.of(made, pinned);
    if (pinned.isPresent() && !to.isEmpty() && !to.has(SealedTo.Holder.RECOVERY)) {
      terminal
          .err()
          .println(
              "penstock ctl: the carried secrets are not sealed to the pinned recovery key "
                  + pinned.get().sha256()
                  + ": put them anew if it has to open them");
    }
    return to;
  }

  private boolean bringsSecrets() {
    return secretStdin != null || !secretFiles.isEmpty();
  }

  private void requireOneWayOfSecrets() {
    int ways = (bringsSecrets() ? 1 : 0) + (carrySecrets ? 1 : 0) + (dropSecrets ? 1 : 0);
    if (ways > 1) {
      throw Failure.wrongUsage(
          "expected one of --carry-secrets, --drop-secrets and secrets, found " + ways);
    }
    if (wait != null && !deploy) {
      throw Failure.wrongUsage("--wait goes with --deploy");
    }
  }

  private SystemSettings settings(PluginSchema schema) {
    Path file = settingsFile;
    var settings =
        new SystemSettings(schema, file == null ? Json.object() : SystemSettings.ofFile(file));
    set.forEach(settings::set);
    allow.forEach(settings::allow);
    return settings;
  }

  /// To whom secrets were sealed here; empty without new ones.
  private Optional<SealedTo> addSecrets(ObjectNode body, PluginSchema schema, byte[] settings) {
    if (carrySecrets) {
      body.put("carry_secrets", true);
      return Optional.empty();
    }
    if (!bringsSecrets()) {
      requireValid(schema.validate(settings, Set.of()));
      if (dropSecrets) {
        body.putNull("sealed");
        body.putArray("secret_names");
      }
      return Optional.empty();
    }
    ObjectNode secrets = secrets(schema);
    byte[] secretsJson = Json.oneLine(secrets).getBytes(StandardCharsets.UTF_8);
    Sealer.Sealed sealed;
    try {
      requireValid(schema.validate(settings, Optional.of(secretsJson)));
      sealed = sealed(schema, settings, secretsJson);
    } finally {
      Arrays.fill(secretsJson, (byte) 0);
    }
    body.set("sealed", sealed.json());
    var names = body.putArray("secret_names");
    secrets.fieldNames().forEachRemaining(names::add);
    return Optional.of(sealed.to());
  }

  private Sealer.Sealed sealed(PluginSchema schema, byte[] settings, byte[] secretsJson) {
    var sealer =
        new Sealer(
            api,
            terminal.err(),
            Optional.ofNullable(root).map(Pins::hash),
            Optional.ofNullable(fingerprint),
            false);
    return sealer.seal(agent, system, schema, settings, secretsJson);
  }

  private static void requireValid(List<Problem> problems) {
    if (!problems.isEmpty()) {
      throw Failure.failed(
          problems.stream().map(Problem::toString).collect(Collectors.joining("; ")));
    }
  }

  private ObjectNode secrets(PluginSchema schema) {
    ObjectNode secrets = Json.object();
    var seen = new LinkedHashSet<String>();
    for (String assignment : secretFiles) {
      int equals = assignment.indexOf('=');
      if (equals <= 0) {
        throw Failure.wrongUsage("--secret-file: expected KEY=FILE");
      }
      String key = requireSecret(schema, assignment.substring(0, equals), seen);
      secrets.put(key, secretOf(Path.of(assignment.substring(equals + 1))));
    }
    String key = secretStdin;
    if (key != null) {
      requireSecret(schema, key, seen);
      secrets.put(key, terminal.secret(true, "secret " + key, "--secret-stdin"));
    }
    return secrets;
  }

  private static String requireSecret(PluginSchema schema, String key, Set<String> seen) {
    if (!schema.secretFields().contains(key)) {
      throw Failure.wrongUsage(
          "expected a secret of the plugin, one of "
              + String.join(", ", schema.secretFields())
              + "; found another name");
    }
    if (!seen.add(key)) {
      throw Failure.wrongUsage("expected the secret " + key + " once, found it twice");
    }
    return key;
  }

  private static String secretOf(Path file) {
    try {
      if (Files.size(file) > MAX_SECRET_BYTES) {
        throw Failure.wrongUsage(file + ": expected at most " + MAX_SECRET_BYTES + " bytes");
      }
      String text = Files.readString(file);
      return text.replaceFirst("\\r?\\n\\z", "");
    } catch (IOException e) {
      throw Failure.failed("cannot read " + file);
    }
  }
}
