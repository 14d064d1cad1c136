package io.penstock.codec.noise;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class X25519Test {
  private static final Hex ZERO = Hex.of(new byte[32]);

  @Test
  void agreesWithWycheproofAndRefusesEveryZeroSecret() throws Exception {
    int agreed = 0;
    int refused = 0;
    for (JsonNode group : Resources.json("wycheproof/x25519_test.json").get("testGroups")) {
      for (JsonNode test : group.get("tests")) {
        X25519 keys = X25519.fromPrivate(hex(test, "private").bytes());
        byte[] remote = hex(test, "public").bytes();
        if (hex(test, "shared").equals(ZERO)) {
          assertThatThrownBy(() -> keys.agree(remote)).isInstanceOf(HandshakeException.class);
          refused++;
        } else {
          assertThat(Hex.of(keys.agree(remote)))
              .as("test %s", test.get("tcId"))
              .isEqualTo(hex(test, "shared"));
          agreed++;
        }
      }
    }

    assertThat(agreed).isEqualTo(487);
    assertThat(refused).isEqualTo(31);
  }

  @Test
  void agreesWithRfc7748() throws Exception {
    JsonNode tests = Resources.json("rfc7748/rfc7748_kat_test.json.gz");

    for (JsonNode test : tests) {
      X25519 keys = X25519.fromPrivate(hex(test, "scalar").bytes());
      assertThat(Hex.of(keys.agree(hex(test, "input").bytes()))).isEqualTo(hex(test, "output"));
    }
    assertThat(tests).hasSize(6);
  }

  @Test
  void agreesWithRfc7748IteratedAThousandTimes() throws Exception {
    assertIterations(1);
    assertIterations(1_000);
  }

  @Test
  @Tag("slow")
  void agreesWithRfc7748IteratedAMillionTimes() throws Exception {
    assertIterations(1_000_000);
  }

  private static void assertIterations(int times) throws HandshakeException {
    for (JsonNode test : Resources.json("rfc7748/rfc7748_times_test.json.gz")) {
      if (test.get("times").asInt() == times) {
        assertThat(Hex.of(iterate(times))).isEqualTo(hex(test, "key"));
        return;
      }
    }
    throw new AssertionError("no vector for " + times);
  }

  private static byte[] iterate(int times) throws HandshakeException {
    byte[] k = new byte[X25519.BYTES];
    k[0] = 9;
    byte[] u = k;
    for (int i = 0; i < times; i++) {
      byte[] next = X25519.fromPrivate(k).agree(u);
      u = k;
      k = next;
    }
    return k;
  }

  @Test
  void derivesThePublicKeyAsTheLadderDoes() {
    for (int i = 0; i < 20; i++) {
      StaticKeyPair pair = StaticKeyPair.generate();

      assertThat(pair.publicKey().bytes())
          .isEqualTo(ReferenceNoise.publicKey(pair.privateKeyBytes()));
    }
  }

  @Test
  void refusesKeysOfAnotherLength() {
    X25519 keys = Parties.INITIATOR.keys();

    assertThatThrownBy(() -> keys.agree(new byte[31])).isInstanceOf(HandshakeException.class);
    assertThatThrownBy(() -> keys.agree(new byte[33])).isInstanceOf(HandshakeException.class);
    assertThatThrownBy(() -> StaticKeyPair.fromPrivate(new byte[31]))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new PublicKey(new byte[33]))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static Hex hex(JsonNode test, String field) {
    return new Hex(test.get(field).asText());
  }
}
