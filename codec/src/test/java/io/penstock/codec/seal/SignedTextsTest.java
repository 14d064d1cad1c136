package io.penstock.codec.seal;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/// Known answers, put together by hand from the protocol page, section 2.
class SignedTextsTest {
  private static final String SHA256_OF_ABC =
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

  @Test
  void enrollmentNamesTranscriptKeysAndTheBundlesHashInThisOrder() {
    byte[] text =
        SignedTexts.enroll(
            run(32, 1), run(32, 2), run(1216, 3), run(32, 4), "abc".getBytes(US_ASCII));

    assertThat(HexFormat.of().formatHex(text))
        .isEqualTo(
            "70656e73746f636b20656e726f6c6c207631"
                + "01".repeat(32)
                + "02".repeat(32)
                + "03".repeat(1216)
                + "04".repeat(32)
                + SHA256_OF_ABC);
  }

  @Test
  void readyNamesTranscriptAndSession() {
    byte[] text = SignedTexts.ready(run(32, 1), run(16, 2));

    assertThat(HexFormat.of().formatHex(text))
        .isEqualTo("70656e73746f636b207265616479207631" + "01".repeat(32) + "02".repeat(16));
  }

  @Test
  void theProofsInfoIsItsLabel() {
    assertThat(SignedTexts.proofInfo()).isEqualTo("penstock proof v1".getBytes(US_ASCII));
  }

  private static byte[] run(int length, int value) {
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }
}
