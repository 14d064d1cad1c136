package io.penstock.codec.seal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.SignatureException;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Objects;
import java.util.Optional;
import org.bouncycastle.crypto.hpke.HPKE;
import org.bouncycastle.pqc.crypto.xwing.XWingKEMExtractor;
import org.bouncycastle.pqc.crypto.xwing.XWingPrivateKeyParameters;
import org.junit.jupiter.api.Test;

/// What others published about the primitives that seals and signatures stand on.
class PublishedVectorsTest {
  /// The key schedule and AEAD of our suite, under the KEMs for which RFC 9180 has vectors.
  @Test
  void opensTheVectorsOfRfc9180() throws Exception {
    JsonNode vectors = resource("/hpke/rfc9180-hkdf-sha256-aes256.json");

    int opened = 0;
    for (JsonNode vector : vectors) {
      var suite =
          new HPKE(
              HPKE.mode_base,
              (short) vector.path("kem_id").asInt(),
              HPKE.kdf_HKDF_SHA256,
              HPKE.aead_AES_GCM256);
      var pair = suite.deserializePrivateKey(hex(vector, "skRm"), hex(vector, "pkRm"));
      var context = suite.setupBaseR(hex(vector, "enc"), pair, hex(vector, "info"));
      for (JsonNode encryption : vector.path("encryptions")) {
        assertThat(context.open(hex(encryption, "aad"), hex(encryption, "ct")))
            .isEqualTo(hex(encryption, "pt"));
        opened++;
      }
    }
    assertThat(opened).isEqualTo(12);
  }

  @Test
  void derivesAndDecapsulatesTheVectorsOfXWing() throws Exception {
    JsonNode vectors = resource("/hpke/x-wing-kem.json");

    for (JsonNode vector : vectors) {
      byte[] seed = hex(vector, "seed");
      var extractor = new XWingKEMExtractor(new XWingPrivateKeyParameters(seed));
      assertThat(SealingKey.ofSeed(seed).publicKey().hex()).isEqualTo(vector.path("pk").asText());
      assertThat(extractor.extractSecret(hex(vector, "ct"))).isEqualTo(hex(vector, "ss"));
    }
    assertThat(vectors).hasSize(3);
  }

  /// Raw signatures are BouncyCastle's, documents are verified by the JDK: both are asked.
  @Test
  void judgesEd25519AsWycheproof() throws Exception {
    int judged = 0;
    for (JsonNode group : resource("/jws/ed25519_test.json").path("testGroups")) {
      VerifyingKey key = VerifyingKey.of(hex(group.path("publicKey"), "pk"));
      for (JsonNode test : group.path("tests")) {
        boolean valid = test.path("result").asText().equals("valid");
        byte[] message = hex(test, "msg");
        byte[] signature = hex(test, "sig");
        assertThat(key.verify(message, signature))
            .as("tcId %s", test.path("tcId"))
            .isEqualTo(valid);
        assertThat(verifiesInTheJdk(key, message, signature))
            .as("tcId %s", test.path("tcId"))
            .isEqualTo(valid);
        judged++;
      }
    }
    assertThat(judged).isEqualTo(151);
  }

  private static PublicKey inTheJdk(VerifyingKey key) throws GeneralSecurityException {
    // SubjectPublicKeyInfo of an Ed25519 key up to the key itself (RFC 8410 section 4).
    byte[] prefix = HexFormat.of().parseHex("302a300506032b6570032100");
    byte[] encoded = Arrays.copyOf(prefix, prefix.length + VerifyingKey.BYTES);
    System.arraycopy(key.octets().bytes(), 0, encoded, prefix.length, VerifyingKey.BYTES);
    return KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(encoded));
  }

  private static boolean verifiesInTheJdk(VerifyingKey key, byte[] message, byte[] signature)
      throws GeneralSecurityException {
    var jdk = Signature.getInstance("Ed25519");
    jdk.initVerify(inTheJdk(key));
    jdk.update(message);
    try {
      return jdk.verify(signature);
    } catch (SignatureException _) {
      return false;
    }
  }

  /// The set has no EdDSA: every text of it, valid ones too, is a JWS of another algorithm, key or
  /// spelling, and none is a document of ours, whatever key its kid would lead to.
  @Test
  void refusesEveryJwsOfWycheproof() throws Exception {
    VerifyingKey any = SigningKey.generate(Sealing.RANDOM).verifyingKey();
    int refused = 0;
    for (JsonNode group : resource("/jws/json_web_signature_test.json").path("testGroups")) {
      for (JsonNode test : group.path("tests")) {
        JsonNode jws = test.path("jws");
        String text = jws.isTextual() ? jws.asText() : jws.toString();
        for (DocumentType type : DocumentType.values()) {
          assertThatThrownBy(
                  () -> SignedDocument.verify(text, type, _ -> Optional.of(any), JsonNode.class))
              .as("tcId %s as %s", test.path("tcId"), type)
              .isInstanceOf(SealException.class);
        }
        refused++;
      }
    }
    assertThat(refused).isEqualTo(401);
  }

  /// RFC 8037, appendix A.4: the signature is right, and the header is not one of ours.
  @Test
  void theExampleOfRfc8037VerifiesAndIsNoDocumentOfOurs() throws Exception {
    JsonNode example = resource("/jws/rfc8037.json");
    var key = VerifyingKey.fromBase64Url(example.path("input").path("key").path("x").asText());
    String compact = example.path("output").path("compact").asText();
    String[] parts = compact.split("\\.", -1);

    boolean holds =
        key.verify(
            (parts[0] + "." + parts[1]).getBytes(StandardCharsets.US_ASCII),
            Base64Url.decode(parts[2]));

    assertThat(holds).isTrue();
    assertThatThrownBy(
            () ->
                SignedDocument.verify(
                    compact, DocumentType.REVOKED, _ -> Optional.of(key), JsonNode.class))
        .isInstanceOf(SealException.class);
  }

  private static JsonNode resource(String name) throws IOException {
    try (var in = Objects.requireNonNull(PublishedVectorsTest.class.getResourceAsStream(name))) {
      return new JsonMapper().readTree(in);
    }
  }

  private static byte[] hex(JsonNode node, String field) {
    return HexFormat.of().parseHex(node.path(field).asText());
  }
}
