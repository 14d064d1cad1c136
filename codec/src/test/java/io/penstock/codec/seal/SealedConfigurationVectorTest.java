package io.penstock.codec.seal;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.penstock.codec.seal.SealedSecrets.Opening.Opened;
import io.penstock.codec.seal.SealedSecrets.Opening.Refused;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The vector that this library and `webui/src/seal` both pass.
class SealedConfigurationVectorTest {
  private final JsonNode vector = vector();
  private final SealedFor owner =
      new SealedFor(
          vector.path("agent").asText(),
          vector.path("generation").asLong(),
          vector.path("system").asText(),
          Destination.of(destinationFields()));
  private final SealingKey key = SealingKey.ofSeed(hex("sealing_seed"));
  private final SealingKey recovery = SealingKey.ofSeed(hex("recovery_seed"));
  private final byte[] secrets = vector.path("secrets").asText().getBytes(StandardCharsets.UTF_8);

  @Test
  void derivesTheSameKeysContextsAndCommitment() {
    Octets commitment = DataKey.owning(hex("dek")).commitment();

    assertThat(key.publicKey().bytes()).isEqualTo(hex("sealing_public"));
    assertThat(recovery.publicKey().bytes()).isEqualTo(hex("recovery_public"));
    assertThat(commitment.bytes()).isEqualTo(hex("dek_commitment"));
    assertThat(owner.destination().sha256().bytes()).isEqualTo(hex("destination"));
    assertThat(owner.secretsContext()).isEqualTo(hex("secrets_context"));
    assertThat(owner.wrapContext(commitment)).isEqualTo(hex("wrap_context"));
  }

  /// By hand, from `docs/sealed-configuration.md`, section 3.
  @Test
  void theContextIsAsDrawn() {
    String drawn =
        "0013"
            + ascii("penstock secrets v1")
            + "000c"
            + ascii("press-line-1")
            + "0000000000000002"
            + "0003"
            + ascii("erp")
            + vector.path("destination").asText();

    assertThat(vector.path("secrets_context").asText()).isEqualTo(drawn);
  }

  @Test
  void theDestinationIsAHashAsDrawn() {
    String drawn =
        "00000017"
            + ascii("penstock destination v1")
            + "00000008"
            + ascii("base_url")
            + "0000001d"
            + ascii("https://erp.plant.example/api")
            + "00000007"
            + ascii("ca_file")
            + "0000000f"
            + ascii("/etc/erp-ca.pem");

    assertThat(Octets.sha256(HexFormat.of().parseHex(drawn)).hex())
        .isEqualTo(vector.path("destination").asText());
  }

  @Test
  void encryptsToTheSameCiphertext() {
    SealedSecrets sealed =
        SealedSecrets.seal(
            secrets,
            owner,
            key.publicKey(),
            Optional.empty(),
            DataKey.owning(hex("dek")),
            hex("nonce"));

    assertThat(sealed.ciphertext().bytes()).isEqualTo(hex("ciphertext"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"sealed_by_java", "sealed_by_typescript"})
  void opensWhatBothSealed(String by) throws IOException {
    SealedSecrets sealed =
        SealedSecrets.fromJson(SignedDocument.JSON.writeValueAsBytes(vector.path(by)));

    assertThat(sealed.ciphertext().bytes()).isEqualTo(hex("ciphertext"));
    for (SealingKey recipient : new SealingKey[] {key, recovery}) {
      assertThat(sealed.open(recipient, owner))
          .isInstanceOfSatisfying(
              Opened.class, opened -> assertThat(opened.secretsJson()).isEqualTo(secrets));
    }
  }

  /// After the agent was enrolled again: opened with the recovery key, sealed to the new one.
  @ParameterizedTest
  @ValueSource(strings = {"sealed_by_java", "sealed_by_typescript"})
  void opensWhatBothSealedAgainAfterARecovery(String by) throws IOException {
    JsonNode recovered = vector.path("recovered");
    var again =
        new SealedFor(
            owner.agent(),
            recovered.path("generation").asLong(),
            owner.system(),
            owner.destination());
    SealingKey next =
        SealingKey.ofSeed(HexFormat.of().parseHex(recovered.path("sealing_seed").asText()));
    SealedSecrets before = sealed(vector.path(by));
    SealedSecrets sealed = sealed(recovered.path(by));

    assertThat(next.publicKey().hex()).isEqualTo(recovered.path("sealing_public").asText());
    assertThat(sealed.wraps())
        .extracting(wrap -> wrap.recipient().base64Url())
        .containsExactly(
            recovered.path("sealing_recipient").asText(),
            vector.path("recovery_recipient").asText());
    assertThat(before.wraps())
        .extracting(wrap -> wrap.recipient().base64Url())
        .containsExactly(
            vector.path("sealing_recipient").asText(), vector.path("recovery_recipient").asText());
    for (SealingKey recipient : new SealingKey[] {next, recovery}) {
      assertThat(sealed.open(recipient, again))
          .isInstanceOfSatisfying(
              Opened.class, opened -> assertThat(opened.secretsJson()).isEqualTo(secrets));
    }
    assertThat(sealed.open(key, again)).isInstanceOf(Refused.class);
    assertThat(sealed.open(recovery, owner)).isInstanceOf(Refused.class);
    assertThat(before.open(recovery, again)).isInstanceOf(Refused.class);
  }

  private static SealedSecrets sealed(JsonNode json) throws IOException {
    return SealedSecrets.fromJson(SignedDocument.JSON.writeValueAsBytes(json));
  }

  @Test
  void theSignedRecordNamesTheSealingKey() {
    JsonNode signed = vector.path("signed");
    var root = VerifyingKey.of(HexFormat.of().parseHex(signed.path("root_public").asText()));
    Keyset keyset =
        Keyset.verify(
            signed.path("keyset").asText(),
            root,
            root.sha256(),
            Instant.ofEpochSecond(signed.path("now").asLong()));

    AgentRecord record = AgentRecord.verify(signed.path("agent_record").asText(), keyset);

    assertThat(record.sealingPublic()).isEqualTo(key.publicKey());
    assertThat(record.agent()).isEqualTo(owner.agent());
  }

  private SortedMap<String, String> destinationFields() {
    var fields = new TreeMap<String, String>();
    vector
        .path("destination_fields")
        .properties()
        .forEach(field -> fields.put(field.getKey(), field.getValue().asText()));
    return fields;
  }

  private byte[] hex(String field) {
    return HexFormat.of().parseHex(vector.path(field).asText());
  }

  private static String ascii(String text) {
    return HexFormat.of().formatHex(text.getBytes(StandardCharsets.US_ASCII));
  }

  private static JsonNode vector() {
    try (var in =
        Objects.requireNonNull(
            SealedConfigurationVectorTest.class.getResourceAsStream(
                "/seal/sealed-configuration.json"))) {
      return SignedDocument.JSON.readTree(in);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
