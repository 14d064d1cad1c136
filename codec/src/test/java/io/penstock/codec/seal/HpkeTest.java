package io.penstock.codec.seal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Objects;
import javax.crypto.Cipher;
import javax.crypto.KDF;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.HKDFParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.bouncycastle.crypto.hpke.HPKE;
import org.junit.jupiter.api.Test;

class HpkeTest {
  private static final byte[] CONTEXT = "agent=a1".getBytes(StandardCharsets.UTF_8);
  private static final byte[] PLAINTEXT = "the press runs at 7".getBytes(StandardCharsets.UTF_8);

  private final SealingKey key = Hpke.generate(new SecureRandom());

  @Test
  void opensWhatWasSealed() {
    byte[] sealed = Hpke.seal(key.publicKey(), CONTEXT, PLAINTEXT);

    assertThat(Hpke.open(key, CONTEXT, sealed)).isEqualTo(PLAINTEXT);
    assertThat(sealed).hasSize(1 + 1120 + PLAINTEXT.length + 16);
  }

  @Test
  void refusesAnotherContextOrKey() {
    byte[] sealed = Hpke.seal(key.publicKey(), CONTEXT, PLAINTEXT);

    assertThatThrownBy(() -> Hpke.open(key, new byte[0], sealed)).isInstanceOf(SealException.class);
    assertThatThrownBy(() -> Hpke.open(Hpke.generate(new SecureRandom()), CONTEXT, sealed))
        .isInstanceOf(SealException.class);
  }

  @Test
  void refusesEveryFlippedByteAndEveryTruncation() {
    byte[] sealed = Hpke.seal(key.publicKey(), CONTEXT, PLAINTEXT);

    for (int at = 0; at < sealed.length; at += at < 1100 ? 37 : 1) {
      byte[] flipped = sealed.clone();
      flipped[at] ^= 1;
      byte[] cut = java.util.Arrays.copyOf(sealed, at);
      assertThatThrownBy(() -> Hpke.open(key, CONTEXT, flipped))
          .as("byte %d", at)
          .isInstanceOf(SealException.class);
      assertThatThrownBy(() -> Hpke.open(key, CONTEXT, cut))
          .as("cut at %d", at)
          .isInstanceOf(SealException.class);
    }
  }

  @Test
  void refusesAPublicKeyOfTheWrongLength() {
    assertThatThrownBy(() -> Hpke.seal(Octets.of(new byte[1215]), CONTEXT, PLAINTEXT))
        .isInstanceOf(SealException.class);
  }

  @Test
  void printsNothingSecret() {
    assertThat(key.toString()).isEqualTo("SealingKey[secret]");
  }

  /// The KEM and key schedule of the library, with the vector's own AEAD (ChaCha20-Poly1305,
  /// HKDF-SHA256).
  @Test
  void opensThePublishedVector() throws Exception {
    JsonNode vector = vector();
    var suite =
        new HPKE(
            HPKE.mode_base,
            HPKE.kem_X_WING,
            HPKE.kdf_HKDF_SHA256,
            (short) vector.path("aead_id").asInt());
    SealingKey recipient = SealingKey.ofSeed(hex(vector, "skRm"));
    JsonNode encryption = vector.path("encryptions").path(0);

    var pair = suite.deserializePrivateKey(hex(vector, "skRm"), hex(vector, "pkRm"));
    byte[] opened =
        suite
            .setupBaseR(hex(vector, "enc"), pair, hex(vector, "info"))
            .open(hex(encryption, "aad"), hex(encryption, "ct"));

    assertThat(recipient.publicKey().bytes()).isEqualTo(hex(vector, "pkRm"));
    assertThat(opened).isEqualTo(hex(encryption, "pt"));
  }

  /// Our suite has AES-256-GCM, for which nobody published an X-Wing vector: the vector's
  /// encapsulation and shared secret, and the key schedule of RFC 9180 section 5.1 written out on
  /// the JDK's HKDF and AES, make one.
  @Test
  void opensAnAesSealMadeFromThePublishedSharedSecretByAnotherImplementation() throws Exception {
    JsonNode vector = vector();
    byte[] info = hex(vector, "info");

    byte[] ciphertext = sealByHand(hex(vector, "shared_secret"), info, PLAINTEXT);
    byte[] sealed = concat(new byte[] {Hpke.FORMAT_X_WING_AES256}, hex(vector, "enc"), ciphertext);

    assertThat(Hpke.open(SealingKey.ofSeed(hex(vector, "skRm")), info, sealed))
        .isEqualTo(PLAINTEXT);
  }

  private static byte[] sealByHand(byte[] sharedSecret, byte[] info, byte[] plaintext)
      throws GeneralSecurityException {
    byte[] pskIdHash = labeledExtract(new byte[0], "psk_id_hash", new byte[0]);
    byte[] infoHash = labeledExtract(new byte[0], "info_hash", info);
    byte[] keyContext = concat(new byte[] {0}, pskIdHash, infoHash);
    byte[] secret = labeledExtract(sharedSecret, "secret", new byte[0]);
    byte[] aesKey = labeledExpand(secret, "key", keyContext, 32);
    byte[] nonce = labeledExpand(secret, "base_nonce", keyContext, 12);
    Cipher aes = Cipher.getInstance("AES/GCM/NoPadding");
    aes.init(
        Cipher.ENCRYPT_MODE, new SecretKeySpec(aesKey, "AES"), new GCMParameterSpec(128, nonce));
    return aes.doFinal(plaintext);
  }

  private static final byte[] SUITE_ID =
      concat("HPKE".getBytes(StandardCharsets.US_ASCII), new byte[] {0x64, 0x7a, 0, 1, 0, 2});

  private static byte[] labeledExtract(byte[] salt, String label, byte[] ikm)
      throws GeneralSecurityException {
    byte[] labeled =
        concat(
            "HPKE-v1".getBytes(StandardCharsets.US_ASCII),
            SUITE_ID,
            label.getBytes(StandardCharsets.US_ASCII),
            ikm);
    return KDF.getInstance("HKDF-SHA256")
        .deriveData(HKDFParameterSpec.ofExtract().addSalt(salt).addIKM(labeled).extractOnly());
  }

  private static byte[] labeledExpand(byte[] prk, String label, byte[] info, int length)
      throws GeneralSecurityException {
    byte[] labeled =
        concat(
            new byte[] {0, (byte) length},
            "HPKE-v1".getBytes(StandardCharsets.US_ASCII),
            SUITE_ID,
            label.getBytes(StandardCharsets.US_ASCII),
            info);
    return KDF.getInstance("HKDF-SHA256")
        .deriveData(HKDFParameterSpec.expandOnly(new SecretKeySpec(prk, "HKDF"), labeled, length));
  }

  private static byte[] concat(byte[]... parts) {
    var out = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }

  private static JsonNode vector() throws IOException {
    try (var in = Objects.requireNonNull(HpkeTest.class.getResourceAsStream("/hpke/x-wing.json"))) {
      return new JsonMapper().readTree(in).path(0);
    }
  }

  private static byte[] hex(JsonNode node, String field) {
    return HexFormat.of().parseHex(node.path(field).asText());
  }
}
