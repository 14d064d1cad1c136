package io.penstock.codec.noise;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import javax.crypto.AEADBadTagException;
import org.junit.jupiter.api.Test;

class AesGcmTest {
  @Test
  void agreesWithWycheproofOn256BitKeysAnd96BitNonces() throws Exception {
    int sealed = 0;
    int refused = 0;
    for (JsonNode group : Resources.json("wycheproof/aes_gcm_test.json").get("testGroups")) {
      if (group.get("keySize").asInt() != 256 || group.get("ivSize").asInt() != 96) {
        continue;
      }
      for (JsonNode test : group.get("tests")) {
        if (test.get("result").asText().equals("valid")) {
          assertSealsAndOpens(test);
          sealed++;
        } else {
          assertThatThrownBy(() -> open(test)).isInstanceOf(AEADBadTagException.class);
          refused++;
        }
      }
    }

    assertThat(sealed).isEqualTo(39);
    assertThat(refused).isEqualTo(27);
  }

  private static void assertSealsAndOpens(JsonNode test) throws AEADBadTagException {
    byte[] message = bytes(test, "msg");
    byte[] out = new byte[message.length + AesGcm.TAG_BYTES];
    AesGcm gcm = new AesGcm(bytes(test, "key"));

    gcm.seal(bytes(test, "iv"), bytes(test, "aad"), message, 0, message.length, out, 0);

    assertThat(out).isEqualTo(ciphertextAndTag(test));
    assertThat(open(test)).isEqualTo(message);
  }

  private static byte[] open(JsonNode test) throws AEADBadTagException {
    byte[] in = ciphertextAndTag(test);
    byte[] out = new byte[in.length - AesGcm.TAG_BYTES];
    AesGcm gcm = new AesGcm(bytes(test, "key"));
    gcm.open(bytes(test, "iv"), bytes(test, "aad"), in, 0, in.length, out, 0);
    return out;
  }

  private static byte[] ciphertextAndTag(JsonNode test) {
    byte[] ciphertext = bytes(test, "ct");
    byte[] tag = bytes(test, "tag");
    byte[] both = Arrays.copyOf(ciphertext, ciphertext.length + tag.length);
    System.arraycopy(tag, 0, both, ciphertext.length, tag.length);
    return both;
  }

  private static byte[] bytes(JsonNode test, String field) {
    return new Hex(test.get(field).asText()).bytes();
  }
}
