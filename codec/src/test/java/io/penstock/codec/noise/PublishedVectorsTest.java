package io.penstock.codec.noise;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The vectors of four other implementations, each played by both of our sides, byte for byte.
class PublishedVectorsTest {
  @Test
  void everyApplicableVectorIsThere() {
    assertThat(cacophony()).hasSize(2);
    assertThat(snow()).hasSize(5);
    assertThat(noiseC()).hasSize(1);
    assertThat(flynn()).hasSize(20);
  }

  @ParameterizedTest
  @MethodSource({"cacophony", "snow", "noiseC", "flynn"})
  void writesAndReadsWhatOthersWrote(NoiseVector vector) throws Exception {
    VectorPlay.play(vector);
  }

  static List<NoiseVector> cacophony() {
    return NoiseVector.json("cacophony.txt");
  }

  static List<NoiseVector> snow() {
    return NoiseVector.json("snow.txt");
  }

  static List<NoiseVector> noiseC() {
    return NoiseVector.json("noise-c-basic.txt");
  }

  static List<NoiseVector> flynn() {
    return NoiseVector.paragraphs("flynn-vectors.txt");
  }
}
