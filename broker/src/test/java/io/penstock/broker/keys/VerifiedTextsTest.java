package io.penstock.broker.keys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.codec.seal.Keyset;
import io.penstock.codec.seal.SealException;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class VerifiedTextsTest {
  private static final Keyset FIRST = new Keyset(1, 0, 10, List.of());
  private static final Keyset SECOND = new Keyset(2, 0, 10, List.of());

  private final AtomicInteger verified = new AtomicInteger();
  private Keyset keyset = FIRST;
  private final VerifiedTexts<Integer> texts =
      new VerifiedTexts<>(
          () -> keyset,
          (text, _) -> {
            verified.incrementAndGet();
            if (text.startsWith("bad")) {
              throw new SealException("forged");
            }
            return text.length();
          });

  @Test
  void aTextIsVerifiedOnce() {
    assertThat(texts.read("press", "head 1")).isEqualTo(6);
    assertThat(texts.read("press", "head 1")).isEqualTo(6);

    assertThat(verified).hasValue(1);
  }

  @Test
  void aChangedTextIsAnotherAndTheFirstIsForgotten() {
    texts.read("press", "head 1");

    assertThatThrownBy(() -> texts.read("press", "bad 1")).isInstanceOf(SealException.class);
    assertThatThrownBy(() -> texts.read("press", "bad 1")).isInstanceOf(SealException.class);
    texts.read("press", "head 2");
    texts.read("press", "head 1");

    assertThat(verified).hasValue(5);
  }

  @Test
  void anotherKeysetBelievesNothingThatIsKnown() {
    texts.read("press", "head 1");
    keyset = SECOND;
    texts.read("press", "head 1");

    assertThat(verified).hasValue(2);
  }

  @Test
  void whatWasJustSignedNeedsNoVerification() {
    texts.signed("press", "head 1", 6);

    assertThat(texts.read("press", "head 1")).isEqualTo(6);
    assertThat(verified).hasValue(0);
  }
}
