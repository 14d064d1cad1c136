package io.penstock.broker.ctl;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.codec.schema.PluginSchema;
import io.penstock.codec.seal.ConfigurationHeader;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.SealedSecrets;
import io.penstock.codec.seal.SealedSecrets.Opening;
import io.penstock.codec.seal.SealingKey;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `ctl system recover`: opens the secrets of a version with the owner's recovery key, here, and
/// seals them to the key that the agent has now. They are in this process's memory and nowhere
/// else.
@Command(
    name = "recover",
    description = {
      "Seal the secrets of a version again, to the key that the agent has now, with the owner's"
          + " recovery key: after an agent was enrolled again nobody types them anew.",
      "The version's settings become those of the new version; it is in force once it is deployed."
    },
    footer = {
      "",
      "Examples:",
      "  penstock ctl system recover plant-1/erp --key recovery.key --fingerprint ABCD-EFGH",
      "  penstock ctl system recover plant-1/erp --key recovery.key --version 3 --deploy --wait 30",
      "  penstock ctl system recover plant-1/erp --key recovery.key --print-secrets"
    })
final class SystemRecover implements Callable<Integer> {
  private final Terminal terminal;
  private final BrokerApi api;

  @Parameters(index = "0", paramLabel = "AGENT/SYSTEM", description = "The system to recover.")
  String target = "";

  @Option(
      names = "--key",
      required = true,
      paramLabel = "FILE",
      description = "The recovery key's private part.")
  @Nullable Path keyFile;

  @Option(
      names = "--passphrase-file",
      paramLabel = "FILE",
      description = "The key's passphrase, instead of typing it.")
  @Nullable Path passphraseFile;

  @Option(
      names = "--version",
      paramLabel = "N",
      description = "Whose secrets and settings; default: the newest.")
  @Nullable Long version;

  @Option(
      names = "--root",
      paramLabel = "SHA256",
      description = "Hash of the broker's root key, from elsewhere than the broker.")
  @Nullable String root;

  @Option(
      names = "--fingerprint",
      paramLabel = "XXXX-XXXX",
      description = "As the agent shows it; asked for when its sealing key changed.")
  @Nullable String fingerprint;

  @Option(
      names = "--print-secrets",
      description = "Write the secrets to standard output as JSON; make no version.")
  boolean printSecrets;

  @Option(names = "--deploy", description = "Deploy the new version at once.")
  boolean deploy;

  @Option(
      names = "--wait",
      paramLabel = "SECONDS",
      description = "With --deploy: wait so long for the agent's signed receipt.")
  @Nullable Integer wait;

  SystemRecover(Terminal terminal, BrokerApi api) {
    this.terminal = terminal;
    this.api = api;
  }

  /// One version, as the pinned root vouches for it.
  private record Proven(
      ConfigurationHeader header, PluginSchema schema, byte[] settings, SealedSecrets sealed) {}

  @Override
  public Integer call() {
    int slash = target.indexOf('/');
    if (slash <= 0 || slash == target.length() - 1 || slash != target.lastIndexOf('/')) {
      throw Failure.wrongUsage("expected AGENT/SYSTEM");
    }
    requireOneWay();
    String agent = target.substring(0, slash);
    String system = target.substring(slash + 1);
    RecoveryKeyFile key = RecoveryKeyFile.of(Objects.requireNonNull(keyFile));
    long newest = api.get(SystemCommands.path(agent, system)).path("version").asLong();
    Proven proven = proven(agent, system, version != null ? version : newest);
    requireRecipient(proven, key);
    try (Opening.Opened opened = opened(proven, key)) {
      if (printSecrets) {
        terminal.out().writeBytes(opened.secretsJson());
        terminal.out().println();
        return ExitCode.FINE;
      }
      return sealedAgain(agent, system, newest, proven, opened.secretsJson());
    }
  }

  private void requireOneWay() {
    if (printSecrets && deploy) {
      throw Failure.wrongUsage("expected one of --print-secrets and --deploy");
    }
    if (wait != null && !deploy) {
      throw Failure.wrongUsage("--wait goes with --deploy");
    }
  }

