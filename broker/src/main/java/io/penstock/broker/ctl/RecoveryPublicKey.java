package io.penstock.broker.ctl;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.codec.seal.Hpke;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.SealedSecrets;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// The half of the owner's recovery key that sealers need: an X-Wing public key, as in `FILE.pub`.
record RecoveryPublicKey(Octets octets) {
  private static final int FORMAT = 1;
  private static final String KIND = "penstock-recovery-public-key";
  private static final int MAX_FILE_BYTES = 16 * 1024;

  /// Throws [SealException] for what nothing can be sealed to.
  RecoveryPublicKey {
    var _ = Hpke.seal(octets, new byte[0], new byte[0]);
  }

  /// What names it: the `recipient` of its wraps.
  Octets sha256() {
    return SealedSecrets.recipientOf(octets);
  }

  static RecoveryPublicKey ofFile(Path file) {
    JsonNode content =
        read(file, MAX_FILE_BYTES)
            .filter(json -> json.path("kind").asText().equals(KIND))
            .filter(json -> json.path("format").asInt() == FORMAT)
            .orElseThrow(
                () ->
                    Failure.failed(
                        file
                            + ": expected the public part of a recovery key, format 1 (the .pub"
                            + " beside it)"));
    try {
      var key = new RecoveryPublicKey(Octets.fromBase64Url(content.path("public").asText()));
      if (!key.sha256().base64Url().equals(content.path("sha256").asText())) {
        throw new SealException("its sha256 is another key's");
      }
      return key;
    } catch (SealException e) {
      throw Failure.failed(file + ": not a recovery key: " + e.getMessage());
    }
  }

  /// Empty: not JSON, or longer than what belongs there.
  static Optional<JsonNode> read(Path file, int maxBytes) {
    try {
      if (Files.size(file) > maxBytes) {
        return Optional.empty();
      }
      return Json.parse(Files.readAllBytes(file));
    } catch (IOException e) {
      throw Failure.failed("cannot read " + file);
    }
  }

  byte[] toFile() {
    ObjectNode content =
        Json.object()
            .put("format", FORMAT)
            .put("kind", KIND)
            .put("public", octets.base64Url())
            .put("sha256", sha256().base64Url());
    return (Json.pretty(content) + "\n").getBytes(StandardCharsets.UTF_8);
  }
}
