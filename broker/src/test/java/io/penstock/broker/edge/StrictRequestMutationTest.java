package io.penstock.broker.edge;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// Whatever is done to a good request: accepted means that the second readers all read it alike. A
/// fixed seed, so that a failure stays.
class StrictRequestMutationTest {

  private static final long SEED = 20_260_719;
  private static final int ROUNDS = 6_000;

  /// `|` stands for CRLF.
  private static final List<String> GOOD =
      List.of(
          "POST /a?b HTTP/1.1|Host: a.example|Content-Length: 11|X: y||hello world"
              + "GET /b HTTP/1.1|Host: b||",
          "PUT /a HTTP/1.1|Host: a|Transfer-Encoding: chunked||5;x=y|hello|A|0123456789|0|ETag: q||"
              + "GET / HTTP/1.1||",
          "GET http://a/b HTTP/1.0|X-A: b|Host: a|Connection: close||"
              + "GET /c HTTP/1.1|Host: a|Content-Length: 4||0||");

  /// What smuggling is made of.
  private static final List<String> PIECES =
      List.of(
          "\r",
          "\n",
          "\r\n",
          "\r\n\r\n",
          "\n\n",
          " ",
          "\t",
          "\0",
          "\u000b",
          "\u007f",
          "\u00a0",
          "_",
          ":",
          ";",
          ",",
          "0",
          "0x",
          "+",
          "-",
          "#",
          "//",
          "chunked",
          "Transfer-Encoding: chunked\r\n",
          "Transfer-Encoding:",
          "Content-Length: 3\r\n",
          "Content_Length: 3\r\n",
          "Host: b\r\n",
          "HTTP/1.1");

  @Test
  void acceptsNoMutationWithTwoReadings() {
    Random random = new Random(SEED);
    int accepted = 0;
    for (int round = 0; round < ROUNDS; round++) {
      byte[] bytes = mutate(random);
      StrictTranscript transcript = StrictTranscript.ofSplit(bytes, random.nextInt(bytes.length));
      if (!transcript.accepted().isEmpty()) {
        accepted += assertAcceptedHasOneReading(round, bytes);
      }
    }

    assertThat(accepted).as("mutations that passed").isGreaterThan(ROUNDS / 20);
  }

  private static int assertAcceptedHasOneReading(int round, byte[] bytes) {
    StrictTranscript transcript = StrictTranscript.ofSingleBytes(bytes);
    String name = "seed " + SEED + " round " + round + ": " + new String(bytes, ISO_8859_1);
    StrictRequestVectorsTest.assertHasOneReading(name, bytes, transcript);
    return transcript.accepted().isEmpty() ? 0 : 1;
  }

  private static byte[] mutate(Random random) {
    StringBuilder text =
        new StringBuilder(GOOD.get(random.nextInt(GOOD.size())).replace("|", "\r\n"));
    int mutations = 1 + random.nextInt(3);
    for (int i = 0; i < mutations; i++) {
      int at = random.nextInt(text.length());
      switch (random.nextInt(4)) {
        case 0 -> text.setCharAt(at, (char) random.nextInt(256));
        case 1 -> text.deleteCharAt(at);
        case 2 -> text.insert(at, PIECES.get(random.nextInt(PIECES.size())));
        default -> {
          int from = text.lastIndexOf("\n", at) + 1;
          text.insert(from, PIECES.get(random.nextInt(PIECES.size())));
        }
      }
    }
    return text.toString().getBytes(ISO_8859_1);
  }
}
