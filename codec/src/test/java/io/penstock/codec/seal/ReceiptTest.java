package io.penstock.codec.seal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.codec.seal.Receipt.Applied;
import io.penstock.codec.seal.Receipt.Outcome;
import io.penstock.codec.seal.Receipt.Reason;
import io.penstock.codec.seal.Receipt.Refused;
import java.io.IOException;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ReceiptTest {
  private final SigningKey identity = SigningKey.generate(Sealing.RANDOM);

  @Test
  void readsWhatTheIdentitySigned() {
    Receipt applied = receipt(new Applied());

    assertThat(Receipt.verify(applied.sign(identity), identity.verifyingKey()))
        .containsExactly(applied);
  }

  @ParameterizedTest
  @EnumSource(Reason.class)
  void readsEveryReason(Reason reason) {
    Receipt refused = receipt(new Refused(reason, "base_url: expected a host, found none"));

    assertThat(Receipt.verify(refused.sign(identity), identity.verifyingKey()))
        .containsExactly(refused);
  }

  @Test
  void refusesEveryChangedCharacterAndAnotherIdentity() {
    String jws = receipt(new Applied()).sign(identity);

    for (int at = 0; at < jws.length(); at++) {
      char other = jws.charAt(at) == 'A' ? 'B' : 'A';
      String changed = jws.substring(0, at) + other + jws.substring(at + 1);
      assertThatThrownBy(() -> Receipt.verify(changed, identity.verifyingKey()))
          .as("character %d", at)
          .isInstanceOf(SealException.class);
    }
    VerifyingKey another = SigningKey.generate(Sealing.RANDOM).verifyingKey();
    assertThatThrownBy(() -> Receipt.verify(jws, another)).hasMessageContaining("unknown key");
  }

  @Test
  void aReasonOfANewerAgentIsRead() throws IOException {
    Outcome read =
        SignedDocument.JSON.readValue(
            "{\"t\":\"refused\",\"reason\":\"moon-phase\",\"detail\":\"\"}", Outcome.class);

    assertThat(read).isEqualTo(new Refused(Reason.UNKNOWN, ""));
  }

  @Test
  void theDetailIsOneBoundedLine() {
    Refused refused = Refused.of(Reason.START_FAILED, " two\r\nlines " + "x".repeat(500));

    assertThat(refused.detail()).startsWith("two lines x").hasSize(300).endsWith("x…");
    assertThatThrownBy(() -> new Refused(Reason.START_FAILED, "a\nb"))
        .isInstanceOf(SealException.class);
    assertThatThrownBy(() -> new Refused(Reason.START_FAILED, "x".repeat(301)))
        .isInstanceOf(SealException.class);
  }

  @Test
  void theLongestReceiptFits() {
    Receipt longest =
        new Receipt(
            "a".repeat(63),
            Long.MAX_VALUE,
            "s".repeat(63),
            Long.MAX_VALUE,
            Octets.of(new byte[32]),
            new Refused(Reason.DESTINATION_WITHOUT_SECRETS, "€".repeat(300)),
            Long.MAX_VALUE);

    assertThat(Receipt.verify(longest.sign(identity), identity.verifyingKey()))
        .containsExactly(longest);
  }

  @Test
  void asManyAsMayBeSignedTogetherFit() {
    List<Receipt> longest =
        IntStream.range(0, Receipt.MAX_TOGETHER)
            .mapToObj(
                i ->
                    new Receipt(
                        "a".repeat(63),
                        Long.MAX_VALUE,
                        i + "s".repeat(61),
                        Long.MAX_VALUE,
                        Octets.sha256(new byte[] {(byte) i}),
                        new Applied(),
                        Long.MAX_VALUE))
            .toList();

    assertThat(Receipt.verify(Receipt.sign(longest, identity), identity.verifyingKey()))
        .isEqualTo(longest);
  }

  @Test
  void onlyReceiptsOfOneAgentAndMomentAreSignedTogether() {
    Receipt one = receipt(new Applied());
    List<Receipt> later =
        List.of(
            one,
            new Receipt(
                "press-line-1", 2, "erp", 3, one.headerSha256(), one.outcome(), 1_790_000_001));
    List<Receipt> anothers =
        List.of(
            one,
            new Receipt(
                "press-line-2", 2, "erp", 3, one.headerSha256(), one.outcome(), 1_790_000_000));

    assertThatThrownBy(() -> Receipt.sign(later, identity))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Receipt.sign(anothers, identity))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(
            () -> Receipt.sign(Collections.nCopies(Receipt.MAX_TOGETHER + 1, one), identity))
        .isInstanceOf(SealException.class)
        .hasMessageContaining("found 33");
  }

  private static Receipt receipt(Outcome outcome) {
    return new Receipt(
        "press-line-1", 2, "erp", 3, Octets.sha256(new byte[1]), outcome, 1_790_000_000);
  }
}
