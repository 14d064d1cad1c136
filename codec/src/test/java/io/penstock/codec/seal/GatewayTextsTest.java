package io.penstock.codec.seal;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.codec.seal.GatewayTexts.Binding;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/// The texts of `docs/gateways.md`, byte by byte; the hashes were made by another program.
class GatewayTextsTest {
  private static final Octets ID = filled(16, 1);
  private static final Octets SEALING = filled(1216, 2);
  private static final Octets SIGNING = filled(32, 3);
  private static final Octets NONCE = filled(32, 4);
  private static final byte[] SECRET = filled(32, 5).bytes();

  private static Octets filled(int length, int value) {
    byte[] bytes = new byte[length];
    java.util.Arrays.fill(bytes, (byte) value);
    return Octets.of(bytes);
  }

  private static byte[] transcript(Binding binding) {
    return GatewayTexts.transcript(
        ID, "gw-1", "https://broker.example.com", binding, SEALING, SIGNING, NONCE);
  }

  private static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }

  @Test
  void theTranscriptIsLinesOfText() {
    assertThat(new String(transcript(Binding.KEY), StandardCharsets.UTF_8))
        .isEqualTo(
            "penstock gateway enroll v1\nAQEBAQEBAQEBAQEBAQEBAQ\ngw-1\nhttps://broker.example.com\n"
                + "key\n"
                + SEALING.base64Url()
                + "\nAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM\n"
                + "BAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ\n");
  }

  @Test
  void claimAndConfirmationAreWhatAnotherProgramMakes() {
    assertThat(hex(GatewayTexts.claim(SECRET, transcript(Binding.KEY))))
        .isEqualTo("4227e4b074bd4f5f73a64c5cd15be6e544fecbeffc0a1f0ec8b45b2b0330feff");
    assertThat(hex(GatewayTexts.confirmation(SECRET, transcript(Binding.KEY))))
        .isEqualTo("9fc36e3258b769986718a7cb4976f82396484107104a9521c29f169a4f67ac86");
  }

  @Test
  void theUnlockKeyTellsTheBinding() {
    Octets key = GatewayTexts.unlockKey(SIGNING, Binding.KEY);

    assertThat(key.hex())
        .isEqualTo("597a21535c996a4dd3aa0111c4d34970d8edfc9e844a571cf59bba796684568c");
    assertThat(GatewayTexts.bindingOf(SIGNING, key)).contains(Binding.KEY);
    assertThat(GatewayTexts.bindingOf(SIGNING, GatewayTexts.unlockKey(SIGNING, Binding.BEARER)))
        .contains(Binding.BEARER);
    assertThat(GatewayTexts.bindingOf(NONCE, key)).isEmpty();
    assertThat(GatewayTexts.bindingOf(SIGNING, SIGNING)).isEmpty();
  }

  @Test
  void everyPartIsClaimed() {
    byte[] claim = GatewayTexts.claim(SECRET, transcript(Binding.KEY));

    assertThat(GatewayTexts.claim(SECRET, transcript(Binding.BEARER))).isNotEqualTo(claim);
    assertThat(
            GatewayTexts.claim(
                SECRET,
                GatewayTexts.transcript(
                    ID,
                    "gw-2",
                    "https://broker.example.com",
                    Binding.KEY,
                    SEALING,
                    SIGNING,
                    NONCE)))
        .isNotEqualTo(claim);
    assertThat(GatewayTexts.claim(NONCE.bytes(), transcript(Binding.KEY))).isNotEqualTo(claim);
  }
}
