package io.penstock.codec.seal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SignedDocumentTest {
  private static final Revocation PAYLOAD = new Revocation("press-line-1", 4, 1_700_000_000);

  private final SigningKey key = SigningKey.generate(new SecureRandom());

  @Test
  void readsWhatItSigned() {
    String jws = SignedDocument.sign(DocumentType.REVOKED, "k1", key, PAYLOAD);

    assertThat(verify(jws)).isEqualTo(PAYLOAD);
  }

  @Test
  void refusesEveryChangedCharacter() {
    String jws = SignedDocument.sign(DocumentType.REVOKED, "k1", key, PAYLOAD);

    for (int at = 0; at < jws.length(); at++) {
      char other = jws.charAt(at) == 'A' ? 'B' : 'A';
      String changed = jws.substring(0, at) + other + jws.substring(at + 1);
      String cut = jws.substring(0, at);
      assertThatThrownBy(() -> verify(changed))
          .as("character %d", at)
          .isInstanceOf(SealException.class);
      assertThatThrownBy(() -> verify(cut)).as("cut at %d", at).isInstanceOf(SealException.class);
    }
  }

  @Test
  void refusesASignatureMadeForAnotherPurpose() {
    String jws = SignedDocument.sign(DocumentType.AGENT_RECORD, "k1", key, PAYLOAD);

    assertThatThrownBy(() -> verify(jws)).isInstanceOf(SealException.class);
  }

  @Test
  void refusesAnUnknownKeyId() {
    String jws = SignedDocument.sign(DocumentType.REVOKED, "k2", key, PAYLOAD);

    assertThatThrownBy(() -> verify(jws)).hasMessageContaining("unknown key");
  }

  @Test
  void refusesAnotherKeyUnderAKnownId() {
    String jws =
        SignedDocument.sign(
            DocumentType.REVOKED, "k1", SigningKey.generate(new SecureRandom()), PAYLOAD);

    assertThatThrownBy(() -> verify(jws)).hasMessageContaining("does not verify");
  }

  /// Correctly signed by the right key, so that only the header can be what is refused.
  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"alg\":\"none\",\"kid\":\"k1\",\"typ\":\"penstock-revoked+jws\"}",
        "{\"alg\":\"HS256\",\"kid\":\"k1\",\"typ\":\"penstock-revoked+jws\"}",
        "{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"penstock-revoked+jws\"}",
        "{\"alg\":\"Ed25519\",\"kid\":\"k1\",\"typ\":\"penstock-revoked+jws\"}",
        "{\"alg\":\"eddsa\",\"kid\":\"k1\",\"typ\":\"penstock-revoked+jws\"}",
        "{\"alg\":\"EdDSA\",\"kid\":\"k1\",\"typ\":\"PENSTOCK-REVOKED+JWS\"}",
        "{\"alg\":\"EdDSA\",\"kid\":\"k1\"}",
        "{\"alg\":\"EdDSA\",\"typ\":\"penstock-revoked+jws\"}",
        "{\"alg\":\"EdDSA\",\"kid\":7,\"typ\":\"penstock-revoked+jws\"}",
        "{\"alg\":\"EdDSA\",\"kid\":\"k1\",\"typ\":\"penstock-revoked+jws\",\"crit\":[\"exp\"]}",
        "{\"alg\":\"EdDSA\",\"kid\":\"k1\",\"typ\":\"penstock-revoked+jws\",\"jwk\":{}}",
        "{\"alg\":\"EdDSA\",\"kid\":\"k1\",\"typ\":\"penstock-revoked+jws\",\"b64\":false}",
        "{\"alg\":\"EdDSA\",\"alg\":\"EdDSA\",\"kid\":\"k1\",\"typ\":\"penstock-revoked+jws\"}",
        "[]",
        "null",
        "7",
        "{"
      })
  void refusesAnyOtherHeader(String header) {
    String jws = signedByHand(header, "{\"agent\":\"a\",\"counter\":1,\"revoked_at\":1}");

    assertThatThrownBy(() -> verify(jws)).isInstanceOf(SealException.class);
  }

  @Test
  void theHandMadeDocumentsOfTheseTestsAreAcceptedWhenTheirHeaderIsRight() {
    String jws =
        signedByHand(
            "{\"alg\":\"EdDSA\",\"kid\":\"k1\",\"typ\":\"penstock-revoked+jws\"}",
            "{\"agent\":\"a\",\"counter\":1,\"revoked_at\":1,\"of_a_newer_version\":true}");

    assertThat(verify(jws).agent()).isEqualTo("a");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "null",
        "[]",
        "{\"agent\":\"a\"}",
        "{\"agent\":null,\"counter\":1,\"revoked_at\":1}",
        "{\"agent\":\"a\",\"counter\":1,\"revoked_at\":1} x"
      })
  void refusesASignedPayloadOfAnotherShape(String payload) {
    String jws =
        signedByHand(
            "{\"alg\":\"EdDSA\",\"kid\":\"k1\",\"typ\":\"penstock-revoked+jws\"}", payload);

    assertThatThrownBy(() -> verify(jws)).isInstanceOf(SealException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", ".", "..", "a.b.c", "a.b.c.d", " ", "=.=.="})
  void refusesTextThatIsNoDocument(String text) {
    assertThatThrownBy(() -> verify(text)).isInstanceOf(SealException.class);
  }

  @Test
  void refusesOtherSpellingsOfTheSameDocument() {
    String jws = SignedDocument.sign(DocumentType.REVOKED, "k1", key, PAYLOAD);

    for (String spelling :
        new String[] {
          jws + "=", jws + "\n", " " + jws, jws.replace(".", "=."), jws + ".", jws + "A"
        }) {
      assertThatThrownBy(() -> verify(spelling)).isInstanceOf(SealException.class);
    }
  }

  @Test
  void refusesTextOverTheLimitBeforeReadingIt() {
    assertThatThrownBy(() -> verify("a".repeat(DocumentType.REVOKED.maxChars() + 1)))
        .hasMessageContaining("longer than");
  }

  private Optional<VerifyingKey> keyOf(String kid) {
    return kid.equals("k1") ? Optional.of(key.verifyingKey()) : Optional.empty();
  }

  private Revocation verify(String jws) {
    return SignedDocument.verify(jws, DocumentType.REVOKED, this::keyOf, Revocation.class);
  }

  private String signedByHand(String header, String payload) {
    String input =
        Base64Url.encode(header.getBytes(StandardCharsets.UTF_8))
            + "."
            + Base64Url.encode(payload.getBytes(StandardCharsets.UTF_8));
    return input + "." + Base64Url.encode(key.sign(input.getBytes(StandardCharsets.US_ASCII)));
  }
}
