package io.penstock.codec.noise;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class HybridKnownAnswersTest {
  @Test
  void bothHybridSuitesAreThereWithAndWithoutPayloads() {
    assertThat(vectors())
        .extracting(NoiseVector::protocolName)
        .containsExactly(
            Suite.XXHFS.noiseName(),
            Suite.XXHFS.noiseName(),
            Suite.XXHFS_PSK3.noiseName(),
            Suite.XXHFS_PSK3.noiseName());
  }

  @ParameterizedTest
  @MethodSource("vectors")
  void ourHandshakeGivesThem(NoiseVector vector) throws Exception {
    VectorPlay.play(vector);
  }

  @ParameterizedTest
  @MethodSource("vectors")
  void theSecondImplementationGivesThem(NoiseVector vector) {
    ReferenceNoise initiator = HybridKnownAnswers.reference(vector, true);
    ReferenceNoise responder = HybridKnownAnswers.reference(vector, false);

    for (int i = 0; i < vector.messages().size(); i++) {
      NoiseVector.Message message = vector.messages().get(i);
      ReferenceNoise writer = message.byInitiator() ? initiator : responder;
      ReferenceNoise reader = message.byInitiator() ? responder : initiator;
      byte[] ciphertext = writer.write(i, message.payload().bytes());
      assertThat(Hex.of(ciphertext)).isEqualTo(message.ciphertext());
      assertThat(Hex.of(reader.read(i, ciphertext))).isEqualTo(message.payload());
    }
    assertThat(vector.handshakeHash()).contains(Hex.of(initiator.hash()));
    assertThat(vector.handshakeHash()).contains(Hex.of(responder.hash()));
  }

  @ParameterizedTest
  @MethodSource("vectors")
  void messagesHaveTheLengthsOfTheHfsDocument(NoiseVector vector) {
    List<Integer> overheads =
        vector.messages().stream()
            .map(m -> m.ciphertext().bytes().length - m.payload().bytes().length)
            .toList();

    int tagsOfFirst = vector.psks().isEmpty() ? 0 : 2 * 16;
    assertThat(overheads)
        .startsWith(32 + 1184 + tagsOfFirst, 32 + (1088 + 16) + (32 + 16) + 16, (32 + 16) + 16);
  }

  static List<NoiseVector> vectors() {
    return NoiseVector.json("hybrid-kat.json");
  }
}