  private Proven proven(String agent, String system, long number) {
    var trust = new RootTrust(api.pins(), rootSha256(), terminal.err());
    if (!trust.knowsOne()) {
      throw Failure.failed(
          "no root key of this broker is pinned: give its hash, from elsewhere than the broker,"
              + " with --root SHA256");
    }
    JsonNode answer =
        api.get(SystemCommands.path(agent, system) + "/versions/" + number + "/sealed");
    try {
      RootTrust.Shown shown = trust.judge(answer, api.clock().instant());
      if (shown.changed()) {
        throw new SealException(
            "the broker's root key has changed to "
                + shown.rootSha256()
                + ": if that is right, give it with --root");
      }
      Proven proven = verified(answer, shown, agent, system, number);
      trust.remember(shown);
      return proven;
    } catch (SealException e) {
      throw Failure.refusedForGood(
          "version " + number + " of " + target + " is not proven: " + e.getMessage());
    }
  }

  private Optional<Octets> rootSha256() {
    return Optional.ofNullable(root).map(Pins::hash);
  }

  private static Proven verified(
      JsonNode answer, RootTrust.Shown shown, String agent, String system, long number) {
    ConfigurationHeader header =
        ConfigurationHeader.verify(answer.path("header").asText(), shown.keyset());
    if (!header.agent().equals(agent)
        || !header.system().equals(system)
        || header.version() != number) {
      throw new SealException(
          "its header: expected "
              + named(agent, system, number)
              + ", found "
              + named(header.agent(), header.system(), header.version()));
    }
    byte[] settings = answer.path("settings_json").asText().getBytes(StandardCharsets.UTF_8);
    if (!Octets.sha256(settings).equals(header.settingsSha256())) {
      throw new SealException("its settings are not the header's");
    }
    SealedSecrets sealed =
        SealedSecrets.fromJson(
            Json.oneLine(answer.path("sealed")).getBytes(StandardCharsets.UTF_8));
    if (!header.secrets().equals(Optional.of(sealed.hashes()))) {
      throw new SealException("its secrets are not the header's");
    }
    PluginSchema schema =
        PluginSchema.of(header.plugin())
            .orElseThrow(() -> new SealException("this ctl has no plugin " + header.plugin()));
    return new Proven(header, schema, settings, sealed);
  }

  private static String named(String agent, String system, long version) {
    return agent + "/" + system + " version " + version;
  }

  /// Before anybody types a passphrase.
  private void requireRecipient(Proven proven, RecoveryKeyFile key) {
    boolean there =
        proven.sealed().wraps().stream().anyMatch(wrap -> wrap.recipient().equals(key.sha256()));
    if (!there) {
      throw Failure.failed(
          "version "
              + proven.header().version()
              + " of "
              + target
              + " is not sealed to recovery key "
              + key.sha256()
              + ", only to "
              + proven.sealed().wraps().stream()
                  .map(wrap -> wrap.recipient().base64Url())
                  .collect(Collectors.joining(", ")));
    }
  }

  private Opening.Opened opened(Proven proven, RecoveryKeyFile file) {
    byte[] passphrase = terminal.passphrase(Optional.ofNullable(passphraseFile));
    SealingKey key;
    try {
      key = file.open(passphrase);
    } finally {
      Arrays.fill(passphrase, (byte) 0);
    }
    var owner = proven.header().owner(proven.schema().destinationOf(proven.settings()));
    return switch (proven.sealed().open(key, owner)) {
      case Opening.Opened it -> it;
      case Opening.Refused(var _, String detail) ->
          throw Failure.failed("the secrets do not open: " + detail);
    };
  }

  private int sealedAgain(
      String agent, String system, long newest, Proven proven, byte[] secretsJson) {
    var sealer =
        new Sealer(api, terminal.err(), rootSha256(), Optional.ofNullable(fingerprint), true);
    Sealer.Sealed sealed =
        sealer.seal(agent, system, proven.schema(), proven.settings(), secretsJson);
    ObjectNode body = Json.object().put("plugin", proven.header().plugin());
    body.set("settings", Json.parse(proven.settings()).orElseThrow());
    body.set("sealed", sealed.json());
    var names = body.putArray("secret_names");
    Json.parse(secretsJson).orElseThrow().fieldNames().forEachRemaining(names::add);
    body.put("expected_version", newest);
    JsonNode made = api.put(SystemCommands.path(agent, system), body);
    long number = made.path("version").asLong();
    if (deploy) {
      return SystemCommands.deploy(terminal, api, agent, system, number, wait, sealed.to());
    }
    terminal.answer(
        sealed.to().addedTo(made),
        "version "
            + number
            + " of "
            + system
            + " has the secrets of version "
            + proven.header().version()
            + ", not deployed"
            + sealed.to().words());
    return ExitCode.FINE;
  }
}
