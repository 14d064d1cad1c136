package io.penstock.codec.seal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.security.SecureRandom;
import java.util.List;
import org.junit.jupiter.api.Test;

class WipeOrderTest {
  private final SecureRandom random = new SecureRandom();
  private final SigningKey recordKey = SigningKey.generate(random);
  private final SigningKey configurationKey = SigningKey.generate(random);
  private final Keyset keyset =
      new Keyset(
          1,
          1,
          2,
          List.of(
              Keyset.Key.of(KeyUse.RECORD, recordKey.verifyingKey()),
              Keyset.Key.of(KeyUse.CONFIGURATION, configurationKey.verifyingKey())));
  private final WipeOrder order = new WipeOrder("press", 2, "i-1", 1_700_000_000);
  private final String jws = order.sign(recordKey);

  @Test
  void holdsForItsAgentGenerationAndInstruction() {
    assertThat(WipeOrder.verify(jws, keyset, "press", 2, "i-1")).isEqualTo(order);
  }

  @Test
  void isRefusedForAnyOther() {
    assertThatThrownBy(() -> WipeOrder.verify(jws, keyset, "mill", 2, "i-1"))
        .hasMessageContaining("another agent");
    assertThatThrownBy(() -> WipeOrder.verify(jws, keyset, "press", 3, "i-1"))
        .hasMessageContaining("expected 3, found 2");
    assertThatThrownBy(() -> WipeOrder.verify(jws, keyset, "press", 2, "i-2"))
        .hasMessageContaining("another instruction");
  }

  @Test
  void isRefusedFromAnyKeyButTheRecordKey() {
    for (SigningKey other : List.of(configurationKey, SigningKey.generate(random))) {
      String forged = order.sign(other);

      assertThatThrownBy(() -> WipeOrder.verify(forged, keyset, "press", 2, "i-1"))
          .isInstanceOf(SealException.class);
    }
  }

  @Test
  void noOtherDocumentOfTheRecordKeyStandsForIt() {
    String revocation = new Revocation("press", 2, 1_700_000_000).sign(recordKey);

    assertThatThrownBy(() -> WipeOrder.verify(revocation, keyset, "press", 2, "i-1"))
        .isInstanceOf(SealException.class);
  }

  @Test
  void namesNoImpossibleGenerationOrInstruction() {
    assertThatThrownBy(() -> new WipeOrder("press", 0, "i-1", 1)).isInstanceOf(SealException.class);
    assertThatThrownBy(() -> new WipeOrder("press", 1, "", 1)).isInstanceOf(SealException.class);
    assertThatThrownBy(() -> new WipeOrder("press", 1, "i".repeat(65), 1))
        .isInstanceOf(SealException.class);
  }
}
