package io.penstock.codec.noise;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Wycheproof against the JDK's KEM, through the class by which a handshake uses it.
class MlKem768Test {
  private static final int SEED_BYTES = 64;

  @Test
  void generatesTheKeyOfASeed() {
    List<JsonNode> tests = tests("mlkem_768_keygen_seed_test");

    for (JsonNode test : tests) {
      assertThat(Hex.of(fromSeed(test).encapsulationKey())).isEqualTo(hex(test, "ek"));
    }
    assertThat(tests).hasSize(100);
  }

  @Test
  void decapsulatesAndRefusesOtherLengths() throws Exception {
    int decapsulated = 0;
    int refused = 0;
    for (JsonNode test : tests("mlkem_768_test")) {
      if (hex(test, "seed").bytes().length != SEED_BYTES) {
        continue; // Seeds are never read from outside.
      }
      MlKem768 keys = fromSeed(test);
      byte[] ciphertext = hex(test, "c").bytes();
      if (valid(test)) {
        assertThat(Hex.of(keys.decapsulate(ciphertext))).isEqualTo(hex(test, "K"));
        decapsulated++;
      } else {
        assertThatThrownBy(() -> keys.decapsulate(ciphertext))
            .isInstanceOf(HandshakeException.class);
        refused++;
      }
    }

    assertThat(decapsulated).isEqualTo(153);
    assertThat(refused).isEqualTo(20);
  }

  @Test
  void encapsulatesAndRefusesKeysThatAreNone() throws Exception {
    int encapsulated = 0;
    int refused = 0;
    for (JsonNode test : tests("mlkem_768_encaps_test")) {
      byte[] key = hex(test, "ek").bytes();
      var random = new FixedRandom(hex(test, "m").bytes());
      if (valid(test)) {
        var sent = MlKem768.encapsulator(key, random).encapsulate();
        assertThat(Hex.of(sent.encapsulation())).isEqualTo(hex(test, "c"));
        assertThat(Hex.of(sent.key().getEncoded())).isEqualTo(hex(test, "K"));
        encapsulated++;
      } else {
        assertThatThrownBy(() -> MlKem768.encapsulator(key, random))
            .isInstanceOf(HandshakeException.class);
        refused++;
      }
    }

    assertThat(encapsulated).isEqualTo(133);
    assertThat(refused).isEqualTo(132);
  }

  private static List<JsonNode> tests(String file) {
    List<JsonNode> tests = new ArrayList<>();
    for (JsonNode group : Resources.json("wycheproof/" + file + ".json.gz").get("testGroups")) {
      group.get("tests").forEach(tests::add);
    }
    return tests;
  }

  private static MlKem768 fromSeed(JsonNode test) {
    return MlKem768.generate(new FixedRandom(hex(test, "seed").bytes()));
  }

  private static boolean valid(JsonNode test) {
    return test.get("result").asText().equals("valid");
  }

  private static Hex hex(JsonNode test, String field) {
    return new Hex(test.get(field).asText());
  }
}
