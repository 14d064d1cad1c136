package io.penstock.broker.ctl;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.codec.seal.Octets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `ctl recovery-key`: the owner's key that opens sealed secrets when an agent's is gone.
@Command(
    name = "recovery-key",
    description = "The owner's recovery key for sealed secrets: create, pin, show, unpin.",
    footer = {
      "",
      "Examples:",
      "  penstock ctl recovery-key create --out recovery.key",
      "  penstock ctl recovery-key pin recovery.key.pub",
      "  penstock ctl system recover plant-1/erp --key recovery.key --fingerprint ABCD-EFGH",
      "",
      "Keep the private part off line. The broker never has it, and is never asked which key to",
      "seal to: the pin is in this operator's own pins.json (docs/configuration.md)."
    })
final class RecoveryKeyCommands implements Callable<Integer> {
  private final Terminal terminal;
  private final BrokerApi api;

  RecoveryKeyCommands(Terminal terminal, BrokerApi api) {
    this.terminal = terminal;
    this.api = api;
  }

  @Override
  public Integer call() {
    throw Failure.wrongUsage("expected one of create, pin, show, unpin");
  }

  @Command(
      name = "create",
      description = {
        "Make a key. FILE gets the private part, encrypted under a passphrase (Argon2id, AES-256);",
        "FILE.pub gets the public part. Neither is ever overwritten. Needs no broker."
      })
  int create(
      @Option(
              names = "--out",
              required = true,
              paramLabel = "FILE",
              description = "Where the private part goes.")
          Path out,
      @Option(
              names = "--passphrase-file",
              paramLabel = "FILE",
              description = "Instead of typing it; line breaks at its end do not count.")
          @Nullable Path passphraseFile) {
    RecoveryKeyFile.requireNone(out);
    byte[] passphrase = terminal.newPassphrase(Optional.ofNullable(passphraseFile));
    RecoveryPublicKey key;
    try {
      key = RecoveryKeyFile.create(out, passphrase, new SecureRandom());
    } finally {
      Arrays.fill(passphrase, (byte) 0);
    }
    Path publicPart = RecoveryKeyFile.publicPart(out);
    terminal.answer(
        described(key).put("file", out.toString()).put("public_file", publicPart.toString()),
        "public key "
            + key.octets()
            + System.lineSeparator()
            + "sha256     "
            + key.sha256()
            + System.lineSeparator()
            + "private part in "
            + out
            + ", public part in "
            + publicPart);
    return ExitCode.FINE;
  }

  private static ObjectNode described(RecoveryPublicKey key) {
    return Json.object()
        .put("public", key.octets().base64Url())
        .put("sha256", key.sha256().base64Url());
  }

  @Command(
      name = "pin",
      description = {
        "From now on seal secrets of this broker's systems to the recovery key too.",
        "Compare the printed hash with what create printed."
      })
  int pin(
      @Parameters(paramLabel = "FILE.pub", description = "The public part.") Path file,
      @Option(
              names = "--replace",
              paramLabel = "SHA256",
              description = "The new key's hash, when another key is pinned.")
          @Nullable String replace) {
    RecoveryPublicKey key = RecoveryPublicKey.ofFile(file);
    Pins pins = api.pins();
    Optional<Octets> typed = Optional.ofNullable(replace).map(Pins::hash);
    if (typed.filter(hash -> !hash.equals(key.sha256())).isPresent()) {
      throw Failure.failed(
          "--replace: the key in "
              + file
              + " has the hash "
              + key.sha256()
              + ": nothing was pinned");
    }
    Optional<RecoveryPublicKey> pinned = pins.recovery().filter(old -> !old.equals(key));
    if (pinned.isPresent() && typed.isEmpty()) {
      throw Failure.failed(
          "another recovery key is pinned, "
              + pinned.get().sha256()
              + ": give the hash of the new one, as its owner knows it, with --replace SHA256");
    }
    pins.pinRecovery(key);
    terminal.answer(described(key), "secrets are sealed to recovery key " + key.sha256() + " too");
    return ExitCode.FINE;
  }

  @Command(name = "show", description = "The pinned key and its hash.")
  int show() {
    terminal.details(described(pinned()));
    return ExitCode.FINE;
  }

  @Command(
      name = "unpin",
      description = {
        "Seal new secrets to the agent alone.",
        "What was sealed before stays open to the recovery key."
      })
  int unpin() {
    RecoveryPublicKey key = pinned();
    api.pins().unpinRecovery();
    terminal.answer(
        described(key), "secrets are not sealed to recovery key " + key.sha256() + " any more");
    return ExitCode.FINE;
  }

  private RecoveryPublicKey pinned() {
    return api.pins()
        .recovery()
        .orElseThrow(
            () ->
                Failure.failed(
                    "no recovery key is pinned: penstock ctl recovery-key pin FILE.pub"));
  }
}
