package io.penstock.broker.systems;

import io.penstock.broker.delivery.Documents.Told;
import io.penstock.broker.store.ReceiptTable;
import io.penstock.codec.schema.PluginSchema;
import io.penstock.codec.seal.ConfigurationHeader;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.Receipt;
import io.penstock.codec.seal.SealedFor;
import io.penstock.codec.seal.SealedSecrets;
import io.penstock.codec.seal.SealedSecrets.Opening;
import io.penstock.codec.seal.SealingKey;
import io.penstock.codec.seal.SigningKey;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.List;
import java.util.Optional;

/// One generation of an approved agent: what its process would hold in memory.
public record Plant(String name, long generation, SealingKey sealing, SigningKey signing) {
  private static final SecureRandom RANDOM = new SecureRandom();

  /// What a sealer makes for it.
  public byte[] seal(String system, String settings, String secretsJson) {
    return seal(system, settings, secretsJson, Optional.empty());
  }

  public byte[] seal(
      String system, String settings, String secretsJson, Optional<Octets> recovery) {
    return SealedSecrets.seal(
            secretsJson.getBytes(StandardCharsets.UTF_8),
            owner(system, settings.getBytes(StandardCharsets.UTF_8)),
            sealing.publicKey(),
            recovery,
            RANDOM)
        .toJson();
  }

  String open(ConfigurationHeader header, byte[] settings, byte[] sealed) {
    Opening opening =
        SealedSecrets.fromJson(sealed)
            .open(
                sealing,
                header.owner(PluginSchema.of("http").orElseThrow().destinationOf(settings)));
    return opening instanceof Opening.Opened opened
        ? new String(opened.secretsJson(), StandardCharsets.UTF_8)
        : "refused";
  }

  SealedFor owner(String system, byte[] settings) {
    return new SealedFor(
        name, generation, system, PluginSchema.of("http").orElseThrow().destinationOf(settings));
  }

  Receipt receipt(String system, long version, Octets header, Receipt.Outcome outcome) {
    return new Receipt(name, generation, system, version, header, outcome, 1_700_000_000);
  }

  Told told(Receipt receipt) {
    return told(List.of(receipt)).getFirst();
  }

  /// Signed in one document.
  List<Told> told(List<Receipt> receipts) {
    var document = ReceiptTable.Document.of(name, Receipt.sign(receipts, signing));
    return receipts.stream().map(receipt -> new Told(receipt, document)).toList();
  }
}
