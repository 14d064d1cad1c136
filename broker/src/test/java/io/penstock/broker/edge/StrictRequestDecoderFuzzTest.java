package io.penstock.broker.edge;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import org.junit.jupiter.api.Tag;

/// Whatever the bytes: the same verdict in any pieces, and one reading of all that is accepted.
@Tag("conformance")
class StrictRequestDecoderFuzzTest {

  @FuzzTest(maxDuration = "60s")
  void readsAnyBytesInOneWay(byte[] bytes) {
    StrictTranscript transcript = StrictTranscript.ofSingleBytes(bytes);

    StrictRequestVectorsTest.assertHasOneReading("fuzzed", bytes, transcript);
    assertThat(StrictTranscript.ofSplit(bytes, bytes.length / 2).verdict())
        .isEqualTo(transcript.verdict());
  }
}
